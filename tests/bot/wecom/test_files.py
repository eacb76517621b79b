"""Pictures, files and groups; what people send is fetched, or they are told."""

from __future__ import annotations

import pytest

from bot.work import Parked
from handlers import replies
from handlers.messages import Attachment, GroupSay, Inbound, Picture
from tests.support.wecom_desk import (
    WeComDesk,
    say,
    texts,
)

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
PDF = b"%PDF-1.7\n" + bytes(64)


def test_a_picture_and_a_file_go_up_once_for_everybody(desk: WeComDesk) -> None:
    png = desk.media.put(PNG, "chart.png").sha256
    pdf = desk.media.put(PDF, "offer.pdf").sha256
    for n, person in enumerate((desk.lina, desk.wanglei)):
        say(
            desk,
            Picture(effect_key=f"p{n}", person_id=person, media_sha=png),
            Attachment(effect_key=f"f{n}", person_id=person, media_sha=pdf, name="offer.pdf"),
        )
    desk.run()

    for user in ("lina", "wanglei"):
        assert [one.type for one in desk.fake.inbox(user)] == ["image", "file"]
    assert len(desk.fake.calls_to("media/upload")) == 2
    [_, file] = desk.fake.inbox("lina")
    kept = desk.fake.state.media[file.body["media_id"]]
    assert (kept.data, kept.filename) == (PDF, "offer.pdf")


def test_a_picture_whose_answer_was_lost_is_shown_once(desk: WeComDesk) -> None:
    png = desk.media.put(PNG).sha256
    say(desk, Picture(effect_key="p1", person_id=desk.lina, media_sha=png))
    desk.fake.drop("message/send", after=True)
    desk.run()
    desk.again()
    assert len(desk.fake.inbox("lina")) == 1

    say(desk, Picture(effect_key="p2", person_id=desk.lina, media_sha=png))  # asked for again
    desk.run()
    assert len(desk.fake.inbox("lina")) == 2


def test_what_the_platform_forgot_goes_up_again(desk: WeComDesk) -> None:
    png = desk.media.put(PNG).sha256
    say(desk, Picture(effect_key="p1", person_id=desk.lina, media_sha=png))
    desk.run()
    desk.fake.state.media.clear()
    say(desk, Picture(effect_key="p2", person_id=desk.lina, media_sha=png))
    desk.run()
    desk.later(days=3)
    say(desk, Picture(effect_key="p3", person_id=desk.lina, media_sha=png))
    desk.run()

    assert len(desk.fake.inbox("lina")) == 3
    assert len(desk.fake.calls_to("media/upload")) == 3


def test_a_picture_that_is_none_goes_as_a_file(desk: WeComDesk) -> None:
    gif = desk.media.put(b"GIF89a" + bytes(64)).sha256
    say(desk, Picture(effect_key="p1", person_id=desk.lina, media_sha=gif, name="a.gif"))
    desk.run()
    assert [one.type for one in desk.fake.inbox("lina")] == ["file"]


@pytest.mark.parametrize("data", [b"tiny", bytes(20 * 1024 * 1024 + 1)])
def test_files_that_the_platform_does_not_take_are_parked(desk: WeComDesk, data: bytes) -> None:
    sha = desk.media.put(data).sha256
    say(desk, Attachment(effect_key="f1", person_id=desk.lina, media_sha=sha, name="a.bin"))
    [outcome] = desk.run()
    assert isinstance(outcome, Parked)
    assert desk.fake.calls_to("media/upload") == []


def test_a_digest_to_groups(desk: WeComDesk) -> None:
    hook = desk.fake.add_webhook("hook-key-0001")
    members = ["lina", "wanglei"]
    desk.do(desk.wecom.client.create_chat("华东", "lina", members, chat_id="east"))
    for n, group in enumerate(("chat:east", "hook:east", "hook:nobody", "east")):
        say(desk, GroupSay(effect_key=f"g{n}", channel="wecom", group=group, text="今日团队"))
    outcomes = desk.run()

    assert [one["text"]["content"] for one in desk.fake.chat("east").messages] == ["今日团队"]
    assert [one["text"]["content"] for one in hook.messages] == ["今日团队"]
    assert [isinstance(one, Parked) for one in outcomes] == [False, False, True, True]


def test_a_webhook_gets_no_more_than_it_takes(desk: WeComDesk) -> None:
    hook = desk.fake.add_webhook("hook-key-0001")
    for n in range(30):
        say(desk, GroupSay(effect_key=f"g{n}", channel="wecom", group="hook:east", text=f"{n}"))
    desk.run()
    assert len(hook.messages) == 18
    desk.later(seconds=71)
    desk.again()
    assert [one["text"]["content"] for one in hook.messages] == [str(n) for n in range(30)]


def _photo(desk: WeComDesk, media_id: str, key: str = "msg:1", user: str = "lina") -> None:
    event = Inbound(
        channel="wecom",
        event_key=key,
        kind="photo",
        user=user,
        conversation=f"wecom:{user}",
        at=desk.clock.now(),
        media_ref=media_id,
    )
    assert desk.accept(event)


def test_what_was_sent_is_fetched_and_kept(desk: WeComDesk) -> None:
    kept = desk.fake.add_media(PNG, "image")
    _photo(desk, kept.media_id)
    desk.run()
    assert texts(desk) == [replies.PHOTO_KEPT]


def test_what_expired_is_asked_for_again_in_words(desk: WeComDesk) -> None:
    kept = desk.fake.add_media(PNG, "image")
    desk.fake.expire_media(kept.media_id)
    _photo(desk, kept.media_id)
    outcomes = desk.run()
    assert isinstance(outcomes[0], Parked)
    assert texts(desk) == [replies.not_fetched("photo", "expired")]
    assert desk.again() == []


def test_after_the_last_try_the_person_is_told_as_well(desk: WeComDesk) -> None:
    kept = desk.fake.add_media(PNG, "image")
    desk.fake.break_media(kept.media_id, "cut")
    _photo(desk, kept.media_id)
    for _ in range(8):
        desk.again()
    assert texts(desk) == [replies.not_fetched("photo", "gave_up")]


def test_while_the_platform_is_away_no_try_is_used_up(desk: WeComDesk) -> None:
    kept = desk.fake.add_media(PNG, "image")
    desk.fake.rules.trusted_ips = set()
    _photo(desk, kept.media_id)
    for _ in range(12):
        desk.again()
        desk.later(minutes=5)
    desk.fake.rules.trusted_ips = None
    desk.again()
    assert texts(desk) == [replies.PHOTO_KEPT]


def test_too_big_is_said(desk: WeComDesk) -> None:
    kept = desk.fake.add_media(PNG, "image")
    desk.fake.break_media(kept.media_id, "huge")
    _photo(desk, kept.media_id)
    desk.run()
    assert texts(desk) == [replies.not_fetched("photo", "too_big")]
