"""Memo, customer, to-do and queue pages: what they show, and to whom."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.web.memo_view import Field, pieces
from sales.clock import FixedClock
from storage import lists
from storage.database import Database
from storage.jobs import NewJob, queue_of
from tests.support.desk import MONDAY, Desk
from tests.support.site import Site, on_site

SAID = "今天拜访了恒基水泥的赵经理，报价每台一万二，我答应下周二之前给他加急方案"


@pytest.fixture
def desk(sqlite_url: str, tmp_path: Path) -> Iterator[Desk]:
    db = Database(sqlite_url)
    made = Desk(db, tmp_path)
    yield made
    made.close()
    db.close()


def clock(desk: Desk) -> FixedClock:
    assert isinstance(desk.clock, FixedClock)
    return desk.clock


def form_of(page: str, action: str) -> dict[str, str]:
    """The hidden fields of the form that has the button *action*."""
    for form in re.findall(r"<form.*?</form>", page, re.S):
        if f'value="{action}"' in form:
            found = re.findall(r'name="([a-z_]+)" value="([^"]*)"', form)
            return dict(found)
    raise AssertionError(f"no button {action}")


def test_the_memo_page_ties_fields_to_their_words(desk: Desk) -> None:
    desk.say(desk.lina, SAID)

    async def test(site: Site) -> None:
        await site.log_in(desk.lina)
        page = await site.text("/m/1")
        number = re.search(r'data-field="(\d+)"[^>]*>\s*<span class="fact-key">金额', page)
        assert number
        marks = re.findall(r'<mark data-fields="([\d ]+)">([^<]*)</mark>', page)
        assert [text for numbers, text in marks if number[1] in numbers.split()] == ["一万二"]
        assert "等你确认" in page and "确认入库" in page and "作废" in page

    on_site(desk, test)


def test_the_page_confirms_and_takes_back_like_the_card(desk: Desk) -> None:
    desk.say(desk.lina, SAID)

    async def press(site: Site, action: str) -> str:
        form = form_of(await site.text("/m/1"), action)
        for _ in range(2):  # a double click is one event
            answer = await site.post("/m/1/act", data=form, headers={"X-Genjin-Token": ""})
            assert answer.status == 303
        await site.work()
        return await site.text("/m/1")

    async def test(site: Site) -> None:
        await site.log_in(desk.lina)
        page = await press(site, "memo.ok")
        assert "已入库" in page and "撤回" in page
        assert "加急方案" in await site.text("/today")
        file = await site.text("/c/1")
        assert "加急方案" in file and "看原话和出处" in file
        page = await press(site, "memo.undo")
        assert "等你确认" in page
        assert "看原话和出处" not in await site.text("/c/1")
        await press(site, "memo.ok")
        clock(desk).move(timedelta(minutes=11))
        assert "memo.undo" not in await site.text("/m/1")

    on_site(desk, test)


def test_a_page_is_for_the_speaker_and_those_above(desk: Desk) -> None:
    stored = desk.media.put(b"OggS" + b"\0" * 60, "memo.ogg")
    event = desk.event(
        desk.lina,
        kind="voice",
        media_sha=stored.sha256,
        media_name="memo.ogg",
        platform_text=SAID,
    )
    assert desk.accept(event)
    desk.run()

    async def test(site: Site) -> None:
        await site.log_in(desk.lina)
        assert "<audio" in await site.text("/m/1")
        sound = await site.get("/m/1/sound", headers={"Range": "bytes=0-3"})
        assert (sound.status, await sound.read()) == (206, b"OggS")
        form = form_of(await site.text("/m/1"), "memo.drop")
        await site.log_in(desk.wanglei)
        page = await site.text("/m/1")
        assert "一万二" in page and "录音只有本人能听" in page and "memo.ok" not in page
        assert (await site.get("/m/1/sound")).status == 403
        assert (await site.post("/m/1/act", data={**form, "token": site.token})).status == 403
        await site.log_in(desk.zhoukai)
        for path in ("/m/1", "/m/1/sound", "/c/1"):
            answer = await site.get(path)
            assert answer.status == 403 and "没有权限" in await answer.text()
        assert (await site.get("/m/99")).status == 404

    on_site(desk, test)


def test_what_people_say_cannot_become_markup(desk: Desk) -> None:
    desk.say(desk.lina, f"<script>alert(1)</script>{SAID}<img src=x onerror=alert(1)>")

    async def test(site: Site) -> None:
        await site.log_in(desk.lina)
        page = await site.text("/m/1")
        assert "<script>" not in page and "<img" not in page and "&lt;script&gt;" in page

    on_site(desk, test)


def test_a_phone_number_is_masked(desk: Desk) -> None:
    def add(session: object) -> None:
        lists.put_contact(
            session,  # type: ignore[arg-type]
            now=MONDAY,
            customer="恒基水泥有限公司",
            name="钱立新",
            role="设备部长",
            phone="13812340001",
        )

    desk.db.write(add)

    async def test(site: Site) -> None:
        await site.log_in(desk.lina)
        page = await site.text("/c/1")
        assert "138****0001" in page and "13812340001" not in page

    on_site(desk, test)


def test_in_the_demo_one_sees_with_anybodys_eyes(desk: Desk) -> None:
    desk.say(desk.lina, SAID)

    async def test(site: Site) -> None:
        await site.log_in()
        nobody = await site.get("/today")
        assert nobody.status == 403 and "先选一个人" in await nobody.text()
        page = await site.text(f"/today?as={desk.lina}")
        assert f"/m/1?as={desk.lina}" in page
        assert (await site.get(f"/m/1?as={desk.zhoukai}")).status == 403
        for wrong in ("x", "99999999999999", "-1"):
            assert (await site.get(f"/today?as={wrong}")).status == 404

    on_site(desk, test, demo=True)


def test_nobody_borrows_other_eyes_outside_the_demo(desk: Desk) -> None:
    async def test(site: Site) -> None:
        await site.log_in(desk.zhoukai)
        assert (await site.get(f"/today?as={desk.lina}")).status == 403

    on_site(desk, test)


def test_the_queue_is_for_admins_and_runs_again(desk: Desk) -> None:
    def parked(session: object) -> int:
        queue = queue_of(session)  # type: ignore[arg-type]
        queue.put(session, [NewJob(kind="inbox", ref=77, lane="message", lock="x")])  # type: ignore[arg-type]
        [job] = queue.listing(session)  # type: ignore[arg-type]
        queue.park(session, job.id, reason="读不了 <文件>")  # type: ignore[arg-type]
        return job.id

    job_id = desk.db.write(parked)

    async def test(site: Site) -> None:
        await site.log_in(desk.lina)
        assert (await site.get("/jobs")).status == 403
        refused = await site.post(f"/jobs/{job_id}/retry", data={"token": site.token})
        assert refused.status == 403
        await site.log_in()
        page = await site.text("/jobs")
        assert "读不了 &lt;文件&gt;" in page and "停住" in page
        answer = await site.post(f"/jobs/{job_id}/retry", data={"token": site.token})
        assert answer.headers["Location"] == "/jobs?done=retry"
        assert "排队" in await site.text("/jobs")
        await site.post(f"/jobs/{job_id}/park", data={"token": site.token})
        assert "网页上停住" in await site.text("/jobs")

    on_site(desk, test)


def test_a_wrong_address_is_told_in_words(desk: Desk) -> None:
    async def test(site: Site) -> None:
        await site.log_in(desk.lina)
        for path in ("/nowhere", "/m/abc", "/c/99", "/static/../app.py", "/static/%2e%2e/app.py"):
            answer = await site.get(path)
            assert answer.status == 404, path
            assert "没有这一页" in await answer.text()

    on_site(desk, test)


def test_readyz_names_what_is_missing(desk: Desk) -> None:
    async def test(site: Site) -> None:
        answer = await site.get("/readyz")
        assert answer.status == 503
        assert (await answer.json())["missing"] == ["queue"]
        assert "python_info" in await site.text("/metrics")

    on_site(desk, test, unready=lambda: ["queue"])


spans = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=8)


@given(st.text(max_size=40), spans)
def test_the_pieces_of_a_transcript_are_the_transcript(
    text: str, wanted: list[tuple[int, int]]
) -> None:
    fields = [Field(number=n, key="", value="", spans=(span,)) for n, span in enumerate(wanted)]
    made = pieces(text, fields, [{"text": text[5:9], "start_s": 1.5}])
    assert "".join(piece.text for piece in made) == text
    for number, (start, end) in enumerate(wanted):
        if start < end <= len(text):
            held = "".join(piece.text for piece in made if str(number) in piece.fields.split())
            assert held == text[start:end]
