"""Stream mode against the fake gateway: nothing lost, nothing twice, whatever the sockets do."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from handlers.messages import Inbound
from storage.database import Database, StorageFull
from storage.tables import InboxRow
from tests.support.ding_desk import QUICK, DingDesk

Make = Callable[..., DingDesk]


@pytest.fixture
def make(sqlite_url: str, tmp_path: Path) -> Iterator[Make]:
    made: list[DingDesk] = []
    db = Database(sqlite_url)

    def build(**given: Any) -> DingDesk:
        made.append(DingDesk(db, tmp_path, **given))
        return made[-1]

    yield build
    for desk in made:
        desk.close()
    db.close()


@pytest.fixture
def desk(make: Make) -> DingDesk:
    made = make()
    made.up()
    return made


class Door:
    """An ``accept`` that a test opens and shuts."""

    def __init__(self, desk: DingDesk) -> None:
        self._inner = desk.desk.intake.accept
        self.error: Exception | None = None
        self.held: asyncio.Event | None = None
        self.waiting = 0

    async def accept(self, event: Inbound) -> bool:
        self.waiting += 1
        if self.held is not None:
            await self.held.wait()
        if self.error is not None:
            raise self.error
        return await self._inner(event)


def texts(desk: DingDesk) -> list[str]:
    return [one["text"] for one in desk.inbox()]


def test_a_frame_is_acknowledged_once_it_is_stored(desk: DingDesk) -> None:
    push = desk.fake.say_text("lina", "今天拜访了恒基水泥").wait()

    [stored] = desk.inbox()
    assert stored["event_key"] == f"msg:{push.id}"
    assert (stored["user"], stored["conversation"]) == ("lina", "dingtalk:lina")
    [attempt] = push.attempts
    assert json.loads(attempt.answer["data"]) == {"response": None}
    assert desk.fake.complaints == []


def test_what_is_not_stored_is_not_acknowledged_and_comes_again(make: Make) -> None:
    desk = make()
    desk.fake.rules.repush_s = 0.2
    desk.stop()
    door = Door(desk)
    door.error = StorageFull("no space left")
    desk.start(accept=door.accept)
    desk.up()

    push = desk.fake.say_text("lina", "你好")
    desk.until(lambda: door.waiting)
    assert not push.acked

    door.error = None
    push.wait()
    assert texts(desk) == ["你好"]
    assert len(push.attempts) > 1


def test_a_lost_acknowledgement_makes_no_second_event(desk: DingDesk) -> None:
    push = desk.fake.say_text("lina", "你好").wait()
    for _ in range(5):
        desk.fake.again(push).wait()
    assert texts(desk) == ["你好"]


def test_the_same_frame_on_many_sockets_at_once_is_one_event(make: Make) -> None:
    desk = make(settings={"connections": 3})
    desk.up(3)
    first = desk.fake.say_text("lina", "你好")
    copies = [desk.fake.again(first) for _ in range(20)]
    for one in (first, *copies):
        one.wait()
    assert texts(desk) == ["你好"]


def test_told_to_disconnect_it_opens_the_next_socket_first_and_still_answers(make: Make) -> None:
    desk = make()
    desk.stop()
    door = Door(desk)
    door.held = asyncio.Event()
    desk.start(accept=door.accept)
    [old] = desk.fake.wait_connected()

    push = desk.fake.say_text("lina", "在路上")
    desk.until(lambda: door.waiting)
    desk.fake.disconnect(old)
    desk.until(lambda: not old.healthy, "the platform has turned away from the old socket")
    [new] = desk.fake.wait_connected()
    assert new is not old
    assert old.open  # not dropped before the next one was there

    desk.call(_set(door.held))
    push.wait()
    [attempt] = push.attempts
    assert attempt.to == old.id
    assert texts(desk) == ["在路上"]


async def _set(event: asyncio.Event) -> None:
    event.set()


def test_disconnects_all_the_time_lose_and_double_nothing(make: Make) -> None:
    desk = make(settings={"connections": 2})
    desk.up(2)
    desk.fake.rules.repush_s = 0.5
    desk.fake.rules.qps = None
    desk.fake.rules.grace_s = 0.5
    desk.fake.rebalance(0.4)

    pushes = []
    until = time.monotonic() + 6
    while time.monotonic() < until:
        pushes.append(desk.fake.say_text("lina", f"第 {len(pushes)} 条"))
        time.sleep(0.02)
    desk.fake.rebalance(None)

    sent = [one for one in pushes if not one.lost]  # while a socket was there
    for one in sent:
        one.wait()
    assert len(pushes) - len(sent) < len(pushes) // 20
    assert sorted(texts(desk)) == sorted(one.data["text"]["content"] for one in sent)
    assert desk.fake.complaints == []


def test_abrupt_ends_lose_nothing_that_is_pushed_again(make: Make) -> None:
    desk = make()
    desk.fake.rules.repush_s = 0.3
    desk.fake.rules.repush_times = 20
    desk.fake.rules.offline = "hold"
    desk.up()
    pushes = []
    for number in range(60):
        pushes.append(desk.fake.say_text("lina", f"第 {number} 条"))
        if number % 10 == 5:
            desk.fake.close_abruptly()
        time.sleep(0.02)
    for one in pushes:
        one.wait(20)
    assert sorted(texts(desk)) == sorted(f"第 {number} 条" for number in range(60))


def test_sixty_seconds_of_silence_are_death_though_tcp_is_fine(make: Make) -> None:
    desk = make(pace=replace(QUICK, idle_s=0.4, ping_s=0.05))
    desk.fake.go_silent()
    [first] = desk.fake.wait_connected()
    desk.until(lambda: first.client_pings > 1)  # websocket pings are answered and prove nothing
    desk.until(lambda: not first.open, "the silent socket is dropped")
    desk.fake.wait_connected()
    desk.fake.say_text("lina", "你好").wait()


def test_a_zombie_is_left_for_a_living_socket(make: Make) -> None:
    desk = make(pace=replace(QUICK, idle_s=0.4))
    desk.up()
    desk.fake.rules.ping_every_s = 0.1
    desk.fake.rules.fan_out = "newest"
    desk.fake.make_zombies()
    desk.until(lambda: len([one for one in desk.fake.connections() if not one.zombie]) == 1)
    desk.fake.say_text("lina", "你好").wait()


def test_system_pings_keep_a_socket(make: Make) -> None:
    desk = make(pace=replace(QUICK, idle_s=0.4))
    desk.fake.rules.ping_every_s = 0.05
    before = desk.fake.wait_connected()
    desk.fake.close_abruptly()  # the next one is pinged so often from its beginning
    desk.until(lambda: not any(one.healthy for one in before))
    [one] = desk.fake.wait_connected()
    desk.until(lambda: one.pongs > 15)
    assert one.open
    assert desk.fake.complaints == []


def test_a_wrong_secret_is_not_asked_again_and_again(make: Make) -> None:
    desk = make(
        settings={"client_secret": "wrong"}, pace=replace(QUICK, slow_wait_s=30, most_slow_s=30)
    )
    desk.until(lambda: desk.problems().get("token") == "bad_secret")
    time.sleep(0.3)
    assert desk.fake.count("/v1.0/gateway/connections/open") == 1


def test_a_mended_secret_is_noticed(make: Make) -> None:
    desk = make()
    desk.up()
    right, desk.fake.app.client_secret = desk.fake.app.client_secret, "changed"
    desk.fake.close_abruptly()
    desk.until(lambda: desk.problems().get("token") == "bad_secret")
    desk.fake.app.client_secret = right
    desk.up()
    desk.until(lambda: "token" not in desk.problems())


def test_our_address_is_not_in_the_list(make: Make) -> None:
    desk = make()
    desk.up()
    desk.fake.fail(
        "/v1.0/gateway/connections/open",
        "Forbidden.AccessDenied.IpNotInWhiteList",
        status=403,
        times=1,
        message="访问ip不在白名单之中,request ip=203.0.113.7",
    )
    desk.fake.close_abruptly()
    desk.up()  # the admin mended it
    desk.until(lambda: "ip" not in desk.problems())


@pytest.mark.parametrize("fault", ["drop", "garble", "busy", "xml"])
def test_a_gateway_in_trouble_is_tried_until_it_is_back(make: Make, fault: str) -> None:
    desk = make()
    desk.up()
    path = "/v1.0/gateway/connections/open"
    if fault == "drop":
        desk.fake.drop(path, times=None)
    elif fault == "garble":
        desk.fake.garble(path, times=None)
    elif fault == "busy":
        desk.fake.fail(path, "system.busy", times=None)
    else:
        desk.fake.garble(path, b"<endpoint/>", status=500, times=None)
    desk.fake.close_abruptly()
    desk.until(lambda: desk.problems().get("connection") == "no_connection")
    assert desk.fake.count(path) > 2

    desk.fake.heal()
    desk.up()
    desk.fake.say_text("lina", "你好").wait()
    desk.until(lambda: "connection" not in desk.problems())


def test_junk_is_answered_or_left_alone(desk: DingDesk) -> None:
    [socket] = desk.fake.connections()
    for junk in ("", "{", "[]", "null", '{"type":"CALLBACK"}', "x" * 100_000, '"\\ud800"'):
        desk.fake.send_raw(junk)
    unknown = desk.fake.push_data({"a": 1}, topic="/v1.0/im/bot/messages/get")
    unknown.wait()
    desk.fake.send_raw(
        json.dumps({"type": "SYSTEM", "headers": {"messageId": "k1", "topic": "KEEPALIVE"}})
    )
    desk.fake.send_raw(
        json.dumps(
            {
                "type": "CALLBACK",
                "headers": {"messageId": "n1", "topic": "/v1.0/im/bot/messages/get"},
                "data": "no JSON",
            }
        )
    )
    desk.fake.say_text("lina", "你好").wait()
    assert socket.healthy
    assert "你好" in texts(desk)


def test_events_about_people_ask_for_the_directory(desk: DingDesk) -> None:
    push = desk.fake.event("user_leave_org", {"userId": ["zhoukai"]}).wait()
    assert json.loads(push.attempts[0].answer["data"])["status"] == "SUCCESS"
    wanted = desk.db.read(lambda s: _setting(s, "directory_wanted:dingtalk"))
    assert wanted == desk.clock.now().isoformat()
    desk.fake.event("something_new", {}).wait()
    assert desk.fake.complaints == []


def _setting(session: Any, key: str) -> str:
    from storage import settings

    return settings.get(session, key)


def test_cancelled_it_ends_at_once_and_what_was_in_hand_is_stored_or_comes_again(
    make: Make,
) -> None:
    desk = make()
    desk.stop()
    door = Door(desk)
    desk.start(accept=door.accept)
    desk.up()
    pushes = [desk.fake.say_text("lina", f"第 {number} 条") for number in range(30)]
    desk.until(lambda: door.waiting > 3)
    began = time.monotonic()
    task = desk.stop()
    assert task.cancelled()
    assert time.monotonic() - began < 5
    known = {one["event_key"] for one in desk.inbox()}
    assert {f"msg:{one.id}" for one in pushes if one.acked} <= known

    desk.fake.rules.repush_s = 0.1
    desk.start()
    desk.up()
    for one in pushes:
        desk.fake.again(one).wait()
    assert sorted(texts(desk)) == sorted(f"第 {number} 条" for number in range(30))


def test_another_ticket_for_every_socket_and_several_sockets(make: Make) -> None:
    desk = make(settings={"connections": 4})
    desk.up(4)
    desk.fake.close_abruptly()
    desk.up(4)
    assert desk.fake.count("/v1.0/gateway/connections/open") >= 8
    desk.until(lambda: desk.bot.stream.status()["connections"] == 4)


def test_the_rows_know_when_they_came(desk: DingDesk) -> None:
    desk.fake.say_text("lina", "你好").wait()
    [row] = desk.db.read(lambda s: [(r.kind, r.received_at) for r in s.query(InboxRow)])
    assert row == ("text", desk.clock.now())
