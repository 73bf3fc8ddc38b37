"""Every error this library raises.

VeroDeliverError
  + ConfigError        the project, an option or an installation is wrong; nothing was tried
  |   - MissingExtra   an optional package is not installed; the text names the extra
  + PictureError       the browser that makes pictures ended, or took too long
  + OutboxError        the outbox could not be read or written; nothing is sent unrecorded
  + MessageError       a message folder, JSON document or Message(...) is wrong
  + RenderError        this message cannot be made for this user
  |   - DataError      the sender's data is not what the message declares
  + DeliveryError      a channel did not confirm acceptance; named by what happens next
  |   + Refused        final for this recipient: drop it, never retry
  |   |   - Gone       the address or token is dead: also suppress it
  |   + Deferred       not accepted: retry after `retry_after` seconds; may fail over
  |   + Misconfigured  our account, key or domain is wrong: pause the channel, keep the message
  |   + Uncertain      it left us and no answer came: never fail over; retry only if idempotent
  + FeedbackError      what came in as feedback is not taken
      + NotAuthentic   not shown to come from the provider: believe nothing of it
      + NotUnderstood  it comes from the provider and is no feedback
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class VeroDeliverError(Exception):
    """Base of all; `except VeroDeliverError` catches whatever this library raises on purpose."""


class ConfigError(VeroDeliverError):
    """The project, an option or the installation is wrong. Says where and what to do."""


class MissingExtra(ConfigError):
    """An optional package is needed and not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs an extra: pip install 'vero-deliver[{extra}]'")
        self.extra = extra


class PictureError(VeroDeliverError):
    """The browser that makes pictures ended, or took too long. The next picture may succeed."""


class OutboxError(VeroDeliverError):
    """The outbox's database failed, or lacks its tables. What was recorded before stays so."""


class MessageError(VeroDeliverError):
    """A message is wrong before any user comes into play.

    where: "messages/x/message.toml:7", or a Python-made message's title.
    """

    def __init__(self, detail: str, *, where: str = "") -> None:
        super().__init__(f"{where}: {detail}" if where else detail)
        self.detail, self.where = detail, where


class RenderError(VeroDeliverError):
    """This message cannot be rendered for this user.

    where: template file and line, "messages/x/email.mjml:12".
    who: the sample's name or the user's id, where known.
    """

    def __init__(self, detail: str, *, where: str = "", who: str = "") -> None:
        text = f"{where}: {detail}" if where else detail
        super().__init__(f"{text} (for {who})" if who else text)
        self.detail, self.where, self.who = detail, where, who


class DataError(RenderError):
    """The sender's data does not match the message's [data] table."""


class DeliveryError(VeroDeliverError):
    """A channel did not confirm acceptance.

    channel: configured name of the channel ("sendgrid-eu").
    code: the provider's own code or words, verbatim ("550 5.1.1", "Unregistered", "429").
    """

    def __init__(self, detail: str, *, channel: str, code: str = "") -> None:
        super().__init__(f"{channel}: {detail}" + (f" [{code}]" if code else ""))
        self.detail, self.channel, self.code = detail, channel, code


class Refused(DeliveryError):
    """Final for this recipient or this content: drop it, never retry."""


class Gone(Refused):
    """The address or device token no longer exists: also suppress it.

    since: when it was dead for certain (UTC), where the provider says so; one that was registered
    again after that lives.
    """

    def __init__(
        self, detail: str, *, channel: str, code: str = "", since: datetime | None = None
    ) -> None:
        super().__init__(detail, channel=channel, code=code)
        self.since = since


class Deferred(DeliveryError):
    """Not accepted; try again after `retry_after` seconds (None: the caller's own backoff).

    personal: True where that is about this recipient (greylisted, mailbox full, a server of its
    own choice): the channel works.
    """

    def __init__(
        self,
        detail: str,
        *,
        channel: str,
        code: str = "",
        retry_after: float | None = None,
        personal: bool = False,
    ) -> None:
        super().__init__(detail, channel=channel, code=code)
        self.retry_after = retry_after
        self.personal = personal


class Misconfigured(DeliveryError):
    """Our credentials, domain or settings are wrong: every message would fail the same way."""


class Uncertain(DeliveryError):
    """It left us and no answer came: it may have been accepted. Never fail over.

    personal: as of Deferred.
    """

    def __init__(
        self, detail: str, *, channel: str, code: str = "", personal: bool = False
    ) -> None:
        super().__init__(detail, channel=channel, code=code)
        self.personal = personal


class FeedbackError(VeroDeliverError):
    """What came in as feedback is not taken. Shows nothing of what came.

    channel: configured name of the channel that it was for.
    """

    def __init__(self, detail: str, *, channel: str) -> None:
        super().__init__(f"{channel}: {detail}")
        self.detail, self.channel = detail, channel


class NotAuthentic(FeedbackError):
    """Nothing shows that it comes from the provider: a forgery, or a secret that is not ours."""


class NotUnderstood(FeedbackError):
    """It is authentic and has another form than the provider's feedback: it will never be read."""
