"""A message folder on disk <-> Message."""

from vero_deliver.loader.read import load_message, load_messages, message_ids
from vero_deliver.loader.write import save_message

__all__ = ["load_message", "load_messages", "message_ids", "save_message"]
