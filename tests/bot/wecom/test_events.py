"""Every message and event of the protocol sheet, section 2, and the keys that tell them apart."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.channels.wecom import events
from bot.channels.wecom.events import DirectoryChanged, Ignored, Told, Trouble
from bot.channels.wecom.markup import BadXml
from bot.rendering.wecom import button_key, task_id
from handlers.cards.model import Button
from handlers.messages import Inbound
from tests.fakes.wecom.envelope import BOMB, FILE_ENTITY, xml_of
from tests.fakes.wecom.events import all_events, selected_items

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
AT = 1795399200  # the same, as the platform writes it
COMMON = {
    "ToUserName": "wwfactsheet00001",
    "FromUserName": "Rep07",
    "CreateTime": AT,
    "AgentID": 1000042,
}


def told(**fields: Any) -> Told:
    return events.read(xml_of({**COMMON, **fields}).encode(), now=NOW)


def inbound(**fields: Any) -> Inbound:
    found = told(**fields)
    assert isinstance(found, Inbound), found
    return found


def message(kind: str, **fields: Any) -> Inbound:
    return inbound(MsgType=kind, MsgId=7300000000000000001, **fields)


def event(name: str, **fields: Any) -> Told:
    return told(MsgType="event", Event=name, **fields)


# --- messages -----------------------------------------------------------------------------------


def test_a_text() -> None:
    found = message("text", Content="写 ]]> 和 <xml> & 好")
    assert (found.kind, found.text) == ("text", "写 ]]> 和 <xml> & 好")
    assert (found.channel, found.event_key) == ("wecom", "msg:7300000000000000001")
    assert (found.user, found.conversation) == ("rep07", "wecom:rep07")
    assert found.at == datetime.fromtimestamp(AT, UTC)


@pytest.mark.parametrize(
    ("kind", "fields", "expected"),
    [
        ("image", {"PicUrl": "https://x.example", "MediaId": "M1"}, ("photo", "M1", "")),
        ("voice", {"MediaId": "M2", "Format": "amr"}, ("voice", "M2", "")),
        ("voice", {"MediaId": "M2", "Format": "speex"}, ("voice", "M2", "")),
        ("video", {"MediaId": "M3", "ThumbMediaId": "T"}, ("file", "M3", "video.mp4")),
        ("file", {"MediaId": "M4", "FileName": "报价.pdf"}, ("file", "M4", "报价.pdf")),
    ],
)
def test_media(kind: str, fields: dict[str, Any], expected: tuple[str, str, str]) -> None:
    found = message(kind, **fields)
    assert (found.kind, found.media_ref, found.media_name) == expected
    assert found.platform_text == ""


def test_recognition_is_a_hint_when_it_comes() -> None:
    assert message("voice", MediaId="M", Recognition="拜访了恒基").platform_text == "拜访了恒基"


@pytest.mark.parametrize(
    ("kind", "fields", "about"),
    [
        (
            "location",
            {"Location_X": "31.2", "Location_Y": "121.5", "Label": "创新园区"},
            "创新园区",
        ),
        ("location", {"Location_X": "31.2", "Location_Y": "121.5"}, "31.2,121.5"),
        (
            "link",
            {"Title": "标题", "Url": "https://a.example/?a=1&b=2"},
            "标题 https://a.example/?a=1&b=2",
        ),
        ("image", {"PicUrl": "https://x.example"}, ""),  # nothing to download
        ("hologram", {"Beam": "1"}, ""),
    ],
)
def test_what_the_bot_cannot_use_is_still_a_message(
    kind: str, fields: dict[str, Any], about: str
) -> None:
    found = message(kind, **fields)
    assert (found.kind, found.arg, found.text) == ("other", kind, about)


def test_agent_id_in_both_spellings() -> None:
    bare = {key: value for key, value in COMMON.items() if key != "AgentID"}
    keys = {
        events.read(
            xml_of(
                {
                    **bare,
                    spelling: 1000042,
                    "MsgType": "event",
                    "Event": "click",
                    "EventKey": "todo",
                }
            ).encode(),
            now=NOW,
        ).event_key  # type: ignore[union-attr]
        for spelling in ("AgentID", "AgentId")
    }
    assert len(keys) == 1


@pytest.mark.parametrize("when", ["", "soon", "9" * 30, -(10**18)])
def test_a_time_that_is_none_becomes_now(when: Any) -> None:
    assert message("text", Content="x", CreateTime=when).at == NOW


# --- events -------------------------------------------------------------------------------------


def test_every_event_of_the_sheet_is_known() -> None:
    for name, fields in all_events("rep07"):
        found = told(MsgType="event", Event=name, **fields)
        if isinstance(found, Ignored):
            assert not found.reason.startswith(("unknown", "system")), name


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("LOCATION", "position"),
        ("view", "menu_link"),
        ("pic_weixin", "menu_picture"),
        ("sys_approval_change", "approval"),
        ("open_approval_change", "approval"),
        ("share_chain_change", "sharing"),
        ("brand_new", "unknown:brand_new"),
    ],
)
def test_ignored_with_its_reason(name: str, reason: str) -> None:
    assert event(name, EventKey="") == Ignored(reason)


def test_coming_in_is_one_event_a_day() -> None:
    first = event("enter_agent", EventKey="")
    later = event("enter_agent", EventKey="", CreateTime=AT + 3600)
    tomorrow = event("enter_agent", EventKey="", CreateTime=AT + 86400)
    assert isinstance(first, Inbound) and isinstance(later, Inbound)
    assert isinstance(tomorrow, Inbound)
    assert (first.kind, first.action) == ("event", "enter")
    assert first.event_key == later.event_key != tomorrow.event_key


@pytest.mark.parametrize("name", ["click", "CLICK"])
def test_a_menu_key(name: str) -> None:
    found = event(name, EventKey="todo")
    assert isinstance(found, Inbound)
    assert (found.kind, found.action, found.arg) == ("event", "menu", "todo")


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("inactive_alert", "inactive_soon"),
        ("low_active_alert", "inactive_soon"),
        ("close_inactive_agent", "closed"),
        ("low_active", "inactive"),
        ("reopen_inactive_agent", ""),
        ("active_restored", ""),
    ],
)
def test_what_the_admin_must_know(name: str, problem: str) -> None:
    found = event(name, FromUserName="sys", EffectTime=1700600000)
    assert isinstance(found, Trouble)
    assert (found.topic, found.problem) == ("app", problem)
    assert found.detail == {"event": name, "effect_at": "1700600000"}


def test_the_directory_changed() -> None:
    assert event("change_contact", FromUserName="sys", ChangeType="create_user") == (
        DirectoryChanged("create_user")
    )
    assert event("batch_job_result", FromUserName="sys") == DirectoryChanged("batch_job_result")


# --- cards --------------------------------------------------------------------------------------

CARD = "memo-edit-0123456789ab"


def tap(**fields: Any) -> Inbound:
    given = {
        "EventKey": button_key(Button(text="保存", action="memo.save"), "n0nce-_x"),
        "TaskId": task_id(CARD, 3),
        "CardType": "multiple_interaction",
        "ResponseCode": "RC_1",
        **fields,
    }
    return inbound(MsgType="event", Event=given.pop("Event", "template_card_event"), **given)


def test_a_tap_names_card_action_nonce_and_code() -> None:
    found = tap()
    assert (found.kind, found.action, found.nonce) == ("action", "memo.save", "n0nce-_x")
    assert (found.card_id, found.handle, found.values) == (CARD, "RC_1", {})


def test_a_button_s_argument() -> None:
    key = button_key(Button(text="x", action="contradiction.now", arg="2"), "n")
    assert tap(EventKey=key).arg == "2"


@pytest.mark.parametrize("kind", ["text_notice", "news_notice", "button_interaction"])
def test_an_entry_of_the_corner_menu(kind: str) -> None:
    found = tap(Event="template_card_menu_event", CardType=kind)
    assert (found.kind, found.action, found.card_id) == ("action", "memo.save", CARD)


@pytest.mark.parametrize(
    ("kind", "selected", "values"),
    [
        ("multiple_interaction", {"customer": ["7"]}, {"customer": "7"}),
        (
            "multiple_interaction",
            {"customer": ["7"], "follow_up": ["mon"], "due.0": ["2026-12-03"]},
            {"customer": "7", "follow_up": "mon", "due.0": "2026-12-03"},
        ),
        ("button_interaction", {"reason": ["margin"]}, {"reason": "margin"}),
        ("vote_interaction", {"done": ["t1"]}, {"done": ["t1"]}),
        ("vote_interaction", {"done": ["t1", "t2"]}, {"done": ["t1", "t2"]}),
        ("vote_interaction", {"done": []}, {"done": []}),
        ("multiple_interaction", {"customer": []}, {}),
    ],
)
def test_what_was_chosen(kind: str, selected: dict[str, list[str]], values: dict[str, Any]) -> None:
    assert tap(CardType=kind, **selected_items(selected)).values == values


def test_a_key_of_nobody_s_is_a_tap_that_no_card_answers() -> None:
    found = tap(EventKey="approve", TaskId="deal-42@v3")
    assert (found.action, found.nonce, found.card_id) == ("approve", "", "deal")


# --- keys ---------------------------------------------------------------------------------------


def test_two_taps_of_one_second_are_two_events() -> None:
    same = tap().event_key
    others = [
        tap(ResponseCode="RC_2"),
        tap(TaskId=task_id(CARD, 4)),
        tap(EventKey="memo.drop|n"),
        tap(FromUserName="mgr01"),
        tap(CreateTime=AT + 1),
        tap(AgentID=7),
    ]
    assert len({same, *(one.event_key for one in others)}) == 7
    assert tap().event_key == same
    assert tap(FromUserName="REP07").event_key == same


def test_an_event_without_anything_telling_is_told_apart_by_its_text() -> None:
    first = event("subscribe", EventKey="")
    again = event("subscribe", EventKey="")
    other = event("subscribe", EventKey="", Extra="1")
    assert isinstance(first, Inbound) and isinstance(again, Inbound) and isinstance(other, Inbound)
    assert first.event_key == again.event_key != other.event_key


def test_a_message_without_a_number_is_known_by_its_text() -> None:
    first = inbound(MsgType="text", Content="x")
    assert first.event_key == inbound(MsgType="text", Content="x").event_key
    assert first.event_key != inbound(MsgType="text", Content="y").event_key


# --- not what it seems ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "<xml>",
        "<xml></xml",
        BOMB + "<xml><FromUserName>&a9;</FromUserName></xml>",
        FILE_ENTITY + "<xml><FromUserName>&a9;</FromUserName></xml>",
        '<?xml version="1.0"?><!DOCTYPE xml><xml/>',
        "<xml>&unknown;</xml>",
    ],
)
def test_xml_that_the_platform_never_sends(text: str) -> None:
    with pytest.raises(BadXml):
        events.read(text.encode(), now=NOW)


@pytest.mark.parametrize("data", [b"<xml>\xff\xfe</xml>", b"\x00" * 40])
def test_bytes_that_are_no_utf8(data: bytes) -> None:
    with pytest.raises(BadXml):
        events.read(data, now=NOW)


def test_a_mebibyte_of_depth_does_no_harm() -> None:
    deep = b"<a>" * 149_000 + b"</a>" * 149_000
    assert events.read(deep, now=NOW) == Ignored("nobody")


def test_words_about_a_document_type_are_only_words() -> None:
    said = "写 <!DOCTYPE html> 和 <!ENTITY a 'b'> 怎么读"
    assert message("text", Content=said).text == said


def test_a_document_type_cannot_hide_in_what_looks_like_words() -> None:
    hidden = (
        "<!-- <![CDATA[ --><!DOCTYPE xml [<!ENTITY a 'b'>]><!-- ]]> -->"
        "<xml><FromUserName>&a;</FromUserName></xml>"
    )
    with pytest.raises(BadXml):
        events.read(hidden.encode(), now=NOW)


@pytest.mark.parametrize("name", ["utf-16", "utf-16-le", "utf-32"])
def test_other_encodings_are_refused(name: str) -> None:
    with pytest.raises(BadXml):
        events.read((BOMB + "<xml>&a9;</xml>").encode(name), now=NOW)


def test_nobody_and_nothing() -> None:
    assert events.read(b"<xml/>", now=NOW) == Ignored("nobody")
    assert events.read(b"<html></html>", now=NOW) == Ignored("nobody")
    without_type = xml_of({"FromUserName": "a"}).encode()
    assert events.read(without_type, now=NOW) == Ignored("unreadable")
