"""The files that `vero-deliver init` writes."""
