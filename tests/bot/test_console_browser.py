"""The console's page in a real browser: bad connections, files, forms, small screens."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from storage.database import Database
from storage.tables import InboxRow
from tests.support.desk import Desk
from tests.support.require import require
from tests.support.site import Site, on_site

SAID = "今天拜访了恒基水泥的赵经理，报价每台一万二，我答应下周二之前给他加急方案"
SOON_MS = 10_000


@pytest.fixture
def desk(sqlite_url: str, tmp_path: Path) -> Iterator[Desk]:
    db = Database(sqlite_url)
    made = Desk(db, tmp_path)
    yield made
    made.close()
    db.close()


def in_browser(desk: Desk, chromium_path: str, drive: Callable[[Any, Any], None]) -> None:
    """Run *drive(page, lina's pane)* while the bot works."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        require("playwright", False, "not installed (pip install 'genjin[dev]')")
    options = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []

    def browse(url: str) -> None:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium_path, args=options)
            page = browser.new_page(locale="zh-CN")
            page.goto(url)
            page.wait_for_url("**/console")
            pane = page.locator('.pane[data-person="李娜"]')
            pane.wait_for()
            page.get_by_text("已连接").wait_for()
            drive(page, pane)
            browser.close()

    async def test(site: Site) -> None:
        async def work() -> None:
            while True:
                await site.work()
                await asyncio.sleep(0.05)

        working = asyncio.create_task(work())
        try:
            await asyncio.to_thread(browse, f"{site.base}/login?code={site.link()}")
        finally:
            working.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await working

    on_site(desk, test, demo=True)


def say(pane: Any, text: str) -> None:
    pane.locator("textarea").fill(text)
    pane.locator("textarea").press("Enter")


def test_a_message_is_tried_until_it_is_stored_once(desk: Desk, chromium_path: str) -> None:
    def drive(page: Any, pane: Any) -> None:
        answers = iter(["abort", "lost", "503", "pass"])

        def meddle(route: Any) -> None:
            match next(answers, "pass"):
                case "abort":
                    route.abort()
                case "lost":  # stored, but the answer never arrives
                    route.fetch()
                    route.abort()
                case "503":
                    route.fulfill(status=503, body="{}")
                case _:
                    route.continue_()

        page.route("**/console/api/say", meddle)
        say(pane, "你好")
        pane.locator(".state.is-alarm", has_text="正在重试").wait_for(timeout=SOON_MS)
        pane.locator(".is-mine .state", has_text="已收到 ✓").wait_for(timeout=SOON_MS)
        pane.locator(".is-bot", has_text="你好，李娜").wait_for(timeout=SOON_MS)
        assert pane.locator(".message").count() == 2

    in_browser(desk, chromium_path, drive)
    assert desk.count(InboxRow) == 1


def test_what_was_not_stored_outlives_the_page(desk: Desk, chromium_path: str) -> None:
    def drive(page: Any, pane: Any) -> None:
        page.route("**/console/api/say", lambda route: route.abort())
        say(pane, "你好")
        pane.locator(".state", has_text="正在重试").wait_for(timeout=SOON_MS)
        page.unroute("**/console/api/say")
        page.reload()
        pane.locator(".is-mine .state", has_text="已收到 ✓").wait_for(timeout=SOON_MS)
        pane.locator(".is-bot", has_text="你好，李娜").wait_for(timeout=SOON_MS)

    in_browser(desk, chromium_path, drive)
    assert desk.count(InboxRow) == 1


def test_a_broken_connection_is_told_and_made_up_for(desk: Desk, chromium_path: str) -> None:
    def drive(page: Any, pane: Any) -> None:
        page.context.set_offline(True)
        page.evaluate("window.dispatchEvent(new Event('offline'))")
        say(pane, "你好")
        pane.locator(".state", has_text="正在重试").wait_for(timeout=SOON_MS)
        page.context.set_offline(False)
        pane.locator(".is-bot", has_text="你好，李娜").wait_for(timeout=20_000)
        page.get_by_text("已连接").wait_for(timeout=20_000)

    in_browser(desk, chromium_path, drive)
    assert desk.count(InboxRow) == 1


def test_files_are_shown_as_what_they_are(desk: Desk, chromium_path: str, tmp_path: Path) -> None:
    fake, big = tmp_path / "文字.amr", tmp_path / "长.wav"
    fake.write_text("不是录音")
    with big.open("wb") as file:
        file.truncate(61 * 2**20)
    picture = tmp_path / "名片.png"
    picture.write_bytes(
        bytes.fromhex(
            "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
            "0000000c4944415408d763f8ffff3f0005fe02fe0def46b80000000049454e44ae426082"
        )
    )

    def drive(page: Any, pane: Any) -> None:
        picker = pane.locator("input[type=file]")
        picker.set_input_files(str(big))
        pane.locator(".pane-note", has_text="超过 60 MB").wait_for(timeout=SOON_MS)
        picker.set_input_files(str(picture))
        pane.locator(".kind-photo .state", has_text="已收到 ✓").wait_for(timeout=SOON_MS)
        picker.set_input_files(str(fake))
        pane.locator(".kind-voice .state", has_text="已收到 ✓").wait_for(timeout=SOON_MS)

    in_browser(desk, chromium_path, drive)
    kinds = desk.db.read(lambda s: s.scalars(sa.select(InboxRow.kind).order_by(InboxRow.id)).all())
    assert kinds == ["photo", "voice"]


def test_a_form_gives_back_what_was_chosen(desk: Desk, chromium_path: str) -> None:
    desk.say(desk.lina, SAID)

    def drive(page: Any, pane: Any) -> None:
        page.get_by_role("radio", name="钉钉").check()
        pane.get_by_role("button", name="修改").click()
        form = pane.locator(".card", has_text="改哪几项")
        form.locator("input[name=amount]").fill("11500")
        form.get_by_role("button", name="保存并入库").click()
        filed = pane.locator(".card", has_text="已入库｜")
        filed.wait_for(timeout=SOON_MS)
        assert "1.15 万" in filed.inner_text()
        assert filed.get_by_role("button", name="已入库").is_disabled()

    in_browser(desk, chromium_path, drive)


def test_a_late_tap_is_answered_and_the_card_is_free_again(desk: Desk, chromium_path: str) -> None:
    desk.say(desk.lina, SAID)

    def drive(page: Any, pane: Any) -> None:
        page.route("**/console/events?*", lambda route: route.abort())
        page.reload()  # this page will not hear that the card was filed elsewhere
        button = pane.get_by_role("button", name="确认入库")
        button.wait_for()
        desk.tap(desk.lina, "memo.ok")
        button.click()
        pane.get_by_text("已收到，正在处理").wait_for(timeout=SOON_MS)
        page.unroute("**/console/events?*")
        pane.locator(".card", has_text="已入库｜").wait_for(timeout=20_000)
        pane.get_by_text("已经处理过").wait_for(timeout=20_000)

    in_browser(desk, chromium_path, drive)


def test_it_fits_a_phone_and_a_keyboard(desk: Desk, chromium_path: str) -> None:
    desk.say(desk.lina, SAID)

    def drive(page: Any, pane: Any) -> None:
        page.set_viewport_size({"width": 360, "height": 740})
        pane.locator(".card").wait_for()
        assert page.evaluate("document.scrollingElement.scrollWidth") <= 360
        pane.locator("textarea").focus()
        names = []
        for _ in range(3):
            page.keyboard.press("Tab")
            names.append(page.evaluate("document.activeElement.textContent"))
        assert names[:2] == ["录音", "文件"]
        unnamed = page.evaluate(
            """[...document.querySelectorAll('button, select, textarea, input:not([type=file])')]
               .filter(one => !one.textContent.trim() && !one.getAttribute('aria-label')
                 && !one.labels?.length).length"""
        )
        assert unnamed == 0
        for path in (f"/m/1?as={desk.lina}", f"/c/1?as={desk.lina}", f"/today?as={desk.lina}"):
            page.goto(page.url.split("/", 3)[0] + "//" + page.url.split("/")[2] + path)
            assert page.evaluate("document.scrollingElement.scrollWidth") <= 360, path

    in_browser(desk, chromium_path, drive)
