"""Write message.schema.json anew: `python -m vero_deliver.schema`, after a model has changed."""

from pathlib import Path

from vero_deliver.schema import FILE_NAME, generated_text

Path(__file__).with_name(FILE_NAME).write_text(generated_text(), encoding="utf-8", newline="")
