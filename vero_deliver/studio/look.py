"""What a page is about: the state in the URL, and what it leads to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vero_deliver.message import Message
from vero_deliver.studio.made import Made
from vero_deliver.studio.people import Person
from vero_deliver.studio.state import State
from vero_deliver.studio.workspace import Reading


@dataclass(frozen=True, slots=True)
class Look:
    """One message for one person. made: None where there is nobody to make it for."""

    reading: Reading
    state: State
    message: Message
    everybody: Sequence[Person]
    person: Person | None
    made: Made | None
