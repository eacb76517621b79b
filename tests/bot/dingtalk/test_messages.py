"""What people send in DingTalk, through the real bot, and what they hear of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.channels.dingtalk import events
from bot.channels.dingtalk.events import Reader
from handlers import replies
from storage.database import Database
from tests.fakes.dingtalk.inbound import PNG
from tests.fakes.dingtalk.media import amr
from tests.support.ding_desk import GROUP, DingDesk

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


@pytest.fixture
def desk(database: Database, tmp_path: Path) -> Iterator[DingDesk]:
    made = DingDesk(database, tmp_path)
    made.up()
    yield made
    made.close()


def test_a_text_becomes_a_memo_with_its_card(desk: DingDesk) -> None:
    desk.fake.say_text("lina", "今天拜访了恒基水泥，报价一万二，周四前发合同").wait()
    desk.run()
    shown = desk.fake.last("lina")
    assert shown.key == "sampleActionCard4"  # no template is set: three buttons and the page
    assert "恒基水泥" in shown.text
    assert desk.fake.complaints == []


def test_a_voice_message_is_fetched_and_read_by_the_platforms_own_words(desk: DingDesk) -> None:
    desk.fake.say_audio("lina", amr(3), recognition="今天拜访了恒基水泥，报价一万二").wait()
    desk.run()
    [stored] = desk.inbox()
    assert (stored["kind"], stored["platform_text"]) == ("voice", "今天拜访了恒基水泥，报价一万二")
    assert any("收到" in one for one in desk.fake.texts("lina"))
    assert "恒基水泥" in desk.fake.last("lina").text


def test_a_voice_message_that_is_gone_is_asked_for_again(desk: DingDesk) -> None:
    desk.fake.say_audio("lina", fault="expired").wait()
    desk.run()
    assert desk.fake.texts("lina") == [replies.not_fetched("voice", "expired")]


def test_the_platforms_words_do_when_the_sound_is_gone(desk: DingDesk) -> None:
    said = "今天拜访了恒基水泥，报价一万二"
    desk.fake.say_audio("lina", fault="expired", recognition=said).wait()
    desk.run()
    assert "恒基水泥" in desk.fake.last("lina").text


@pytest.mark.parametrize("fault", ["missing", "huge"])
def test_a_file_that_cannot_be_read_is_told(sqlite_url: str, tmp_path: Path, fault: Any) -> None:
    db = Database(sqlite_url)
    desk = DingDesk(db, tmp_path, max_file_bytes=200_000)
    desk.up()
    desk.fake.say_file("lina", "客户.xlsx", b"PK\x03\x04" + bytes(100), fault=fault).wait()
    desk.run()
    reason = "too_big" if fault == "huge" else "expired"
    assert desk.fake.texts("lina") == [replies.not_fetched("file", reason)]
    desk.close()
    db.close()


def test_a_download_that_breaks_off_is_tried_again(desk: DingDesk) -> None:
    desk.fake.say_picture("lina", fault="cut").wait()
    desk.run()
    assert desk.fake.texts("lina") == []
    for one in desk.fake.media.incoming.values():
        one.fault = ""
    desk.again()
    assert desk.fake.texts("lina") == [replies.PHOTO_KEPT]


def test_pictures_files_videos_and_things_nobody_knows(desk: DingDesk) -> None:
    desk.fake.say_picture("lina", PNG).wait()
    desk.fake.say_file("lina", "客户.xlsx", b"PK\x03\x04" + bytes(100)).wait()
    desk.fake.say_video("lina").wait()
    desk.fake.say_unknown("lina", "[位置]").wait()
    desk.fake.say_raw("lina", {"msgtype": "hologram", "content": {"x": 1}}).wait()
    desk.run()
    assert [one["kind"] for one in desk.inbox()] == ["photo", "file", "file", "other", "other"]
    assert desk.fake.texts("lina") == [
        replies.PHOTO_KEPT,
        replies.FILE_KEPT.format(name="客户.xlsx"),
        replies.FILE_KEPT.format(name="video.mp4"),
        replies.other_kind("unknown", "[位置]"),
        replies.other_kind("hologram", ""),
    ]


def test_words_and_pictures_in_one_message_are_an_event_each(desk: DingDesk) -> None:
    push = desk.fake.say_rich(
        "lina", ["恒基", PNG, "现场", {"type": "at", "atName": "机器人"}, PNG]
    )
    push.wait()
    desk.fake.again(push).wait()
    made = [(one["kind"], one["text"], one["event_key"]) for one in desk.inbox()]
    key = f"msg:{push.id}"
    assert made == [
        ("text", "恒基现场", key),
        ("photo", "", f"{key}:1"),
        ("photo", "", f"{key}:2"),
    ]


def test_in_a_group_the_answer_comes_in_private(desk: DingDesk) -> None:
    desk.fake.say_text("lina", "待办", group=GROUP, at_other=["wanglei"]).wait()
    desk.run()
    [stored] = desk.inbox()
    assert (stored["text"], stored["conversation"]) == ("待办", "dingtalk:lina")
    [told] = desk.until(lambda: desk.fake.seen_in(GROUP))
    assert told.at_users == ["lina"]
    assert "单聊" in told.text
    [answer] = desk.fake.seen("lina")
    assert answer.via == "batch"  # the group's webhook would show it to everybody
    assert desk.fake.complaints == []


def test_somebody_without_an_id_is_answered_by_their_own_chat_once_a_day(desk: DingDesk) -> None:
    for _ in range(3):
        desk.fake.say_text("lina", "你好", staff_id=False).wait()
    desk.run()
    seen = [one for one in desk.fake.messages if one.via == "session"]
    assert [one.text for one in seen] == [replies.UNKNOWN_PERSON]
    desk.until(lambda: desk.problems().get("sender") == "no_staff_id")
    desk.fake.say_text("guest", "你好", group=GROUP, outsider=True).wait()
    assert desk.problems() == {"sender": "no_staff_id"}
    desk.fake.say_text("lina", "你好").wait()  # the app is published now
    desk.until(lambda: not desk.problems())


def test_an_outsider_is_nobody_even_with_an_id_that_we_know(desk: DingDesk) -> None:
    desk.fake.say_text("guest", "你好", group=GROUP, outsider=True).wait()
    body = {"msgtype": "text", "text": {"content": "我是李娜"}, "senderCorpId": "dingother"}
    desk.fake.say_raw("lina", body).wait()
    desk.run()
    assert [one.text for one in desk.fake.messages] == [replies.UNKNOWN_PERSON] * 2
    assert {one["user"] for one in desk.inbox()}.isdisjoint({"lina"})
    assert desk.problems() == {}


def test_a_member_whom_nobody_added_is_told_whom_to_ask(desk: DingDesk) -> None:
    desk.fake.add_person("neu", "新人")
    desk.fake.say_text("neu", "你好").wait()
    desk.run()
    assert desk.fake.texts("neu") == [replies.UNKNOWN_PERSON]


def test_another_robots_message_is_found_out(desk: DingDesk) -> None:
    body = {"msgtype": "text", "text": {"content": "你好"}, "robotCode": "dingother"}
    desk.fake.say_raw("lina", body).wait()
    desk.until(lambda: desk.problems().get("addressee") == "other_robot")
    desk.fake.say_text("lina", "你好").wait()
    desk.until(lambda: not desk.problems())


@pytest.mark.parametrize("names", [("errorCode", "errorMessage"), ("errCode", "errMsg")])
def test_over_the_quota_words_do_not_come_and_the_person_hears_it(
    desk: DingDesk, names: tuple[str, str]
) -> None:
    desk.fake.rules.push_quota = 0
    desk.fake.rules.quota_names = names
    for _ in range(3):
        desk.fake.say_text("lina", "今天拜访了恒基水泥").wait()
    desk.run()
    assert desk.inbox() == []
    [told] = desk.fake.seen("lina")
    assert (told.via, "额度" in told.text) == ("batch", True)
    desk.until(lambda: desk.problems().get("quota:push") == "quota_spent")

    desk.fake.rules.push_quota = None  # the company has bought more
    desk.fake.say_text("lina", "待办").wait()
    desk.until(lambda: "quota:push" not in desk.problems())


# --- reading, without a platform ------------------------------------------------------------------


def message(**given: Any) -> dict[str, Any]:
    return {
        "msgId": "m1",
        "msgtype": "text",
        "conversationType": "1",
        "conversationId": "cid1",
        "senderStaffId": "lina",
        "senderCorpId": "ding1",
        "chatbotCorpId": "ding1",
        "robotCode": "robot",
        "createAt": int(NOW.timestamp() * 1000),
        "sessionWebhook": "https://oapi.dingtalk.com/robot/sendBySession?session=1",
        "sessionWebhookExpiredTime": 1,
        "text": {"content": "你好"},
        **given,
    }


READER = Reader(robot_code="robot")


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        ("https://oapi.dingtalk.com/robot/sendBySession?session=1", True),
        ("https://other.dingtalk.com/x", True),
        ("http://oapi.dingtalk.com/x", False),
        ("https://dingtalk.com.evil.example/x", False),
        ("https://evildingtalk.com/x", False),
        ("https://me@evil.example/oapi.dingtalk.com", False),
        ("https://oapi.dingtalk.com@127.0.0.1/x", False),
        ("https://127.0.0.1:8710/console", False),
        ("file:///etc/passwd", False),
        ("", False),
    ],
)
def test_only_the_platforms_own_addresses_are_answered_to(url: str, taken: bool) -> None:
    [one] = READER.message(message(sessionWebhook=url), now=NOW).inbounds
    assert bool(one.handle) is taken


@pytest.mark.parametrize(
    "strange",
    [
        {},
        {"msgtype": None},
        {"msgtype": "text", "text": "words"},
        {"msgtype": "richText", "content": {"richText": "x"}},
        {"msgtype": "richText", "content": {"richText": [1, None, {"text": 3}]}},
        {"msgtype": "audio", "content": None},
        {"msgtype": "file", "content": {"downloadCode": "", "fileName": 3}},
        {"createAt": "later", "msgId": ["x"], "senderStaffId": {"x": 1}},
        {"createAt": 10**30},
        {"conversationType": 2, "msgId": ""},
    ],
)
def test_strange_messages_are_read_somehow(strange: dict[str, Any]) -> None:
    for data in (strange, message(**strange)):
        for one in READER.message(data, now=NOW).inbounds:
            assert one.event_key.startswith("msg:")
            assert one.at == NOW


def test_a_message_without_a_number_is_known_by_its_content() -> None:
    first = READER.message(message(msgId=""), now=NOW).inbounds[0].event_key
    again = READER.message(message(msgId=""), now=NOW).inbounds[0].event_key
    other = READER.message(message(msgId="", text={"content": "别的"}), now=NOW).inbounds[0]
    assert first == again != other.event_key


def tap(**given: Any) -> dict[str, Any]:
    return {"outTrackId": "c1", "userId": "lina", **given}


@pytest.mark.parametrize(
    "data",
    [
        tap(content='{"cardPrivateData":{"actionIds":["b"],"params":{"a":"memo.ok","n":"N"}}}'),
        tap(value={"cardPrivateData": {"params": {"a": "memo.ok", "n": "N"}}}),
        tap(content={"params": {"a": "memo.ok", "n": "N"}, "cardPrivateData": {}}),
        tap(content={"cardPrivateData": {"params": {"p": '{"a":"memo.ok","n":"N"}'}}}),
        tap(content={"cardPrivateData": {"params": {"form": {"a": "memo.ok", "n": "N"}}}}),
        tap(outTrackId="c1~3", content={"cardPrivateData": {"params": {"a": "memo.ok", "n": "N"}}}),
    ],
)
def test_a_tap_is_read_wherever_its_parameters_stand(data: dict[str, Any]) -> None:
    made = READER.tap(data, now=NOW)
    assert made is not None
    assert (made.card_id, made.action, made.nonce, made.user) == ("c1", "memo.ok", "N", "lina")


def test_a_form_says_what_was_chosen() -> None:
    form = {
        "n": "N",
        "a": "memo.save",
        "stage": {"index": 1, "value": "B"},
        "many": {"index": [0, 2], "value": ["A", "C"]},
        "amount": 1200000,
        "sure": True,
        "empty": None,
    }
    made = READER.tap(tap(content={"cardPrivateData": {"params": {"form": form}}}), now=NOW)
    assert made is not None
    assert made.values == {
        "stage": "B",
        "many": ["A", "C"],
        "amount": "1200000",
        "sure": True,
        "empty": "",
    }


def test_the_same_tap_is_one_event_and_another_one_is_not() -> None:
    def key(**params: Any) -> str:
        made = READER.tap(tap(content={"cardPrivateData": {"params": params}}), now=NOW)
        assert made is not None
        return made.event_key

    first = key(a="memo.ok", n="N")
    assert first == key(a="memo.ok", n="N")
    others = {
        key(a="memo.ok", n="M"),
        key(a="memo.drop", n="N"),
        key(a="memo.ok", n="N", g="2"),
        key(a="memo.ok", n="N", form={"amount": "1"}),
    }
    assert first not in others
    assert len(others) == 4


@pytest.mark.parametrize(
    "data",
    [
        {},
        tap(),
        tap(content="no JSON"),
        tap(content={"cardPrivateData": {"params": {"x": "1"}}}),
        tap(outTrackId="", content={"cardPrivateData": {"params": {"a": "memo.ok"}}}),
        tap(userId=None, content={"cardPrivateData": {"params": {"a": "memo.ok"}}}),
    ],
)
def test_a_tap_that_says_nothing_is_none(data: dict[str, Any]) -> None:
    assert READER.tap(data, now=NOW) is None


@pytest.mark.parametrize(
    ("text", "label", "nonce"),
    [
        ("确认入库 #Ab3dEf6hIj0l", "确认入库", "Ab3dEf6hIj0l"),
        ("  同意  #__3dEf6hIj-l ", "同意", "__3dEf6hIj-l"),
    ],
)
def test_what_a_link_button_made_somebody_say(text: str, label: str, nonce: str) -> None:
    assert events.said_button(text) == events.SaidButton(label, nonce)


@pytest.mark.parametrize("text", ["今天去了恒基 #1", "#Ab3dEf6hIj0l", "同意 #short", "同意"])
def test_plain_words_are_no_button(text: str) -> None:
    assert events.said_button(text) is None
