"""Two recordings in a row: offered to be one memo, joined, taken apart, nothing lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from storage import memo_joins, memos, retention
from storage.memos import Memo
from storage.tables import AuditRow, InteractionRow, JobRow, MemoRow, RecordRow
from tests.support.desk import Desk
from tests.support.site import Site, on_site

AMR = b"#!AMR\n" + b"\x3c" + b"\x00" * 31
FIRST = "今天拜访了恒基水泥的赵经理 电动闸板阀要十五台 报价每台一万二"
SECOND = "他说交期太长 我答应下周二之前给他加急方案"
OTHER = "下午去了山泉饮料 蝶阀要样品 我周五送过去"


def speak(desk: Desk, text: str, *, sound: bytes = b"") -> list[str]:
    return desk.voice(desk.lina, AMR + sound, platform_text=text)


def two(desk: Desk, first: str = FIRST, second: str = SECOND) -> list[str]:
    speak(desk, first, sound=b"\x01")
    desk.clock.move(timedelta(seconds=20))
    return speak(desk, second, sound=b"\x02")


def offered(desk: Desk) -> dict[str, Any]:
    return next(one for one in desk.cards(desk.lina) if one["card"]["kind"] == "memo.join")


def memo_list(desk: Desk) -> list[Memo]:
    def read(session: Any) -> list[Memo]:
        ids = session.scalars(sa.select(MemoRow.id).order_by(MemoRow.id)).all()
        return [found for one in ids if (found := memos.get(session, one))]

    return desk.db.read(read)


def states(desk: Desk) -> list[tuple[str, str]]:
    """(memo's state, record's state) in the order they were made."""
    return desk.db.read(
        lambda s: [
            (one.MemoRow.state, one.RecordRow.state)
            for one in s.execute(
                sa.select(MemoRow, RecordRow)
                .join(RecordRow, RecordRow.memo_id == MemoRow.id)
                .order_by(RecordRow.id)
            )
        ]
    )


def test_the_second_of_two_recordings_is_offered_to_be_joined(desk: Desk) -> None:
    seen = two(desk)

    assert seen[-1].startswith("【合并？】")
    assert "恒基水泥" in seen[-1]
    assert [button["text"] for button in offered(desk)["card"]["buttons"]] == [
        "合并成一条",
        "分开记",
    ]


@pytest.mark.parametrize("gap_s", [125, 3600])
def test_later_than_two_minutes_nothing_is_offered(desk: Desk, gap_s: int) -> None:
    speak(desk, FIRST)
    desk.clock.move(timedelta(seconds=gap_s))
    assert not any("合并" in one for one in speak(desk, OTHER, sound=b"\x02"))


def test_the_length_of_the_second_does_not_count_as_a_gap(desk: Desk) -> None:
    """A message is dated when it is sent, which is when its speaker stopped."""
    speak(desk, FIRST)
    desk.clock.move(timedelta(seconds=170))
    long = AMR + (b"\x3c" + b"\x00" * 31) * 2999  # 60 s

    seen = desk.voice(desk.lina, long, platform_text=SECOND)

    assert seen[-1].startswith("【合并？】")


def test_of_a_filed_memo_nothing_is_offered(desk: Desk) -> None:
    speak(desk, FIRST)
    desk.tap(desk.lina, "memo.ok")
    assert not any("合并" in one for one in speak(desk, SECOND, sound=b"\x02"))


def test_another_person_s_recording_is_no_neighbour(desk: Desk) -> None:
    desk.voice(desk.wanglei, AMR, platform_text=FIRST)
    assert not any("合并" in one for one in speak(desk, OTHER))


def test_joined_it_is_one_record_with_everything_in_it(desk: Desk) -> None:
    two(desk)

    desk.tap(desk.lina, "memo.join", card=offered(desk))

    first, second, made = memo_list(desk)
    assert made.text == f"{FIRST} {SECOND}"
    assert (first.joined_into, second.joined_into) == (made.id, made.id)
    assert set(states(desk)) == {("joined", "replaced"), ("drafted", "pending")}
    rows = desk.rows(desk.lina)
    assert rows["客户"] == "恒基水泥有限公司"
    assert rows["金额"].endswith("1.2 万")
    assert rows["下一步"].startswith("12-01 周二")
    assert "交期" in rows["异议"]
    # both recordings are still there, each behind its part
    assert first.media_sha and second.media_sha and first.media_sha != second.media_sha
    assert desk.media.get(first.media_sha) and desk.media.get(second.media_sha)


def test_every_field_points_at_its_words_in_the_joined_text(desk: Desk) -> None:
    two(desk)
    desk.tap(desk.lina, "memo.join", card=offered(desk))

    made = memo_list(desk)[-1]
    [record] = desk.db.read(lambda s: memos.records_of(s, made.id))
    facts = record.draft.facts
    found = [*facts.amounts, *facts.commitments, *facts.objections, *facts.products]
    assert made.text is not None
    said = [made.text[one.span[0] : one.span[1]] for one in found]
    assert any("一万二" in one for one in said)
    assert any("加急方案" in one for one in said)
    assert any("交期太长" in one for one in said)
    assert made.join is not None
    assert [made.text[start:][:4] for _, start in made.join.parts] == [FIRST[:4], SECOND[:4]]


def test_the_old_cards_say_where_it_went_and_do_nothing(desk: Desk) -> None:
    speak(desk, FIRST, sound=b"\x01")
    old = desk.cards(desk.lina)[-1]
    speak(desk, SECOND, sound=b"\x02")
    desk.tap(desk.lina, "memo.join", card=offered(desk))

    titles = [one["card"]["title"] for one in desk.cards(desk.lina)]
    assert "已合并｜恒基水泥" in titles
    [answer] = desk.tap(desk.lina, "memo.ok", card=old)
    assert answer == "这张已经处理过：李娜 10:00 并到另一张卡片里。"
    assert desk.count(InteractionRow) == 0


def test_filed_once(desk: Desk) -> None:
    two(desk)
    desk.tap(desk.lina, "memo.join", card=offered(desk))
    desk.tap(desk.lina, "memo.ok")

    assert desk.card(desk.lina)["title"].startswith("已入库｜恒基水泥")
    assert desk.count(InteractionRow) == 1


def test_tapped_twice_it_is_joined_once(desk: Desk) -> None:
    two(desk)
    card = offered(desk)
    desk.tap(desk.lina, "memo.join", card=card)

    [answer] = desk.tap(desk.lina, "memo.join", card=card)

    assert "已经处理过" in answer
    assert len(memo_list(desk)) == 3


def test_the_job_of_a_part_that_runs_again_drafts_nothing(desk: Desk) -> None:
    two(desk)
    desk.tap(desk.lina, "memo.join", card=offered(desk))
    before = states(desk)
    if desk.db.is_sqlite:
        desk.db.write(
            lambda s: s.execute(
                sa.update(JobRow).where(JobRow.kind == "memo").values(state="queued")
            )
        )
    else:
        desk.db.write(
            lambda s: s.execute(
                sa.text(
                    "UPDATE procrastinate_jobs SET status = 'todo' WHERE args->>'kind' = 'memo'"
                )
            )
        )

    desk.run()

    assert states(desk) == before


def test_a_piece_that_says_nothing_alone_is_offered_instead_of_refused(desk: Desk) -> None:
    seen = two(desk, FIRST, "呃 就这样吧")

    assert not any(one.startswith("没看懂") for one in seen)
    assert "这段单独没读出拜访内容" in seen[-1]
    desk.tap(desk.lina, "memo.join", card=offered(desk))
    assert memo_list(desk)[-1].text == f"{FIRST} 呃 就这样吧"
    assert desk.rows(desk.lina)["客户"] == "恒基水泥有限公司"


def test_kept_apart_it_is_asked_for_what_it_lacks(desk: Desk) -> None:
    two(desk)
    seen = desk.tap(desk.lina, "memo.keep", card=offered(desk))

    assert any("没听出是哪家客户" in one for one in seen)
    assert [one for one, _ in states(desk)] == ["drafted", "drafted"]
    desk.say(desk.lina, "合并")  # who changes their mind says so
    assert memo_list(desk)[-1].text == f"{FIRST} {SECOND}"


def test_a_memo_that_was_filed_meanwhile_is_not_joined(desk: Desk) -> None:
    two(desk, FIRST, OTHER)
    cards = [one for one in desk.cards(desk.lina) if one["card"]["kind"] == "memo.confirm"]
    desk.tap(desk.lina, "memo.ok", card=cards[0])

    [answer] = desk.tap(desk.lina, "memo.join", card=offered(desk))

    assert "已经入库" in answer
    assert len(memo_list(desk)) == 2


def test_taken_apart_both_are_as_before(desk: Desk) -> None:
    two(desk, FIRST, OTHER)
    desk.tap(desk.lina, "memo.join", card=offered(desk))
    desk.clock.move(timedelta(minutes=9))

    seen = desk.tap(desk.lina, "memo.apart", card=offered(desk))

    assert "已分开" in " ".join(seen)
    assert [one.state for one in memo_list(desk)] == ["drafted", "drafted", "apart"]
    open_cards = [
        one["card"]["title"]
        for one in desk.cards(desk.lina)
        if one["card"]["title"].endswith("这样记对吗？")
    ]
    assert sorted(open_cards) == ["山泉饮料｜这样记对吗？", "恒基水泥｜这样记对吗？"]
    # ... and each can be filed
    for title in open_cards:
        card = next(one for one in desk.cards(desk.lina) if one["card"]["title"] == title)
        desk.tap(desk.lina, "memo.ok", card=card)
    assert desk.count(InteractionRow) == 2


def test_too_late_or_filed_it_stays_joined(desk: Desk) -> None:
    two(desk)
    desk.tap(desk.lina, "memo.join", card=offered(desk))
    desk.tap(desk.lina, "memo.ok")
    [answer] = desk.tap(desk.lina, "memo.apart", card=offered(desk))
    assert "分不开" in answer

    desk.say(desk.lina, "撤销")
    desk.clock.move(timedelta(minutes=11))
    [answer] = desk.tap(desk.lina, "memo.apart", card=offered(desk))
    assert answer.startswith("没有可以分开的")
    assert memo_list(desk)[-1].state == "drafted"


def test_in_words_alone(desk: Desk) -> None:
    two(desk)
    seen = desk.say(desk.lina, "合并")
    assert any("正在重新整理" in one for one in seen)
    assert len(memo_list(desk)) == 3
    seen = desk.say(desk.lina, "分开")
    assert any("已分开" in one for one in seen)
    seen = desk.say(desk.lina, "合并")
    assert len(memo_list(desk)) == 4
    desk.say(desk.lina, "1")
    assert desk.count(InteractionRow) == 1


def test_undo_means_the_joining_when_that_was_last(desk: Desk) -> None:
    speak(desk, OTHER)
    desk.tap(desk.lina, "memo.ok")
    desk.clock.move(timedelta(minutes=5))
    two(desk)
    desk.say(desk.lina, "合并")

    assert any("还原成两条" in one for one in desk.say(desk.lina, "撤销"))
    assert desk.count(InteractionRow, InteractionRow.withdrawn_at.is_(None)) == 1


@pytest.mark.parametrize("words", ["合并", "分开"])
def test_with_nothing_to_join_or_part_the_words_are_answered(desk: Desk, words: str) -> None:
    [answer] = desk.say(desk.lina, words)
    assert answer.startswith("没有可以")


def test_a_spoken_reply_is_no_part_of_a_report(desk: Desk) -> None:
    speak(desk, FIRST, sound=b"\x01")
    speak(desk, "不对 是三万二", sound=b"\x02")
    seen = speak(desk, SECOND, sound=b"\x03")
    assert seen[-1].startswith("【合并？】")

    desk.tap(desk.lina, "memo.join", card=offered(desk))

    assert memo_list(desk)[-1].text == f"{FIRST} {SECOND}"


def test_asked_by_voice_the_button_is_named(desk: Desk) -> None:
    two(desk)
    seen = speak(desk, "合并", sound=b"\x03")
    assert any("点卡片上的" in one for one in seen)
    desk.say(desk.lina, "合并")
    assert memo_list(desk)[-1].text == f"{FIRST} {SECOND}"


def test_a_correction_made_before_stays(desk: Desk) -> None:
    speak(desk, FIRST, sound=b"\x01")
    desk.say(desk.lina, "金额 11500")
    speak(desk, SECOND, sound=b"\x02")

    desk.say(desk.lina, "合并")

    [amount] = [row for row in desk.card(desk.lina)["rows"] if row["key"] == "金额"]
    assert amount["value"].endswith("1.15 万")
    assert amount["old"] == "1.2 万"


def test_a_third_piece_joins_what_was_joined(desk: Desk) -> None:
    two(desk)
    desk.say(desk.lina, "合并")
    third = "对了 国泰也在报价"
    speak(desk, third, sound=b"\x03")

    desk.say(desk.lina, "合并")

    last = memo_list(desk)[-1]
    assert last.text == f"{FIRST} {SECOND} {third}"
    assert "国泰" in desk.rows(desk.lina)["竞品"]
    # one step back at a time
    desk.say(desk.lina, "分开")
    assert [one.state for one in memo_list(desk)] == [
        "joined",
        "joined",
        "drafted",
        "drafted",
        "apart",
    ]
    desk.say(desk.lina, "分开")
    assert [one.state for one in memo_list(desk)] == [
        "drafted",
        "drafted",
        "apart",
        "drafted",
        "apart",
    ]


def test_texts_that_say_nothing_together_are_two_again(desk: Desk) -> None:
    """Cannot happen by itself; the third memo's text is what a broken reader would see."""
    two(desk)
    card = offered(desk)
    event = desk.event(
        desk.lina, kind="action", action="memo.join", card_id=card["card_id"], nonce=card["nonce"]
    )
    desk.accept(event)
    job = desk.next_job()
    assert job is not None
    desk.settle(job, desk.work.run(job))
    desk.db.write(
        lambda s: s.execute(
            sa.update(MemoRow).where(MemoRow.state == "heard").values(text="今天天气不错")
        )
    )

    desk.run()

    assert [one.state for one in memo_list(desk)] == ["drafted", "drafted", "apart"]
    assert {state for _, state in states(desk)} == {"pending"}
    assert any("已还原成两条" in one for one in desk.seen(desk.lina))


def test_who_joined_and_parted_stands_in_the_log(desk: Desk) -> None:
    two(desk)
    desk.say(desk.lina, "合并")
    desk.say(desk.lina, "分开")
    actions = desk.db.read(lambda s: s.scalars(sa.select(AuditRow.action)).all())
    assert [one for one in actions if one in ("memo.join", "memo.apart")] == [
        "memo.join",
        "memo.apart",
    ]


def test_the_recordings_go_when_the_joined_record_s_time_is_over(desk: Desk) -> None:
    two(desk)
    desk.say(desk.lina, "合并")
    first, second, _ = memo_list(desk)

    def sweep(days: int) -> int:
        now = desk.clock.now() + timedelta(days=days)
        return desk.db.write(
            lambda s: retention.sweep(
                s, desk.media, now=now, dropped_hours=24, audio_days=30, log_days=210
            )
        ).recordings

    assert sweep(400) == 0  # open: both stay
    desk.say(desk.lina, "1")
    assert sweep(29) == 0
    assert sweep(31) == 2
    assert first.media_sha and not desk.media.path(first.media_sha).exists()
    assert second.media_sha and not desk.media.path(second.media_sha).exists()


def test_a_tap_for_a_record_does_not_reach_a_memo(desk: Desk) -> None:
    """Numbers of memos and records overlap; the card's subject tells them apart."""
    two(desk)
    [answer] = desk.tap(desk.lina, "memo.ok", card=offered(desk))
    assert "看最新的内容" in answer
    confirm = next(one for one in desk.cards(desk.lina) if one["card"]["kind"] == "memo.confirm")
    [answer] = desk.tap(desk.lina, "memo.join", card=confirm)
    assert "看最新的内容" in answer
    assert desk.count(InteractionRow) == 0
    assert len(memo_list(desk)) == 2


def test_the_pages_lead_from_the_whole_to_its_recordings_and_back(desk: Desk) -> None:
    two(desk)
    desk.say(desk.lina, "合并")
    first, second, made = memo_list(desk)

    async def look(site: Site) -> None:
        await site.log_in(desk.lina)
        page = await site.text(f"/m/{made.id}")
        assert "由 2 段语音合成" in page
        assert f'href="/m/{first.id}"' in page and f'href="/m/{second.id}"' in page
        assert "已按保存期限删除" not in page
        part = await site.text(f"/m/{second.id}")
        assert f'href="/m/{made.id}"' in part
        assert "并到另一条里" in part
        assert "memo.undo" not in part
        assert (await site.get(f"/m/{second.id}/sound")).status == 200

    on_site(desk, look)


def test_whole_follows_to_the_end(desk: Desk) -> None:
    two(desk)
    desk.say(desk.lina, "合并")
    first, _, made = memo_list(desk)
    assert desk.db.read(lambda s: memo_joins.whole(s, first)).id == made.id
