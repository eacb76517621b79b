"""Puts the demo company into an empty database."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import datetime, timedelta
from importlib import resources
from typing import Any

from bot.demo.story import Event, Teller
from sales.clock import COMPANY_ZONE
from sales.errors import BotError
from storage import lists, office, seeding
from storage.database import Database, Session
from storage.seeding import MadeInteraction, MadePromise


class RealPeople(BotError):
    """The database holds a real company; the demo keeps out."""

    code = "real_people"


class NoDemo(BotError):
    """There is no demo company to reset."""

    code = "no_demo"


def company() -> dict[str, Any]:
    text = resources.files("bot.demo").joinpath("company.toml").read_text("utf-8")
    return tomllib.loads(text)


def load(database: Database, *, now: datetime) -> dict[str, int]:
    """Load the company; how much of what, or nothing when it was there already.

    Raises:
        RealPeople: somebody is in the database who is not of the demo.
    """
    return database.write(lambda session: _load(session, now))


def reset(database: Database, *, now: datetime) -> dict[str, int]:
    """The company as on the first day.

    Raises:
        NoDemo: the database holds no demo; nothing was changed.
    """

    def work(session: Session) -> dict[str, int]:
        if not seeding.is_demo(session):
            raise NoDemo
        seeding.clear(session)
        session.expunge_all()
        return _load(session, now)

    return database.write(work)


def _load(session: Session, now: datetime) -> dict[str, int]:
    if seeding.is_demo(session):
        return {}
    if seeding.has_people(session):
        raise RealPeople
    _Loader(session, now).run()
    seeding.mark(session, now)
    return office.counts(session)


class _Loader:
    def __init__(self, session: Session, now: datetime) -> None:
        self._session = session
        self._now = now
        self._tell = Teller(now=now, zone=COMPANY_ZONE)
        self._begin = self._tell.past(200)
        self._people: dict[str, int] = {}
        self._made: list[MadeInteraction] = []

    def run(self) -> None:
        data = company()
        for one in data["person"]:
            stored = lists.put_person(self._session, now=self._begin, **one)
            self._people[one["name"]] = stored.id
        for one in data["product"]:
            lists.put_product(
                self._session,
                name=one["name"],
                category=one["category"],
                unit=one["unit"],
                list_price_fen=one["list_price"] * 100,
                floor_price_fen=one["floor_price"] * 100,
            )
        for name in data["competitors"]:
            lists.put_competitor(self._session, name=name)
        promises: dict[str, list[MadePromise]] = {}
        for one in data["promise"]:
            due = self._tell.due(one["due"])
            made = MadePromise(who=one["who"], what=one["what"], due=due)
            promises.setdefault(one["customer"], []).append(made)
        for number, one in enumerate(data["customer"]):
            self._customer(number, one, promises.pop(one["name"], []))
        assert not promises, f"promises of unknown customers: {list(promises)}"
        seeding.add_interactions(self._session, sorted(self._made, key=lambda made: made.at))

    def _customer(self, number: int, one: Mapping[str, Any], open_: list[MadePromise]) -> None:
        stored = lists.put_customer(
            self._session,
            now=self._begin,
            name=one["name"],
            shorts=one["short"],
            owner=one["owner"],
            region=one["region"],
            industry=one["industry"],
            tier=one["tier"],
        )
        for order, contact in enumerate(one["contacts"]):
            lists.put_contact(
                self._session,
                now=self._begin,
                customer=one["name"],
                name=contact["name"],
                role=contact["role"],
                phone=f"138{number:04d}{order:04d}",  # nobody's
                decision_maker=contact.get("decision_maker", False),
            )
        owner = self._people[one["owner"]]
        deal = one.get("deal")
        opportunity = self._deal(stored.id, owner, deal) if deal else None
        events = self._tell.history(one)
        for index, event in enumerate(events):
            latest = index == len(events) - 1
            self._made.append(
                self._interaction(
                    event,
                    customer_id=stored.id,
                    opportunity_id=opportunity,
                    person_id=owner,
                    latest=latest,
                    promises=open_ if latest else [],
                )
            )

    def _deal(self, customer_id: int, owner_id: int, deal: Mapping[str, Any]) -> int:
        return seeding.add_opportunity(
            self._session,
            customer_id=customer_id,
            owner_id=owner_id,
            name=deal["name"],
            stage=deal["stage"],
            stage_since=self._tell.past(deal["days"]),
            state=deal.get("state", "open"),
            amount_fen=deal["amount"] * 100,
            expected_close=self._tell.due(deal["close"]),
            created_at=self._tell.past(deal["days"] + 60),
        )

    def _interaction(
        self,
        event: Event,
        *,
        customer_id: int,
        opportunity_id: int | None,
        person_id: int,
        latest: bool,
        promises: list[MadePromise],
    ) -> MadeInteraction:
        """Promises of the past were kept; those that are open now come from the file."""
        made = list(promises)
        told = event.scene.promise
        if told is not None and not made:
            due = event.at.date() + timedelta(days=told.after)
            kept = min(event.at + timedelta(days=max(1, told.after - 1)), self._now)
            made.append(MadePromise(who=told.who, what=event.promised, due=due, done_at=kept))
        return MadeInteraction(
            customer_id=customer_id,
            opportunity_id=opportunity_id,
            person_id=person_id,
            kind=event.scene.kind,
            at=event.at,
            summary=event.summary,
            text=event.text,
            objection=event.objection,
            objection_open=latest,
            promises=made,
        )
