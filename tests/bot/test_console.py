"""The console as a channel and as a page's partner: stored before answered, shown once, resumed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.channels.base import ChannelError, Outgoing
from bot.channels.console.server import MAX_UPLOAD, Console
from bot.web.deps import Sample
from bot.work import Parked
from handlers.cards.model import Button, Card, Row
from handlers.messages import Attachment, GroupSay, Picture, Say
from handlers.post import post
from sales.clock import FixedClock
from storage import console as messages
from storage.database import Database
from tests.support.desk import MONDAY, Desk
from tests.support.site import Site, on_site

CARD = Card(
    kind="memo.confirm",
    layout="buttons",
    source="销售助手·语音纪要",
    title="恒基水泥｜这样记对吗？",
    text="【纪要】恒基水泥",
    rows=(Row(key="金额", value="单价 1.2 万", old="1.1 万", source="一万二"),),
    buttons=(Button(text="确认入库", action="memo.ok"),),
)


@pytest.fixture
def desk(database: Database, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(database, tmp_path)
    yield made
    made.close()


def outgoing(desk: Desk, **given: Any) -> Outgoing:
    made = Outgoing(
        effect_key="in:1:1",
        kind="text",
        conversation=f"console:{desk.lina}",
        user=str(desk.lina),
        text="收到",
    )
    return replace(made, **given)


def card(desk: Desk, version: int, title: str = CARD.title) -> Outgoing:
    return outgoing(
        desk,
        effect_key=f"memo.confirm:1:v{version}",
        kind="card" if version == 1 else "rewrite",
        card=replace(CARD, title=title),
        card_id="memo-confirm-0123456789ab",
        nonce=f"n{version}",
        version=version,
    )


def pane(desk: Desk) -> list[messages.ConsoleMessage]:
    return desk.db.read(lambda s: messages.latest(s, desk.lina))


def test_what_is_sent_twice_is_there_once(desk: Desk) -> None:
    async def send() -> None:
        for _ in range(3):
            await desk.console.send(outgoing(desk))
        await asyncio.gather(*(desk.console.send(card(desk, 1)) for _ in range(5)))

    asyncio.run(send())
    shown = pane(desk)
    assert [one.kind for one in shown] == ["text", "card"]
    assert [one.changed for one in shown] == [1, 2]


def test_a_card_is_redrawn_where_it_stands_and_never_goes_back(desk: Desk) -> None:
    async def send() -> None:
        await desk.console.send(card(desk, 1))
        await desk.console.send(outgoing(desk))
        await desk.console.send(card(desk, 3, "已入库｜恒基水泥"))
        await desk.console.send(card(desk, 2, "迟到的"))

    asyncio.run(send())
    first, second = pane(desk)
    assert first.payload["card"]["title"] == "已入库｜恒基水泥"
    assert (first.payload["version"], first.payload["nonce"]) == (3, "n3")
    assert (first.kind, second.kind, first.changed) == ("card", "text", 3)


def test_changes_are_numbered_without_gaps_from_many_threads(desk: Desk) -> None:
    async def send() -> None:
        await asyncio.gather(
            *(desk.console.send(outgoing(desk, effect_key=f"in:{n}:1")) for n in range(30))
        )

    asyncio.run(send())
    assert sorted(one.changed for one in pane(desk)) == list(range(1, 31))
    after = desk.db.read(lambda s: messages.since(s, [desk.lina], 25))
    assert [one.changed for one in after] == [26, 27, 28, 29, 30]
    assert desk.db.read(lambda s: messages.since(s, [desk.wanglei], 0)) == []


def test_nothing_is_taken_before_the_bot_is_there(desk: Desk, tmp_path: Path) -> None:
    console = Console(desk.db, desk.media, desk.clock)
    with pytest.raises(ChannelError) as caught:
        asyncio.run(console.say(person_id=desk.lina, event_key="e1234567", text="你好"))
    assert caught.value.transient
    assert pane(desk) == []


def test_a_message_is_stored_answered_and_taken_once(desk: Desk) -> None:
    async def test(site: Site) -> None:
        await site.log_in()
        for _ in range(3):  # the browser tries again with the same key
            answer = await site.say(desk.lina, "你好", key="same-key-1")
            assert answer.status == 200
            assert (await answer.json())["message"]["key"] == "in:same-key-1"
        await site.work()
        shown = await site.pane(desk.lina)
        assert [(one["mine"], one["kind"]) for one in shown] == [(True, "text"), (False, "text")]
        assert "你好，李娜" in shown[1]["text"]

    on_site(desk, test)


def test_a_card_comes_as_both_platforms_get_it(desk: Desk) -> None:
    async def test(site: Site) -> None:
        await site.log_in()
        await desk.console.send(card(desk, 1))
        [message] = await site.pane(desk.lina)
        drawn = message["card"]
        assert drawn["wecom"]["card_type"] == "button_interaction"
        [row] = drawn["wecom"]["horizontal_content_list"]
        assert row == {"keyname": "金额", "value": "单价 1.2 万（原 1.1 万）"}
        assert json.loads(drawn["dingtalk"]["rows"])[0]["old"] == "1.1 万"
        assert drawn["meters"]["wecom"]["main_title.title"] == [11, 26, "chars"]
        assert drawn["sources"] == ["一万二"]

    on_site(desk, test)


def test_a_tap_goes_the_same_way_as_on_a_platform(desk: Desk) -> None:
    desk.say(desk.lina, "今天拜访了恒基水泥的赵经理，报价每台一万二，我答应下周二之前给他加急方案")
    shown = desk.cards(desk.lina)[-1]

    async def test(site: Site) -> None:
        await site.log_in()
        body = {
            "person": desk.lina,
            "event_key": "tap-key-01",
            "card_id": shown["card_id"],
            "action": "memo.ok",
            "arg": "",
            "nonce": shown["nonce"],
            "values": {},
        }
        for fresh in (True, False):
            answer = await site.post("/console/api/tap", json=body)
            assert (await answer.json())["fresh"] is fresh
        await site.work()
        [*_, last] = [one for one in await site.pane(desk.lina) if one["kind"] == "card"]
        assert last["card"]["wecom"]["main_title"]["title"].startswith("已入库｜")
        assert last["card"]["status"] == "done"

    on_site(desk, test)


def test_what_the_page_never_sends_is_refused(desk: Desk) -> None:
    async def test(site: Site) -> None:
        await site.log_in()
        good = {"person": desk.lina, "event_key": "good-key-1", "text": "你好"}
        for bad in (
            {"text": "   "},
            {"text": 5},
            {"text": "x" * 200_001},
            {"event_key": "short"},
            {"event_key": None},
            {"event_key": "x" * 65},
            {"person": "x"},
            {"person": True},
            {"person": 2**40},
        ):
            assert (await site.post("/console/api/say", json={**good, **bad})).status in (400, 413)
        assert (await site.post("/console/api/say", data=b"{")).status == 400
        assert (await site.post("/console/api/say", json=[1])).status == 400
        assert (await site.post("/console/api/say", json={**good, "person": 999})).status == 404
        assert (await site.get("/console/events?people=a")).status == 400
        assert await site.pane(desk.lina) == []

    on_site(desk, test)


@pytest.mark.parametrize(
    ("name", "data", "recorded", "kind"),
    [
        ("录音.webm", b"\x1aE\xdf\xa3" + b"0" * 50, "1", "voice"),
        ("会议.m4a", b"\0\0\0\x18ftypM4A ", "0", "voice"),
        ("文字.amr", "不是录音".encode(), "0", "voice"),  # the bot says in words what is wrong
        ("空.wav", b"", "0", "voice"),
        ("名片.jpg", b"\xff\xd8\xff" + b"0" * 20, "0", "photo"),
        ("报价.pdf", b"%PDF-1.7", "0", "file"),
        ("../../etc/passwd", b"x", "0", "file"),
    ],
)
def test_files_are_kept_by_content(
    desk: Desk, name: str, data: bytes, recorded: str, kind: str
) -> None:
    async def test(site: Site) -> None:
        await site.log_in()
        about = {
            "person": str(desk.lina),
            "event_key": "file-key-1",
            "name": name,
            "recorded": recorded,
        }
        answer = await site.post("/console/api/upload", params=about, data=data)
        assert answer.status == 200, await answer.text()
        message = (await answer.json())["message"]
        assert (message["kind"], message["file"]["name"]) == (kind, name)
        sound = await site.get(message["file"]["url"])
        assert (sound.status, await sound.read()) == (200, data)
        part = await site.get(message["file"]["url"], headers={"Range": "bytes=1-2"})
        if len(data) > 3:
            assert (part.status, await part.read()) == (206, data[1:3])
        if not message["file"]["type"].startswith(("audio/", "image/")):
            assert sound.headers["Content-Disposition"].startswith("attachment")
            assert sound.headers["Content-Type"] == "application/octet-stream"

    on_site(desk, test)


def test_a_file_beyond_60_mb_is_refused_in_words(desk: Desk) -> None:
    async def test(site: Site) -> None:
        await site.log_in()
        about = {"person": str(desk.lina), "event_key": "file-key-2", "name": "长.wav"}

        async def endless() -> Any:
            for _ in range(MAX_UPLOAD // 2**20 + 2):
                yield b"\0" * 2**20

        answer = await site.post("/console/api/upload", params=about, data=endless())
        assert (answer.status, await answer.json()) == (413, {"error": "too_big"})
        assert await site.pane(desk.lina) == []

    on_site(desk, test)


def test_a_file_is_for_those_who_may_see_its_pane(desk: Desk) -> None:
    async def test(site: Site) -> None:
        await site.log_in(desk.lina)
        about = {"person": str(desk.lina), "event_key": "file-key-3", "name": "a.ogg"}
        answer = await site.post("/console/api/upload", params=about, data=b"OggS....")
        url = (await answer.json())["message"]["file"]["url"]
        assert (await site.get(url)).status == 200
        await site.log_in(desk.wanglei)
        assert (await site.get(url)).status == 403
        assert (await site.get("/console/media/999")).status == 404

    on_site(desk, test)


async def read_events(answer: Any, count: int) -> list[tuple[str, str, Any]]:
    """The next *count* events as ``(name, id, data)``."""
    found: list[tuple[str, str, Any]] = []
    event: dict[str, str] = {}
    while len(found) < count:
        line = (await asyncio.wait_for(answer.content.readline(), 10)).decode().rstrip("\n")
        if line:
            name, _, value = line.partition(": ")
            event[name] = value
        elif "event" in event:
            found.append((event["event"], event.get("id", ""), json.loads(event["data"])))
            event = {}
        else:
            event = {}
    return found


def test_events_arrive_at_once_and_resume_where_they_ended(desk: Desk) -> None:
    async def test(site: Site) -> None:
        await site.log_in()
        path = f"/console/events?people={desk.lina},{desk.wanglei}&after=0"
        async with site.session.get(site.base + path) as stream:
            [(name, _, status)] = await read_events(stream, 1)
            assert (name, status["demo"]) == ("status", False)
            await desk.console.send(outgoing(desk))
            [(name, number, data)] = await read_events(stream, 1)
            assert (name, number, data["text"]) == ("message", "1", "收到")
        await desk.console.send(outgoing(desk, effect_key="in:2:1", text="断线时说的"))
        resume = {"Last-Event-ID": "1"}
        async with site.session.get(site.base + path, headers=resume) as stream:
            seen = [one for one in await read_events(stream, 2) if one[0] == "message"]
            assert [(number, data["text"]) for _, number, data in seen] == [("2", "断线时说的")]

    on_site(desk, test)


def test_open_streams_do_not_hold_up_the_end_of_the_program(desk: Desk) -> None:
    async def test(site: Site) -> None:
        await site.log_in()
        async with site.session.get(f"{site.base}/console/events?people={desk.lina}") as stream:
            await read_events(stream, 1)
            await asyncio.wait_for(site.stop(), 10)

    on_site(desk, test)


def test_the_clock_moves_in_the_demo_only(desk: Desk) -> None:
    moved: list[timedelta] = []

    def move(by: timedelta) -> None:
        moved.append(by)
        assert isinstance(desk.clock, FixedClock)
        desk.clock.move(by)

    async def test(site: Site) -> None:
        await site.log_in()
        assert (await site.post("/console/api/clock", json={"by_s": 3600})).status == 200
        answer = await site.post("/console/api/clock", json={"to": "morning"})
        assert (await answer.json())["clock_offset_s"] == 23 * 3600
        for bad in ({"by_s": 0}, {"by_s": -5}, {"by_s": 10**9}, {}):
            assert (await site.post("/console/api/clock", json=bad)).status == 400

    on_site(desk, test, demo=True, move_clock=move)
    # from 11:00 in Shanghai to nine the next morning
    assert moved == [timedelta(hours=1), timedelta(hours=22)]

    async def refused(site: Site) -> None:
        await site.log_in()
        assert (await site.post("/console/api/clock", json={"by_s": 3600})).status == 403

    on_site(desk, refused, demo=False, move_clock=move)
    assert len(moved) == 2


def test_the_demo_offers_its_recordings(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "s1.ogg"
    path.write_bytes(b"OggS" + b"\0" * 40)

    async def test(site: Site) -> None:
        await site.log_in()
        assert json.dumps("拜访恒基")[1:-1] in await site.text("/console")
        sound = await site.get("/console/sample/0")
        assert sound.headers["Content-Type"] == "audio/ogg"
        body = {"person": desk.lina, "event_key": "sample-key-1", "number": 0}
        answer = await site.post("/console/api/sample", json=body)
        assert (await answer.json())["message"]["kind"] == "voice"
        assert (await site.get("/console/sample/1")).status == 404

    on_site(desk, test, demo=True, samples=(Sample(title="拜访恒基", path=path, text="今天"),))


def test_time_of_the_messages_is_the_bots(desk: Desk) -> None:
    asyncio.run(desk.console.send(outgoing(desk)))
    assert pane(desk)[0].at == MONDAY


def test_pictures_and_files_are_shown_and_can_be_fetched(desk: Desk) -> None:
    png = desk.media.put(b"\x89PNG\r\n\x1a\n" + bytes(32)).sha256
    pdf = desk.media.put(b"%PDF-1.7 of a test").sha256
    said = (
        Picture(effect_key="p1", person_id=desk.lina, media_sha=png, name="周报.png"),
        Attachment(effect_key="f1", person_id=desk.lina, media_sha=pdf, name="报价.pdf"),
        Say(effect_key="s1", person_id=desk.lina, text="**好**", markdown=True),
    )
    desk.db.write(lambda s: post(s, said, now=desk.clock.now()))
    desk.run()

    async def look(site: Site) -> None:
        await site.log_in()
        photo, file, words = await site.pane(desk.lina)
        assert (photo["kind"], photo["file"]["type"]) == ("photo", "image/png")
        assert (file["kind"], file["file"]["name"]) == ("file", "报价.pdf")
        assert (words["kind"], words["text"]) == ("text", "**好**")
        answer = await site.get(file["file"]["url"])
        assert (answer.status, await answer.read()) == (200, b"%PDF-1.7 of a test")

    on_site(desk, look)


def test_the_console_has_no_groups(desk: Desk) -> None:
    said = GroupSay(effect_key="g1", channel="console", group="east", text="好")
    desk.db.write(lambda s: post(s, [said], now=desk.clock.now()))
    [outcome] = desk.run()
    assert isinstance(outcome, Parked)
