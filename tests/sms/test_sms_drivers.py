"""Every SMS driver against a fake of its API, with the documented answers."""

from __future__ import annotations

from typing import Any

import pytest
from http_server import Answer, Asked
from sms_apis import SECRET, Fake, SmsApiContract, form

from vero_channels.sms.bird import Bird
from vero_channels.sms.plivo import Plivo
from vero_channels.sms.sinch import Sinch
from vero_channels.sms.sns import Sns
from vero_channels.sms.telnyx import Telnyx
from vero_channels.sms.twilio import Twilio
from vero_channels.sms.vonage import Vonage
from vero_deliver.errors import ConfigError, Deferred, Gone, Misconfigured, Refused
from vero_deliver.testing import sample_sms

ACCOUNT = "AC" + "0" * 32
SERVICE = "MG" + "1" * 32
HOOK = "https://hooks.example.com/sms?shop=1"


class FakeTwilio(Fake):
    def answer(self, asked: Asked) -> Answer:
        assert asked.path == f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
        assert asked.headers["authorization"].startswith("Basic ")
        assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
        sid = f"SM{self.new_id().replace('-', '')}"
        return Answer(201, {"sid": sid, "status": "queued", "error_code": None})


class TestTwilio(SmsApiContract):
    fake = FakeTwilio

    def channel(self, url: str, **options: Any) -> Twilio:
        return Twilio(ACCOUNT, SECRET, base_url=url, **options)

    @pytest.mark.anyio
    async def test_body(self) -> None:
        """The fields; the key comes back in the callback's URL."""
        options = {"status_callback": HOOK, "messaging_service": SERVICE}
        assert form(await self.sent("order/1", options=options)) == {
            "To": "+420601000001",
            "From": "VERO",
            "MessagingServiceSid": SERVICE,
            "Body": "On its way",
            "StatusCallback": f"{HOOK}&vero_key=order%2F1",
        }

    @pytest.mark.anyio
    async def test_messaging_service_chooses(self) -> None:
        """Without a sender the service finds one; without a service there is none."""
        asked = await self.sent(from_="", options={"messaging_service": SERVICE})
        assert set(form(asked)) == {"To", "MessagingServiceSid", "Body"}
        with pytest.raises(Refused, match="no sender"):
            await self.channel("http://127.0.0.1:9").send(sample_sms(), "key-1")

    @pytest.mark.anyio
    async def test_codes(self) -> None:
        """Twilio's own codes decide, whatever the status."""
        kinds = {21211: Gone, 21610: Gone, 21614: Gone, 21612: Refused, 21606: Misconfigured,
                 21703: Misconfigured, 20003: Misconfigured, 21617: Refused,
                 21611: Deferred}  # fmt: skip
        await self.kinds(
            kinds, lambda code: Answer(400, {"code": code, "message": "said so", "status": 400})
        )

    def test_options_are_checked(self) -> None:
        """What can be no SID and no URL."""
        for options in ({"messaging_service": "x"}, {"status_callback": "hooks.example.com"}):
            with pytest.raises(ConfigError, match=next(iter(options))):
                self.channel("http://127.0.0.1:9", **options)
        with pytest.raises(ConfigError, match="account_sid"):
            Twilio("../x", SECRET)


class FakeVonage(Fake):
    def answer(self, asked: Asked) -> Answer:
        assert asked.path == "/v1/messages"
        assert 0 < len(asked.json["client_ref"]) <= 100
        return Answer(202, {"message_uuid": self.new_id()})


class TestVonage(SmsApiContract):
    fake = FakeVonage

    def channel(self, url: str, **options: Any) -> Vonage:
        return Vonage("a1b2c3", SECRET, base_url=url, **options)

    @pytest.mark.anyio
    async def test_body(self) -> None:
        """Numbers without +; the key is client_ref."""
        asked = await self.sent(from_="+447700900001", options={"webhook_url": HOOK})
        assert asked.json == {
            "channel": "sms",
            "message_type": "text",
            "to": "420601000001",
            "from": "447700900001",
            "text": "On its way",
            "client_ref": "key-1",
            "webhook_url": HOOK,
        }

    @pytest.mark.anyio
    async def test_codes(self) -> None:
        """The code ends the type of RFC 7807."""
        kinds = {1000: Deferred, 1050: Gone, 1240: Gone, 1120: Refused, 1070: Misconfigured,
                 1090: Refused}  # fmt: skip
        where = "https://developer.vonage.com/api-errors/messages#"
        await self.kinds(
            kinds,
            lambda code: Answer(
                422, {"type": f"{where}{code}", "title": "T", "detail": "D", "instance": "i"}
            ),
        )


class FakeSns(Fake):
    def answer(self, asked: Asked) -> Answer:
        assert asked.path == "/"
        assert "SignedHeaders=content-type;host;x-amz-date" in asked.headers["authorization"]
        assert "/us-east-1/sns/aws4_request" in asked.headers["authorization"]
        xml = f"<PublishResponse><PublishResult><MessageId>{self.new_id()}</MessageId>"
        return Answer(200, text=f"{xml}</PublishResult></PublishResponse>")


class TestSns(SmsApiContract):
    fake = FakeSns

    def channel(self, url: str, **options: Any) -> Sns:
        return Sns("AKIA0", SECRET, "us-east-1", base_url=url, **options)

    @pytest.mark.parametrize(
        ("sender", "name"),
        [("VERO", "AWS.SNS.SMS.SenderID"), ("+447700900001", "AWS.MM.SMS.OriginationNumber"),
         ("60123", "AWS.MM.SMS.OriginationNumber")],
    )  # fmt: skip
    @pytest.mark.anyio
    async def test_body(self, sender: str, name: str) -> None:
        """The kind of message and of sender are attributes."""
        found = form(await self.sent(from_=sender, kind="marketing"))
        entry = "MessageAttributes.entry"
        assert found == {
            "Action": "Publish",
            "Version": "2010-03-31",
            "PhoneNumber": "+420601000001",
            "Message": "On its way",
            f"{entry}.1.Name": "AWS.SNS.SMS.SMSType",
            f"{entry}.1.Value.DataType": "String",
            f"{entry}.1.Value.StringValue": "Promotional",
            f"{entry}.2.Name": name,
            f"{entry}.2.Value.DataType": "String",
            f"{entry}.2.Value.StringValue": sender,
        }

    @pytest.mark.anyio
    async def test_codes(self) -> None:
        """Out of XML; a throttle is 400, and a number that cannot be one is told in words."""
        kinds = {"Throttling": Deferred, "OptedOut": Gone, "InvalidParameter": Refused,
                 "AuthorizationError": Misconfigured}  # fmt: skip
        xml = (
            "<ErrorResponse><Error><Type>Sender</Type><Code>{}</Code><Message>{}</Message></Error>"
        )
        await self.kinds(kinds, lambda code: Answer(400, text=xml.format(code, "said so")))
        words = "Invalid parameter: PhoneNumber Reason: +1234 is not valid to publish to"
        assert (
            type(await self.error(Answer(400, text=xml.format("InvalidParameter", words)))) is Gone
        )

    def test_signed_as_botocore_signs(self) -> None:
        """The body is what botocore makes of the same call."""
        session = pytest.importorskip("botocore.session").get_session()
        client = session.create_client(
            "sns", "us-east-1", aws_access_key_id="AKIA0", aws_secret_access_key=SECRET
        )
        sent: list[bytes] = []

        def keep(request: Any, **_: Any) -> Any:
            sent.append(request.body.encode() if isinstance(request.body, str) else request.body)
            raise RuntimeError("seen")

        client.meta.events.register("before-send.sns.Publish", keep)
        with pytest.raises(RuntimeError, match="seen"):
            client.publish(
                PhoneNumber="+420601000001",
                Message="Žluťoučký & kůň",
                MessageAttributes={
                    "AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"},
                    "AWS.SNS.SMS.SenderID": {"DataType": "String", "StringValue": "VERO"},
                },
            )
        theirs = form(Asked("POST", "/", {}, sent[0]))
        sms = sample_sms(body="Žluťoučký & kůň", from_="VERO")
        ours = self.channel("http://127.0.0.1:9").request(sms, "key-1")
        assert form(Asked("POST", "/", {}, ours.content)) == theirs


class FakeBird(Fake):
    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[str, Answer] = {}

    def answer(self, asked: Asked) -> Answer:
        assert asked.path == "/v1/sms/messages"
        key = asked.headers["idempotency-key"]
        if key not in self.seen:
            self.seen[key] = Answer(202, {"id": f"sms_{self.new_id()}", "status": "accepted"})
        return self.seen[key]


class TestBird(SmsApiContract):
    fake = FakeBird

    def channel(self, url: str, **options: Any) -> Bird:
        return Bird(SECRET, "eu1", base_url=url, **options)

    @pytest.mark.anyio
    async def test_body(self) -> None:
        """The key is the Idempotency-Key, and among the metadata."""
        asked = await self.sent(metadata={"order": "1"}, kind="marketing")
        assert asked.headers["authorization"] == f"Bearer {SECRET}"
        assert asked.headers["idempotency-key"] == "key-1"
        assert asked.json == {
            "to": "+420601000001",
            "from": "VERO",
            "text": "On its way",
            "category": "marketing",
            "metadata": {"order": "1", "vero_key": "key-1"},
        }

    @pytest.mark.anyio
    async def test_codes(self) -> None:
        """Its names."""
        kinds = {"SMSInvalidRecipient": Gone, "SMSSenderNotConfigured": Misconfigured,
                 "SenderCategoryNotPermitted": Refused,
                 "insufficient_balance": Misconfigured}  # fmt: skip
        await self.kinds(
            kinds,
            lambda code: Answer(
                422, {"error": {"type": "validation_error", "code": code, "message": "said so"}}
            ),
        )

    def test_region_is_no_host(self) -> None:
        """It becomes a part of one."""
        with pytest.raises(ConfigError, match="region"):
            Bird(SECRET, "evil.example/")


class FakeSinch(Fake):
    def answer(self, asked: Asked) -> Answer:
        assert asked.path == "/xms/v1/plan%2F1/batches"
        assert asked.headers["authorization"] == f"Bearer {SECRET}"
        return Answer(201, {"id": self.new_id(), "to": asked.json["to"], "type": "mt_text"})


class TestSinch(SmsApiContract):
    fake = FakeSinch

    def channel(self, url: str, **options: Any) -> Sinch:
        return Sinch("plan/1", SECRET, base_url=url, **options)

    @pytest.mark.anyio
    async def test_body(self) -> None:
        """A batch of one; the key is client_reference."""
        asked = await self.sent(from_="+447700900001", options={"callback_url": HOOK})
        assert asked.json == {
            "to": ["+420601000001"],
            "from": "447700900001",
            "body": "On its way",
            "delivery_report": "per_recipient",
            "client_reference": "key-1",
            "callback_url": HOOK,
        }

    @pytest.mark.anyio
    async def test_codes(self) -> None:
        """Its names, and its words in the error."""
        kinds = {"syntax_constraint_violation": Refused, "unauthorized": Misconfigured}
        await self.kinds(kinds, lambda code: Answer(400, {"code": code, "text": "said so"}))
        error = await self.error(Answer(400, {"code": "syntax_invalid_json", "text": "said so"}))
        assert "said so" in str(error)


class FakePlivo(Fake):
    def answer(self, asked: Asked) -> Answer:
        assert asked.path == "/v1/Account/MA0/Message/"
        said = {"message": "message(s) queued", "message_uuid": [self.new_id()], "api_id": "a"}
        return Answer(202, said)


class TestPlivo(SmsApiContract):
    fake = FakePlivo

    def channel(self, url: str, **options: Any) -> Plivo:
        return Plivo("MA0", SECRET, base_url=url, **options)

    @pytest.mark.anyio
    async def test_body(self) -> None:
        """The key comes back in the callback's URL."""
        assert (await self.sent(options={"callback_url": HOOK})).json == {
            "src": "VERO",
            "dst": "+420601000001",
            "text": "On its way",
            "type": "sms",
            "url": f"{HOOK}&vero_key=key-1",
            "method": "POST",
        }

    @pytest.mark.anyio
    async def test_powerpack_takes_the_place_of_a_sender(self) -> None:
        """Plivo refuses both."""
        asked = await self.sent(options={"powerpack": "p-1"})
        assert asked.json["powerpack_uuid"] == "p-1"
        assert "src" not in asked.json
        with pytest.raises(ConfigError, match="powerpack"):
            self.channel("http://127.0.0.1:9", powerpack="p-1", senders={"GB": "VERO"})

    @pytest.mark.anyio
    async def test_invalid_number_in_a_success(self) -> None:
        """It was accepted for nobody."""
        said = {"message": "m", "message_uuid": [], "invalid_number": ["420601000001"]}
        assert type(await self.error(Answer(202, said))) is Gone
        error = await self.error(Answer(400, {"api_id": "a", "error": "src parameter not present"}))
        assert "src parameter not present" in str(error)


class FakeTelnyx(Fake):
    def answer(self, asked: Asked) -> Answer:
        assert asked.path == "/v2/messages"
        assert asked.headers["idempotency-key"]
        return Answer(200, {"data": {"id": self.new_id(), "record_type": "message"}})


class TestTelnyx(SmsApiContract):
    fake = FakeTelnyx

    def channel(self, url: str, **options: Any) -> Telnyx:
        given: dict[str, Any] = {"messaging_profile": "p-1", **options}
        return Telnyx(SECRET, base_url=url, **given)

    @pytest.mark.anyio
    async def test_body(self) -> None:
        """The key comes back in the webhook's URL."""
        assert (await self.sent(options={"webhook_url": HOOK})).json == {
            "from": "VERO",
            "to": "+420601000001",
            "text": "On its way",
            "messaging_profile_id": "p-1",
            "webhook_url": f"{HOOK}&vero_key=key-1",
        }

    @pytest.mark.anyio
    async def test_a_name_needs_a_profile(self) -> None:
        """Telnyx would refuse it."""
        with pytest.raises(Refused, match="messaging_profile"):
            await self.sent(options={"messaging_profile": ""})

    @pytest.mark.anyio
    async def test_codes(self) -> None:
        """STOP is a code of its own."""
        kinds = {"40300": Gone, "40310": Gone, "40305": Misconfigured, "20100": Misconfigured,
                 "40318": Deferred, "40302": Refused}  # fmt: skip
        await self.kinds(
            kinds,
            lambda code: Answer(400, {"errors": [{"code": code, "title": "T", "detail": "D"}]}),
        )
