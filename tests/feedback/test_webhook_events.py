"""Each provider's words, and what they are called here."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

import pytest
from test_webhooks import read
from webhook_senders import NEW, SENDERS

from vero_channels.feedback.sparkpost import SparkPost
from vero_deliver.mime import key_digest

GONE: Final = "smtp;550 5.1.1 The email account that you tried to reach does not exist."
DIGEST: Final = key_digest("Order 1")

# provider, its event, what is read from it
EVENTS: Final[list[tuple[str, dict[str, Any], dict[str, Any]]]] = [
    (
        "sendgrid",
        {
            "event": "bounce",
            "type": "bounce",
            "status": "5.1.1",
            "reason": "550 5.1.1 unknown user",
            "email": "a@b.c",
            "timestamp": 1513299569,
            "sg_event_id": "e-1",
            "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0",
            "category": ["shop", "news"],
            "order": 7,
        },
        {
            "kind": "bounced",
            "reason": "invalid",
            "permanent": True,
            "smtp_code": 550,
            "enhanced_status": "5.1.1",
            "id": "e-1",
            "provider_id": "14c5d75ce93",
            "tags": ("shop", "news"),
            "metadata": {"order": "7"},
            "at": datetime(2017, 12, 15, 0, 59, 29, tzinfo=UTC),
        },
    ),
    (
        "sendgrid",
        {"event": "bounce", "type": "blocked", "reason": "550 5.7.1 blocked", "category": "one"},
        {"kind": "bounced", "reason": "blocked", "permanent": False, "tags": ("one",)},
    ),
    (
        "sendgrid",
        {"event": "deferred", "response": "451 4.7.1 try again", "ip": "192.0.2.1"},
        {"kind": "deferred", "permanent": False, "smtp_code": 451, "ip": ""},
    ),
    (
        "sendgrid",
        {"event": "dropped", "reason": "Bounced Address"},
        {"kind": "rejected", "reason": "bounced", "permanent": None},
    ),
    ("sendgrid", {"event": "processed"}, {"kind": "accepted", "reason": ""}),
    ("sendgrid", {"event": "spamreport"}, {"kind": "complained", "reason": "spam"}),
    ("sendgrid", {"event": "group_unsubscribe"}, {"kind": "unsubscribed"}),
    ("sendgrid", {"event": "group_resubscribe"}, {"kind": "resubscribed"}),
    (
        "sendgrid",
        {
            "event": "open",
            "sg_machine_open": True,
            "useragent": "Safari",
            "ip": "192.0.2.1",
        },
        {"kind": "opened", "machine": True, "ip": "192.0.2.1", "user_agent": "Safari"},
    ),
    ("sendgrid", {"event": "open", "sg_machine_open": False}, {"machine": False}),
    ("sendgrid", {"event": "open"}, {"machine": None}),
    (
        "sendgrid",
        {"event": "click", "url": "https://example.com/?a=1", "useragent": "python-requests/2"},
        {"kind": "clicked", "url": "https://example.com/?a=1", "machine": True},
    ),
    (
        "mailgun",
        {
            "event": "failed",
            "severity": "permanent",
            "reason": "bounce",
            "timestamp": 1521243339.873676,
            "recipient": "a@b.c",
            "message": {"headers": {"message-id": f"{DIGEST}@example.com"}},
            "delivery-status": {"code": 550, "message": GONE, "description": ""},
            "user-variables": {"my": 1},
            "tags": ["t"],
        },
        {
            "kind": "bounced",
            "reason": "invalid",
            "permanent": True,
            "smtp_code": 550,
            "diagnostic": GONE,
            "digest": DIGEST,
            "provider_id": f"{DIGEST}@example.com",
            "metadata": {"my": "1"},
            "tags": ("t",),
            "at": datetime(2018, 3, 16, 23, 35, 39, 873676, tzinfo=UTC),
        },
    ),
    (
        "mailgun",
        {
            "event": "failed",
            "severity": "temporary",
            "reason": "generic",
            "delivery-status": {"code": 498, "message": "No MX for example.com"},
        },
        {"kind": "deferred", "permanent": False},
    ),
    (
        "mailgun",
        {"event": "failed", "severity": "permanent", "reason": "suppress-bounce"},
        {"kind": "rejected", "reason": "bounced", "permanent": None},
    ),
    (
        "mailgun",
        {
            "event": "rejected",
            "reject": {"reason": "Sandbox subdomains are for test purposes only."},
            "message": {"headers": {"to": "Ada <a@b.c>"}},
        },
        {"kind": "rejected", "recipient": "a@b.c", "reason": "other"},
    ),
    ("mailgun", {"event": "complained"}, {"kind": "complained", "reason": "spam"}),
    ("mailgun", {"event": "unsubscribed"}, {"kind": "unsubscribed"}),
    (
        "mailgun",
        {"event": "opened", "ip": "192.0.2.1", "client-info": {"user-agent": "X", "bot": "apple"}},
        {"kind": "opened", "machine": True, "user_agent": "X", "ip": "192.0.2.1"},
    ),
    (
        "mailgun",
        {"event": "clicked", "url": "https://example.com/", "client-info": {"bot": ""}},
        {"kind": "clicked", "machine": None, "url": "https://example.com/"},
    ),
    (
        "mailjet",
        {
            "event": "bounce",
            "time": 1430812195,
            "MessageID": 13792286917004336,
            "email": "a@b.c",
            "customcampaign": "news",
            "CustomID": "order-1",
            "Payload": "not JSON",
            "hard_bounce": True,
            "error_related_to": "recipient",
            "error": "user unknown",
            "comment": "Host or domain name not found. 550 5.1.1",
        },
        {
            "kind": "bounced",
            "permanent": True,
            "reason": "invalid",
            "key": "order-1",
            "provider_id": "13792286917004336",
            "tags": ("news",),
            "enhanced_status": "5.1.1",
        },
    ),
    (
        "mailjet",
        {"event": "blocked", "error": "greylisted", "hard_bounce": False},
        {"kind": "deferred", "permanent": False},
    ),
    (
        "mailjet",
        {"event": "blocked", "error": "preblocked", "hard_bounce": False},
        {"kind": "rejected", "reason": "blocked"},
    ),
    ("mailjet", {"event": "sent", "smtp_reply": "250 OK"}, {"kind": "delivered", "reason": ""}),
    ("mailjet", {"event": "spam", "source": "JMRPP"}, {"kind": "complained"}),
    ("mailjet", {"event": "unsub"}, {"kind": "unsubscribed"}),
    (
        "mailjet",
        {"event": "open", "ip": "192.0.2.1", "agent": "Mozilla/5.0"},
        {"kind": "opened", "machine": True, "ip": "192.0.2.1"},
    ),
    ("mailjet", {"event": "click", "url": "https://example.com/"}, {"kind": "clicked"}),
    (
        "postmark",
        {
            "RecordType": "Bounce",
            "ID": 901542550,
            "Type": "HardBounce",
            "MessageID": "m-1",
            "Details": GONE,
            "Email": "a@b.c",
            "BouncedAt": "2016-04-27T16:28:50.3963933-04:00",
            "Tag": "t",
        },
        {
            "kind": "bounced",
            "permanent": True,
            "reason": "invalid",
            "id": "Bounce-901542550",
            "provider_id": "m-1",
            "enhanced_status": "5.1.1",
            "tags": ("t",),
            "at": datetime(2016, 4, 27, 20, 28, 50, 396393, tzinfo=UTC),
        },
    ),
    ("postmark", {"RecordType": "Bounce", "Type": "Transient"}, {"kind": "deferred"}),
    (
        "postmark",
        {"RecordType": "Bounce", "Type": "SoftBounce"},
        {"kind": "bounced", "permanent": False},
    ),
    (
        "postmark",
        {"RecordType": "Bounce", "Type": "AutoResponder"},
        {"kind": "autoresponded", "permanent": None, "reason": ""},
    ),
    ("postmark", {"RecordType": "Bounce", "Type": "New"}, {"kind": "bounced", "permanent": None}),
    (
        "postmark",
        {"RecordType": "SpamComplaint", "Type": "SpamComplaint"},
        {"kind": "complained", "reason": "spam"},
    ),
    (
        "postmark",
        {
            "RecordType": "SubscriptionChange",
            "SuppressSending": True,
            "SuppressionReason": "ManualSuppression",
            "Recipient": "a@b.c",
            "ChangedAt": "2022-06-05T17:17:32Z",
        },
        {
            "kind": "unsubscribed",
            "recipient": "a@b.c",
            "at": datetime(2022, 6, 5, 17, 17, 32, tzinfo=UTC),
        },
    ),
    (
        "postmark",
        {"RecordType": "SubscriptionChange", "SuppressSending": False, "SuppressionReason": None},
        {"kind": "resubscribed"},
    ),
    (
        "postmark",
        {
            "RecordType": "Open",
            "UserAgent": "Mozilla/5.0 (Windows NT 5.1) GoogleImageProxy",
            "Geo": {"IP": "192.0.2.1"},
        },
        {"kind": "opened", "machine": None, "ip": "192.0.2.1"},
    ),
    (
        "postmark",
        {"RecordType": "Click", "OriginalLink": "https://example.com/"},
        {"kind": "clicked", "url": "https://example.com/"},
    ),
    (
        "sparkpost",
        {
            "type": "bounce",
            "bounce_class": "10",
            "error_code": "550",
            "raw_reason": "550 5.1.1 unknown user",
            "event_id": "92356927693813856",
            "transmission_id": "65832150921904138",
            "timestamp": "1454442600",
            "campaign_id": "news",
        },
        {
            "kind": "bounced",
            "permanent": True,
            "reason": "invalid",
            "smtp_code": 550,
            "id": "92356927693813856",
            "provider_id": "65832150921904138",
            "tags": ("news",),
            "at": datetime(2016, 2, 2, 19, 50, tzinfo=UTC),
        },
    ),
    (
        "sparkpost",
        {"type": "out_of_band", "bounce_class": 22},
        {"kind": "bounced", "permanent": False, "reason": "bounced"},
    ),
    ("sparkpost", {"type": "bounce", "bounce_class": "60"}, {"kind": "autoresponded"}),
    ("sparkpost", {"type": "bounce", "bounce_class": "90"}, {"kind": "unsubscribed"}),
    (
        "sparkpost",
        {"type": "delay", "bounce_class": "21", "raw_reason": "454 4.4.4 no MX"},
        {"kind": "deferred", "permanent": False, "reason": "timed_out"},
    ),
    ("sparkpost", {"type": "policy_rejection", "bounce_class": "25"}, {"kind": "rejected"}),
    ("sparkpost", {"type": "generation_failure"}, {"kind": "failed", "reason": "other"}),
    ("sparkpost", {"type": "injection"}, {"kind": "accepted"}),
    ("sparkpost", {"type": "spam_complaint"}, {"kind": "complained", "reason": "spam"}),
    ("sparkpost", {"type": "list_unsubscribe"}, {"kind": "unsubscribed"}),
    (
        "sparkpost",
        {"type": "open", "is_prefetched": True, "ip_address": "192.0.2.1"},
        {"kind": "opened", "machine": True, "ip": "192.0.2.1"},
    ),
    (
        "sparkpost",
        {"type": "click", "target_link_url": "https://example.com/", "user_agent": "Firefox"},
        {"kind": "clicked", "url": "https://example.com/", "machine": None},
    ),
    (
        "brevo",
        {
            "event": "hard_bounce",
            "email": "a@b.c",
            "message-id": "<1@smtp-relay.mailin.fr>",
            "ts": 1,
            "ts_epoch": 1534486682000,
            "reason": GONE,
            "tag": '["t1","t2"]',
            "tags": ["t1", "t2"],
            "X-Mailin-custom": '{"vero_key": "order-1", "n": 2}',
        },
        {
            "kind": "bounced",
            "permanent": True,
            "reason": "invalid",
            "provider_id": "<1@smtp-relay.mailin.fr>",
            "key": "order-1",
            "metadata": {"n": "2"},
            "tags": ("t1", "t2"),
            "at": datetime(2018, 8, 17, 6, 18, 2, tzinfo=UTC),
        },
    ),
    (
        "brevo",
        {"event": "soft_bounce", "reason": "452 mailbox full"},
        {"kind": "bounced", "permanent": False},
    ),
    ("brevo", {"event": "request", "tag": "header"}, {"kind": "accepted", "tags": ("header",)}),
    ("brevo", {"event": "deferred"}, {"kind": "deferred", "permanent": False}),
    ("brevo", {"event": "blocked"}, {"kind": "rejected", "reason": "blocked"}),
    ("brevo", {"event": "error"}, {"kind": "failed"}),
    ("brevo", {"event": "spam"}, {"kind": "complained"}),
    ("brevo", {"event": "unsubscribed"}, {"kind": "unsubscribed"}),
    ("brevo", {"event": "unique_proxy_open"}, {"kind": "opened", "machine": True}),
    ("brevo", {"event": "unique_opened"}, {"kind": "opened", "machine": None}),
    ("brevo", {"event": "click", "link": "https://e.com/"}, {"url": "https://e.com/"}),
    (
        "resend",
        {
            "type": "email.bounced",
            "created_at": "2024-11-22T23:41:12.126Z",
            "data": {
                "email_id": "56761188-7520-42d8-8898-ff6fc54ce618",
                "to": ["Ada <a@b.c>"],
                "tags": [{"name": "vero_key", "value": f"sha256-{sha256(b'Order 1').hexdigest()}"}],
                "bounce": {
                    "type": "Permanent",
                    "subType": "General",
                    "message": "The recipient's email provider sent a hard bounce message.",
                    "diagnosticCode": ["smtp; 550 5.1.1 user unknown"],
                },
            },
        },
        {
            "kind": "bounced",
            "permanent": True,
            "reason": "invalid",
            "smtp_code": 550,
            "recipient": "a@b.c",
            "key": "",
            "digest": DIGEST,
            "provider_id": "56761188-7520-42d8-8898-ff6fc54ce618",
            "id": "msg_1",
            "at": datetime(2024, 11, 22, 23, 41, 12, 126000, tzinfo=UTC),
        },
    ),
    (
        "resend",
        {"type": "email.bounced", "data": {"bounce": {"type": "Transient"}}},
        {"kind": "bounced", "permanent": False},
    ),
    ("resend", {"type": "email.delivery_delayed", "data": {}}, {"kind": "deferred"}),
    ("resend", {"type": "email.sent", "data": {}}, {"kind": "sent"}),
    ("resend", {"type": "email.scheduled", "data": {}}, {"kind": "accepted"}),
    ("resend", {"type": "email.suppressed", "data": {}}, {"kind": "rejected", "reason": "blocked"}),
    (
        "resend",
        {"type": "email.failed", "data": {"failed": {"reason": "reached_daily_quota"}}},
        {"kind": "failed", "reason": "other", "diagnostic": "reached_daily_quota"},
    ),
    ("resend", {"type": "email.complained", "data": {}}, {"kind": "complained"}),
    ("resend", {"type": "email.opened", "data": {}}, {"kind": "opened", "machine": None}),
    (
        "resend",
        {
            "type": "email.clicked",
            "data": {
                "click": {"link": "https://e.com/", "ipAddress": "192.0.2.1", "userAgent": "curl/8"}
            },
        },
        {"kind": "clicked", "url": "https://e.com/", "ip": "192.0.2.1", "machine": True},
    ),
    (
        "mandrill",
        {
            "event": "hard_bounce",
            "_id": "44444444444444444444444444444444",
            "ts": 1461095211,
            "msg": {
                "email": "a@b.c",
                "diag": "smtp;550 5.1.1 no",
                "bounce_description": "bad_mailbox",
                "tags": ["t"],
                "metadata": {"vero_key": "order-1", "n": 1},
            },
        },
        {
            "kind": "bounced",
            "permanent": True,
            "reason": "invalid",
            "provider_id": "4" * 32,
            "key": "order-1",
            "metadata": {"n": "1"},
            "tags": ("t",),
            "at": datetime(2016, 4, 19, 19, 46, 51, tzinfo=UTC),
        },
    ),
    (
        "mandrill",
        {"event": "soft_bounce", "msg": {"bounce_description": "mailbox_full"}},
        {"kind": "bounced", "permanent": False, "reason": "bounced"},
    ),
    ("mandrill", {"event": "send", "msg": {}}, {"kind": "sent"}),
    ("mandrill", {"event": "deferral", "msg": {}}, {"kind": "deferred", "permanent": False}),
    (
        "mandrill",
        {"event": "reject", "msg": {"email": "a@b.c"}, "reject": {"reason": "unsub"}},
        {"kind": "rejected", "reason": "unsubscribed"},
    ),
    ("mandrill", {"event": "spam", "msg": {}}, {"kind": "complained", "reason": "spam"}),
    ("mandrill", {"event": "unsub", "msg": {}}, {"kind": "unsubscribed"}),
    (
        "mandrill",
        {"event": "click", "url": "https://e.com/", "ip": "192.0.2.1", "user_agent": "X"},
        {"kind": "clicked", "url": "https://e.com/", "ip": "192.0.2.1", "user_agent": "X"},
    ),
    (
        "mandrill",
        {"type": "blacklist", "action": "add", "reject": {"email": "a@b.c"}},
        {"kind": "unknown", "recipient": "a@b.c"},
    ),
]


@pytest.mark.parametrize(
    ("provider", "event", "expected"),
    EVENTS,
    ids=[f"{p}-{next(iter(e.values()))}-{n}" for n, (p, e, _) in enumerate(EVENTS)],
)
def test_event(provider: str, event: dict[str, Any], expected: dict[str, Any]) -> None:
    """A provider's event, and the feedback that it is."""
    sender = SENDERS[provider]
    [found] = read(sender.make(), sender.sign([event], NEW))
    assert {name: getattr(found, name) for name in expected} == expected
    assert found.raw == event


def test_sparkpost_probe_is_empty() -> None:
    """SparkPost's ping is no event."""
    sender = SENDERS["sparkpost"]
    post = sender.sign([], NEW)
    for body in (b'[{"msys": {}}]', b"[]", b'{"msys": {}}'):
        assert read(sender.make(), type(post)(body, post.headers, post.at)) == []


def test_sparkpost_initial_opens_are_chosen() -> None:
    """A first open is told twice, so one of the two is left out unless asked for."""
    sender = SENDERS["sparkpost"]
    post = sender.sign([{"type": "initial_open"}, {"type": "open"}], NEW)
    plain = sender.make()
    assert isinstance(plain, SparkPost)
    assert len(read(plain, post)) == 1
    both = SparkPost(access=plain.access, initial_opens=True)
    assert [one.kind for one in read(both, post)] == ["opened", "opened"]
