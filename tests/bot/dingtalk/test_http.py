"""HTTP mode: signed, sealed, and nothing that anybody made up."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot import callback_site
from bot.callback_site import Attempts
from bot.channels.dingtalk import http
from bot.channels.dingtalk.http import BadKey, DingTalkCallback, Refused, Seal
from storage import callback_attempts
from storage.database import Database, StorageFull
from tests.fakes.dingtalk import crypto
from tests.support.ding_desk import TEMPLATE, DingDesk

KEY43 = "1234567890123456789012345678901234567890123"
TOKEN = "tok123"


class HttpDesk(DingDesk):
    """The same company in HTTP mode, with the callback's listener."""

    def __init__(self, db: Database, folder: Path) -> None:
        settings = {
            "stream": False,
            "token": TOKEN,
            "aes_key": KEY43,
            "card_template_id": TEMPLATE,
        }
        self.error: Exception | None = None
        super().__init__(db, folder, settings=settings)
        self.use_template()
        self.attempts = Attempts(db, self.clock)
        self.runner: web.AppRunner = self.call(self._listen())
        self.url = f"http://127.0.0.1:{self.runner.addresses[0][1]}{http.PATH}"
        app = self.fake.app
        app.message_url = app.event_url = self.url
        app.event_token, app.event_aes_key = TOKEN, KEY43
        self.call(self.bot.register_cards(self.url))

    async def _listen(self) -> web.AppRunner:
        receiver = DingTalkCallback(
            self.bot.receiving,
            self._door,
            self.attempts,
            self.clock,
            client_id=self.fake.app.client_id,
            client_secret=self.fake.app.client_secret,
            token=TOKEN,
            aes_key=KEY43,
        )
        return await callback_site.start([receiver], host="127.0.0.1", port=0)

    async def _door(self, event: Any) -> bool:
        if self.error is not None:
            raise self.error
        return await self.bot.accept(event)

    def close(self) -> None:
        self.call(self.runner.cleanup())
        self.call(self.attempts.close())
        super().close()

    def post(
        self,
        body: bytes | dict[str, Any],
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> int:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()

        async def ask() -> int:
            async with (
                aiohttp.ClientSession() as session,
                session.post(
                    self.url, data=data, headers=dict(headers or {}), params=dict(query or {})
                ) as answer,
            ):
                return answer.status

        return self.call(ask())

    def signed(self, *, secret: str = "", shift_s: int = 0) -> dict[str, str]:
        stamp = str(int((self.clock.now().timestamp() + shift_s) * 1000))
        sign = crypto.robot_sign(secret or self.fake.app.client_secret, stamp)
        return {"timestamp": stamp, "sign": sign}

    def tried(self) -> list[tuple[str, str]]:
        self.call(self.attempts.close())
        listed = self.db.read(lambda s: callback_attempts.latest(s, "dingtalk"))
        return [(one.outcome, one.reason) for one in reversed(listed)]


@pytest.fixture
def desk(sqlite_url: str, tmp_path: Path) -> Iterator[HttpDesk]:
    db = Database(sqlite_url)
    made = HttpDesk(db, tmp_path)
    yield made
    made.close()
    db.close()


def message(**given: Any) -> dict[str, Any]:
    return {
        "msgId": "m1",
        "msgtype": "text",
        "text": {"content": "你好"},
        "conversationType": "1",
        "conversationId": "c1",
        "senderStaffId": "lina",
        **given,
    }


# --- what the platform sends ----------------------------------------------------------------------


def test_a_message_is_stored_then_answered_silently(desk: HttpDesk) -> None:
    push = desk.fake.say_text("lina", "今天拜访了恒基水泥，报价一万二").wait()
    assert push.attempts[0].answer == {"msgtype": "empty"}
    desk.run()
    assert desk.fake.cards_of("lina")
    assert desk.fake.complaints == []
    assert desk.tried() == [("accepted", "text")]


def test_a_tap_comes_signed_with_our_own_secret(desk: HttpDesk) -> None:
    desk.fake.say_text("lina", "今天拜访了恒基水泥，报价一万二").wait()
    desk.run()
    number = desk.fake.last_card("lina").out_track_id
    tap = desk.fake.press("lina", number, "确认入库").wait()
    assert tap.outcome == "answered"
    desk.run()
    assert desk.fake.card_seen_by("lina", number)["status"] == "done"
    assert desk.fake.complaints == []


def test_events_come_sealed_and_saving_the_address_is_answered(desk: HttpDesk) -> None:
    assert desk.fake.check_url().wait().attempts[0].problem == ""
    assert desk.fake.event("user_add_org", {"userId": ["neu"]}).wait().attempts[0].problem == ""
    assert desk.fake.complaints == []
    assert desk.tried() == [("verified", "verified"), ("accepted", "directory:user_add_org")]


def test_a_repeat_is_answered_without_work(desk: HttpDesk) -> None:
    push = desk.fake.say_text("lina", "你好").wait()
    for _ in range(3):
        desk.fake.again(push).wait()
    assert len(desk.inbox()) == 1
    assert [one[0] for one in desk.tried()] == ["accepted", "repeat", "repeat", "repeat"]


def test_what_cannot_be_stored_is_not_acknowledged(desk: HttpDesk) -> None:
    desk.error = StorageFull("no space left")
    assert desk.post(message(), desk.signed()) == 503
    desk.error = None
    assert desk.post(message(), desk.signed()) == 200
    assert len(desk.inbox()) == 1


# --- what somebody made up ------------------------------------------------------------------------


def test_forged_stale_and_missing_signatures_are_refused(desk: HttpDesk) -> None:
    fine = desk.signed()
    made_up = [
        {},
        {"timestamp": fine["timestamp"]},
        {"sign": fine["sign"]},
        {**fine, "sign": fine["sign"][:-2] + "A="},
        {**fine, "sign": ""},
        {**fine, "timestamp": fine["timestamp"] + "0"},
        {**fine, "timestamp": "soon"},
        {**fine, "timestamp": "-1"},
        {**fine, "timestamp": "9" * 4000},
        desk.signed(secret="another secret"),
        desk.signed(shift_s=3700),
        desk.signed(shift_s=-3700),
        {"x-ddpaas-signature": "x", "x-ddpaas-signature-timestamp": fine["timestamp"]},
        {"x-ddpaas-signature": fine["sign"]},
    ]
    for headers in made_up:
        status = desk.post(message(), headers)
        assert 400 <= status < 500, (headers, status)
    assert desk.inbox() == []
    assert {outcome for outcome, _ in desk.tried()} == {"refused"}


def test_a_taps_signature_is_worth_nothing_for_a_message_nor_the_other_way(
    desk: HttpDesk,
) -> None:
    stamp = desk.signed()["timestamp"]
    sign = crypto.card_sign(http.card_secret(desk.fake.app.client_secret), stamp)
    assert desk.post(message(), {"timestamp": stamp, "sign": sign}) == 403
    robot = desk.signed()
    headers = {"x-ddpaas-signature": robot["sign"], "x-ddpaas-signature-timestamp": stamp}
    assert desk.post({"outTrackId": "c"}, headers) == 403


def test_a_replayed_tap_has_no_second_effect(desk: HttpDesk) -> None:
    view, _ = desk.show()
    params = {"a": "memo.ok", "n": view.nonce}
    body = {
        "outTrackId": view.id,
        "userId": "lina",
        "content": json.dumps({"cardPrivateData": {"params": params}}),
    }
    stamp = desk.signed()["timestamp"]
    sign = crypto.card_sign(http.card_secret(desk.fake.app.client_secret), stamp)
    headers = {"x-ddpaas-signature": sign, "x-ddpaas-signature-timestamp": stamp}
    assert [desk.post(body, headers) for _ in range(4)] == [200] * 4
    assert len(desk.inbox()) == 1


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'"words"', b'{"a":' * 5_000],
)
def test_a_signed_body_that_is_no_object_is_refused(desk: HttpDesk, body: bytes) -> None:
    assert desk.post(body, desk.signed()) == 400
    assert desk.inbox() == []


def test_a_body_beyond_all_measure_is_refused(desk: HttpDesk) -> None:
    big = message(text={"content": "长" * 100_000})
    assert desk.post(big, desk.signed()) == 413

    async def chunked() -> int:
        async def drip() -> Any:
            for _ in range(40):
                yield b"x" * 16_384

        async with (
            aiohttp.ClientSession() as session,
            session.post(desk.url, data=drip(), headers=desk.signed()) as answer,
        ):
            return answer.status

    assert desk.call(chunked()) == 413
    assert desk.inbox() == []


def test_only_posts(desk: HttpDesk) -> None:
    async def ask() -> int:
        async with aiohttp.ClientSession() as session, session.get(desk.url) as answer:
            return answer.status

    assert desk.call(ask()) == 405


# --- the events' seal -----------------------------------------------------------------------------


def seal(text: str, *, owner: str = "", key: str = KEY43) -> str:
    return crypto.encrypt(key, owner or "dingexample0001", text, os.urandom(16))


def test_sealed_events_that_are_not_for_us_are_refused(desk: HttpDesk) -> None:
    stamp, nonce = desk.signed()["timestamp"], "n1"
    good = seal('{"EventType":"user_add_org"}')

    def post(sealed: Any, *, token: str = TOKEN, when: str = stamp, sign: str = "") -> int:
        signature = sign or crypto.event_sign(token, when, nonce, str(sealed))
        query = {"msg_signature": signature, "timestamp": when, "nonce": nonce}
        return desk.post({"encrypt": sealed}, query=query)

    old = str(int(stamp) - 4_000_000)
    turned = base64.b64encode(bytes(reversed(base64.b64decode(good)))).decode()
    assert post(good) == 200
    assert post(good, token="other") == 403
    assert post(good, sign="0" * 40) == 403
    assert post(good, when=old) == 403
    assert post(seal('{"EventType":"x"}', owner="somebodyelse")) == 403
    assert post(turned) == 403
    assert post("AAAA") == 403
    assert post("no base64 at all!") == 403
    assert post(seal("no JSON")) == 403
    assert post(seal("[]")) == 403
    assert post(5) == 400
    assert post("") == 400
    wanted = [reason for _, reason in desk.tried()]
    assert wanted.count("cipher") == 6


def test_the_sheets_vector_opens() -> None:
    sealed = (
        "GCr6999U/V4/3veZ85Bxl6NnPyKFaUXh1O/ukUCSfqZrefLAjZXTHh0iSEG3YpNrbCb8vUXuJXRnMVsiwj39DQ=="
    )
    signature = "93fa5f649968873ee8c197a3dab2c556faf97ebd"
    made = Seal(client_id="dingexampleappkey", token="tok123", aes_key=KEY43)

    def opened(signed: str) -> Any:
        return made.open(sealed, signature=signed, timestamp="1700000000", nonce="nonce01")

    assert opened(signature) == {"EventType": "check_url"}
    with pytest.raises(Refused):
        opened(signature.upper())


def test_the_sheets_vectors_of_signatures() -> None:
    assert (
        http.robot_sign("this is a secret", "1577262236757")
        == "DJrE6qdyVGCQz9z5r2MDuNcNAhwYnuAkyj13cx169CA="
    )
    assert (
        http.card_sign("example-secret", "1577262236757")
        == "9EQUhx+gSqHfgSF/OnOV2ifDC9m1VzjPj00L/WOZeew="
    )


@pytest.mark.parametrize("key", ["", "short", "!" * 43, KEY43 + "x"])
def test_a_key_that_is_none_is_told_at_the_start(key: str) -> None:
    with pytest.raises(BadKey):
        Seal(client_id="c", token="t", aes_key=key)
