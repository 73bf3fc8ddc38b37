"""What is particular to one provider's way of proving itself."""

from __future__ import annotations

import asyncio
import base64
import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from test_webhooks import read
from webhook_senders import (
    BOTH,
    CERTIFICATE_URL,
    FOREIGN,
    MANDRILL_URL,
    NEW,
    NOON,
    OLD,
    SECONDS,
    SENDERS,
    TOPIC,
    at_aws,
    basic,
    certificate,
    changed,
    envelope,
    mailgun,
    mandrill,
    resend,
    sns,
)

from vero_channels.feedback.mailgun import Mailgun
from vero_channels.feedback.mandrill import Mandrill
from vero_channels.feedback.postmark import Postmark
from vero_channels.feedback.resend import Resend
from vero_channels.feedback.sendgrid import SendGrid
from vero_channels.feedback.ses import Ses
from vero_channels.transport import sns as amazon
from vero_channels.transport.seen import Seen
from vero_channels.transport.webhooks import Access, Confirmation, Post
from vero_deliver.errors import ConfigError, NotAuthentic, NotUnderstood
from vero_deliver.feedback import Feedback
from vero_deliver.mime import key_digest
from vero_deliver.secret import Secret

EVENT = {"event": "delivered", "recipient": "ada@example.org"}


def test_mailgun_token_is_for_one_event() -> None:
    """A signature that was seen is not put over another event; the same post may be repeated."""
    reader = Mailgun(signing_keys=BOTH)
    first = read(reader, mailgun([EVENT], NEW))
    assert read(reader, mailgun([EVENT], NEW)) == first
    with pytest.raises(NotAuthentic, match="another event"):
        read(reader, mailgun([{**EVENT, "event": "complained"}], NEW))
    assert read(reader, mailgun([{**EVENT, "event": "complained"}], NEW, token="b" * 50))


def test_mailgun_takes_its_late_repeats() -> None:
    """Mailgun repeats a post for eight hours."""
    post = mailgun([EVENT], NEW)
    assert read(Mailgun(signing_keys=BOTH), changed(post, at=NOON + timedelta(hours=8)))


@pytest.mark.parametrize("at", ["", "noon", "1e9", "9" * 5000])
def test_mailgun_timestamp_is_a_number(at: str) -> None:
    """A timestamp that is none proves nothing, even signed."""
    with pytest.raises(NotAuthentic):
        read(Mailgun(signing_keys=BOTH), mailgun([EVENT], NEW, at=at))


def test_seen_forgets() -> None:
    """What has expired goes, and the oldest where there are too many."""
    seen = Seen(most=3)
    for number in range(10):
        assert seen.remember(f"t{number}", "a", 100.0, now=0.0) == "a"
    assert len(seen) == 3
    assert seen.remember("t9", "b", 100.0, now=0.0) == "a"
    assert seen.remember("t9", "b", 300.0, now=200.0) == "b"
    assert seen.remember("x", "c", 300.0, now=200.0) == "c"
    assert len(seen) == 2


def test_resend_takes_one_fitting_signature_of_several() -> None:
    """Svix signs with the old and the new secret while they are rotated."""
    reader = Resend(signing_secrets=[Secret("whsec_" + base64.b64encode(NEW.encode()).decode())])
    post = resend([SENDERS["resend"].event], NEW)
    other = resend([SENDERS["resend"].event], OLD)
    both = f"{other.headers['svix-signature']} {post.headers['svix-signature']}"
    assert read(reader, changed(post, headers={**post.headers, "svix-signature": both}))
    bare = post.headers["svix-signature"].rpartition("v1,")[2]
    for wrong in (bare, f"v2,{bare}", f"v1{bare}", "v1,", "v1"):
        with pytest.raises(NotAuthentic):
            read(reader, changed(post, headers={**post.headers, "svix-signature": wrong}))


def test_resend_id_is_signed() -> None:
    """Another id is another event to the store, so it is covered."""
    post = resend([SENDERS["resend"].event], NEW)
    with pytest.raises(NotAuthentic):
        read(SENDERS["resend"].make(), changed(post, headers={**post.headers, "svix-id": "msg_2"}))


def test_mandrill_signs_the_url() -> None:
    """A post signed for another URL is not for us; any of ours will do."""
    post = mandrill([SENDERS["mandrill"].event], NEW, url="https://example.net/")
    with pytest.raises(NotAuthentic, match="urls"):
        read(SENDERS["mandrill"].make(), post)
    assert read(Mandrill(keys=BOTH, urls=[MANDRILL_URL, "https://example.net/"]), post)


def test_mandrill_probe_needs_no_key() -> None:
    """Mandrill's first post is empty and signed with a key that everybody knows."""
    reader = SENDERS["mandrill"].make()
    assert read(reader, mandrill([], "test-webhook")) == []
    with pytest.raises(NotAuthentic):
        read(reader, mandrill([SENDERS["mandrill"].event], "test-webhook"))


@pytest.mark.parametrize("body", [b"a=" + b"%ff", "mandrill_events=é".encode(), b"a&" * 50])
def test_mandrill_needs_a_form(body: bytes) -> None:
    """Octets that are no form, and forms with a crowd of fields."""
    post = mandrill([], NEW)
    with pytest.raises((NotUnderstood, NotAuthentic)):
        read(SENDERS["mandrill"].make(), changed(post, body=body))


def test_mandrill_other_fields_are_signed() -> None:
    """A field that was added after signing does not pass."""
    post = mandrill([SENDERS["mandrill"].event], NEW)
    with pytest.raises(NotAuthentic):
        read(
            SENDERS["mandrill"].make(),
            changed(post, body=post.body + b"&" + urlencode({"a": "b"}).encode()),
        )


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Basic " + base64.b64encode(b"vero:").decode()},
        {"Authorization": "Basic " + base64.b64encode(b"other:" + NEW.encode()).decode()},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic " + base64.b64encode(b"\xff\xfe").decode()},
        {"Authorization": f"Bearer {NEW}x"},
        {"Authorization": f"Digest {NEW}"},
        {"Authorization": "Bearer "},
        {"Authorization": NEW},
        {"X-Hook": f"{NEW} "},
        {"X-Hook": "é\udc80"},
        {},
    ],
)
def test_access_refuses(headers: dict[str, str]) -> None:
    """Nothing but a whole credential lets in."""
    access = Access(
        basic=[("vero", Secret(NEW))], bearer=[Secret(NEW)], header=[("x-hook", Secret(NEW))]
    )
    with pytest.raises(NotAuthentic):
        access.check(Post.of(b"", headers, NOON), "postmark")


@pytest.mark.parametrize(
    "headers",
    [
        {"AUTHORIZATION": "basic " + base64.b64encode(f"vero:{NEW}".encode()).decode()},
        {"authorization": f"bearer  {NEW}"},
        {"x-HOOK": NEW},
    ],
)
def test_access_takes_any_credential(headers: dict[str, str]) -> None:
    """Schemes and header names are the same in any case."""
    access = Access(
        basic=[("vero", Secret(NEW))], bearer=[Secret(NEW)], header=[("X-Hook", Secret(NEW))]
    )
    access.check(Post.of(b"", headers, NOON), "postmark")


@pytest.mark.parametrize(
    ("make", "option"),
    [
        (Access, "access"),
        (lambda: Access(bearer=[Secret("")]), "access"),
        (lambda: Access(basic=[("vero", Secret(""))]), "access"),
        (lambda: Mailgun(signing_keys=[]), "signing_keys"),
        (lambda: Mailgun(signing_keys=[Secret("")]), "signing_keys"),
        (lambda: Resend(signing_secrets=[Secret("whsec_?")]), "signing_secrets"),
        (lambda: Resend(signing_secrets=[Secret("whsec_")]), "signing_secrets"),
        (lambda: Mandrill(keys=BOTH, urls=[]), "urls"),
        (lambda: Mandrill(keys=BOTH, urls=MANDRILL_URL), "urls"),
        (lambda: Mandrill(keys=[], urls=[MANDRILL_URL]), "keys"),
        (lambda: SendGrid(public_keys=[]), "public_keys"),
        (lambda: SendGrid(public_keys=["AAAA"]), "public_keys"),
        (lambda: Ses(topics=[]), "topics"),
        (lambda: Ses(topics=TOPIC), "topics"),
    ],
)
def test_a_reader_that_believes_everybody_is_refused(make: Any, option: str) -> None:
    """No secret, an empty one or one that is none is an error when it is configured."""
    with pytest.raises(ConfigError, match=rf"^{option}: "):
        make()


def test_postmark_custom_header() -> None:
    """Postmark may send a header of one's own."""
    reader = Postmark(access=Access(header=[("X-Hook", Secret(NEW))]))
    post = Post.of(b'{"RecordType": "Delivery"}', {"X-Hook": NEW}, NOON)
    assert [one.kind for one in read(reader, post)] == ["delivered"]
    with pytest.raises(NotAuthentic):
        read(reader, basic([{}], NEW))


DELIVERY = SENDERS["ses"].event


def from_ses(post: Post, reader: Ses | None = None) -> list[Feedback] | Confirmation:
    return asyncio.run((reader or Ses(topics=[TOPIC], fetch=at_aws)).read(post))


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("subject", [{}, {"Subject": "Amazon SES Email Event Notification"}])
def test_sns_versions(version: str, subject: dict[str, str]) -> None:
    """SHA-1 and SHA-256, with and without a Subject."""
    assert from_ses(sns(envelope(DELIVERY, SignatureVersion=version, **subject)))


@pytest.mark.parametrize("version", ["3", "", 2.5, None])
def test_sns_other_version_is_not_authentic(version: Any) -> None:
    """A version that SNS does not have."""
    with pytest.raises(NotAuthentic):
        from_ses(sns(envelope(DELIVERY, SignatureVersion=version)))


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.us-east-1.amazonaws.com/SimpleNotificationService-1.pem",
        "https://sns.us-east-1.amazonaws.com.evil.example/SimpleNotificationService-1.pem",
        "https://evil.example/https://sns.us-east-1.amazonaws.com/SimpleNotificationService-1.pem",
        "https://sns.us-east-1.amazonaws.com@evil.example/SimpleNotificationService-1.pem",
        "https://sns.us-east-1.amazonaws.com:8080/SimpleNotificationService-1.pem",
        "https://s3.us-east-1.amazonaws.com/SimpleNotificationService-1.pem",
        "https://sns.us-east-1.amazonaws.com/?Action=Publish&a=SimpleNotificationService-1.pem",
        "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-1.pem?x",
        "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-1.pem\n",
        "https://sns.us-east-1.amazonaws.com/a/../SimpleNotificationService-1.pem",
        "",
        None,
    ],
)
def test_certificate_of_elsewhere_is_never_fetched(url: Any) -> None:
    """A certificate that does not lie at SNS is not even asked for."""
    asked: list[str] = []

    async def fetch(asked_for: str) -> bytes:
        asked.append(asked_for)
        return certificate(NEW)

    with pytest.raises(NotAuthentic, match="SigningCertURL"):
        from_ses(sns(envelope(DELIVERY, SigningCertURL=url)), Ses(topics=[TOPIC], fetch=fetch))
    assert not asked


@pytest.mark.parametrize(
    "region", ["eu-central-1", "ap-southeast-2", "us-gov-west-1", "cn-north-1"]
)
def test_certificate_of_any_region(region: str) -> None:
    """Every region signs with a certificate of its own; China's have another ending."""
    ending = "com.cn" if region.startswith("cn") else "com"
    url = f"https://sns.{region}.amazonaws.{ending}/SimpleNotificationService-9c6465fa.pem"
    assert from_ses(sns(envelope(DELIVERY, SigningCertURL=url)))


@pytest.mark.parametrize("pem", [b"", b"no certificate", certificate(FOREIGN)])
def test_foreign_certificate(pem: bytes) -> None:
    """A certificate that is none, or of another key."""

    async def fetch(url: str) -> bytes:
        return pem

    with pytest.raises(NotAuthentic):
        from_ses(sns(envelope(DELIVERY)), Ses(topics=[TOPIC], fetch=fetch))


def test_expired_certificate() -> None:
    """A certificate counts while it is valid, also one that was fetched before."""
    reader = Ses(topics=[TOPIC], fetch=at_aws)
    post = sns(envelope(DELIVERY))
    assert from_ses(post, reader)
    with pytest.raises(NotAuthentic):
        from_ses(changed(post, at=NOON + timedelta(days=31)), reader)


def test_certificate_is_fetched_once() -> None:
    """Posts after the first ask nobody."""
    asked: list[str] = []

    async def fetch(url: str) -> bytes:
        asked.append(url)
        return certificate(NEW)

    reader = Ses(topics=[TOPIC], fetch=fetch)
    for _ in range(3):
        assert from_ses(sns(envelope(DELIVERY)), reader)
    assert asked == [CERTIFICATE_URL]


def test_failing_fetch_goes_through() -> None:
    """Where AWS does not answer, the post is neither believed nor refused."""

    async def fetch(url: str) -> bytes:
        raise OSError("no route")

    with pytest.raises(OSError, match="no route"):
        from_ses(sns(envelope(DELIVERY)), Ses(topics=[TOPIC], fetch=fetch))


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "file:///etc/passwd", CERTIFICATE_URL + "\n"])
def test_default_fetch_goes_to_sns_only(url: str) -> None:
    """The fetcher itself checks, whoever calls it."""
    with pytest.raises(ValueError, match="SNS"):
        asyncio.run(amazon.fetch(url))


def test_topic_of_another_is_not_authentic() -> None:
    """SNS signs for everybody who has a topic."""
    with pytest.raises(NotAuthentic, match="topic"):
        from_ses(sns(envelope(DELIVERY, TopicArn=TOPIC + "-of-another")))


@pytest.mark.parametrize(
    "name", ["x-amz-sns-message-type", "x-amz-sns-message-id", "x-amz-sns-topic-arn"]
)
def test_headers_are_the_bodys(name: str) -> None:
    """Headers that differ from what is signed."""
    post = sns(envelope(DELIVERY))
    with pytest.raises(NotAuthentic, match="header"):
        from_ses(changed(post, headers={**post.headers, name: "other"}))


CONFIRM = {
    "Type": "SubscriptionConfirmation",
    "Token": "t" * 64,
    "SubscribeURL": "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&Token=t",
}


def test_confirmation_is_handed_back() -> None:
    """A new subscription of our topic is told with the URL that confirms it."""
    found = from_ses(sns(envelope("You have chosen to subscribe", **CONFIRM)))
    assert found == Confirmation("ses", TOPIC, CONFIRM["SubscribeURL"])


def test_confirmation_of_elsewhere_is_not_authentic() -> None:
    """A signed URL that leads elsewhere is not visited."""
    away = {**CONFIRM, "SubscribeURL": "https://example.com/"}
    with pytest.raises(NotAuthentic, match="SubscribeURL"):
        from_ses(sns(envelope("You have chosen to subscribe", **away)))


def test_confirmation_url_is_signed() -> None:
    """The URL cannot be changed on the way."""
    post = sns(envelope("You have chosen to subscribe", **CONFIRM))
    body = json.loads(post.body)
    body["SubscribeURL"] += "2"
    with pytest.raises(NotAuthentic, match="signature"):
        from_ses(changed(post, body=json.dumps(body).encode()))


@pytest.mark.parametrize(
    "sent",
    [
        envelope("Successfully validated SNS topic for Amazon SES event publishing."),
        envelope("gone", **{**CONFIRM, "Type": "UnsubscribeConfirmation"}),
    ],
)
def test_messages_of_sns_itself_are_empty(sent: dict[str, Any]) -> None:
    """What is no event of an email is nothing."""
    assert from_ses(sns(sent)) == []


def ses_event(event: dict[str, Any]) -> list[Feedback]:
    found = from_ses(sns(envelope(event)))
    assert isinstance(found, list)
    return found


def test_ses_bounce_of_several() -> None:
    """A bounce names those who bounced, each with the words of its server."""
    first, second = ses_event(
        {
            "notificationType": "Bounce",
            "bounce": {
                "bounceType": "Permanent",
                "bounceSubType": "General",
                "timestamp": "2016-01-27T14:59:44.101Z",
                "bouncedRecipients": [
                    {
                        "emailAddress": "jane@example.com",
                        "status": "5.1.1",
                        "action": "failed",
                        "diagnosticCode": "smtp; 550 5.1.1 <jane@example.com>... User unknown",
                    },
                    {"emailAddress": "richard@example.com"},
                ],
            },
            "mail": {
                "messageId": "m-1",
                "destination": ["jane@example.com", "mary@example.com", "richard@example.com"],
                "headers": [{"name": "Message-ID", "value": f"<{key_digest('k')}@example.com>"}],
                "tags": {"ses:from-domain": ["example.com"], "shop": ["cz"]},
            },
        }
    )
    assert (first.recipient, second.recipient) == ("jane@example.com", "richard@example.com")
    assert (first.reason, first.permanent, first.smtp_code) == ("invalid", True, 550)
    assert (first.key, first.digest, first.provider_id) == ("", key_digest("k"), "m-1")
    assert (second.reason, second.permanent, second.smtp_code) == ("bounced", True, None)
    assert first.metadata == {"ses:from-domain": "example.com", "shop": "cz"}
    assert first.at.isoformat() == "2016-01-27T14:59:44.101000+00:00"
    assert first.id != second.id


@pytest.mark.parametrize(
    ("event", "kind", "reason", "permanent"),
    [
        (
            {"eventType": "Bounce", "bounce": {"bounceType": "Transient"}},
            "bounced",
            "bounced",
            False,
        ),
        (
            {
                "eventType": "Bounce",
                "bounce": {
                    "bounceType": "Permanent",
                    "bounceSubType": "OnAccountSuppressionList",
                },
            },
            "rejected",
            "blocked",
            None,
        ),
        (
            {"eventType": "Complaint", "complaint": {"complaintFeedbackType": "abuse"}},
            "complained",
            "spam",
            None,
        ),
        (
            {"eventType": "Complaint", "complaint": {"complaintFeedbackType": "not-spam"}},
            "unknown",
            "",
            None,
        ),
        (
            {"eventType": "DeliveryDelay", "deliveryDelay": {"delayType": "MailboxFull"}},
            "deferred",
            "bounced",
            False,
        ),
        ({"eventType": "Send", "send": {}}, "sent", "", None),
        ({"eventType": "Reject", "reject": {"reason": "Bad content"}}, "rejected", "other", None),
        (
            {"eventType": "Rendering Failure", "failure": {"errorMessage": "x"}},
            "failed",
            "other",
            None,
        ),
        (
            {
                "eventType": "Subscription",
                "subscription": {"newTopicPreferences": {"unsubscribeAll": True}},
            },
            "unsubscribed",
            "",
            None,
        ),
        (
            {
                "eventType": "Subscription",
                "subscription": {
                    "newTopicPreferences": {
                        "unsubscribeAll": False,
                        "topicSubscriptionStatus": [
                            {"topicName": "news", "subscriptionStatus": "OptIn"}
                        ],
                    }
                },
            },
            "resubscribed",
            "",
            None,
        ),
    ],
)
def test_ses_event(event: dict[str, Any], kind: str, reason: str, permanent: bool | None) -> None:
    """An event without recipients of its own is about all of the email's."""
    [found] = ses_event({**event, "mail": {"destination": ["a@b.c"]}})
    assert (found.kind, found.reason, found.permanent) == (kind, reason, permanent)
    assert found.recipient == "a@b.c"
    assert found.at.isoformat() == "2026-11-24T11:59:58+00:00"  # the envelope's


def test_ses_open_and_click() -> None:
    """Who looked is told by agent and address, a machine where the agent is one."""
    mail = {"destination": ["a@b.c"]}
    [opened] = ses_event(
        {
            "eventType": "Open",
            "mail": mail,
            "open": {"userAgent": "Mozilla/5.0", "ipAddress": "192.0.2.1"},
        }
    )
    assert (opened.kind, opened.machine, opened.ip) == ("opened", True, "192.0.2.1")
    [clicked] = ses_event({"eventType": "Click", "mail": mail, "click": {"link": "https://e.com/"}})
    assert (clicked.kind, clicked.machine, clicked.url) == ("clicked", None, "https://e.com/")


def test_sendgrid_timestamp_is_signed() -> None:
    """A fresh timestamp over an old body does not fit."""
    post = SENDERS["sendgrid"].sign([SENDERS["sendgrid"].event], NEW)
    name = "x-twilio-email-event-webhook-timestamp"
    later = {**post.headers, name: str(int(SECONDS) + 60)}
    with pytest.raises(NotAuthentic):
        read(SENDERS["sendgrid"].make(), changed(post, headers=later))
