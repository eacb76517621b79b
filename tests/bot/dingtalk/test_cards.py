"""Cards in DingTalk: made, tapped, redrawn; with templates, with the public one, with none."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.channels.dingtalk.cards import PUBLIC_TEMPLATE, Templates, made_of, with_chosen
from handlers import replies
from handlers.cards.model import Card
from storage.database import Database
from storage.tables import CardRow, InboxRow
from tests.support.ding_desk import FORM, TEMPLATE, VARIABLES, DingDesk
from tests.support.sample_cards import CARD, DONE

Make = Callable[..., DingDesk]
CREATE = "/v1.0/card/instances/createAndDeliver"
UPDATE = "PUT /v1.0/card/instances"
RECALL = "/v1.0/robot/otoMessages/batchRecall"
DENIED = "Forbidden.AccessDenied."
MEMO = "今天拜访了恒基水泥，报价一万二，周四前发合同"


@pytest.fixture
def make(database: Database, tmp_path: Path) -> Iterator[Make]:
    made: list[DingDesk] = []

    def build(template: str = "", **settings: Any) -> DingDesk:
        settings = {"card_template_id": template, **settings}
        made.append(DingDesk(database, tmp_path, settings=settings))
        made[-1].up()
        made[-1].use_template()
        return made[-1]

    yield build
    for desk in made:
        desk.close()


@pytest.fixture
def desk(make: Make) -> DingDesk:
    return make(TEMPLATE)


# --- with a template ------------------------------------------------------------------------------


def test_a_memo_is_confirmed_by_a_tap_and_the_card_says_so(desk: DingDesk) -> None:
    desk.fake.say_text("lina", MEMO).wait()
    desk.run()
    card = desk.fake.last_card("lina")
    number = card.out_track_id
    assert [one.text for one in desk.fake.buttons("lina", number)] == ["确认入库", "修改", "作废"]
    assert card.private == {"lina": {"canAct": "true"}}

    tap = desk.fake.press("lina", number, "确认入库").wait()
    assert tap.outcome == "answered"
    desk.run()
    seen = desk.fake.card_seen_by("lina", number)
    assert seen["status"] == "done"
    assert seen["canAct"] == "false"
    assert seen["title"].startswith("已入库")
    assert [one.params for one in desk.fake.buttons("lina", number)] == [{}]  # only a result
    assert card.updates[-1]["cardUpdateOptions"]["updateCardDataByKey"] is True
    assert desk.fake.complaints == []


def test_the_same_tap_five_times_has_one_effect(desk: DingDesk) -> None:
    desk.fake.say_text("lina", MEMO).wait()
    desk.run()
    number = desk.fake.last_card("lina").out_track_id
    button = desk.fake.buttons("lina", number)[0]
    taps = [desk.fake.tap("lina", number, button.params) for _ in range(5)]
    for tap in taps:
        assert tap.wait().outcome == "answered"
    desk.run()
    assert len(desk.fake.last_card("lina").updates) == 1
    assert desk.desk.count(InboxRow, InboxRow.kind == "action") == 1


def test_a_tap_on_an_older_drawing_is_answered_in_words(desk: DingDesk) -> None:
    desk.fake.say_text("lina", MEMO).wait()
    desk.run()
    number = desk.fake.last_card("lina").out_track_id
    first = desk.fake.buttons("lina", number)[0]
    desk.fake.press("lina", number, "确认入库").wait()
    desk.run()
    before = len(desk.fake.last_card("lina").updates)

    desk.fake.tap("lina", number, {**first.params, "a": "memo.drop"}).wait()
    desk.run()
    assert "已经处理过" in desk.fake.texts("lina")[-1]
    assert len(desk.fake.last_card("lina").updates) == before


def test_somebody_elses_tap_has_no_effect_and_is_told(desk: DingDesk) -> None:
    desk.fake.say_text("lina", MEMO).wait()
    desk.run()
    number = desk.fake.last_card("lina").out_track_id
    params = desk.fake.buttons("lina", number)[0].params
    desk.fake.tap("wanglei", number, params, unseen=True).wait()
    desk.run()
    assert desk.fake.texts("wanglei") == [replies.not_yours("李娜")]
    assert desk.fake.last_card("lina").updates == []


@pytest.mark.parametrize(
    "params",
    [
        {"a": "memo.ok", "n": "made up"},
        {"a": "memo.ok"},
        {"a": "memo.nonsense", "n": "x"},
        {"a": ["memo.ok"], "n": {"x": 1}},
    ],
)
def test_parameters_are_hints_and_nothing_more(desk: DingDesk, params: dict[str, Any]) -> None:
    desk.fake.say_text("lina", MEMO).wait()
    desk.run()
    number = desk.fake.last_card("lina").out_track_id
    assert desk.fake.tap("lina", number, params).wait().outcome == "answered"
    desk.run()
    assert desk.fake.last_card("lina").updates == []


def test_a_tap_without_parameters_is_answered_all_the_same(desk: DingDesk) -> None:
    view, _ = desk.show()
    assert desk.fake.tap("lina", view.id, {}).wait().outcome == "answered"
    assert desk.inbox() == []


def test_the_form_in_the_card_saves_what_was_typed(desk: DingDesk) -> None:
    desk.fake.say_text("lina", MEMO).wait()
    desk.run()
    number = desk.fake.last_card("lina").out_track_id
    desk.fake.press("lina", number, "修改").wait()
    desk.run()
    form = json.loads(desk.fake.card_seen_by("lina", number)["form"])
    fields = {one["name"]: one for one in form["fields"] if not one.get("hidden")}
    chosen = {
        name: one["defaultValue"]["value"] if "defaultValue" in one else one["options"][0]["value"]
        for name, one in fields.items()
        if one["type"] == "SELECT"
    }
    desk.fake.submit_form("lina", number, {**chosen, "amount": "15000"}).wait()
    desk.run()
    seen = desk.fake.card_seen_by("lina", number)
    assert seen["status"] == "done"
    assert seen["form"] == ""
    assert "1.5 万" in seen["rows"]
    assert len(desk.fake.cards_of("lina")) == 1
    assert desk.fake.complaints == []


def test_a_card_that_was_made_before_the_crash_is_not_made_twice(desk: DingDesk) -> None:
    desk.fake.lose_answer(CREATE)
    with pytest.raises(Exception, match="no answer"):
        desk.show()
    view = desk.db.read(lambda s: s.query(CardRow).one().id)
    sent = desk.send(
        "card", effect_key="memo.confirm:1:v1", card=CARD, card_id=view, nonce="n", version=1
    )
    assert sent.handle.startswith("card ")
    assert len(desk.fake.cards_of("lina")) == 1
    assert len(desk.fake.seen("lina")) == 1


def test_the_platform_may_refuse_a_second_making(desk: DingDesk) -> None:
    desk.fake.rules.card_repeat = "refuse"
    view, sent = desk.show()
    again = desk.send(
        "card", effect_key="memo.confirm:1:v1", card=CARD, card_id=view.id, nonce=view.nonce
    )
    assert again.handle == sent.handle


def test_a_card_nobody_knows_about_is_redrawn_or_made(desk: DingDesk) -> None:
    view = desk.card()
    handleless = {
        "card": DONE,
        "card_id": view.id,
        "nonce": view.nonce,
        "version": 2,
        "effect_key": "x:v2",
    }
    sent = desk.send("rewrite", **handleless)
    assert desk.fake.card_seen_by("lina", view.id)["status"] == "done"
    assert made_of(sent.handle) is not None

    desk.send("rewrite", **{**handleless, "card": replace(DONE, title="已入库｜青松制药")})
    assert desk.fake.card_seen_by("lina", view.id)["title"] == "已入库｜青松制药"
    assert len(desk.fake.cards_of("lina")) == 1


def test_addresses_are_short_codes_for_this_person(desk: DingDesk) -> None:
    view, _ = desk.show()
    url = desk.fake.card_seen_by("lina", view.id)["url"]
    assert url.startswith("https://bot.example.com/go/")
    rows = json.loads(desk.fake.card_seen_by("lina", view.id)["rows"])
    assert rows[1]["url"].startswith("https://bot.example.com/go/")
    assert rows[1]["url"] != url


def test_a_page_that_phones_cannot_reach_is_not_linked(sqlite_url: str, tmp_path: Path) -> None:
    db = Database(sqlite_url)
    desk = DingDesk(db, tmp_path, settings={"card_template_id": TEMPLATE}, base_url="")
    desk.use_template()
    view, _ = desk.show()
    assert desk.fake.card_seen_by("lina", view.id)["url"] == ""
    desk.close()
    db.close()


# --- several templates ----------------------------------------------------------------------------


def test_a_form_needs_another_template_so_a_new_card_takes_over(make: Make) -> None:
    desk = make("action.schema,form.schema")
    for name in ("action.schema", "form.schema"):
        desk.fake.add_template(name, variables=VARIABLES, private=frozenset({"canAct"}))
    view, _ = desk.show(CARD)
    second, sent = desk.show(FORM)
    made = made_of(sent.handle)
    assert made is not None
    assert (made.template, made.track) == ("form.schema", f"{view.id}~2")
    old = desk.fake.card_seen_by("lina", view.id)
    assert (old["status"], old["btn1"], old["canAct"]) == ("other", "", "false")

    params = {"form": {"n": second.nonce, "a": "memo.save", "amount": "9"}}
    desk.fake.tap("lina", made.track, params).wait()
    assert desk.inbox()[-1]["card_id"] == view.id

    desk.show(DONE)  # the form's template draws everything
    assert desk.fake.card_seen_by("lina", made.track)["status"] == "done"
    assert len(desk.fake.cards_of("lina")) == 2
    assert desk.fake.complaints == []


def test_one_id_or_three_or_keys_of_their_own() -> None:
    one = Templates.of("a")
    assert (one.action, one.form, one.notice) == ("a", "a", "a")
    three = Templates.of("a, b ,c")
    assert (three.action, three.form, three.notice) == ("a", "b", "c")
    named = Templates.of("a", form="f", notice="n")
    assert (named.action, named.form, named.notice) == ("a", "f", "n")
    assert Templates.of("").make(CARD, "t") is None


# --- the public template --------------------------------------------------------------------------


def test_the_public_template_has_real_buttons_and_no_form(make: Make) -> None:
    desk = make(PUBLIC_TEMPLATE)
    desk.fake.say_text("lina", MEMO).wait()
    desk.run()
    number = desk.fake.last_card("lina").out_track_id
    assert [one.text for one in desk.fake.buttons("lina", number)][:3] == [
        "确认入库",
        "修改",
        "作废",
    ]

    desk.fake.press("lina", number, "修改").wait()
    desk.run()
    in_words = desk.fake.last("lina")
    assert in_words.key == "sampleActionCard2"  # 返回 and the page; the rest is told in words
    assert desk.fake.buttons("lina", number) == []

    desk.fake.say_text("lina", "金额 15000").wait()
    desk.run()
    assert in_words.recalled
    newest = desk.fake.last_card("lina")
    assert "1.5 万" in desk.fake.card_seen_by("lina", newest.out_track_id)["markdown"]
    desk.fake.press("lina", newest.out_track_id, "确认入库").wait()
    desk.run()
    title = desk.fake.card_seen_by("lina", newest.out_track_id)["title"]
    assert title.startswith("已入库")
    assert desk.fake.complaints == []


# --- without a template ---------------------------------------------------------------------------


def say_button(desk: DingDesk, label: str) -> None:
    """Tap a link button of the last message: the client makes the person say its words."""
    content = desk.fake.last("lina").content
    pairs = {
        content[f"actionTitle{number}"]: content[f"actionURL{number}"]
        for number in range(1, 6)
        if f"actionTitle{number}" in content
    }
    from urllib.parse import parse_qs, urlsplit

    query = parse_qs(urlsplit(pairs[label]).query)
    desk.fake.say_text("lina", query["content"][0]).wait()


def test_link_buttons_do_the_same_and_the_old_message_goes(make: Make) -> None:
    desk = make()
    desk.fake.say_text("lina", MEMO).wait()
    desk.run()
    first = desk.fake.last("lina")
    say_button(desk, "确认入库")
    desk.run()
    assert first.recalled
    last = desk.fake.last("lina")
    assert last.text.startswith("**已入库")
    assert "dtmd" not in json.dumps(last.content)
    assert desk.inbox()[-1]["action"] == "memo.ok"
    assert desk.fake.complaints == []


def test_a_link_button_of_an_older_drawing_says_that_it_is_old(make: Make) -> None:
    desk = make()
    desk.fake.say_text("lina", "确认入库 #Ab3dEf6hIj0l").wait()
    desk.run()
    assert desk.fake.texts("lina") == [replies.STALE_CARD]
    assert desk.inbox()[0]["kind"] == "action"


def test_a_form_in_words_says_how_to_answer(make: Make) -> None:
    desk = make()
    desk.show(FORM)
    shown = desk.fake.last("lina")
    assert shown.key == "sampleMarkdown"
    assert "直接回复要改的内容" in shown.text


def test_words_do_where_cards_are_not_permitted(desk: DingDesk) -> None:
    desk.fake.app.scopes.discard("Card.Instance.Write")
    _, sent = desk.show()
    assert sent.handle.startswith("msg ")
    desk.until(lambda: desk.problems() == {"permission:Card.Instance.Write": "no_permission"})
    desk.show(CARD, key="memo.confirm:2")
    assert desk.fake.count(CREATE) == 1  # not asked again for some minutes


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("param.templateNotExist", "template_missing"),
        ("param.templateUnpublished", "template_unpublished"),
        ("param.contentUnsafe", "card_refused"),
    ],
)
def test_words_do_where_the_template_does_not(desk: DingDesk, code: str, problem: str) -> None:
    desk.fake.fail(CREATE, code, status=400)
    _, sent = desk.show()
    assert sent.handle.startswith("msg ")
    desk.until(lambda: desk.problems().get("card") == problem)


def test_a_card_that_was_not_delivered_goes_out_in_words(desk: DingDesk) -> None:
    desk.fake.cards.refused_users.add("lina")
    desk.show()
    assert desk.fake.last("lina").via == "batch"


def test_a_busy_platform_is_no_reason_for_words(desk: DingDesk) -> None:
    desk.fake.fail(CREATE, "system.busy", status=500)
    with pytest.raises(Exception, match="busy"):
        desk.show()
    assert desk.fake.seen("lina") == []


def test_a_redraw_that_is_refused_is_told_in_words(desk: DingDesk) -> None:
    desk.show(CARD)
    desk.fake.fail(UPDATE, "param.contentUnsafe", status=400)
    _, sent = desk.show(DONE)
    assert desk.fake.last("lina").text.startswith("**已入库")
    assert made_of(sent.handle) is None


def test_a_card_that_is_gone_is_made_again(desk: DingDesk) -> None:
    view, _ = desk.show(CARD)
    desk.fake.do(lambda: desk.fake.cards.cards.pop(view.id))
    desk.show(DONE)
    assert desk.fake.card_seen_by("lina", view.id)["status"] == "done"


def test_with_a_template_set_later_the_words_make_room_for_the_card(
    database: Database, tmp_path: Path
) -> None:
    desk = DingDesk(database, tmp_path)
    desk.use_template()
    view, _ = desk.show(CARD)
    desk.bot._cards._templates = Templates.of(TEMPLATE)
    desk.show(DONE)
    assert desk.fake.card_seen_by("lina", f"{view.id}~2")["status"] == "done"
    assert [one.via for one in desk.fake.seen("lina")] == ["card"]
    desk.close()


def test_a_forms_choices_are_given_as_place_and_value_unless_too_long() -> None:
    fields = [
        {
            "name": "stage",
            "type": "SELECT",
            "options": [{"value": "A", "text": "甲"}, {"value": "B", "text": "乙"}],
            "defaultValue": "B",
        }
    ]
    made = json.loads(with_chosen(json.dumps({"fields": fields})))
    assert made["fields"][0]["defaultValue"] == {"index": 1, "value": "B"}
    fields[0]["label"] = "长" * 290
    made = json.loads(with_chosen(json.dumps({"fields": fields}, ensure_ascii=False)))
    assert "defaultValue" not in made["fields"][0]
    assert with_chosen("") == ""


def test_a_card_in_words_shows_people_their_words_as_they_are(make: Make) -> None:
    desk = make()
    strange: Card = replace(CARD, title="# *恒基*", body="1. a\n> b [x](http://y)")
    desk.show(strange)
    text = desk.fake.last("lina").text
    assert "\\*恒基\\*" in text
    assert "\\[x\\](http://y)" in text
