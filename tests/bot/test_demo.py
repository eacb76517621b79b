from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.demo import loader
from bot.samples import spoken_memos
from sales.clock import COMPANY_ZONE
from storage import customers, lists, office, people, settings
from storage.database import Database, Session
from storage.migrations import runner

NOW = datetime(2026, 3, 4, 6, 0, tzinfo=UTC)  # a Wednesday


def test_the_whole_company_is_there(database: Database) -> None:
    counts = loader.load(database, now=NOW)

    assert (counts["people"], counts["customers"]) == (12, 40)

    def look(session: Session) -> None:
        everyone = {one.name: one for one in people.everyone(session)}
        roles = Counter(one.role for one in everyone.values())
        assert set(roles) == {
            "rep", "manager", "finance", "director", "engineer", "trainer", "subscriber", "admin",
        }  # fmt: skip
        assert people.managers_of(session, everyone["李娜"].id)[0] == everyone["王磊"].id
        promises = customers.commitments(session, person_id=everyone["李娜"].id)
        today = NOW.astimezone(COMPANY_ZONE).date()
        sides = Counter((one.who, (one.due or today) < today) for one in promises)
        assert all(sides[who, overdue] for who in ("us", "customer") for overdue in (True, False))
        assert [one for one in promises if one.due == today]
        customer = customers.by_name(session, "恒基")
        assert customer is not None
        assert customer.owner_id == everyone["李娜"].id
        assert customer.last_effective_at is not None
        assert len(customers.interactions(session, customer.id)) >= 10

    database.read(look)


def test_every_stage_has_a_deal_and_some_customers_are_silent(database: Database) -> None:
    loader.load(database, now=NOW)
    stages = set(loader.company()["stages"])

    def look(session: Session) -> tuple[set[str], int]:
        found, silent = set(), 0
        for one in loader.company()["customer"]:
            customer = customers.by_name(session, one["name"])
            assert customer is not None
            assert customer.last_effective_at is not None
            silent += NOW - customer.last_effective_at > timedelta(days=30)
            found |= {deal.stage for deal in customers.open_opportunities(session, customer.id)}
        return found, silent

    found, silent = database.read(look)
    assert found == stages
    assert silent >= 4


def test_the_past_is_past_and_on_working_days(database: Database) -> None:
    loader.load(database, now=NOW)

    def look(session: Session) -> list[datetime]:
        return [
            visit.at
            for one in loader.company()["customer"]
            if (customer := customers.by_name(session, one["name"]))
            for visit in customers.interactions(session, customer.id)
        ]

    times = [at.astimezone(COMPANY_ZONE) for at in database.read(look)]
    assert 400 <= len(times) <= 700
    assert max(times) < NOW
    assert all(at.weekday() < 5 and 9 <= at.hour < 18 for at in times)
    assert max(times) - min(times) > timedelta(days=150)


def test_what_the_recordings_say_is_in_the_lists(database: Database) -> None:
    loader.load(database, now=NOW)

    def names(session: Session) -> list[str]:
        from storage import world

        known = world.lists(session)
        shorts = [short for all_of_one in known.customers.values() for short in all_of_one]
        return [*shorts, *known.products, *known.competitors]

    known = database.read(names)
    for memo in spoken_memos():
        if len(memo.text) > 12:  # the others are replies
            assert any(name in memo.text for name in known), memo.text
    for spoken in (
        "恒基水泥",
        "青松制药",
        "汇通热力",
        "宝丰钢铁",
        "山泉饮料",
        "金谷米业",
        "博远环保",
    ):
        assert spoken in known


def test_the_same_seed_tells_the_same_story(sqlite_url: str, tmp_path: Any) -> None:
    stories = []
    for name in ("a", "b"):
        url = f"sqlite:///{tmp_path / name}.db"
        runner.migrate(url)
        database = Database(url)
        loader.load(database, now=NOW)
        stories.append(database.read(lambda s: list(office.dump(s, "interaction")[1])))
        database.close()

    assert stories[0] == stories[1]


def test_a_second_time_changes_nothing(database: Database) -> None:
    loader.load(database, now=NOW)
    before = database.read(office.counts)

    assert loader.load(database, now=NOW + timedelta(days=3)) == {}
    assert database.read(office.counts) == before


def test_it_keeps_out_of_a_real_company(database: Database) -> None:
    database.write(lambda s: lists.put_person(s, now=NOW, name="真人"))

    with pytest.raises(loader.RealPeople):
        loader.load(database, now=NOW)
    with pytest.raises(loader.NoDemo):
        loader.reset(database, now=NOW)

    assert database.read(office.counts)["people"] == 1


def test_a_reset_takes_everything_else_away(database: Database) -> None:
    loader.load(database, now=NOW)
    database.write(lambda s: lists.put_competitor(s, name="新来的"))
    database.write(lambda s: settings.put(s, "demo_clock_seconds", "86400"))

    loader.reset(database, now=NOW + timedelta(days=1))

    names = database.read(lambda s: [row[1] for row in office.dump(s, "competitor")[1]])
    assert sorted(names) == ["国泰", "宏胜"]
    assert database.read(lambda s: settings.get(s, "demo_clock_seconds")) == ""
    assert database.read(office.counts)["customers"] == 40


def test_loading_on_any_day_works(tmp_path: Any) -> None:
    """New year's day, a leap day, a weekend."""
    for number, day in enumerate(((2027, 1, 1), (2028, 2, 29), (2026, 3, 8))):
        url = f"sqlite:///{tmp_path / str(number)}.db"
        runner.migrate(url)
        database = Database(url)
        assert loader.load(database, now=datetime(*day, 16, 30, tzinfo=UTC))
        database.close()
