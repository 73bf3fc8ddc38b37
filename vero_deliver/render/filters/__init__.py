"""Filters: Vero's own, and formats by the user's locale and timezone. Pure functions of a value."""

from vero_deliver.render.filters.vero import FILTERS

__all__ = ["FILTERS"]
