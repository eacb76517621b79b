"""The callback: what is taken, what is refused, and when it is acknowledged."""

from __future__ import annotations

import asyncio
import base64
import gzip
import random
import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import requests
import sqlalchemy as sa
from wechatpy.enterprise.crypto import WeChatCrypto

from bot.channels.wecom import crypto
from bot.channels.wecom.crypto import BadKey, Codec, Refused
from storage import callback_attempts, channel_states, directory
from storage.callback_attempts import KEPT, Attempt
from storage.database import Database, StorageFull
from storage.tables import InboxRow, OutboxRow, RecordRow
from tests.fakes.wecom.crypto import new_aes_key
from tests.fakes.wecom.server import FakeWeCom
from tests.support.callback_line import Line
from tests.support.desk import Desk

KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
MESSAGE = "<xml><MsgType>text</MsgType><Content>你好</Content></xml>"
CIPHER = (
    "4j/AuRx71kQlxVlzbpsMWNEaGyudpIl2oG1QtMCgjgJovAn8AUeWOEdPFlXc733WyFdcF7+Gc/mFvCNpL84ghpmb"
    "pRv6Tl6QvUMS5Kq8Wu/ngATPawUTyX6N0wDq7xk5"
)
SIGNATURE = "5a1b99fae81e52e8856521feea4d4bdc839d95e4"
GOLDEN = {"signature": SIGNATURE, "timestamp": "1700000000", "nonce": "fsnonce"}
S1 = "今天拜访了恒基水泥的赵经理 电动闸板阀要十五台 报价每台一万二 我答应下周二之前给他加急方案"


# --- the cipher ---------------------------------------------------------------------------------


def golden(**changes: str) -> Codec:
    given = {"token": "factSheetToken01", "aes_key": KEY, "receiver": "wwfactsheet00001"}
    return Codec(**{**given, **changes})


def test_the_golden_vector() -> None:
    assert golden().open(CIPHER, **GOLDEN).decode() == MESSAGE
    assert golden().seal(MESSAGE.encode(), random=b"0123456789abcdef") == CIPHER
    assert golden().sign("1700000000", "fsnonce", CIPHER) == SIGNATURE


def test_another_implementation_agrees() -> None:
    draw = random.Random(7)
    for number in range(100):
        key, corp = new_aes_key(), draw.choice(["ww1", "wwfactsheet00001", ""])
        text = "".join(draw.choices("ab<>&]]你好🙂é\n", k=draw.randint(0, 150)))
        ours = Codec("t0ken", key, corp)
        theirs = WeChatCrypto("t0ken", key, corp)
        sealed, stamp = ours.seal(text.encode()), str(1700000000 + number)
        signature = ours.sign(stamp, "n", sealed)
        assert theirs.decrypt_message({"Encrypt": sealed}, signature, stamp, "n") == text
        reply = theirs.encrypt_message(text, "n", stamp)
        sealed = reply.split("<Encrypt><![CDATA[")[1].split("]]>")[0]
        signature = reply.split("<MsgSignature><![CDATA[")[1].split("]]>")[0]
        found = ours.open(sealed, signature=signature, timestamp=stamp, nonce="n")
        assert found.decode() == text


def test_a_key_with_spare_bits_works() -> None:
    """The last character's lowest two bits stand for nothing; consoles set them anyhow."""
    for last in "8", "9":
        codec = golden(aes_key=KEY[:-1] + last)
        assert codec.open(CIPHER, **GOLDEN).decode() == MESSAGE


@pytest.mark.parametrize("key", ["", "short", KEY + "A", KEY[:-1], KEY[:-1] + "-", "签" * 43])
def test_a_key_that_is_none(key: str) -> None:
    with pytest.raises(BadKey):
        golden(aes_key=key)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"token": "another"}, "signature"),
        ({"aes_key": "Z" * 42 + "A"}, "cipher"),
        ({"receiver": "wwother"}, "corp"),
        ({"receiver": ""}, "corp"),
    ],
)
def test_another_s_settings_open_nothing(changes: dict[str, str], reason: str) -> None:
    with pytest.raises(Refused) as refused:
        golden(**changes).open(CIPHER, **GOLDEN)
    assert refused.value.reason == reason


def test_no_changed_bit_passes() -> None:
    """Signed anew, as somebody with the token but without the key could."""
    codec, raw = golden(), bytearray(base64.b64decode(CIPHER))
    for place in range(len(raw)):
        changed = bytearray(raw)
        changed[place] ^= 1 << (place % 8)
        sealed = base64.b64encode(changed).decode()
        signature = codec.sign("1700000000", "fsnonce", sealed)
        try:
            found = codec.open(sealed, **{**GOLDEN, "signature": signature})
        except Refused:
            continue
        assert place < 16 + len(MESSAGE.encode()) + 20, place  # CBC: only words, never who
        assert found != MESSAGE.encode() or place < 16


@pytest.mark.parametrize(
    "padded", [b"", b"\x00" * 32, b"x" * 31 + b"\x21", b"x" * 30 + b"\x01\x02"]
)
def test_padding_is_checked(padded: bytes) -> None:
    with pytest.raises(ValueError, match="padding"):
        crypto.unpad(padded)


# --- a line to the platform ---------------------------------------------------------------------


@pytest.fixture
def desk(sqlite_url: str, tmp_path: Path) -> Iterator[Desk]:
    database = Database(sqlite_url)
    made = Desk(database, tmp_path)
    yield made
    made.close()
    database.close()


@pytest.fixture
def fake(desk: Desk) -> Iterator[FakeWeCom]:
    with FakeWeCom(clock=desk.clock.now) as made:
        made.rules.redelivery_gap_s = 0.02
        yield made


@pytest.fixture
def line(desk: Desk, fake: FakeWeCom) -> Iterator[Line]:
    with Line(desk, fake) as made:
        yield made


def stored(desk: Desk) -> list[Any]:
    return desk.db.read(
        lambda s: list(s.execute(sa.select(InboxRow.kind, InboxRow.user, InboxRow.payload)))
    )


# --- verification ---------------------------------------------------------------------------------


def test_saving_the_address_works_whenever(line: Line, desk: Desk) -> None:
    for echo in ("1234567890123456789", "中文也行", " 空格 与 + 号 "):
        found = line.fake.verify(line.url, echo=echo)
        assert found.ok, found
    desk.clock.move(timedelta(days=400))
    assert line.fake.verify(line.url).ok
    assert {one.outcome for one in line.kept_attempts()} == {"verified"}


def test_a_plus_in_the_query_stays_one(line: Line) -> None:
    codec = Codec(line.fake.token, line.fake.aes_key, line.fake.corp_id)
    sealed = next(one for n in range(500) if "+" in (one := codec.seal(f"{n}".encode())))
    signature = codec.sign("1", "n", sealed)
    for written in (sealed, sealed.replace("+", "%2B"), sealed.replace("+", "%20")):
        query = f"msg_signature={signature}&timestamp=1&nonce=n&echostr={written}"
        with socket.create_connection(("127.0.0.1", line.port), 10) as link:
            link.sendall(
                f"GET /callback/wecom?{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
            )
            answer = b"".join(iter(lambda: link.recv(65536), b""))
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), (written, head)
        assert b"text/plain" in head
        assert body == codec.open(sealed, signature=signature, timestamp="1", nonce="n")


def test_a_forged_verification_is_refused(line: Line) -> None:
    query = {"msg_signature": "0" * 40, "timestamp": "1", "nonce": "n", "echostr": "YWJj"}
    assert requests.get(line.url, params=query, timeout=10).status_code == 403
    del query["echostr"]
    assert requests.get(line.url, params=query, timeout=10).status_code == 400


# --- what is taken --------------------------------------------------------------------------------


def test_a_message_is_stored_before_the_empty_200(line: Line, desk: Desk) -> None:
    found = line.fake.text("rep07", S1).ack()

    assert found.attempts[-1].body == b""
    [(kind, user, payload)] = stored(desk)
    assert (kind, user, payload["text"]) == ("text", "rep07", S1)
    desk.run()
    assert desk.count(RecordRow) == 1
    [attempt] = line.kept_attempts()
    assert (attempt.outcome, attempt.reason, attempt.remote) == ("accepted", "text", "127.0.0.1")


def test_the_person_is_known_in_any_spelling(line: Line, desk: Desk) -> None:
    line.fake.text("MGR01", "你好").ack()
    desk.run()
    [said] = line.fake.inbox("mgr01")
    assert "王磊" in said.text


def test_the_same_message_five_times_is_one(line: Line, desk: Desk) -> None:
    first = line.fake.text("rep07", S1).ack()
    for copy in [*line.fake.again(first, 4), *line.fake.again(first, 2, same_bytes=True)]:
        copy.ack()
    desk.run()
    assert len(stored(desk)) == 1
    assert desk.count(RecordRow) == 1
    outcomes = [one.outcome for one in line.kept_attempts()]
    assert sorted(outcomes) == ["accepted", *["repeat"] * 6]


def test_every_event_of_the_sheet_is_acknowledged(line: Line, desk: Desk) -> None:
    for one in line.fake.every_event("rep07"):
        one.ack()
    desk.run()
    kinds = sorted(kind for kind, _, _ in stored(desk))
    assert kinds == sorted(["event"] * 3 + ["other"] * 2)  # came in twice, menu, scan, place
    assert not [one for one in line.kept_attempts() if one.outcome == "refused"]


def test_the_app_s_troubles_are_kept_for_the_admin(line: Line, desk: Desk) -> None:
    def problems() -> list[str]:
        found = desk.db.read(lambda s: channel_states.problems(s, "wecom"))
        return [one.problem for one in found]

    line.fake.sys_event("inactive_alert", EffectTime=1700600000).ack()
    assert problems() == ["inactive_soon"]
    line.fake.sys_event("close_inactive_agent").ack()
    assert problems() == ["closed"]
    line.fake.sys_event("reopen_inactive_agent").ack()
    assert problems() == []
    assert stored(desk) == []


def test_a_change_of_the_directory_asks_for_a_sync(line: Line, desk: Desk) -> None:
    line.fake.sys_event("change_contact", ChangeType="create_user", UserID="new1").ack()
    status = desk.db.read(lambda s: directory.status(s, "wecom"))
    assert status.wanted_at == desk.clock.now()


def test_who_comes_in_is_greeted_once_a_day(line: Line, desk: Desk) -> None:
    for _ in range(3):
        line.fake.enter("rep07").ack()
        desk.clock.move(timedelta(minutes=10))
    desk.run()
    assert len([one for one in line.fake.inbox("rep07") if "你好，李娜" in one.text]) == 1
    desk.clock.move(timedelta(days=1))
    line.fake.enter("rep07").ack()
    desk.run()
    assert len([one for one in line.fake.inbox("rep07") if "你好，李娜" in one.text]) == 2


def test_a_menu_key_runs_its_command(line: Line, desk: Desk) -> None:
    line.fake.event("rep07", "click", {"EventKey": "todo"}).ack()
    line.fake.event("rep07", "CLICK", {"EventKey": "查 恒基"}).ack()
    line.fake.event("rep07", "click", {"EventKey": "menu_of_another_program"}).ack()
    desk.run()
    said = [one.text for one in line.fake.inbox("rep07")]
    assert any("没有待办" in one for one in said)
    assert any("恒基水泥有限公司" in one for one in said)
    assert any(one.startswith("没看懂") for one in said)


def test_what_the_bot_cannot_use_is_answered_politely(line: Line, desk: Desk) -> None:
    line.fake.location("rep07", 31.2, 121.5, "创新园区").ack()
    desk.run()
    [said] = line.fake.inbox("rep07")
    assert said.text.startswith("位置收到：创新园区，已存。")


def test_a_stranger_is_answered_once_a_day(line: Line, desk: Desk) -> None:
    line.fake.add_member("guest", "客人")
    for text in ("你好", "在吗", "怎么不理我"):
        line.fake.text("guest", text).ack()
    desk.run()
    assert desk.count(OutboxRow) == 1
    desk.clock.move(timedelta(days=1))
    line.fake.text("Guest", "你好").ack()
    desk.run()
    assert desk.count(OutboxRow) == 2
    assert len(stored(desk)) == 4  # what was said is kept


def test_whoever_is_let_in_by_an_admin_is_not_told_that_nobody_knows_them(
    line: Line, desk: Desk
) -> None:
    line.fake.add_member("guest", "客人")
    line.fake.event("guest", "subscribe", {"EventKey": ""}).ack()
    desk.run()
    assert desk.count(OutboxRow) == 0
    assert desk.db.read(lambda s: directory.status(s, "wecom")).wanted_at is not None


# --- taps on cards as the platform draws them -----------------------------------------------------


def last_card(line: Line) -> Any:
    return line.fake.last_card("rep07")


def test_buttons_a_form_and_the_way_back(line: Line, desk: Desk) -> None:
    line.fake.text("rep07", S1).ack()
    desk.run()
    card = last_card(line)
    assert card.card_type == "button_interaction"

    line.fake.tap("rep07", card, "修改").ack()
    desk.run()
    form = last_card(line)
    assert form.card_type == "multiple_interaction"
    line.fake.tap("rep07", form, "", {"follow_up": "明天"}).ack()
    desk.run()

    assert last_card(line).title.startswith("已入库｜恒基水泥")
    assert desk.count(RecordRow, RecordRow.state == "filed") == 1
    follow_up = desk.db.read(lambda s: s.scalar(sa.select(RecordRow.draft)))["follow_up"]
    assert follow_up == "2026-11-24"


def test_a_form_in_which_nothing_was_touched_sends_what_it_shows(line: Line, desk: Desk) -> None:
    """Should the platform leave out the drop-downs that nobody opened."""
    line.fake.text("rep07", "今天去了汇通 减压阀预算十二万 我明天发报价").ack()
    desk.run()
    line.fake.tap("rep07", last_card(line), "选客户").ack()
    desk.run()
    form = last_card(line)
    key = form.buttons["就是这家"]
    line.fake.card_event("rep07", form, key, card_type="multiple_interaction").ack()
    desk.run()
    shown = {
        row["keyname"]: row["value"] for row in last_card(line).card["horizontal_content_list"]
    }
    assert "待选" not in shown["客户"]


def test_two_people_tap_the_same_second(line: Line, desk: Desk) -> None:
    """Each is an event of its own; the foreign one is refused in words."""
    line.fake.text("rep07", S1).ack()
    desk.run()
    card = last_card(line)
    key = card.buttons["确认入库"]
    line.fake.card_event("rep07", card, key).ack()
    line.fake.card_event("Mgr01", card, key).ack()
    desk.run()
    assert desk.count(RecordRow, RecordRow.state == "filed") == 1
    assert any("你点不会生效" in one.text for one in line.fake.inbox("Mgr01"))


def test_a_tap_that_comes_five_times_acts_once(line: Line, desk: Desk) -> None:
    line.fake.text("rep07", S1).ack()
    desk.run()
    tapped = line.fake.tap("rep07", last_card(line), "确认入库").ack()
    for copy in line.fake.again(tapped, 4):
        copy.ack()
    desk.run()
    assert desk.count(RecordRow, RecordRow.state == "filed") == 1
    assert not any("已经处理过" in one.text for one in line.fake.inbox("rep07"))


# --- what is refused ------------------------------------------------------------------------------


def test_nothing_forged_is_stored_and_nothing_breaks(line: Line, desk: Desk) -> None:
    for one in line.fake.forgeries():
        attempt = line.fake.throw(one.query, one.body).wait().attempts[0]
        assert attempt.status == 200 or 400 <= attempt.status < 500, (one.name, attempt)
        assert stored(desk) == [], one.name
    assert {one.outcome for one in line.kept_attempts()} <= {"refused", "ignored"}
    line.fake.text("rep07", "echt").ack()
    assert len(stored(desk)) == 1


@pytest.mark.parametrize(
    ("how", "status", "reason"),
    [
        ({"signature": "0" * 40}, 403, "signature"),
        ({"token": "anotherToken"}, 403, "signature"),
        ({"corp_id": "wwother0000000001"}, 403, "corp"),
        ({"aes_key": "Z" * 42 + "A"}, 403, "cipher"),
        ({"padding": "uneven"}, 403, "cipher"),
        ({"timestamp": "yesterday"}, 400, "timestamp"),
        ({"cipher": ""}, 400, "no_cipher"),
    ],
)
def test_each_refusal_says_why(
    line: Line, desk: Desk, how: dict[str, Any], status: int, reason: str
) -> None:
    query, body = line.fake.envelope(line.fake.text_xml("rep07", "x"), **how)
    assert line.fake.throw(query, body).wait().attempts[0].status == status
    [attempt] = line.kept_attempts()
    assert (attempt.outcome, attempt.reason) == ("refused", reason)
    assert stored(desk) == []


@pytest.mark.parametrize(("away_s", "status"), [(-601, 403), (-599, 200), (599, 200), (601, 403)])
def test_the_window_of_time(line: Line, desk: Desk, away_s: int, status: int) -> None:
    at = int(desk.clock.now().timestamp()) + away_s
    query, body = line.fake.envelope(line.fake.text_xml("rep07", "x"), timestamp=at)
    assert line.fake.throw(query, body).wait().attempts[0].status == status
    assert len(stored(desk)) == (status == 200)


def test_a_replay_is_no_new_event_now_or_later(line: Line, desk: Desk) -> None:
    query, body = line.fake.envelope(line.fake.text_xml("rep07", "x"))
    for _ in range(3):
        assert line.fake.throw(query, body).wait().attempts[0].status == 200
    desk.clock.move(timedelta(minutes=11))
    assert line.fake.throw(query, body).wait().attempts[0].status == 403
    assert len(stored(desk)) == 1


def test_a_body_of_too_many_bytes(line: Line, desk: Desk) -> None:
    query, body = line.fake.envelope(line.fake.text_xml("rep07", "x"))
    big = body + b" " * (1024 * 1024)
    assert requests.post(line.url, params=query, data=big, timeout=20).status_code == 413
    # without a length in the head, and packed
    pieces = (b"<xml>" + b" " * 65536 for _ in range(40))
    assert requests.post(line.url, params=query, data=pieces, timeout=20).status_code == 413
    packed, head = gzip.compress(body + b" " * 10**7), {"Content-Encoding": "gzip"}
    answer = requests.post(line.url, params=query, data=packed, headers=head, timeout=20)
    assert answer.status_code == 400
    assert stored(desk) == []
    assert {one.reason for one in line.kept_attempts()} == {"too_big", "not_xml"}


def _raw(line: Line, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", line.port), 10) as link:
        link.sendall(request)
        link.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: link.recv(65536), b""))


def test_broken_requests_never_get_a_5xx(line: Line, desk: Desk) -> None:
    head = b"POST /callback/wecom?msg_signature=a&timestamp=1&nonce=b HTTP/1.1\r\nHost: x\r\n"
    for request in (
        head + b"Content-Length: 100\r\n\r\n<xml>",  # hangs up in the middle
        head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc",
        head + b"Content-Length: -5\r\n\r\n",
        b"POST /callback/wecom?msg_signature=%FF%FE&timestamp=%ZZ&nonce=%00 HTTP/1.1\r\n"
        b"Host: x\r\nContent-Length: 5\r\n\r\n<xml>",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS to a plain port
        b"GET /callback/wecom HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"DELETE /callback/wecom HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ):
        answer = _raw(line, request)
        assert not answer or answer.split()[1].startswith(b"4"), (request, answer)
    assert stored(desk) == []
    assert line.fake.text("rep07", "x").ack()


def test_the_listener_has_nothing_else(line: Line) -> None:
    base = f"http://127.0.0.1:{line.port}"
    for path in ("/", "/livez", "/readyz", "/metrics", "/console", "/callback/dingtalk"):
        assert requests.get(base + path, timeout=10).status_code == 404, path


# --- when it cannot be stored ---------------------------------------------------------------------


def test_a_full_disk_is_not_acknowledged(line: Line, desk: Desk) -> None:
    """The platform sends it again; then it is there."""
    line.fake.rules.retry_5xx = True
    real, failures = desk.db.submit, iter(range(2))

    def full(work: Any) -> Any:
        if next(failures, None) is None:
            return real(work)

        def fails(_: Any) -> Any:
            raise StorageFull("no space left")

        return real(fails)

    desk.db.submit = full  # type: ignore[method-assign]
    found = line.fake.text("rep07", S1).ack()
    assert [one.status for one in found.attempts] == [503, 503, 200]
    assert len(stored(desk)) == 1
    refused = [one for one in line.kept_attempts() if one.outcome == "refused"]
    assert {one.reason for one in refused} == {"storage_full"}


def test_a_slow_database_is_not_acknowledged_and_loses_nothing(desk: Desk, fake: FakeWeCom) -> None:
    fake.rules.retry_5xx = True
    with Line(desk, fake, answer_s=0.2):
        held = threading.Event()
        desk.db.submit(lambda _: held.wait(20))  # the one writer is busy
        found = fake.text("rep07", S1)
        while not found.attempts:
            time.sleep(0.01)
        assert found.attempts[0].status == 503
        held.set()
        found.ack()
        assert len(stored(desk)) == 1  # both tries, one event


def test_a_slow_sender_does_not_hold_the_door(desk: Desk, fake: FakeWeCom) -> None:
    with Line(desk, fake, answer_s=0.2) as line:
        query, body = fake.envelope(fake.text_xml("rep07", "x"))

        async def drip() -> int:
            async def pieces() -> Any:
                yield body[:10]
                await asyncio.sleep(5)
                yield body[10:]

            async with (
                aiohttp.ClientSession() as session,
                session.post(line.url, params=query, data=pieces()) as answer,
            ):
                return answer.status

        assert asyncio.run(drip()) == 408
        assert stored(desk) == []


def test_a_bug_of_ours_is_no_acknowledgement(line: Line, desk: Desk) -> None:
    def broken(_: Any) -> Any:
        raise RuntimeError("a bug")

    real, desk.db.submit = desk.db.submit, broken  # type: ignore[method-assign]
    assert line.fake.text("rep07", "x").wait().attempts[0].status == 503
    desk.db.submit = real  # type: ignore[method-assign]
    line.fake.text("rep07", "x").ack()


def test_before_it_runs_nothing_is_taken(line: Line, desk: Desk) -> None:
    line._running.cancel()
    attempt = line.fake.text("rep07", "x").wait().attempts[0]
    assert attempt.status == 503
    assert stored(desk) == []


# --- the list of attempts ---------------------------------------------------------------------------


def test_the_last_attempts_stay_and_refusals_are_not_pushed_out(database: Database) -> None:
    from tests.support.desk import MONDAY

    def attempt(number: int, outcome: str) -> Attempt:
        return Attempt(
            channel="wecom",
            at=MONDAY + timedelta(seconds=number),
            remote="203.0.113.9",
            outcome=outcome,
            reason="signature" if outcome == "refused" else "text",
        )

    database.write(lambda s: callback_attempts.add(s, [attempt(0, "refused")]))
    for start in range(1, 100, 33):
        batch = [attempt(number, "accepted") for number in range(start, start + 33)]
        database.write(lambda s, batch=batch: callback_attempts.add(s, batch))
    found = database.read(lambda s: callback_attempts.latest(s, "wecom", limit=1000))
    assert len(found) == KEPT + 1
    assert [one.outcome for one in found] == ["accepted"] * KEPT + ["refused"]
    assert found[0].at == MONDAY + timedelta(seconds=99)
    assert database.read(lambda s: callback_attempts.latest(s, "dingtalk")) == []


def test_a_flood_of_forgeries_leaves_one_batch_behind(line: Line, desk: Desk) -> None:
    writes = 0

    def counted() -> None:
        nonlocal writes
        writes += 1

    line.fake.text("rep07", "echt").ack()
    desk.db.after_commit.append(counted)
    session = requests.Session()
    for _ in range(200):
        assert (
            session.post(line.url, params={"nonce": "x"}, data=b"x", timeout=10).status_code == 400
        )
    kept = line.kept_attempts()
    assert len([one for one in kept if one.outcome == "refused"]) == KEPT
    assert [one.reason for one in kept if one.outcome == "accepted"] == ["text"]
    assert writes < 50


def test_behind_a_proxy_its_word_about_the_caller_counts(line: Line) -> None:
    for told in ("198.51.100.7", "10.0.0.1, 198.51.100.7", "<script>"):
        headers = {"X-Forwarded-For": told}
        requests.post(line.url, headers=headers, data=b"x", timeout=10)
    remotes = [one.remote for one in reversed(line.kept_attempts())]
    assert remotes == ["198.51.100.7", "198.51.100.7", "127.0.0.1"]
