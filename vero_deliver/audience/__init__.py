"""Who a message is for: users, with the data and the event that go with each of them.

JSON: `{"user": {...}, "event": {...}, "month": "March"}`, one object, an array of them, or one a
line (.jsonl). `user` is flat: known fields and attributes; every other name is the sender's data.

CSV: id, email, phone, phone_number, locale and timezone are the user's; so are `user.x` and every
column that [data] does not declare; `event.x` is the event's; dots nest. An empty cell is absent.
"""

from vero_deliver.audience.read import read_recipients, samples
from vero_deliver.audience.recipient import Recipient
from vero_deliver.audience.select import select

__all__ = ["Recipient", "read_recipients", "samples", "select"]
