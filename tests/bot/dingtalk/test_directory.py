"""The company as DingTalk's address book says, and the old API behind it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.channels.base import ChannelAway, ChannelError, OutcomeUnknown
from bot.channels.dingtalk.errors import DingTalkError
from bot.directory import Directory
from storage import people
from storage.database import Database
from storage.directory import Member
from tests.support.ding_desk import DingDesk


@pytest.fixture
def desk(sqlite_url: str, tmp_path: Path) -> Iterator[DingDesk]:
    db = Database(sqlite_url)
    made = DingDesk(db, tmp_path)
    fake = made.fake
    fake.add_department(10, "销售部", 1)
    fake.add_department(11, "华东组", 10)
    fake.change_person("wanglei", depts=[10], leads=[10])
    fake.change_person("lina", depts=[11], manager="")
    fake.change_person("zhoukai", depts=[11], manager="chenzong", title="销售")
    fake.add_person("chenzong", "陈总", depts=[1], leads=[1])
    yield made
    made.close()
    db.close()


def fetched(desk: DingDesk, *known: str) -> dict[str, Member]:
    found = desk.call(desk.bot.directory.fetch(known))
    return {one.user_id: one for one in found.members}


def test_everybody_with_departments_and_managers(desk: DingDesk) -> None:
    members = fetched(desk)
    assert set(members) == {"lina", "wanglei", "zhoukai", "chenzong"}
    assert members["lina"].name == "李娜"
    assert [one.name for one in members["lina"].departments] == ["华东组"]
    # nobody leads 华东组, so whoever leads the department above it
    assert members["lina"].managers == ("wanglei", "chenzong")
    assert members["zhoukai"].managers[0] == "chenzong"  # the record's own word comes first
    assert members["wanglei"].managers == ("chenzong",)
    assert members["chenzong"].managers == ()
    assert members["wanglei"].leads
    assert not members["lina"].leads
    assert members["zhoukai"].position == "销售"
    assert desk.fake.api_used == 0  # these reads are free
    assert desk.fake.complaints == []


def test_hundreds_of_people_come_page_by_page(desk: DingDesk) -> None:
    desk.fake.rules.qps = None
    for number in range(130):
        desk.fake.add_person(f"p{number}", f"某{number}", depts=[11])
    assert len(fetched(desk)) == 134


def test_only_who_is_in_the_range_and_nobody_who_left(desk: DingDesk) -> None:
    desk.fake.app.visible = {"lina", "wanglei"}
    assert set(fetched(desk, "lina", "zhoukai", "nobody")) == {"lina", "wanglei"}
    desk.fake.change_person("wanglei", active=False)
    assert set(fetched(desk, "wanglei")) == {"lina"}
    assert "people" not in desk.problems()


def test_one_who_is_new(desk: DingDesk) -> None:
    [one] = desk.call(desk.bot.directory.member("lina")).members
    assert (one.name, one.departments[0].name) == ("李娜", "华东组")
    assert desk.call(desk.bot.directory.member("nobody")).members == ()


def test_half_an_answer_is_none(desk: DingDesk) -> None:
    desk.fake.fail("/topapi/v2/user/get", 15, times=1)
    with pytest.raises(ChannelError) as failed:
        fetched(desk)
    assert failed.value.transient


def test_a_missing_permission_is_shown_with_its_name(desk: DingDesk) -> None:
    desk.fake.app.scopes.discard("qyapi_get_department_member")
    with pytest.raises(ChannelAway):
        fetched(desk)
    assert desk.problems() == {"permission:qyapi_get_department_member": "no_permission"}


def test_the_directory_takes_it_over(desk: DingDesk) -> None:
    directory = Directory(desk.db, desk.clock, [desk.bot.directory])
    desk.call(directory.sync("dingtalk"))
    found = desk.db.read(lambda s: people.by_platform(s, "dingtalk", "chenzong"))
    assert found is not None
    assert found.name == "陈总"
    managers = desk.db.read(lambda s: people.managers_of(s, desk.desk.zhoukai))
    assert managers[0] == found.id


# --- the old API through the SDK ------------------------------------------------------------------


def test_a_token_that_ended_is_renewed_once_and_shared_with_the_new_api(desk: DingDesk) -> None:
    desk.send(text="一")
    desk.fake.expire_tokens()
    desk.call(desk.bot.directory.member("lina"))
    desk.send(effect_key="e:2", text="二")
    assert desk.fake.count("/v1.0/oauth2/accessToken") == 2


def test_a_token_that_never_works_ends(desk: DingDesk) -> None:
    desk.fake.fail("/topapi/v2/user/get", 40014, times=None)
    with pytest.raises(DingTalkError) as refused:
        desk.call(desk.bot.directory.member("lina"))
    assert refused.value.transient
    assert desk.fake.count("/topapi/v2/user/get") == 2


def test_work_notices_are_paid_and_may_have_arrived(desk: DingDesk) -> None:
    msg = {"msgtype": "text", "text": {"content": "逾期提醒 17:08"}}
    assert desk.call(desk.bot.oapi.work_notice(["lina"], msg)) > 0
    assert desk.fake.seen("lina")[-1].via == "notice"
    assert desk.fake.api_used == 1
    desk.fake.lose_answer("/topapi/message/corpconversation/asyncsend_v2")
    with pytest.raises(OutcomeUnknown):
        desk.call(desk.bot.oapi.work_notice(["lina"], msg))


def test_the_firewalls_page_is_no_answer(desk: DingDesk) -> None:
    desk.call(desk.bot.client.tokens.get())
    desk.fake.rules.banned = True
    with pytest.raises(ChannelAway):
        desk.call(desk.bot.directory.member("lina"))
    assert desk.problems()["ip"] == "ip_banned"


def test_whoever_opens_our_page_is_known_by_a_code_that_works_once(desk: DingDesk) -> None:
    code = desk.fake.do(lambda: desk.fake.tokens.code("client", "lina"))
    assert desk.call(desk.bot.oapi.user_by_code(code)) == "lina"
    with pytest.raises(DingTalkError):
        desk.call(desk.bot.oapi.user_by_code(code))


def test_the_sdk_writes_no_token_into_the_log(
    desk: DingDesk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.fake.fail("/topapi/v2/user/get", 15, times=1)
    with caplog.at_level(logging.DEBUG), pytest.raises(ChannelError) as failed:
        desk.call(desk.bot.directory.member("lina"))
    token = desk.call(desk.bot.client.tokens.get())
    assert token not in caplog.text
    assert token not in str(failed.value)


def test_a_slow_answer_blocks_nobody_else(desk: DingDesk) -> None:
    desk.fake.slow("/topapi/v2/user/get", 0.5)

    async def both() -> list[str]:
        order: list[str] = []

        async def slow() -> None:
            await desk.bot.directory.member("lina")
            order.append("slow")

        async def quick() -> None:
            await desk.bot.client.tokens.get()
            order.append("quick")

        await asyncio.gather(slow(), quick())
        return order

    desk.call(desk.bot.client.tokens.get())
    assert desk.call(both()) == ["quick", "slow"]


def test_later_the_slot_comes_again(desk: DingDesk) -> None:
    directory = Directory(desk.db, desk.clock, [desk.bot.directory])
    assert desk.call(directory.run_due("dingtalk")) is not None
    assert desk.call(directory.run_due("dingtalk")) is None
    desk.clock.move(timedelta(minutes=30))
    desk.up()
    desk.fake.event("user_add_org", {"userId": ["neu"]}).wait()
    desk.fake.add_person("neu", "新人", depts=[11])
    assert desk.call(directory.run_due("dingtalk")) is not None
    assert desk.db.read(lambda s: people.by_platform(s, "dingtalk", "neu")) is not None
