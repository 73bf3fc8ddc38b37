"""The lints."""
