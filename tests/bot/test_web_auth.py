"""Log-in by one-time link, and what every request must bring."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.web import auth
from sales.clock import FixedClock
from storage import links
from storage.database import Database
from tests.support.desk import MONDAY, Desk
from tests.support.site import Site, on_site


@pytest.fixture
def desk(sqlite_url: str, tmp_path: Path) -> Iterator[Desk]:
    db = Database(sqlite_url)
    made = Desk(db, tmp_path)
    yield made
    made.close()
    db.close()


def test_a_link_logs_in_once(desk: Desk) -> None:
    async def test(site: Site) -> None:
        code = site.link(desk.lina)
        page = await site.text(f"/login?code={code}")  # as a chat program that looks ahead does
        assert code in page and "进入" in page
        assert (await site.get("/console")).status == 403
        first = await site.post("/login", data={"code": code})
        assert (first.status, first.headers["Location"]) == (303, "/console")
        cookie = first.headers["Set-Cookie"]
        assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
        assert (await site.get("/console")).status == 200
        site.session.cookie_jar.clear()
        again = await site.post("/login", data={"code": code})
        said = await again.text()
        assert again.status == 403 and "已经用过" in said and "genjin link" in said

    on_site(desk, test)


def test_an_old_or_unknown_link_says_how_to_get_a_new_one(desk: Desk) -> None:
    async def test(site: Site) -> None:
        old = site.link(now=MONDAY - timedelta(hours=2))
        for code, words in ((old, "过期"), ("nonsense", "没有复制完整"), ("", "没有复制完整")):
            answer = await site.post("/login", data={"code": code})
            said = await answer.text()
            assert answer.status == 403 and words in said and "genjin link" in said

    on_site(desk, test)


def test_pages_and_scripts_are_refused_without_a_session(desk: Desk) -> None:
    async def test(site: Site) -> None:
        for path in ("/", "/console", "/today", "/jobs", "/m/1", "/c/1", "/go/abc"):
            answer = await site.get(path)
            assert answer.status == 403, path
            assert "请先登录" in await answer.text()
        for path in ("/console/api/state", "/console/events?people=1"):
            answer = await site.get(path)
            assert (answer.status, await answer.json()) == (403, {"error": "no_session"})
        for path in ("/livez", "/readyz", "/metrics", "/static/app.css", "/login"):
            assert (await site.get(path)).status == 200, path

    on_site(desk, test)


def test_a_write_needs_our_origin_and_the_token(desk: Desk) -> None:
    async def test(site: Site) -> None:
        await site.log_in(desk.lina)
        body = {"person": desk.lina, "event_key": site.key(), "text": "你好"}
        for headers in (
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Origin": ""},
            {"X-Genjin-Token": ""},
            {"X-Genjin-Token": "wrong"},
        ):
            refused = await site.post("/console/api/say", json=body, headers=headers)
            assert (refused.status, await refused.json()) == (403, {"error": "foreign"})
        assert (await site.post("/console/api/say", json=body)).status == 200

    on_site(desk, test)


def test_a_host_that_is_not_ours_is_refused(desk: Desk) -> None:
    async def test(site: Site) -> None:
        for host in ("evil.example", "127.0.0.1.evil.example", "", "[bad"):
            assert (await site.get("/livez", headers={"Host": host})).status in (400, 421), host
        for host in ("localhost:1", "127.0.0.1", "[::1]:8710", "bot.example.com", "extra.example"):
            assert (await site.get("/livez", headers={"Host": host})).status == 200, host

    on_site(desk, test, public_url="https://bot.example.com", hosts=("extra.example",))


def test_behind_https_the_cookie_is_secure_and_the_public_origin_is_ours(desk: Desk) -> None:
    async def test(site: Site) -> None:
        headers = {"Host": "bot.example.com", "Origin": "https://bot.example.com"}
        code = site.link(desk.lina)
        answer = await site.post("/login", data={"code": code}, headers=headers)
        assert answer.status == 303 and "Secure" in answer.headers["Set-Cookie"]

    on_site(desk, test, public_url="https://bot.example.com")


def test_every_answer_is_guarded_by_headers(desk: Desk) -> None:
    async def test(site: Site) -> None:
        await site.log_in()
        for path in ("/console", "/console/assets/console.js", "/nowhere", "/console/api/state"):
            headers = (await site.get(path)).headers
            policy = headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy and "unsafe" not in policy
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Permissions-Policy"].startswith("microphone=(self)")
        page = await site.text("/console")
        assert "<script>" not in page and "style=" not in page and " on" + "click" not in page

    on_site(desk, test)


def test_a_session_cannot_be_made_up_and_ends() -> None:
    key = b"k" * 32
    cookie = auth.sign_in(key, 4, now=MONDAY)
    holder = auth.visitor_of(key, cookie, now=MONDAY)
    assert holder is not None and holder.person_id == 4
    payload, _, mac = cookie.partition(".")
    other = auth.sign_in(key, 1, now=MONDAY).partition(".")[0]
    for forged in (f"{other}.{mac}", f"{payload}.", payload, "", ".", f"{payload}x.{mac}", "一.二"):
        assert auth.visitor_of(key, forged, now=MONDAY) is None
    assert auth.visitor_of(b"j" * 32, cookie, now=MONDAY) is None
    assert auth.visitor_of(key, cookie, now=MONDAY + auth.SESSION_FOR) is None


def test_a_person_sees_only_their_own_pane(desk: Desk) -> None:
    async def test(site: Site) -> None:
        await site.log_in(desk.lina)
        state = await (await site.get(f"/console/api/state?people={desk.lina}")).json()
        assert [one["name"] for one in state["people"]] == ["李娜"]
        assert (await site.get(f"/console/api/state?people={desk.wanglei}")).status == 403
        assert (await site.get(f"/console/events?people={desk.wanglei}")).status == 403
        assert (await site.say(desk.wanglei, "同意")).status == 403

    on_site(desk, test)


def test_a_short_link_shows_and_is_for_one_person(desk: Desk) -> None:
    def link(person: int, target: str = "/m/7#undo") -> str:
        return desk.db.write(
            lambda s: links.add_go(s, now=desk.clock.now(), person_id=person, target=target)
        )

    async def test(site: Site) -> None:
        mine, foreign = link(desk.lina), link(desk.wanglei)
        away = link(desk.lina, "//evil.example/x")
        await site.log_in(desk.lina)
        for _ in range(2):  # opening spends nothing
            answer = await site.get(f"/go/{mine}")
            assert (answer.status, answer.headers["Location"]) == (303, "/m/7#undo")
        refused = await site.get(f"/go/{foreign}")
        assert refused.status == 403 and "不是给你的" in await refused.text()
        assert (await site.get(f"/go/{away}")).headers["Location"] == "/"
        assert isinstance(desk.clock, FixedClock)
        desk.clock.move(timedelta(hours=25))
        over = await site.get(f"/go/{mine}")
        assert over.status == 410 and "链接已失效" in await over.text()

    on_site(desk, test)


def test_codes_are_kept_as_hashes_only(desk: Desk) -> None:
    code = desk.db.write(lambda s: links.add_login(s, now=MONDAY))
    raw = Path(desk.db.url.removeprefix("sqlite:///")).read_bytes()
    wal = Path(desk.db.url.removeprefix("sqlite:///") + "-wal")
    assert code.encode() not in raw + (wal.read_bytes() if wal.exists() else b"")


def test_log_out_ends_the_session(desk: Desk) -> None:
    async def test(site: Site) -> None:
        await site.log_in(desk.lina)
        answer = await site.post("/logout", data={"token": site.token})
        assert answer.status == 303
        assert (await site.get("/console")).status == 403

    on_site(desk, test)
