"""Cards: drawn, changed where they are, and what a crash leaves open."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from bot.channels.base import OutcomeUnknown, Outgoing
from bot.work import Again
from handlers.cards.model import Card
from storage import links
from storage.links import Link
from storage.tables import CardRow
from tests.support.sample_cards import CARD, DONE
from tests.support.wecom_desk import BASE_URL, FORM, WeComDesk, card, say, sent, tap

CHECKLIST = replace(
    FORM,
    kind="task.overdue",
    layout="checklist",
    questions=(replace(FORM.questions[0], multiple=True),),
)
NEWS = replace(
    DONE, kind="phi.weekly", layout="news", image_url="https://bot.example.com/chart.png"
)


@pytest.mark.parametrize(
    ("shown", "kind"),
    [
        (CARD, "button_interaction"),
        (DONE, "text_notice"),
        (FORM, "multiple_interaction"),
        (CHECKLIST, "vote_interaction"),
        (NEWS, "news_notice"),
        (replace(NEWS, image_url=""), "text_notice"),
    ],
)
def test_each_kind_of_card_is_taken(desk: WeComDesk, shown: Card, kind: str) -> None:
    say(desk, card(desk, shown))
    desk.run()
    seen = desk.fake.last_card("lina")
    assert seen.card_type == kind
    assert desk.fake.warnings == []


def test_addresses_on_a_card_are_short_codes_for_its_person(desk: WeComDesk) -> None:
    say(desk, card(desk))
    desk.fake.drop("message/send", after=True)
    desk.run()
    desk.again()

    first, second = (one.raw for one in desk.fake.calls_to("message/send"))
    assert first == second  # or the platform would show both
    shown = desk.fake.last_card("lina").card
    found = [shown["card_action"]["url"], shown["horizontal_content_list"][1]["url"]]
    codes = [one.removeprefix(f"{BASE_URL}/go/") for one in found]
    assert all(re.fullmatch(r"[\w-]{16}", one) for one in codes)
    opened = [
        desk.db.read(lambda s, one=one: links.open_go(s, one, now=desk.clock.now()))
        for one in codes
    ]
    assert opened == [
        Link(person_id=desk.lina, target="/m/1"),
        Link(person_id=desk.lina, target="/c/1"),
    ]


def test_a_card_for_nobody_we_know_keeps_plain_addresses(desk: WeComDesk) -> None:
    desk.fake.add_member("guest")
    message = Outgoing(
        effect_key="x:v1", kind="card", conversation="wecom:guest", user="guest", card=CARD
    )
    desk.do(desk.wecom.send(replace(message, card_id="x-1", nonce="n")))
    assert desk.fake.last_card("guest").card["card_action"]["url"] == f"{BASE_URL}/m/1"


def test_tapped_it_changes_where_it_is_with_the_code_of_the_tap(desk: WeComDesk) -> None:
    shown = sent(desk)
    code = tap(desk, shown)
    say(desk, card(desk, DONE))
    desk.run()

    assert len(desk.fake.cards("lina")) == 1
    assert desk.fake.last_card("lina").title == DONE.title
    [update] = desk.fake.calls_to("message/update_template_card")
    assert update.body["response_code"] == code


def test_a_form_in_between_brings_new_codes(desk: WeComDesk) -> None:
    shown = sent(desk)
    tap(desk, shown)
    say(desk, card(desk, FORM))
    desk.run()
    form = desk.fake.last_card("lina")
    assert (form.card_type, form.task_id) == ("multiple_interaction", shown.task_id)
    tap(desk, form, "补上")
    say(desk, card(desk, DONE))
    desk.run()

    assert len(desk.fake.cards("lina")) == 1
    assert desk.fake.last_card("lina").title == DONE.title


def test_without_a_tap_the_code_of_the_sending_serves_once(desk: WeComDesk) -> None:
    sent(desk)
    say(desk, card(desk, replace(CARD, subtitle="已提醒")))
    desk.run()
    assert desk.fake.last_card("lina").desc == "已提醒"
    assert len(desk.fake.cards("lina")) == 1

    say(desk, card(desk, DONE))  # no code is left
    desk.run()
    first, again = desk.fake.cards("lina")
    assert first.desc == "已提醒"
    assert again.title == f"重发｜{DONE.title}"
    assert "之前那张" in again.card["sub_title_text"]


def test_a_code_that_somebody_used_up_leads_to_the_next(desk: WeComDesk) -> None:
    shown = sent(desk)
    code = tap(desk, shown)
    desk.fake.state.codes[code].used = True
    say(desk, card(desk, DONE))
    desk.run()

    assert len(desk.fake.cards("lina")) == 1
    assert desk.fake.last_card("lina").title == DONE.title
    errcodes = [one.errcode for one in desk.fake.calls_to("message/update_template_card")]
    assert errcodes == [60140, 0]


def test_no_code_works_after_three_days(desk: WeComDesk) -> None:
    sent(desk)
    desk.later(hours=72)
    say(desk, card(desk, DONE))
    desk.run()
    assert desk.fake.calls_to("message/update_template_card") == []
    old, new = desk.fake.cards("lina")
    assert (old.title, new.title) == (CARD.title, f"重发｜{DONE.title}")


@pytest.mark.parametrize("after", [False, True])
def test_a_lost_answer_to_a_change_is_cleared_up_with_the_same_code(
    desk: WeComDesk, after: bool
) -> None:
    """Used up by ourselves: the change is there.  Not used up: it is used now."""
    sent(desk)
    desk.fake.drop("message/update_template_card", after=after)
    say(desk, card(desk, DONE))
    assert isinstance(desk.run()[-1], Again)
    desk.again()

    assert [one.title for one in desk.fake.cards("lina")] == [DONE.title]
    codes = [
        one.body["response_code"]
        for one in desk.fake.calls_to("message/update_template_card")
        if one.body
    ]
    assert len(set(codes)) == 1
    assert [state for _, state, _ in desk.said(desk.lina)] == ["sent", "sent"]


def test_killed_after_the_mark_and_before_the_call(desk: WeComDesk) -> None:
    sent(desk)
    say(desk, card(desk, DONE))
    original = desk.wecom.client.send

    async def killed(path: str, body: Any) -> dict[str, Any]:
        raise OutcomeUnknown("the process is gone", transient=True)

    desk.wecom.client.send = killed  # type: ignore[method-assign]
    desk.run()
    desk.wecom.client.send = original  # type: ignore[method-assign]
    desk.again()
    assert [one.title for one in desk.fake.cards("lina")] == [DONE.title]


def test_a_later_change_does_not_wait_for_an_earlier_one(desk: WeComDesk) -> None:
    shown = sent(desk)
    tap(desk, shown)
    desk.fake.drop("message/update_template_card", after=True)
    say(desk, card(desk, replace(CARD, subtitle="在改")))
    desk.run()
    say(desk, card(desk, DONE))
    desk.again()

    assert [one.title for one in desk.fake.cards("lina")] == [DONE.title]
    states = [state for kind, state, _ in desk.said(desk.lina) if kind != "text"]
    assert states == ["sent", "superseded", "sent"]


def test_a_card_whose_answer_was_lost_is_shown_once(desk: WeComDesk) -> None:
    desk.fake.drop("message/send", after=True)
    say(desk, card(desk))
    desk.run()
    desk.again()
    assert len(desk.fake.cards("lina")) == 1

    # Its code went with the answer; the next tap brings one.
    shown = desk.fake.last_card("lina")
    tap(desk, shown)
    say(desk, card(desk, DONE))
    desk.run()
    assert [one.title for one in desk.fake.cards("lina")] == [DONE.title]


def test_long_after_a_crash_its_name_says_that_it_arrived(desk: WeComDesk) -> None:
    desk.fake.drop("message/send", after=True)
    say(desk, card(desk))
    desk.run()
    desk.later(hours=2)  # the platform's own check for repeats is over
    desk.again()
    assert len(desk.fake.cards("lina")) == 1
    assert [state for _, state, _ in desk.said(desk.lina)] == ["sent"]


def test_one_message_to_several_is_locked_for_all(desk: WeComDesk) -> None:
    message = Outgoing(
        effect_key="x:v1",
        kind="card",
        conversation="wecom:group",
        user="lina|wanglei",
        card=CARD,
        card_id=_card_row(desk),
        nonce="n1",
    )
    desk.do(desk.wecom.send(message))
    done = replace(message, effect_key="x:v2", kind="rewrite", card=DONE, version=2)
    desk.do(desk.wecom.send(done))
    for user in ("lina", "wanglei"):
        assert [one.title for one in desk.fake.cards(user)] == [DONE.title]


def _card_row(desk: WeComDesk) -> str:
    say(desk, replace(card(desk, key="other:1"), person_id=desk.zhoukai))
    return desk.db.read(lambda s: s.query(CardRow.id).scalar())
