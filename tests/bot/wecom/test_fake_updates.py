"""The fake WeCom: cards that change, and what a finger can do to them (sheet 4.2 to 4.5)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.fakes.wecom.kit import BUTTONS, FORM, MENU, NOTICE, VOTE, Rest, move_in
from tests.fakes.wecom.server import FakeWeCom
from tests.fakes.wecom.tapping import CannotTap

MONDAY = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@pytest.fixture
def fake() -> Iterator[FakeWeCom]:
    with FakeWeCom(clock=lambda: MONDAY, crypto_by="python") as made:
        move_in(made)
        yield made


def test_one_click_locks_every_copy_once(rest: Rest, fake: FakeWeCom) -> None:
    sent = rest.card(BUTTONS, to="mgr01|mgr02")
    click = fake.tap("mgr01", "deal-42@v3", "同意")
    said = rest.update(
        click.response_code, userids=["MGR01", "mgr02", "rep07"], template_card=NOTICE
    )
    assert (said["errcode"], said["invaliduser"]) == (0, ["rep07"])
    for manager in ("mgr01", "mgr02"):
        seen = fake.card(manager, "deal-42@v3")
        assert (seen.card_type, seen.desc) == ("text_notice", "已由 mgr01 同意")
        assert seen.buttons == {}
        assert seen.was == [BUTTONS]
    again = rest.update(click.response_code, userids=["mgr01"], template_card=BUTTONS)
    assert again["errcode"] == 60140
    back = rest.update(sent["response_code"], atall=1, template_card=BUTTONS)  # kept in reserve
    assert back["errcode"] == 0
    assert fake.card("mgr02", "deal-42@v3").buttons == {"同意": "approve", "驳回": "reject"}


def test_a_button_can_go_grey(rest: Rest, fake: FakeWeCom) -> None:
    code = rest.card(BUTTONS, to="mgr01|mgr02")["response_code"]
    grey = {"replace_name": "已同意"}
    assert rest.update(code, userids=["mgr01"], button=grey)["errcode"] == 0
    assert fake.card("mgr01", "deal-42@v3").grey == "已同意"
    assert fake.card("mgr02", "deal-42@v3").grey == ""
    with pytest.raises(CannotTap, match="已同意"):
        fake.tap("mgr01", "deal-42@v3", "同意")
    menu = {**NOTICE, "action_menu": MENU, "task_id": "n1"}
    code = rest.card(menu)["response_code"]
    assert rest.update(code, userids=["rep07"], button=grey)["errcode"] == 42031


def test_a_code_lives_three_days(rest: Rest, fake: FakeWeCom) -> None:
    code = rest.card(BUTTONS)["response_code"]
    fake.forward(hours=71, minutes=59)
    rest.token = fake.token_for()
    click = fake.tap("rep07", "deal-42@v3", "驳回")
    fake.forward(minutes=1)
    assert rest.update(code, atall=1, template_card=NOTICE)["errcode"] == 60140
    assert rest.update(click.response_code, atall=1, template_card=NOTICE)["errcode"] == 0


def test_updates_that_are_refused_keep_the_code(rest: Rest, fake: FakeWeCom) -> None:
    code = rest.card(BUTTONS)["response_code"]
    fake.add_app(7, "second", callback_url="http://127.0.0.1:9/")
    for body, wanted in [
        ({"response_code": "RC_made_up", "atall": 1, "template_card": NOTICE}, 60140),
        ({"template_card": NOTICE}, 82001),
        ({"userids": "rep07", "template_card": NOTICE}, 40058),
        ({"userids": ["u"] * 1001, "template_card": NOTICE}, 40032),
        ({"atall": 1}, 40058),
        ({"atall": 1, "template_card": NOTICE, "button": {"replace_name": "x"}}, 40058),
        ({"atall": 1, "template_card": {**NOTICE, "card_action": {}}}, 42045),
        ({"atall": 1, "template_card": {**BUTTONS, "task_id": "another"}}, 42014),
        ({"atall": 1, "template_card": NOTICE, "agentid": 7}, 301002),
        ({"atall": 1, "template_card": NOTICE, "task_id": "deal-42@v3"}, 40058),
    ]:
        asked = {"agentid": fake.agent_id, "response_code": code, **body}
        assert rest.post("message/update_template_card", asked)["errcode"] == wanted, body
    rest.token = fake.token_for(fake.state.app(7))
    foreign = {"agentid": 7, "response_code": code, "atall": 1, "template_card": NOTICE}
    assert rest.post("message/update_template_card", foreign)["errcode"] == 42015
    rest.token = fake.token_for()
    gone = {name: part for name, part in BUTTONS.items() if name != "task_id"}
    assert rest.update(code, atall=1, template_card=gone)["errcode"] == 0
    assert fake.last_card("rep07").task_id == "deal-42@v3"


def test_locked_inputs_and_a_grey_text_come_with_an_update(rest: Rest, fake: FakeWeCom) -> None:
    code = rest.card(FORM)["response_code"]
    locked = {
        **FORM,
        "replace_text": "已保存",
        "select_list": [{**one, "disable": True} for one in FORM["select_list"]],
    }
    assert rest.update(code, atall=1, template_card=locked)["errcode"] == 0
    assert fake.last_card("rep07").grey == "已保存"


def test_recall_within_a_day(rest: Rest, fake: FakeWeCom) -> None:
    first = rest.send("text", {"content": "a"})["msgid"]
    assert rest.post("message/recall", {"msgid": "made_up"})["errcode"] == 40058
    assert rest.post("message/recall", {"msgid": first})["errcode"] == 0
    assert fake.inbox("rep07") == []
    late = rest.send("text", {"content": "b"})["msgid"]
    fake.forward(hours=24)
    rest.token = fake.token_for()
    assert rest.post("message/recall", {"msgid": late})["errcode"] == 42052


# --- what a finger can do -------------------------------------------------------------------------


def test_only_what_is_shown_can_be_tapped(rest: Rest, fake: FakeWeCom) -> None:
    rest.card(BUTTONS, to="mgr01")
    for user, key, chosen in [
        ("mgr02", "同意", {}),
        ("mgr01", "详情", {}),
        ("mgr01", "签字", {}),
        ("mgr01", "同意", {"level": "lv9"}),
        ("mgr01", "同意", {"level": ["lv1", "lv2"]}),
        ("mgr01", "同意", {"colour": "red"}),
    ]:
        with pytest.raises(CannotTap):
            fake.tap(user, "deal-42@v3", key, chosen)
    rest.card(VOTE)
    with pytest.raises(CannotTap):
        fake.menu("rep07", "overdue-1", "mute")
    assert fake.deliveries == []


def test_an_old_client_still_shows_the_first_card(rest: Rest, fake: FakeWeCom) -> None:
    code = rest.card(BUTTONS)["response_code"]
    rest.update(code, atall=1, template_card=NOTICE)
    with pytest.raises(CannotTap):
        fake.tap("rep07", "deal-42@v3", "同意")
    late = fake.tap("rep07", "deal-42@v3", "同意", as_sent=True)
    assert "<EventKey><![CDATA[approve]]></EventKey>" in late.xml
