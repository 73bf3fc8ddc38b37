"""The text part of an email, read off its HTML."""

from vero_deliver.render.plaintext.reader import plaintext

__all__ = ["plaintext"]
