"""The renderer: a message and a user in, final content out."""

from vero_deliver.render.renderer import About, Renderer

__all__ = ["About", "Renderer"]
