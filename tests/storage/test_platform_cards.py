"""Codes of cards: which one may be used, and which cards are about to lose theirs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from storage import card_handles, cards, lists, outbox
from storage.card_handles import Ageing
from storage.database import Database
from tests.support.desk import MONDAY

KEY = "memo.confirm:1"


@pytest.fixture
def person(database: Database) -> int:
    stored = database.write(
        lambda s: lists.put_person(s, now=MONDAY, name="李娜", wecom="lina", dingtalk="d1")
    )
    return stored.id


def show(db: Database, person: int, **given: Any) -> cards.CardView:
    payload = {"status": "pending", "layout": "buttons", **given.pop("payload", {})}
    made = {
        "effect_key": KEY,
        "kind": "memo.confirm",
        "subject_kind": "record",
        "subject_id": 1,
        "channel": "wecom",
        "conversation": "wecom:lina",
        **given,
    }
    view, _ = db.write(
        lambda s: cards.show(s, person_id=person, payload=payload, now=MONDAY, **made)
    )
    return view


def add(db: Database, card: str, code: str, *, hours: float = 0, source: Any = "send") -> None:
    now = MONDAY + timedelta(hours=hours)
    db.write(lambda s: card_handles.add(s, card, code, source=source, now=now))


def usable(db: Database, card: str, effect: str = "e1", *, hours: float = 1) -> list[str]:
    now = MONDAY + timedelta(hours=hours)
    return [one.code for one in db.read(lambda s: card_handles.usable(s, card, effect, now=now))]


def test_the_newest_code_comes_first_and_none_after_three_days(
    database: Database, person: int
) -> None:
    card = show(database, person).id
    add(database, card, "A")
    add(database, card, "B", hours=1, source="tap")
    add(database, card, "B", hours=2)

    assert usable(database, card) == ["B", "A"]
    assert usable(database, card, hours=72) == ["B"]
    assert usable(database, card, hours=73) == []


def test_a_code_is_spent_on_one_effect_which_may_try_it_again(
    database: Database, person: int
) -> None:
    card = show(database, person).id
    add(database, card, "A")
    add(database, card, "B", hours=1)
    [b, a] = database.read(lambda s: card_handles.usable(s, card, "e1", now=MONDAY))

    def spend(handle: int, effect: str) -> bool:
        return database.write(lambda s: card_handles.spend(s, handle, effect, now=MONDAY))

    assert spend(a.id, "e1")
    assert spend(a.id, "e1")
    assert not spend(a.id, "e2")
    assert usable(database, card, "e1") == ["A", "B"]  # its own first, to learn what became of it
    assert usable(database, card, "e2") == ["B"]

    database.write(lambda s: card_handles.retire(s, [a.id, b.id], "e3", now=MONDAY))
    assert (usable(database, card, "e1"), usable(database, card, "e2")) == (["A"], [])


def test_a_tap_on_a_message_that_was_replaced_brings_no_code(
    database: Database, person: int
) -> None:
    view = show(database, person)

    def tapped(code: str, nonce: str, card: str = view.id) -> bool:
        return database.write(lambda s: card_handles.tapped(s, card, code, nonce=nonce, now=MONDAY))

    add(database, view.id, "A")
    assert tapped("T1", view.nonce)
    assert tapped("T2", "of an earlier drawing")  # the same message, drawn again meanwhile
    add(database, view.id, "B")
    assert not tapped("T3", "of an earlier drawing")
    assert tapped("T4", view.nonce)
    assert not tapped("T5", view.nonce, card="memo-unknown")
    assert set(usable(database, view.id)) == {"A", "B", "T1", "T2", "T4"}


def ageing(db: Database, *, hours: float = 61) -> list[Ageing]:
    now = MONDAY + timedelta(hours=hours)
    return db.write(lambda s: card_handles.ageing(s, now=now, older_than=timedelta(hours=60)))


def put(db: Database, card: cards.CardView, person: int, kind: str = "card") -> None:
    def queue(session: Any) -> None:
        outbox.put(
            session,
            effect_key=f"{KEY}:v{card.version}",
            channel="wecom",
            conversation="wecom:lina",
            person_id=person,
            user="lina",
            kind=kind,
            payload={},
            card_id=card.id,
            now=MONDAY,
        )

    db.write(queue)


def test_open_cards_whose_last_code_is_old_are_found(database: Database, person: int) -> None:
    card = show(database, person)
    add(database, card.id, "A")

    assert ageing(database, hours=59) == []
    [found] = ageing(database, hours=60)
    assert (found.effect_key, found.user, found.person_id) == (KEY, "lina", person)

    add(database, card.id, "B", hours=20, source="tap")
    assert ageing(database, hours=79) == []
    assert len(ageing(database, hours=80)) == 1
    assert ageing(database, hours=24 * 13) == []  # nobody wants it any more


@pytest.mark.parametrize(
    "given",
    [
        {"payload": {"status": "done"}},
        {"payload": {"layout": "notice"}},
        {"channel": "console"},
        {"channel": "dingtalk"},
    ],
)
def test_cards_that_need_no_code_are_left_alone(
    database: Database, person: int, given: dict[str, Any]
) -> None:
    show(database, person, **given)
    assert ageing(database) == []


def test_one_that_is_on_its_way_is_left_alone(database: Database, person: int) -> None:
    card = show(database, person)
    put(database, card, person)
    assert ageing(database) == []

    def arrived(session: Any) -> None:
        at = MONDAY + timedelta(hours=30)
        outbox.sent(session, 1, platform_id="m", handle="", now=at)

    database.write(arrived)
    assert ageing(database, hours=89) == []  # its answer brought no code, so its sending counts
    assert len(ageing(database, hours=91)) == 1


def test_people_who_left_get_nothing(database: Database, person: int) -> None:
    show(database, person)
    assert len(ageing(database)) == 1
    database.write(lambda s: lists.put_person(s, now=MONDAY, name="李娜", active=False))
    assert ageing(database) == []


def test_old_codes_are_forgotten(database: Database, person: int) -> None:
    card = show(database, person).id
    add(database, card, "A")
    add(database, card, "B", hours=2)
    before = MONDAY + timedelta(hours=1)
    assert database.write(lambda s: card_handles.forget_old(s, before=before)) == 1
    assert usable(database, card) == ["B"]
