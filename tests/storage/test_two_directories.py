"""People on both platforms: who is one person, and which platform's word holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from storage import directory_sync, lists, office
from storage.database import Database
from storage.directory import Applied, Department, Member

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
EAST = Department(id="2", name="华东销售部")
NORTH = Department(id="3", name="华北销售部")


def member(user_id: str, name: str, *managers: str, **given: Any) -> Member:
    given.setdefault("departments", (EAST,))
    return Member(user_id=user_id, shown_id=user_id, name=name, managers=managers, **given)


W_WANG, W_LI = member("wanglei", "王磊", leads=True), member("lina", "李娜", "wanglei")
D_LI = member("ding-li", "李娜", "ding-chen", departments=(NORTH,))
D_CHEN = member("ding-chen", "陈涛", leads=True)


class Company:
    def __init__(self, db: Database) -> None:
        self.db, self.now = db, NOW

    def sync(self, channel: str, *members: Member, **more: Any) -> Applied:
        self.now += timedelta(hours=4)
        return self.db.write(
            lambda s: directory_sync.apply(s, channel, members, now=self.now, **more)
        )

    def edit(self, name: str, **given: Any) -> None:
        self.db.write(lambda s: lists.put_person(s, now=NOW, name=name, **given))

    def person(self, name: str) -> office.PersonEntry:
        return {one.name: one for one in self.db.read(office.people)}[name]


@pytest.fixture
def company(database: Database) -> Company:
    """王磊 and 李娜 are on WeCom."""
    made = Company(database)
    made.sync("wecom", W_WANG, W_LI)
    return made


def test_the_same_name_is_the_same_person_when_the_admin_says_so(company: Company) -> None:
    number = company.person("李娜").id
    assert company.sync("dingtalk", D_LI, D_CHEN).held == ("李娜",)
    assert company.person("李娜").dingtalk == ""  # it may be somebody else
    assert company.person("陈涛").dingtalk == "ding-chen"

    company.edit("李娜", dingtalk="ding-li")
    assert company.sync("dingtalk", D_LI, D_CHEN).held == ()
    li = company.person("李娜")
    assert (li.id, li.wecom, li.dingtalk) == (number, "lina", "ding-li")


def test_one_word_for_all_names_but_not_for_two_of_one_name_or_an_admin(company: Company) -> None:
    company.edit("陈会", role="admin", wecom="chenhui")
    twins = [member(f"ding-wl{n}", "王磊") for n in range(2)]
    said = company.sync("dingtalk", D_LI, D_CHEN, *twins, member("x", "陈会"), same_names=True)
    assert set(said.held) == {"王磊", "陈会"}
    assert company.person("李娜").dingtalk == "ding-li"
    assert company.person("陈会").dingtalk == company.person("王磊").dingtalk == ""


def test_somebody_added_by_hand_needs_no_word(company: Company) -> None:
    company.edit("孙七", role="rep")
    company.sync("dingtalk", member("ding-sun", "孙七"), D_CHEN)
    assert company.person("孙七").dingtalk == "ding-sun"


def test_the_platform_that_told_first_leads_and_nothing_flaps(company: Company) -> None:
    company.edit("李娜", dingtalk="ding-li")
    nick = member("ding-li", "小李", "ding-chen", departments=(NORTH,))
    company.sync("dingtalk", nick, D_CHEN)
    li = company.person("李娜")
    assert (li.manager, li.team) == ("王磊", "华东销售部")
    for _ in range(2):
        assert company.sync("wecom", W_WANG, W_LI).updated == 0
        assert company.sync("dingtalk", nick, D_CHEN).updated == 0

    moved = member("lina", "李娜", "wanglei", departments=(NORTH,))
    company.sync("wecom", W_WANG, moved)
    assert company.person("李娜").team == "华北销售部"


def test_the_other_platform_fills_what_the_first_does_not_know(company: Company) -> None:
    company.edit("王磊", dingtalk="ding-wang")
    wang = member("ding-wang", "王磊", "ding-chen")
    company.sync("dingtalk", wang, D_CHEN)
    assert company.person("王磊").manager == "陈涛"
    wang = member("ding-wang", "王磊", "ding-li")
    company.edit("李娜", dingtalk="ding-li")
    company.sync("dingtalk", wang, D_CHEN, member("ding-zhou", "周凯"))
    assert company.person("王磊").manager == "陈涛"  # 李娜 is below
    wang = member("ding-wang", "王磊", "ding-zhou")
    company.sync("dingtalk", wang, D_CHEN, member("ding-zhou", "周凯"))
    assert company.person("王磊").manager == "周凯"  # WeCom names nobody, so this one may change


def test_gone_from_one_platform_is_not_gone(company: Company) -> None:
    company.sync("dingtalk", D_LI, D_CHEN, same_names=True)
    for _ in range(2):
        assert company.sync("dingtalk", D_CHEN).left == 0
    assert company.person("李娜").active
    disabled = member("lina", "李娜", "wanglei", active=False)
    assert company.sync("wecom", W_WANG, disabled).left == 1
    assert not company.person("李娜").active
    assert company.sync("dingtalk", D_LI, D_CHEN).back == 1
    assert company.person("李娜").active
