"""The first journey of a new user, in a real browser with a microphone that plays a spoken memo."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest

from tests.support.require import require

ROOT = Path(__file__).resolve().parents[2]
MEMO = ROOT / "bot" / "demo" / "memos" / "s1.ogg"
START_S = 90.0
HEAR_MS = 90_000
ANSWER_MS = 20_000


def spoken_wav(path: Path) -> float:
    """The demo's first memo as a file that Chromium's fake microphone plays; its seconds."""
    rate = 48_000
    resampler = av.AudioResampler(format="s16", layout="mono", rate=rate)
    with av.open(str(MEMO)) as sound, wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        frames = 0
        for frame in (*sound.decode(audio=0), None):
            for part in resampler.resample(frame):
                out.writeframes(part.to_ndarray().tobytes())
                frames += part.samples
        out.writeframes(b"\0" * rate)  # half a second of silence
    return frames / rate


class Running:
    """``genjin up --demo`` as a process of its own, on a data folder of its own."""

    def __init__(self, home: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.said: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bot.cli", "up", "--demo", "--no-browser", "--port", str(port)],
            cwd=ROOT,
            env={**os.environ, "GENJIN_HOME": str(home), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said.append(line)

    def link(self) -> str:
        until = time.monotonic() + START_S
        while time.monotonic() < until and self._process.poll() is None:
            found = re.search(r"http://\S+/login\?code=\S+", "".join(self.said))
            if found:
                return found[0]
            time.sleep(0.1)
        raise AssertionError("it did not start:\n" + "".join(self.said))

    def stop(self) -> int:
        self._process.send_signal(signal.SIGTERM)
        try:
            status = self._process.wait(20)
        finally:
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
            self._reader.join(5)
            assert self._process.stdout is not None
            self._process.stdout.close()
        return status


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    made = Running(tmp_path / "home")
    yield made
    assert made.stop() == 0, "".join(made.said)
    assert "Traceback" not in "".join(made.said)


@pytest.fixture
def browser(tmp_path: Path, chromium_path: str) -> Iterator[Any]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        require("playwright", False, "not installed (pip install 'genjin[dev]')")
    wav = tmp_path / "memo.wav"
    spoken_wav(wav)
    options = [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={wav}%noloop",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--no-sandbox")  # Chromium refuses to run as root otherwise
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium_path, args=options)
        yield started
        started.close()


class Pane:
    """One person's chat on the page."""

    def __init__(self, page: Any, name: str) -> None:
        self.node = page.locator(f'.pane[data-person="{name}"]')

    def say(self, text: str) -> None:
        self.node.locator("textarea").fill(text)
        self.node.locator("textarea").press("Enter")

    def card(self, title: str) -> Any:
        """The newest card whose title contains *title*, once it is there."""
        found = self.node.locator(
            ".card", has=self.node.page.locator(".card-title", has_text=title)
        )
        found.last.wait_for(timeout=HEAR_MS)
        return found.last

    def record(self, seconds: float) -> None:
        self.node.get_by_role("button", name="录音").click()
        self.node.get_by_text("正在录音").wait_for()
        self.node.page.wait_for_timeout(seconds * 1000)
        self.node.get_by_role("button", name="说完了，发送").click()


def rows(card: Any) -> dict[str, str]:
    """Key to value as one reads them; what is struck through in ~ ~, sources left out."""
    found: dict[str, str] = card.evaluate(
        """card => Object.fromEntries([...card.querySelectorAll('.card-row')].map(row => {
            const key = row.querySelector('.card-key').firstChild.textContent;
            const value = row.querySelector('.card-value').cloneNode(true);
            for (const extra of value.querySelectorAll('.source, .meter')) extra.remove();
            for (const old of value.querySelectorAll('s')) old.textContent = `~${old.textContent}~`;
            return [key, value.textContent];
        }))"""
    )
    return found


def test_from_a_spoken_memo_to_the_customers_file_and_back(
    running: Running, browser: Any, tmp_path: Path
) -> None:
    context = browser.new_context(locale="zh-CN", viewport={"width": 1280, "height": 900})
    page = context.new_page()
    wrong: list[str] = []
    context.on("weberror", lambda error: wrong.append(str(error.error)))
    context.on(
        "console",
        lambda message: wrong.append(message.text) if message.type == "error" else None,
    )

    link = running.link()
    page.goto(link)
    page.wait_for_url("**/console")
    lina, boss = Pane(page, "李娜"), Pane(page, "王磊")
    boss.node.wait_for()
    page.get_by_text("已连接").wait_for()
    page.get_by_text("语音识别可用").wait_for(timeout=HEAR_MS)

    # She speaks; it is received at once, heard, and read.
    lina.record(spoken_wav(tmp_path / "length.wav") + 0.7)
    lina.node.locator(".kind-voice .state", has_text="已收到 ✓").wait_for(timeout=ANSWER_MS)
    lina.node.locator(".text", has_text="语音，正在听").wait_for(timeout=ANSWER_MS)
    card = lina.card("这样记对吗")
    before = rows(card)
    assert before["客户"] == "恒基水泥有限公司"
    assert "1.2 万" in before["金额"]
    assert "方案" in before["下一步"]

    # One reply changes one field, and the old value stays to be seen.
    lina.say("不对 是下周三")
    struck = card.locator("s")
    struck.wait_for(timeout=ANSWER_MS)
    after = rows(card)
    assert {key for key in after if after[key] != before.get(key)} == {"下一步"}
    old_day = before["下一步"].split(" ")[0]
    assert f"~{old_day}" in after["下一步"] and "周三" in after["下一步"]

    # The same card on the other platform says the same.
    page.get_by_role("radio", name="钉钉").check()
    assert lina.card("这样记对吗").locator("s").inner_text().startswith(old_day)
    page.get_by_role("radio", name="企业微信").check()
    page.get_by_label("字数").check()
    meters = lina.card("这样记对吗").locator(".meter")
    assert meters.first.is_visible()
    assert lina.node.locator(".meter.is-over").count() == 0
    page.get_by_label("字数").uncheck()

    # Filed: on the customer's file and in the to-do.
    lina.card("这样记对吗").get_by_role("button", name="确认入库").click()
    filed = lina.card("已入库")
    assert filed.get_by_role("button").count() == 0
    with context.expect_page() as opened:
        filed.get_by_role("link", name="看这条跟进记录").click()
    customer = opened.value
    customer.get_by_role("heading", name="恒基水泥有限公司").wait_for()
    memo_link = customer.get_by_role("link", name="看原话和出处")
    memo_link.wait_for()
    new_day = re.findall(r"\d\d-\d\d", after["下一步"])[0]
    promise = customer.locator("li", has_text=new_day).filter(has_text="方案")
    assert promise.count() == 1
    customer.get_by_role("link", name="待办").click()
    customer.wait_for_url("**/today?**")
    assert promise.count() == 1
    customer.go_back()

    # The memo's page: a field points at its words, the recording plays.
    memo_link.click()
    customer.locator(".fact", has_text="金额").click()
    assert customer.locator("mark.is-on").inner_text() == "一万二"
    customer.wait_for_function("document.getElementById('sound').readyState >= 1")

    # Taken back within ten minutes.
    lina.say("撤销")
    lina.node.locator(".text", has_text="已撤回").wait_for(timeout=ANSWER_MS)
    lina.card("这样记对吗")
    customer.goto(customer.url.split("/m/")[0] + customer.url[customer.url.index("/m/") :])
    customer.locator(".tag", has_text="等你确认").wait_for()
    customer.get_by_role("link", name="恒基水泥有限公司").click()
    customer.get_by_role("heading", name="往来").wait_for()
    assert memo_link.count() == 0
    assert boss.node.locator(".card").count() == 0  # nothing of this was said to anybody else

    # The link was for one log-in.
    stranger = browser.new_context().new_page()
    stranger.goto(link)
    stranger.get_by_text("已经用过").wait_for()
    assert wrong == []
