"""Mails that servers send back, in the form that each of them has. The people are made up."""

from __future__ import annotations

from textwrap import dedent
from typing import Final

from vero_deliver.mime import key_digest, return_path
from vero_deliver.secret import Secret

SECRET: Final = Secret("the secret of return paths")
KEY: Final = "order-1001-email"
PATH: Final = return_path(KEY, "bounce.example.com", SECRET)
DIGEST: Final = key_digest(KEY)
MESSAGE_ID: Final = f"<{DIGEST}@example.com>"

ORIGINAL: Final = f"""\
Return-Path: <{PATH}>
Message-ID: {MESSAGE_ID}
From: Vero Shop <shop@example.com>
To: Ada <ada@example.org>
Subject: Your order
"""


def report(
    status: str,
    *,
    kind: str = "delivery-status",
    words: str = "I could not deliver it.",
    headers: str = "From: MAILER-DAEMON@mx.example.org\nSubject: Undelivered Mail",
    original: str = "message/rfc822",
    part: str = "",
) -> bytes:
    """A multipart/report."""
    return crlf(
        f"Return-Path: <>\nDelivered-To: {PATH}\n{headers}\nTo: {PATH}\n"
        "Message-ID: <bounce-1@mx.example.org>\n"
        "Date: Tue, 24 Nov 2026 11:00:00 +0100\nMIME-Version: 1.0\n"
        f'Content-Type: multipart/report; report-type={kind}; boundary="=_b"\n\n'
        f"--=_b\nContent-Type: text/plain; charset=utf-8\n\n{words}\n"
        f"--=_b\nContent-Type: {part or 'message/' + kind}\n\n{dedent(status).strip()}\n\n"
        f"--=_b\nContent-Type: {original}\n\n{ORIGINAL}\nHello\n--=_b--\n"
    )


def crlf(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


POSTFIX: Final = report(
    """
    Reporting-MTA: dns; mx.example.com
    X-Postfix-Queue-ID: 4B6C51A2
    X-Postfix-Sender: rfc822; shop@example.com
    Arrival-Date: Tue, 24 Nov 2026 10:59:58 +0100 (CET)

    Final-Recipient: rfc822; ada@example.org
    Original-Recipient: rfc822;ada+2Bnews@example.org
    Action: failed
    Status: 5.1.1
    Remote-MTA: dns; mx.example.org
    Diagnostic-Code: smtp; 550 5.1.1 <ada@example.org>: Recipient address rejected:
        User unknown in virtual mailbox table
    """
)
POSTFIX_DELAYED: Final = report(
    """
    Reporting-MTA: dns; mx.example.com

    Final-Recipient: rfc822; ada@example.org
    Action: delayed
    Status: 4.4.1
    Diagnostic-Code: X-Postfix; connect to mx.example.org[192.0.2.1]:25: Connection timed out
    Will-Retry-Until: Sun, 29 Nov 2026 10:59:58 +0100 (CET)
    """,
    original="text/rfc822-headers",
)
POSTFIX_EXPIRED: Final = POSTFIX_DELAYED.replace(b"delayed", b"failed")
EXCHANGE: Final = report(
    """
    Reporting-MTA: dns;DB9PR01MB1234.eurprd01.prod.exchangelabs.com

    Final-Recipient: rfc822;ada@example.org
    Action: failed
    Status: 5.1.10
    Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient ada@example.org
     not found by SMTP address lookup
    X-Display-Name: ada@example.org
    """,
    headers="From: postmaster@example.org\nSubject: Undeliverable: Your order\nX-MS-Exchange: 1",
)
GMAIL: Final = report(
    """
    Reporting-MTA: dns; googlemail.com
    Arrival-Date: Tue, 24 Nov 2026 02:00:00 -0800 (PST)
    X-Original-Message-ID: <x@example.com>

    Final-Recipient: rfc822; ada@example.org
    Action: failed
    Status: 5.7.1
    Remote-MTA: dns; mx.example.org. (192.0.2.1, the server for the domain example.org.)
    Diagnostic-Code: smtp; 550-5.7.1 [192.0.2.9] Our system has detected that this message is
     likely unsolicited mail. 550 5.7.1 To reduce the amount of spam, it has been blocked.
    Last-Attempt-Date: Tue, 24 Nov 2026 02:00:00 -0800 (PST)
    """,
    headers="From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>\n"
    "Auto-Submitted: auto-replied\nX-Failed-Recipients: ada@example.org\n"
    "Subject: Delivery Status Notification (Failure)",
)
SEVERAL: Final = report(
    """
    Reporting-MTA: dns; mx.example.com

    Final-Recipient: rfc822; full@example.org
    Action: failed
    Status: 5.2.2
    Diagnostic-Code: smtp; 552 5.2.2 mailbox full

    Final-Recipient: rfc822; late@example.org
    Action: Delayed
    Status: 4.7.1

    Final-Recipient: rfc822; ok@example.org
    Action: delivered
    Status: 2.1.5

    Final-Recipient: rfc822; far@example.org
    Action: relayed
    Status: 2.0.0

    Final-Recipient: rfc822; list@example.org
    Action: expanded (to the list)
    Status: 2.1.5

    Final-Recipient: rfc822; new@example.org
    Action: teleported
    Status: 2.0.0
    """
)
GLOBAL: Final = report(
    """
    Reporting-MTA: dns; mx.example.org

    Final-Recipient: utf-8; jörg@example.org
    Action: failed
    Status: 5.1.1
    """,
    part="message/global-delivery-status",
    original="message/global-headers",
)


def arf(kind: str, more: str = "Original-Rcpt-To: <ada@example.org>") -> bytes:
    return report(
        f"""
        Feedback-Type: {kind}
        User-Agent: SomeGenerator/1.0
        Version: 1
        Source-IP: 192.0.2.1
        Original-Mail-From: <{PATH}>
        {more}
        """,
        kind="feedback-report",
        headers="From: abuse@example.net\nSubject: FW: Your order",
    )


EXIM: Final = crlf(
    f"""\
Return-path: <>
Envelope-to: {PATH}
X-Failed-Recipients: ada@example.org
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@mx.example.com>
To: {PATH}
Subject: Mail delivery failed: returning message to sender
Message-Id: <E1abc-0001@mx.example.com>

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  ada@example.org
    host mx.example.org [192.0.2.1]
    SMTP error from remote mail server after RCPT TO:<ada@example.org>:
    550 5.1.1 <ada@example.org>: Recipient address rejected: User unknown

------ This is a copy of the message, including all the headers. ------

{ORIGINAL}
Hello bob@example.com
"""
)
QMAIL: Final = crlf(
    f"""\
Return-Path: <>
Delivered-To: {PATH}
From: MAILER-DAEMON@mx.example.com
To: {PATH}
Subject: failure notice

Hi. This is the qmail-send program at mx.example.com.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<ada@example.org>:
192.0.2.1 does not like recipient.
Remote host said: 550 sorry, no mailbox here by that name. (#5.1.1)

<bob@example.org>:
Sorry, I couldn't find any host named example.org. (#5.1.2)

--- Below this line is a copy of the message.

{ORIGINAL}
Hello
"""
)
EXIM_WARNING: Final = crlf(
    f"""\
Return-path: <>
Delivered-To: {PATH}
From: Mail Delivery System <Mailer-Daemon@mx.example.com>
To: {PATH}
Subject: Warning: message 1abc-0001 delayed 24 hours
Auto-Submitted: auto-replied

This message was created automatically by mail delivery software (delivery notification).

  ada@example.org
    Delay reason: Connection timed out
"""
).replace(b"Warning: message", b"Mail delivery warning: message")
VACATION: Final = crlf(
    f"""\
Return-Path: <>
Delivered-To: {PATH}
From: Ada <ada@example.org>
To: {PATH}
Subject: Re: Your order
Auto-Submitted: auto-replied (vacation)
In-Reply-To: {MESSAGE_ID}

I am away until Monday.
"""
)
REPLY: Final = crlf(
    f"""\
Return-Path: <ada@example.org>
Delivered-To: {PATH}
From: Ada <ada@example.org>
To: {PATH}
Subject: Re: Undeliverable promises
Auto-Submitted: no

Thanks! My address is ada@example.org
"""
)
