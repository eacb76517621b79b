"""What doctor and the set-up page can ask, and who sits before a browser."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from bot.channels.base import ChannelError
from bot.channels.dingtalk.checks import check
from bot.channels.dingtalk.sign_in import DingTalkSignIn
from bot.web.deps import CodeOver, Outsider
from storage.database import Database
from tests.support.ding_desk import DingDesk


@pytest.fixture
def desk(sqlite_url: str, tmp_path: Path) -> Iterator[DingDesk]:
    db = Database(sqlite_url)
    made = DingDesk(db, tmp_path)
    yield made
    made.close()
    db.close()


def steps(desk: DingDesk) -> dict[str, str]:
    found = desk.call(check(desk.bot))
    return {
        one.step: "" if one.fine else (one.finding.problem if one.finding else one.why)
        for one in found
    }


def test_an_app_that_works(desk: DingDesk) -> None:
    assert steps(desk) == dict.fromkeys(("token", "stream", "departments", "members", "robot"), "")
    assert desk.fake.messages == []
    assert "people" not in desk.problems()


def test_every_missing_thing_by_its_name(desk: DingDesk) -> None:
    desk.fake.app.scopes.clear()
    found = steps(desk)
    assert found["token"] == found["stream"] == ""
    assert {found[step] for step in ("departments", "members", "robot")} == {"no_permission"}


def test_a_wrong_secret_ends_the_questions(desk: DingDesk) -> None:
    desk.fake.app.client_secret = "changed"
    assert steps(desk) == {"token": "bad_secret"}


def test_a_foreign_address(desk: DingDesk) -> None:
    desk.fake.rules.blocked_ip = True
    assert steps(desk)["members"] == "untrusted_ip"


# --- sign-in --------------------------------------------------------------------------------------


@pytest.fixture
def way(desk: DingDesk) -> DingTalkSignIn:
    app = desk.fake.app
    return DingTalkSignIn(
        desk.bot.client,
        desk.bot.oapi,
        client_id=app.client_id,
        secret=app.client_secret,
        base=desk.fake.login_base,
    )


def come_back(desk: DingDesk, way: DingTalkSignIn, user: str) -> str:
    """Log in as *user*; the code that the browser brings back."""
    desk.fake.do(lambda: setattr(desk.fake.tokens, "signed_in", user))

    async def visit() -> str:
        address = way.address("https://bot.example.com/oauth/dingtalk", "abc123")
        async with (
            aiohttp.ClientSession() as session,
            session.get(address, allow_redirects=False) as answer,
        ):
            assert answer.status == 302, await answer.text()
            return answer.headers["Location"]

    query = parse_qs(urlsplit(asyncio.run(visit())).query)
    assert query["state"] == ["abc123"]
    return query["authCode"][0]


def test_whoever_logs_in_is_known_once(desk: DingDesk, way: DingTalkSignIn) -> None:
    code = come_back(desk, way, "lina")
    assert desk.call(way.user(code)) == "lina"
    with pytest.raises(CodeOver):
        desk.call(way.user(code))


def test_somebody_of_another_company_is_nobody(desk: DingDesk, way: DingTalkSignIn) -> None:
    code = come_back(desk, way, "lina")
    desk.fake.do(lambda: desk.fake.fail("/topapi/user/getbyunionid", 60121))
    with pytest.raises(Outsider):
        desk.call(way.user(code))


def test_a_platform_in_trouble_is_no_verdict(desk: DingDesk, way: DingTalkSignIn) -> None:
    code = come_back(desk, way, "lina")
    desk.fake.fail("/v1.0/contact/*", "system.busy")
    with pytest.raises(ChannelError) as failed:
        desk.call(way.user(code))
    assert failed.value.transient


@pytest.mark.parametrize(
    ("agent", "ours"),
    [
        ("Mozilla/5.0 AliApp(DingTalk/7.6.0)", True),
        ("Mozilla/5.0 dingtalk-win/1.0", True),
        ("Mozilla/5.0 wxwork/4.1", False),
    ],
)
def test_only_dingtalks_own_browser(way: DingTalkSignIn, agent: str, ours: bool) -> None:
    assert way.fits(agent) is ours
