"""The fake WeCom: what may be sent, and cards as each reader sees them (sheet 4.1 to 4.5, 4.8)."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.fakes.wecom.kit import BUTTONS, FORM, MENU, NEWS, NOTICE, VOTE, Rest, move_in
from tests.fakes.wecom.server import FakeWeCom

MONDAY = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
URL = "https://bot.example.com/"
GONE = object()


@pytest.fixture
def fake() -> Iterator[FakeWeCom]:
    with FakeWeCom(clock=lambda: MONDAY, crypto_by="python") as made:
        move_in(made)
        yield made


# --- who gets it ----------------------------------------------------------------------------------


def test_some_may_be_unknown_but_not_all(rest: Rest, fake: FakeWeCom) -> None:
    fake.add_member("left1", status=5)
    fake.add_member("Free1", licensed=False)
    said = rest.send("text", {"content": "x"}, to="REP07|Ghost|left1|Free1", toparty="77")
    assert said["errcode"] == 0
    assert (said["invaliduser"], said["unlicenseduser"]) == ("ghost|left1", "free1")
    assert said["invalidparty"] == "77"
    assert "response_code" not in said
    assert rest.send("text", {"content": "x"}, to="Ghost|left1")["errcode"] == 81013
    assert rest.send("text", {"content": "x"}, to="")["errcode"] == 82001
    assert rest.send("text", {"content": "x"}, to="|".join("u" * 1001))["errcode"] == 40032
    assert rest.send("text", {"content": "x"}, toparty="|".join("1" * 101))["errcode"] == 82002
    assert rest.send("text", {"content": "x"}, totag="|".join("1" * 101))["errcode"] == 82003
    assert fake.texts("rep07") == ["x"]


def test_parties_tags_and_everybody(rest: Rest, fake: FakeWeCom) -> None:
    fake.add_tag(5, "rep07")
    assert rest.send("text", {"content": "party"}, to="", toparty="2")["errcode"] == 0
    assert rest.send("text", {"content": "tag"}, to="", totag="5")["errcode"] == 0
    assert rest.send("text", {"content": "all"}, to="@all")["errcode"] == 0
    assert fake.texts("mgr01") == ["party", "all"]
    assert fake.texts("rep07") == ["tag", "all"]
    fake.app.departments = {2}  # the visible range shrinks
    assert rest.send("text", {"content": "x"})["errcode"] == 81013
    assert rest.send("text", {"content": "x"}, to="", toparty="1")["errcode"] == 81013


def test_above_thirty_a_minute_messages_vanish(rest: Rest, fake: FakeWeCom) -> None:
    said = [rest.send("text", {"content": str(n)}, to="rep07|mgr02") for n in range(31)]
    assert {one["errcode"] for one in said} == {0}
    assert len(fake.texts("rep07")) == 30
    assert [(user, one.sent["text"]["content"]) for user, one in fake.dropped] == [
        ("rep07", "30"),
        ("mgr02", "30"),
    ]
    fake.forward(seconds=60)
    rest.send("text", {"content": "again"})
    assert fake.texts("rep07")[-1] == "again"
    fake.rules.member_per_hour = 31
    rest.send("text", {"content": "too many"})
    assert fake.texts("rep07")[-1] == "again"


def test_an_app_reaches_so_many_persons_a_day(rest: Rest, fake: FakeWeCom) -> None:
    fake.rules.account_limit = 0
    assert rest.send("text", {"content": "x"})["errcode"] == 45009


def test_an_identical_request_is_sent_once(rest: Rest, fake: FakeWeCom) -> None:
    once = {"enable_duplicate_check": 1, "duplicate_check_interval": 600}
    first = rest.card(BUTTONS, **once)
    assert first["response_code"]
    assert set(rest.card(BUTTONS, **once)) == {"errcode", "errmsg"}
    fake.rules.duplicate_answer = "same"
    assert rest.card(BUTTONS, **once) == first
    fake.rules.duplicate_answer = 45009
    assert rest.card(BUTTONS, **once)["errcode"] == 45009
    assert rest.card(BUTTONS)["errcode"] == 42014  # without the check, the task id is taken
    assert len(fake.cards("rep07")) == 1
    rest.send("text", {"content": "a"}, **once)
    fake.forward(seconds=600)
    rest.send("text", {"content": "a"}, **once)
    assert fake.texts("rep07") == ["a", "a"]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"agentid": GONE}, 41011),
        ({"agentid": "1000042"}, 40056),
        ({"agentid": 7}, 301002),
        ({"msgtype": "taskcard"}, 40008),
        ({"msgtype": "image", "text": GONE}, 40063),
        ({"text": {}}, 44004),
        ({"text": {"content": " "}}, 44004),
        ({"text": "hello"}, 40058),
        ({"text": {"content": "x", "mentioned_list": []}}, 40058),
        ({"text": GONE}, 44004),
        ({"safe": 2}, 40058),
        ({"enable_duplicate_check": True}, 40058),
        ({"duplicate_check_interval": 14401}, 40058),
        ({"to_user": "rep07"}, 40058),
        ({"touser": ["rep07"]}, 40058),
    ],
)
def test_the_envelope(rest: Rest, fake: FakeWeCom, more: dict[str, Any], code: int) -> None:
    body = {
        "touser": "rep07",
        "agentid": fake.agent_id,
        "msgtype": "text",
        "text": {"content": "x"},
        **more,
    }
    kept = {name: value for name, value in body.items() if value is not GONE}
    assert rest.post("message/send", kept)["errcode"] == code
    assert fake.inbox("rep07") == []


def test_unknown_fields_may_be_let_through_as_on_the_real_one(rest: Rest, fake: FakeWeCom) -> None:
    fake.rules.refuse_unknown_fields = False
    assert rest.send("text", {"content": "x", "font": "big"})["errcode"] == 0


def test_bodies_and_their_limits(rest: Rest, fake: FakeWeCom) -> None:
    image = fake.add_media(b"\xff\xd8\xff" + bytes(9), "image").media_id
    card = {"title": "t", "description": "d", "url": URL}
    article = {"title": "t", "url": URL}
    for kind, body, code in [
        ("text", {"content": "好" * 683}, 0),
        ("markdown", {"content": "好" * 682}, 0),
        ("markdown", {"content": "好" * 683}, 45002),
        ("textcard", card, 0),
        ("textcard", {**card, "title": "t" * 129}, 45002),
        ("textcard", {**card, "description": "d" * 513}, 45002),
        ("textcard", {**card, "btntxt": "五个字啊呀"}, 45002),
        ("textcard", {**card, "url": "bot.example.com"}, 45034),
        ("textcard", {**card, "url": URL + "x" * 2048}, 40039),
        ("textcard", {"title": "t", "url": URL}, 41033),
        ("image", {"media_id": image}, 0),
        ("image", {}, 41006),
        ("file", {"media_id": image}, 40007),
        ("image", {"media_id": "made_up"}, 40007),
        ("video", {"media_id": image}, 40007),
        ("news", {"articles": [article] * 8}, 0),
        ("news", {"articles": [article] * 9}, 45008),
        ("news", {"articles": [{"title": "t"}]}, 40058),
        ("news", {"articles": [{**article, "title": "好" * 43}]}, 45002),
        ("mpnews", {"articles": [{"title": "t", "content": "c", "thumb_media_id": image}]}, 0),
        ("mpnews", {"articles": [{"title": "t", "content": "c", "author": "a" * 65}]}, 45032),
    ]:
        said = rest.send(kind, body)
        assert said["errcode"] == code, (kind, body, said)
    seen = fake.texts("rep07")[0]
    assert seen == "好" * 682  # 2046 bytes: a character is not cut in two
    assert rest.send("markdown", {"content": "x"}, safe=1)["errcode"] == 40058
    assert rest.send("image", {"media_id": image}, safe=1)["errcode"] == 0


# --- cards ----------------------------------------------------------------------------------------


def test_every_type_of_card_and_who_gets_a_code(rest: Rest, fake: FakeWeCom) -> None:
    menu = {**NOTICE, "action_menu": MENU, "task_id": "notice-1"}
    for card, gives in [
        (BUTTONS, True),
        (VOTE, True),
        (FORM, True),
        (NOTICE, False),
        (NEWS, False),
        (menu, True),
    ]:
        said = rest.card(card)
        assert said["errcode"] == 0, said
        assert ("response_code" in said) == gives
        assert fake.last_card("REP07").card == card
    assert fake.warnings == []
    fake.set_callback("")
    codes = [rest.card({**one, "task_id": "new"})["errcode"] for one in (BUTTONS, VOTE, FORM)]
    assert codes == [43012] * 3
    assert rest.card(NOTICE)["errcode"] == 0


def changed(card: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with *path* (``a.0.b``) set, or taken away."""
    made = copy.deepcopy(card)
    *way, last = [int(one) if one.isdigit() else one for one in path.split(".")]
    at: Any = made
    for one in way:
        at = at[one]
    if value is GONE:
        del at[last]
    else:
        at[last] = value
    return made


ROW = {"keyname": "客户", "value": "青山"}
OPTION = {"id": "o", "text": "t"}
BUTTON = {"text": "b", "key": "k"}


@pytest.mark.parametrize(
    ("card", "path", "value", "code"),
    [
        (BUTTONS, "card_type", "text", 42031),
        (BUTTONS, "card_type", GONE, 42031),
        (BUTTONS, "main_title", GONE, 41016),
        (BUTTONS, "main_title.title", "", 41016),
        (BUTTONS, "main_title.title", 7, 40058),
        (BUTTONS, "main_title.text", "x", 40058),
        (BUTTONS, "jump_list", [], 40058),
        (BUTTONS, "source.desc_color", 4, 40058),
        (BUTTONS, "task_id", GONE, 42014),
        (BUTTONS, "task_id", "", 42014),
        (BUTTONS, "task_id", "deal 42", 42014),
        (BUTTONS, "task_id", "deal:42", 42014),
        (BUTTONS, "task_id", "t" * 129, 42014),
        (BUTTONS, "task_id", "t" * 128, 0),
        (BUTTONS, "horizontal_content_list", [ROW] * 6, 0),
        (BUTTONS, "horizontal_content_list", [ROW] * 7, 42035),
        (BUTTONS, "horizontal_content_list.0.keyname", GONE, 42027),
        (BUTTONS, "horizontal_content_list.0.type", 1, 42028),
        (BUTTONS, "horizontal_content_list.0.type", 2, 42029),
        (BUTTONS, "horizontal_content_list.0.type", 3, 42050),
        (BUTTONS, "horizontal_content_list.1.userid", "nobody", 42050),
        (BUTTONS, "button_list", GONE, 42038),
        (BUTTONS, "button_list", [], 42038),
        (BUTTONS, "button_list", [{**BUTTON, "key": f"k{n}"} for n in range(6)], 0),
        (BUTTONS, "button_list", [{**BUTTON, "key": f"k{n}"} for n in range(7)], 42038),
        (BUTTONS, "button_list.0.text", "", 42038),
        (BUTTONS, "button_list.0.key", GONE, 42039),
        (BUTTONS, "button_list.0.key", "k" * 1025, 42039),
        (BUTTONS, "button_list.0.key", "k" * 1024, 0),
        (BUTTONS, "button_list.0.key", "reject", 42039),
        (BUTTONS, "button_list.0.style", 5, 40058),
        (BUTTONS, "button_list.2.url", GONE, 42028),
        (BUTTONS, "button_list.2.url", "/d/42", 45034),
        (BUTTONS, "button_selection.question_key", GONE, 42043),
        (BUTTONS, "button_selection.option_list", [], 42037),
        (BUTTONS, "button_selection.option_list", [OPTION] * 11, 42037),
        (BUTTONS, "button_selection.option_list.0.id", "lv2", 42040),
        (BUTTONS, "button_selection.option_list.0.id", "x" * 129, 42040),
        (BUTTONS, "button_selection.option_list.0.text", GONE, 42041),
        (BUTTONS, "replace_text", "已同意", 40058),
        (BUTTONS, "quote_area", {"type": 1}, 42028),
        (BUTTONS, "quote_area", {"type": 2}, 42030),
        (NOTICE, "card_action", GONE, 42045),
        (NOTICE, "card_action.type", 0, 42045),
        (NOTICE, "card_action.url", GONE, 42028),
        (NOTICE, "card_action", {"type": 2}, 42030),
        (NOTICE, "main_title", GONE, 0),
        (NOTICE, "jump_list", [{"title": "t"}] * 4, 42042),
        (NOTICE, "jump_list.0.title", GONE, 42033),
        (NOTICE, "jump_list.0.url", GONE, 42028),
        (NOTICE, "action_menu", MENU, 42014),
        (NEWS, "card_image", GONE, 42044),
        (NEWS, "card_image.url", GONE, 42044),
        (NEWS, "card_image.aspect_ratio", 1.2, 42044),
        (NEWS, "card_image.aspect_ratio", 2.25, 0),
        (NEWS, "vertical_content_list", [{"title": "t"}] * 5, 42036),
        (NEWS, "vertical_content_list.0.title", GONE, 42033),
        (NEWS, "sub_title_text", "x", 40058),
        (NEWS, "action_menu", {"action_list": []}, 40058),
        (NEWS, "action_menu", {"action_list": [{"text": "a", "key": "k"}] * 2}, 42051),
        (VOTE, "checkbox", GONE, 42043),
        (VOTE, "checkbox.mode", 2, 40058),
        (VOTE, "checkbox.option_list", [{"id": f"{n}", "text": "t"} for n in range(20)], 0),
        (VOTE, "checkbox.option_list", [{"id": f"{n}", "text": "t"} for n in range(21)], 42037),
        (VOTE, "checkbox.option_list.0.is_checked", 1, 40058),
        (VOTE, "submit_button", GONE, 42049),
        (VOTE, "submit_button.text", GONE, 42049),
        (VOTE, "submit_button.key", GONE, 42046),
        (VOTE, "button_list", [BUTTON], 40058),
        (FORM, "select_list", [], 42047),
        (FORM, "select_list", [FORM["select_list"][0]] * 4, 42047),
        (FORM, "select_list.1.question_key", "stage", 42043),
        (FORM, "select_list.0.disable", True, 40058),
        (FORM, "select_list.0.option_list.0.id", "", 42040),
    ],
)
def test_each_field_of_a_card(
    rest: Rest, fake: FakeWeCom, *, card: dict[str, Any], path: str, value: Any, code: int
) -> None:
    said = rest.card(changed(card, path, value))
    assert said["errcode"] == code, said
    assert len(fake.cards("rep07")) == (code == 0)


def test_a_card_that_is_none(rest: Rest) -> None:
    assert rest.send("template_card", "card")["errcode"] == 41016


def test_long_texts_are_noted_not_refused(rest: Rest, fake: FakeWeCom) -> None:
    assert rest.card(changed(BUTTONS, "main_title.title", "长" * 37))["errcode"] == 0
    assert len(fake.warnings) == 1
    assert "main_title.title: 37 of 36" in fake.warnings[0]
