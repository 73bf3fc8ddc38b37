"""Vero's JSON of the Message resource <-> Message.

Vero's names are used where Vero has one: `transactional`, `contents`, and in an email
`preheader_text`, `body` (HTML), `plain_text`, `processor`, `headers` (JSON in a string),
`options`. What Vero lacks goes under this library's own names: `locales`, `tags`, `metadata`,
`data`, the contents push and http, and in an email `layout`, `reply_to` and `attachments`.

The email without a locale is the message's own; another one per locale is its variant.
Bookkeeping of a server is accepted and ignored: object, created_at, updated_at, provider,
campaign and meta, and the id of a content. null means left out.
"""

from vero_deliver.resource.read import from_resource
from vero_deliver.resource.write import to_resource

__all__ = ["from_resource", "to_resource"]
