"""The directory read from a platform, and the task that keeps it up to date."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.channels.base import ChannelError
from bot.channels.wecom.client import WeComClient
from bot.channels.wecom.directory import WeComDirectory
from bot.config_channels import WeCom
from bot.directory import Directory, Fetched, NobodyVisible
from sales.clock import FixedClock
from storage import channel_states, directory, lists, office
from storage.channel_states import State
from storage.database import Database
from storage.directory import Applied, Member
from tests.fakes.wecom.server import FakeWeCom

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai


@pytest.fixture
def db(sqlite_url: str) -> Iterator[Database]:
    opened = Database(sqlite_url)
    yield opened
    opened.close()


@pytest.fixture
def fake() -> Iterator[FakeWeCom]:
    """王磊 leads 华东, 陈涛 the company; 李娜 has a direct leader, 周凯 has not, 赵六 is a loner."""
    with FakeWeCom() as made:
        made.app.departments = {2, 3}
        made.state.departments[1].leaders = ["ChenTao"]
        made.add_department(2, "销售中心", leaders=["ChenTao"])
        made.add_department(3, "华东销售部", parent=2, leaders=["WangLei"])
        made.add_department(9, "生产部")
        made.add_member("ChenTao", "陈涛", departments=[2])
        made.add_member("WangLei", "王磊", departments=[3], leads=[3])
        made.add_member("lina", "李娜", departments=[3], leader="ChenTao", position="销售代表")
        made.add_member("zhoukai", "周凯", departments=[9, 3], main_department=3)
        made.add_member("zhaoliu", "赵六", departments=[9])
        yield made


class Company:
    """The task with the real client against the fake."""

    def __init__(self, db: Database, fake: FakeWeCom) -> None:
        self.db, self.fake, self.clock = db, fake, FixedClock(NOW)
        self.pauses: list[float] = []

    def do(self, work: Callable[[Directory], Awaitable[Any]]) -> Any:
        async def run() -> Any:
            wecom = WeCom(
                corp_id=self.fake.corp_id,
                agent_id=self.fake.agent_id,
                secret=self.fake.secret,
                api_base=self.fake.base,
            )
            client = WeComClient(wecom, self.db, self.clock)
            source = WeComDirectory(client, agent_id=wecom.agent_id, pause=self.pause)
            try:
                return await work(Directory(self.db, self.clock, [source]))
            finally:
                await client.close()

        return asyncio.run(run())

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def sync(self) -> Applied:
        self.clock.move(timedelta(hours=4))
        applied: Applied = self.do(lambda one: one.sync("wecom"))
        return applied

    def people(self) -> dict[str, office.PersonEntry]:
        return {one.name: one for one in self.db.read(office.people)}

    def problem(self) -> State | None:
        return self.db.read(lambda s: channel_states.get(s, "wecom", "directory"))

    def calls(self, path: str) -> int:
        return len(self.fake.calls_to(path))


@pytest.fixture
def company(db: Database, fake: FakeWeCom) -> Company:
    return Company(db, fake)


def test_the_visible_departments_become_people_with_their_managers(company: Company) -> None:
    assert company.sync().added == 4

    people = company.people()
    assert {name: one.manager for name, one in people.items()} == {
        "陈涛": "",
        "王磊": "陈涛",  # leads 华东: answers to the department above
        "李娜": "陈涛",  # the direct leader comes first
        "周凯": "王磊",  # the leader of the main department
    }
    assert (people["王磊"].role, people["陈涛"].role, people["李娜"].role) == (
        "manager",
        "manager",
        "rep",
    )
    assert (people["周凯"].team, people["李娜"].wecom) == ("华东销售部", "lina")


def test_who_was_let_in_by_name_or_by_tag_is_found(company: Company) -> None:
    company.fake.app.members.add("zhaoliu")
    company.fake.add_tag(7, "SunQi")
    company.fake.app.tags = {7}
    company.fake.add_member("SunQi", "孙七", departments=[9])
    company.fake.app.redirect_domain = "genjin.example.com"

    assert company.sync().added == 6
    assert {"赵六", "孙七"} <= company.people().keys()
    facts = company.db.read(lambda s: directory.status(s, "wecom")).facts
    assert facts == {"trusted_domain": "genjin.example.com", "closed": False}


def test_the_lists_do_without_the_apps_own_record(company: Company) -> None:
    company.db.write(lambda s: lists.put_person(s, now=NOW, name="赵六", wecom="ZhaoLiu"))
    company.fake.app.members.add("zhaoliu")
    company.fake.fail("agent/get", errcode=48002, times=None)

    assert company.sync().members == 5  # whom we know is asked for by name
    assert company.people()["赵六"].active


def test_out_of_sight_twice_is_gone_and_the_disabled_at_once(company: Company) -> None:
    company.sync()
    company.fake.state.members["zhoukai"].status = 2
    company.fake.state.members["lina"].department = [9]

    assert company.sync().left == 1
    assert not company.people()["周凯"].active and company.people()["李娜"].active
    assert company.sync().left == 1
    assert not company.people()["李娜"].active


def test_a_broken_answer_changes_nobody_and_is_told(company: Company) -> None:
    company.sync()
    company.fake.fail("user/list", errcode=60011, times=None)
    before = company.people()

    for _ in range(3):
        with pytest.raises(ChannelError):
            company.sync()
    assert company.people() == before
    found = company.problem()
    assert found is not None
    assert (found.problem, found.detail["errcode"]) == ("directory_failed", 60011)
    company.fake.heal()
    company.sync()
    assert company.problem() is None


def test_a_busy_platform_is_asked_again_and_not_for_ever(company: Company) -> None:
    company.fake.fail("department/list", errcode=-1, times=2)
    company.sync()
    assert len(company.pauses) == 2

    company.fake.fail("department/list", errcode=-1, times=None)
    with pytest.raises(ChannelError):
        company.sync()
    assert len(company.pauses) == 4


def test_an_empty_range_is_a_mistake_of_settings_and_removes_nobody(company: Company) -> None:
    company.sync()
    company.fake.app.departments.clear()

    for _ in range(3):
        with pytest.raises(NobodyVisible):
            company.sync()
    assert all(one.active for one in company.people().values())
    found = company.problem()
    assert found is not None and found.problem == "nobody_visible"


def test_a_slot_is_synced_once_and_a_failure_waits(company: Company) -> None:
    company.do(lambda one: one.run_due("wecom"))
    asked = company.calls("department/list")
    company.do(lambda one: one.run_due("wecom"))
    assert company.calls("department/list") == asked == 1

    company.clock.move(timedelta(hours=4))
    company.fake.fail("department/list", errcode=60011, times=None)
    company.fake.fail("user/get", errcode=48002, times=None)

    async def thrice(one: Directory) -> None:
        for _ in range(3):
            await one.run_due("wecom")
        company.fake.heal()
        await one.run_due("wecom")
        assert company.calls("user/get") == failed  # not right after a failure
        company.clock.move(timedelta(minutes=20))
        await one.run_due("wecom")

    failed = company.calls("user/get") + 1
    company.do(thrice)
    assert company.db.read(lambda s: directory.status(s, "wecom")).whole_at == company.clock.now()
    assert company.problem() is None


def test_a_change_that_the_platform_told_of_is_read_soon(company: Company) -> None:
    company.do(lambda one: one.run_due("wecom"))
    company.fake.add_member("new", "新人", departments=[3])
    company.clock.move(timedelta(minutes=1))
    company.db.write(lambda s: directory.want(s, "wecom_bot", now=company.clock.now()))

    company.do(lambda one: one.run_due("wecom"))
    assert "新人" not in company.people()  # several wishes share one sync
    company.clock.move(timedelta(minutes=5))
    company.do(lambda one: one.run_due("wecom"))
    assert "新人" in company.people()
    asked = company.calls("department/list")
    company.do(lambda one: one.run_due("wecom"))
    assert company.calls("department/list") == asked


def test_somebody_new_is_learnt_alone(company: Company) -> None:
    company.sync()
    company.fake.add_member("new", "新人", departments=[3])

    applied = company.do(lambda one: one.learn("wecom", "New"))
    assert applied.added == 1
    assert company.people()["新人"].manager == "王磊"
    assert company.do(lambda one: one.learn("wecom", "zhaoliu")).added == 0
    assert all(one.active for one in company.people().values())


class Slow:
    """A directory that lets the test in between reading and taking over."""

    channel = "wecom"

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        self._meanwhile = meanwhile

    async def fetch(self, known: Any) -> Fetched:
        await asyncio.to_thread(self._meanwhile)
        return Fetched(members=(Member(user_id="a", shown_id="a", name="甲"),))

    async def member(self, user_id: str) -> Fetched:
        raise AssertionError


def test_of_two_processes_only_one_takes_the_slot(db: Database) -> None:
    clock = FixedClock(NOW)
    other = Directory(db, clock, [Slow(lambda: None)])
    mine = Directory(db, clock, [Slow(lambda: asyncio.run(other.run_due("wecom")))])

    assert asyncio.run(mine.run_due("wecom")) is None
    assert len(db.read(office.people)) == 1
