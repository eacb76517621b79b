"""People from the directory: what the storage takes over, on both engines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from storage import directory, directory_sync, lists, office, people
from storage.database import Database
from storage.directory import Applied, Department, Member
from storage.tables import AuditRow, PersonRow

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
EAST = Department(id="2", name="华东销售部")
NORTH = Department(id="3", name="华北销售部")


def member(user_id: str, name: str, *managers: str, **given: Any) -> Member:
    departments = given.pop("departments", (EAST,))
    return Member(
        user_id=user_id.lower(),
        shown_id=user_id,
        name=name,
        managers=managers,
        departments=departments,
        **given,
    )


WANG = member("WangLei", "王磊", leads=True)
LI = member("lina", "李娜", "wanglei")


class Company:
    def __init__(self, db: Database) -> None:
        self.db, self.now = db, NOW

    def sync(self, *members: Member, whole: bool = True) -> Applied:
        self.now += timedelta(hours=4)
        return self.db.write(
            lambda s: directory_sync.apply(s, "wecom", members, now=self.now, whole=whole)
        )

    def add(self, name: str, **given: Any) -> int:
        return self.db.write(lambda s: lists.put_person(s, now=NOW, name=name, **given).id)

    def people(self) -> dict[str, office.PersonEntry]:
        return {one.name: one for one in self.db.read(office.people)}

    def person(self, name: str) -> office.PersonEntry:
        return self.people()[name]


@pytest.fixture
def company(database: Database) -> Company:
    return Company(database)


def test_the_visible_range_becomes_the_people(company: Company) -> None:
    applied = company.sync(LI, WANG)

    assert (applied.members, applied.added, applied.updated) == (2, 2, 0)
    wang, li = company.person("王磊"), company.person("李娜")
    assert (wang.role, wang.wecom, wang.team) == ("manager", "wanglei", "华东销售部")
    assert (li.role, li.manager) == ("rep", "王磊")
    assert company.sync(LI, WANG) == Applied(members=2)  # nothing new: nothing done


def test_whoever_is_known_keeps_the_id_and_what_was_set_here(company: Company) -> None:
    number = company.add("老王", role="finance", wecom="WangLei", team="总部", region="华东")

    company.sync(WANG, LI)

    wang = company.person("王磊")
    assert (wang.id, wang.role, wang.team, wang.region) == (number, "finance", "总部", "华东")
    assert "老王" not in company.people()
    company.sync(member("wanglei", "王磊磊", leads=True), LI)
    assert company.person("王磊磊").id == number
    company.db.write(lambda s: lists.put_person(s, now=NOW, name="王磊磊", role="rep"))
    company.sync(member("wanglei", "王磊磊", leads=True), LI)
    assert company.person("王磊磊").role == "rep"


def test_a_name_links_a_person_without_an_id_once_it_is_certain(company: Company) -> None:
    number = company.add("李娜", team="二组")
    company.add("陈会", role="admin")

    applied = company.sync(LI, member("chenhui", "陈会"), WANG)

    assert (company.person("李娜").id, company.person("李娜").wecom) == (number, "lina")
    assert company.person("陈会").wecom == ""  # nobody becomes the admin by a name
    assert applied.held == ("陈会",)
    company.db.write(lambda s: lists.put_person(s, now=NOW, name="陈会", wecom="ChenHui"))
    assert company.sync(LI, member("chenhui", "陈会"), WANG).held == ()
    assert [one for one in company.people() if one.startswith("陈会")] == ["陈会"]


def test_two_of_one_name_are_held_until_the_admin_says_who_is_who(company: Company) -> None:
    company.add("王磊", role="manager")
    other = member("wanglei2", "王磊", departments=(NORTH,))

    assert company.sync(WANG, other).held == ("王磊",)
    assert company.person("王磊").wecom == ""
    company.db.write(lambda s: lists.put_person(s, now=NOW, name="王磊", wecom="wanglei"))
    assert company.sync(WANG, other).held == ()
    assert company.person("王磊").wecom == "wanglei"
    assert company.person("王磊（华北销售部）").wecom == "wanglei2"


def test_new_people_of_one_name_are_told_apart_and_stay_so(company: Company) -> None:
    same = [member(f"wl{n}", "王磊", departments=()) for n in range(3)]
    same.append(member("wl9", "王磊"))

    company.sync(*same)
    names = {one.wecom: one.name for one in company.people().values()}

    assert names == {"wl0": "王磊", "wl1": "王磊2", "wl2": "王磊3", "wl9": "王磊（华东销售部）"}
    assert company.sync(*same) == Applied(members=4)


def test_a_manager_set_here_is_left_alone(company: Company) -> None:
    company.sync(LI, WANG, member("chen", "陈涛"))
    company.db.write(
        lambda s: lists.put_person(s, now=NOW, name="李娜", manager="陈涛", manager_fixed=True)
    )

    company.sync(LI, WANG, member("chen", "陈涛"))
    assert company.person("李娜").manager == "陈涛"
    company.db.write(lambda s: lists.put_person(s, now=NOW, name="李娜", manager_fixed=False))
    company.sync(LI, WANG, member("chen", "陈涛"))
    assert company.person("李娜").manager == "王磊"


def test_the_first_manager_who_is_here_counts_and_none_leaves_ours(company: Company) -> None:
    company.add("陈涛", role="director")
    company.add("李娜", wecom="lina", manager="陈涛")

    company.sync(member("lina", "李娜", "outside"))
    assert company.person("李娜").manager == "陈涛"
    company.sync(member("lina", "李娜", "outside", "wanglei"), WANG)
    assert company.person("李娜").manager == "王磊"


def test_nobody_is_led_in_a_circle(company: Company) -> None:
    ring = (member("a", "甲", "b", "d"), member("b", "乙", "c"), member("c", "丙", "a", "d"))
    company.sync(*ring, member("d", "丁"))

    managers = {one.name: one.manager for one in company.people().values()}
    assert managers == {"甲": "乙", "乙": "丙", "丙": "丁", "丁": ""}


def test_disabled_and_back_again(company: Company) -> None:
    company.sync(LI, WANG)

    assert company.sync(member("lina", "李娜", "wanglei", active=False), WANG).left == 1
    assert not company.person("李娜").active
    assert company.sync(LI, WANG).back == 1
    assert company.person("李娜").active


def test_missing_once_is_no_leaving_missing_twice_is(company: Company) -> None:
    company.sync(LI, WANG)
    number = company.person("李娜").id

    assert company.sync(WANG).left == 0
    company.sync(WANG, whole=False)  # one person alone says nothing about the others
    assert company.person("李娜").active
    assert company.sync(LI, WANG).left == 0
    assert company.sync(WANG).left == 0
    assert company.sync(WANG).left == 1
    assert not company.person("李娜").active
    assert company.sync(LI, WANG).back == 1
    assert (company.person("李娜").id, company.person("李娜").active) == (number, True)


def test_who_left_by_hand_stays_away_and_people_by_hand_stay(company: Company) -> None:
    company.add("周凯")  # without an id: the directory has no say
    company.add("孙七", wecom="sunqi")  # never seen there
    company.sync(LI, WANG)
    company.db.write(lambda s: lists.put_person(s, now=NOW, name="李娜", active=False))

    for _ in range(3):
        company.sync(LI, WANG)

    assert not company.person("李娜").active
    assert company.person("周凯").active and company.person("孙七").active
    lacks = company.db.read(lambda s: directory.lacks(s, "wecom"))
    assert (lacks.without_id, lacks.unknown_id) == (("周凯",), ("孙七",))


def test_somebody_disabled_from_the_start_is_nobody_here(company: Company) -> None:
    gone = member("zhao", "赵六", active=False)

    assert company.sync(LI, gone).added == 1
    assert company.sync(LI, member("zhao", "赵六")).added == 1


def test_becoming_a_leader_makes_a_manager_of_a_rep_only(company: Company) -> None:
    company.sync(member("a", "甲"), member("b", "乙"))
    company.db.write(lambda s: lists.put_person(s, now=NOW, name="乙", role="engineer"))

    company.sync(member("a", "甲", leads=True), member("b", "乙", leads=True))

    assert (company.person("甲").role, company.person("乙").role) == ("manager", "engineer")


def test_the_team_follows_the_department_unless_it_was_set_here(company: Company) -> None:
    company.sync(LI, WANG)
    company.db.write(lambda s: lists.put_person(s, now=NOW, name="王磊", team="大客户"))

    moved = member("wanglei", "王磊", leads=True, departments=(NORTH,))
    company.sync(member("lina", "李娜", "wanglei", departments=(NORTH,)), moved)

    assert (company.person("李娜").team, company.person("王磊").team) == ("华北销售部", "大客户")


def test_every_change_is_in_the_log_and_the_lists_are_new(company: Company) -> None:
    company.sync(LI, WANG)
    company.sync(member("lina", "李娜娜", "wanglei"), WANG)

    with_who = company.db.read(lambda s: s.scalars(sa.select(AuditRow).order_by(AuditRow.id)).all())
    assert {(row.who, row.action) for row in with_who} == {("directory", "user.sync")}
    assert (with_who[-1].old, with_who[-1].new) == ({"name": "李娜"}, {"name": "李娜娜"})
    assert company.db.read(lambda s: directory.status(s, "wecom")).applied.updated == 1


def test_ids_are_found_however_they_are_spelt(company: Company) -> None:
    company.sync(WANG)

    found = company.db.read(lambda s: people.by_platform(s, "wecom", "WANGLEI"))
    assert found is not None and found.name == "王磊"
    assert company.db.read(lambda s: people.by_platform(s, "wecom_bot", "WangLei")) == found
    assert company.db.read(lambda s: directory.known_ids(s, "wecom")) == {"wanglei"}
    assert company.db.read(lambda s: s.scalar(sa.select(PersonRow.wecom_id))) == "wanglei"
