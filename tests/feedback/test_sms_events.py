"""What SMS providers tell: reports by their codes, and what people answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sms_senders import URL, encoded, plivo, token, twilio, vonage
from test_webhooks import read
from webhook_secrets import BOTH, NEW, NOON, SECONDS, whsec
from webhook_senders import ADA, SENDERS, changed

from vero_channels.feedback.plivo import Plivo
from vero_channels.feedback.telnyx import Telnyx
from vero_channels.feedback.twilio import Twilio
from vero_channels.feedback.vonage import Vonage
from vero_deliver.errors import ConfigError, NotAuthentic
from vero_deliver.feedback import Feedback
from vero_deliver.feedback.keywords import keyword


def told(name: str, event: dict[str, Any]) -> Feedback:
    """What one authentic event is read as."""
    [found] = read(SENDERS[name].make(), SENDERS[name].sign([event], NEW))
    return found


def status(name: str, word: str, code: str) -> dict[str, Any]:
    """A report in the provider's own form."""
    where = "https://developer.vonage.com/api-errors/messages#"
    forms: dict[str, dict[str, Any]] = {
        "twilio": {"MessageSid": "SM1", "MessageStatus": word, "ErrorCode": code, "To": ADA},
        "plivo": {"MessageUUID": "m", "Status": word, "ErrorCode": code, "To": ADA},
        "vonage": {
            "message_uuid": "m", "status": word, "to": ADA,
            "error": {"type": where + code, "title": "T", "detail": "D"},
        },
        "sinch": {"batch_id": "b", "status": word, "code": code, "recipient": ADA},
        "telnyx": {
            "data": {
                "id": "e",
                "payload": {
                    "id": "m", "to": [{"phone_number": ADA, "status": word}],
                    "errors": [{"code": code, "title": "T"}],
                },
            }
        },
        "sns": {
            "eventType": word, "destinationPhoneNumber": ADA, "messageStatusDescription": code,
        },
        "bird": {
            "type": word,
            "data": {"sms_id": "s", "to": ADA, "error": {"code": code, "description": "D"}},
        },
    }  # fmt: skip
    return forms[name]


@pytest.mark.parametrize(
    ("name", "word", "code", "kind", "reason", "permanent"),
    [
        ("twilio", "sent", "", "sent", "", None),
        ("twilio", "undelivered", "30005", "bounced", "invalid", True),
        ("twilio", "undelivered", "30003", "bounced", "timed_out", False),
        ("twilio", "undelivered", "30007", "bounced", "spam", False),
        ("twilio", "undelivered", "30008", "bounced", "bounced", None),
        ("twilio", "failed", "21610", "rejected", "unsubscribed", None),
        ("twilio", "failed", "30034", "failed", "other", None),
        ("plivo", "undelivered", "050", "bounced", "invalid", True),
        ("plivo", "failed", "900", "failed", "other", None),
        ("plivo", "rejected", "200", "rejected", "unsubscribed", None),
        ("vonage", "undeliverable", "1240", "bounced", "invalid", True),
        ("vonage", "rejected", "1120", "failed", "other", None),
        ("vonage", "undeliverable", "9999", "bounced", "bounced", None),
        ("vonage", "submitted", "", "sent", "", None),
        ("sinch", "Failed", "402", "bounced", "invalid", True),
        ("sinch", "Expired", "406", "bounced", "timed_out", False),
        ("sinch", "Dispatched", "401", "sent", "", None),
        ("telnyx", "delivery_failed", "40001", "bounced", "invalid", True),
        ("telnyx", "sending_failed", "40300", "rejected", "unsubscribed", None),
        ("telnyx", "delivery_unconfirmed", "", "sent", "", None),
        ("sns", "TEXT_INVALID", "no such number", "bounced", "invalid", True),
        ("sns", "TEXT_UNREACHABLE", "off", "bounced", "timed_out", False),
        ("sns", "TEXT_PROTECT_BLOCKED", "country", "rejected", "blocked", None),
        ("sns", "TEXT_SUCCESSFUL", "", "sent", "", None),
        ("bird", "sms.undelivered", "landline_unreachable", "bounced", "invalid", True),
        ("bird", "sms.rejected", "recipient_opted_out", "rejected", "unsubscribed", None),
        ("bird", "sms.expired", "", "bounced", "timed_out", False),
    ],
)
def test_reports(
    name: str, word: str, code: str, kind: str, reason: str, permanent: bool | None
) -> None:
    """The status, and by the provider's code what it means for the number."""
    found = told(name, status(name, word, code))
    assert (found.kind, found.reason, found.permanent) == (kind, reason, permanent)
    assert found.recipient == ADA
    assert code in found.diagnostic or kind in ("sent", "delivered")


def written(name: str, text: str) -> dict[str, Any]:
    """A message that somebody wrote, in the provider's own form."""
    forms: dict[str, dict[str, Any]] = {
        "twilio": {"MessageSid": "SM2", "From": ADA, "To": "60123", "Body": text},
        "plivo": {"MessageUUID": "m-2", "From": ADA[1:], "To": "60123", "Text": text},
        "vonage": {"message_uuid": "m-2", "from": ADA[1:], "to": "60123", "text": text},
        "sinch": {"type": "mo_text", "id": "i-2", "from": ADA[1:], "to": "60123", "body": text},
        "telnyx": {
            "data": {
                "id": "e-2",
                "event_type": "message.received",
                "payload": {"from": {"phone_number": ADA}, "text": text},
            }
        },
        "sns": {"originationNumber": ADA, "messageBody": text, "inboundMessageId": "i-2"},
        "bird": {"type": "sms.received", "data": {"sms_id": "s", "from": ADA, "text": text}},
    }
    return forms[name]


@pytest.mark.parametrize("name", ["twilio", "plivo", "vonage", "sinch", "telnyx", "bird", "sns"])
@pytest.mark.parametrize(
    ("text", "kind"),
    [("STOP", "unsubscribed"), (" Stop. ", "unsubscribed"), ("START", "resubscribed"),
     ("help", "inbound"), ("Don't stop the music", "inbound"), ("Díky! 🐎", "inbound")],
)  # fmt: skip
def test_answers(name: str, text: str, kind: str) -> None:
    """STOP and START are for suppression; what else people write is inbound, with its text."""
    found = told(name, written(name, text))
    assert (found.kind, found.text, found.recipient) == (kind, text, ADA)
    assert found.id
    assert not found.provider_id


@pytest.mark.parametrize(
    ("text", "word"),
    [("stopall", "stop"), ("Opt out", "stop"), ("UNSUBSCRIBE!", "stop"), ("unstop", "start"),
     ("INFO", "help"), ("yes", ""), ("", ""), ("stop it", ""), ("STOP\nSTOP", "")],
)  # fmt: skip
def test_keywords(text: str, word: str) -> None:
    """A message that is the word and nothing else, in any case."""
    assert keyword(text) == word


def test_twilio_says_what_the_accounts_own_words_mean() -> None:
    """With Advanced Opt-Out, a word in any language."""
    event = {**written("twilio", "Baja"), "OptOutType": "STOP"}
    assert told("twilio", event).kind == "unsubscribed"


def test_twilio_signs_url_and_query() -> None:
    """Another URL, or another key in it, is another post."""
    reader = Twilio(auth_tokens=BOTH, urls=[URL])
    event = SENDERS["twilio"].event
    for post in (
        twilio([event], NEW, url="https://example.net/sms"),
        changed(twilio([event], NEW), query="shop=1&vero_key=order-2"),
        changed(twilio([event], NEW), query=""),
    ):
        with pytest.raises(NotAuthentic):
            read(reader, post)
    [found] = read(reader, twilio([event], NEW, query=""))
    assert not found.key


def test_plivo_nonce_is_for_one_form() -> None:
    """The signature does not cover the form: a nonce that was seen brings no other."""
    reader, event = Plivo(auth_tokens=BOTH, urls=[URL]), dict(SENDERS["plivo"].event)
    first = read(reader, plivo([event], NEW))
    assert read(reader, plivo([event], NEW)) == first
    with pytest.raises(NotAuthentic, match="another post"):
        read(reader, plivo([{**event, "Status": "failed"}], NEW))
    with pytest.raises(NotAuthentic, match="another post"):
        read(reader, changed(plivo([event], NEW), query="vero_key=order-2"))
    assert read(reader, plivo([{**event, "Status": "failed"}], NEW, nonce="n-2"))


@pytest.mark.parametrize(
    "forged",
    [
        lambda body: token(body, NEW, alg="none"),
        lambda body: token(body, NEW, alg="HS512"),
        lambda body: token(body, NEW, payload_hash=""),
        lambda body: token(b"{}", NEW),
        lambda body: token(body, NEW).rpartition(".")[0] + ".",
        lambda body: f"{encoded({'alg': 'none'})}.{token(body, NEW).split('.')[1]}.",
        lambda body: "a.b.c",
        lambda body: "",
    ],
)
def test_vonage_forged_tokens(forged: Any) -> None:
    """Without a signature, of another algorithm, or about another body."""
    post = vonage([SENDERS["vonage"].event], NEW)
    headers = {"authorization": f"Bearer {forged(post.body)}"}
    with pytest.raises(NotAuthentic):
        read(Vonage(signature_secrets=BOTH), changed(post, headers=headers))


@pytest.mark.parametrize("urls", [[], "https://example.com/", ["https://example.com/?a=1"]])
def test_urls_are_needed(urls: Any) -> None:
    """A list, and no query in it."""
    for make in (Twilio, Plivo):
        with pytest.raises(ConfigError, match="urls"):
            make(auth_tokens=BOTH, urls=urls)


def test_telnyx_keys_are_checked() -> None:
    """A key that is none is no reader."""
    for keys in ([], "key", ["c2hvcnQ="]):
        with pytest.raises(ConfigError, match="public_keys"):
            Telnyx(public_keys=keys)


def test_twilios_library_agrees() -> None:
    """twilio takes what we take."""
    validator = pytest.importorskip("twilio.request_validator").RequestValidator(NEW)
    post = twilio([written("twilio", "Žofie + € = 100 %")], NEW)
    signature = post.headers["x-twilio-signature"]
    form = {"MessageSid": "SM2", "From": ADA, "To": "60123", "Body": "Žofie + € = 100 %"}
    assert validator.validate(f"{URL}?{post.query}", form, signature)
    assert not validator.validate(URL, form, signature)


def test_plivos_library_agrees() -> None:
    """plivo takes what we take."""
    validate = pytest.importorskip("plivo.utils").validate_signature
    post = plivo([SENDERS["plivo"].event], NEW)
    given = post.headers["x-plivo-signature-v2-nonce"], post.headers["x-plivo-signature-v2"]
    assert validate(f"{URL}?{post.query}", *[part.strip() for part in given], NEW)
    assert not validate("https://example.net/", *given, NEW)


def test_vonages_library_agrees() -> None:
    """vonage_jwt takes what we take."""
    verify = pytest.importorskip("vonage_jwt.verify_jwt").verify_signature
    post = vonage([SENDERS["vonage"].event], NEW)
    bearer = post.headers["authorization"].removeprefix("Bearer ")
    assert verify(bearer, NEW)
    assert not verify(bearer, "x" * 32)


def test_sinchs_library_agrees() -> None:
    """sinch takes what we take."""
    module = pytest.importorskip("sinch.domains.sms.sinch_events.v1")
    post = SENDERS["sinch"].sign([written("sinch", "Žofie")], NEW)
    headers = dict(post.headers)
    assert module.SmsSinchEvent(NEW).validate_authentication_header(headers, post.body)
    assert not module.SmsSinchEvent("x").validate_authentication_header(headers, post.body)


def test_telnyxs_library_agrees(monkeypatch: pytest.MonkeyPatch) -> None:
    """telnyx takes what we take, at the moment it was signed."""
    module = pytest.importorskip("telnyx.lib.webhook_verification")
    sender = SENDERS["telnyx"]
    post = sender.sign([sender.event], NEW)
    monkeypatch.setattr(module.time, "time", lambda: float(SECONDS))
    reader = sender.make()
    assert isinstance(reader, Telnyx)
    module.verify_webhook_signature(post.body.decode(), dict(post.headers), reader.public_keys[0])
    with pytest.raises(Exception, match="ignature"):
        module.verify_webhook_signature("{}", dict(post.headers), reader.public_keys[0])


def test_birds_library_agrees(monkeypatch: pytest.MonkeyPatch) -> None:
    """messagebird-sdk takes what we take."""
    module = pytest.importorskip("bird.resources.webhooks")
    sender = SENDERS["bird"]
    event = {**sender.unknown, "timestamp": NOON.isoformat()}
    post = sender.sign([event], NEW)
    monkeypatch.setattr(module.time, "time", lambda: float(SECONDS))
    found = module._verify_and_parse(post.body, dict(post.headers), whsec(NEW), 300)
    assert json.loads(post.body)["type"] == found.root.type
    with pytest.raises(Exception, match="signature"):
        module._verify_and_parse(b"{}", dict(post.headers), whsec(NEW), 300)
