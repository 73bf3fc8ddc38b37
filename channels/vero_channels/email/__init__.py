"""Drivers that carry email."""
