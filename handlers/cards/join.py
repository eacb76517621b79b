"""Two recordings that follow each other: one record, or two?  All lives of the question."""

from __future__ import annotations

from datetime import datetime

from handlers.cards import words
from handlers.cards.memo import SOURCE, View
from handlers.cards.model import Button, Card, Row

_QUOTED = 60


def offer(
    *, before: str, said: str, heard: bool, memo_id: int, duration_ms: int | None, at: datetime
) -> Card:
    """*before*: what the one before is about; *said*: the words of this one.

    *heard*: this one alone was understood.
    """
    length = f"{words.length(duration_ms)} · " if duration_ms else ""
    alone = "" if heard else "这段单独没读出拜访内容。"
    quote = said if len(said) <= _QUOTED else said[: _QUOTED - 1] + "…"
    return Card(
        kind="memo.join",
        layout="buttons",
        source=SOURCE,
        title="接着上一条说的吗？",
        subtitle=f"语音 {length}{words.moment(at)}",
        quote_title="这一段",
        quote=quote,
        rows=(Row(key="上一条", value=before),),
        body=f"{alone}合并后按整段重新整理，两段录音都留着。",
        buttons=(
            Button(text="合并成一条", action="memo.join"),
            Button(text="分开记", action="memo.keep"),
        ),
        url=f"/m/{memo_id}",
        text=f"【合并？】{alone}和上一条（{before}）是一件事的话，回复“合并”，两段并成一条。",
    )


def joined(*, who: str, at: datetime, memo_id: int, undo_minutes: int) -> Card:
    when = f"{who} {words.moment(at)}"
    return Card(
        kind="memo.join",
        layout="buttons",
        source=SOURCE,
        title="已合成一条｜重新整理",
        subtitle=when,
        body=f"整理好会有新卡片，原来的两张不用再点。{undo_minutes} 分钟内可以分开。",
        buttons=(Button(text="分开", action="memo.apart"),),
        url=f"/m/{memo_id}",
        text=(
            f"【已合并】两段语音合成一条，正在重新整理。"
            f"{undo_minutes} 分钟内回复“分开”可还原成两条。"
        ),
    )


def kept(*, who: str, at: datetime, memo_id: int) -> Card:
    when = f"{who} {words.moment(at)}"
    return Card(
        kind="memo.join",
        layout="notice",
        source=SOURCE,
        title="分开记｜没有合并",
        subtitle=when,
        url=f"/m/{memo_id}",
        status="done",
        footer=when,
        text="好，分开记，没有合并。",
    )


def replaced(view: View, *, joined_into: int | None) -> Card:
    """A record whose words stand in other records now: joined (*joined_into*), or taken apart."""
    who = f"{view.actor} {words.moment(view.acted_at)}" if view.acted_at else view.actor
    named = view.short or view.customer or "没听出客户"
    verdict = "已分开" if joined_into is None else "已合并"
    where = "原来的两张卡片" if joined_into is None else "合并后的新卡片"
    return Card(
        kind="memo.confirm",
        layout="notice",
        source=SOURCE,
        title=f"{verdict}｜{named}",
        subtitle=who,
        rows=(Row(key="客户", value=view.customer or "没听出"),),
        body=f"这张不用再点，请看{where}。",
        url=f"/m/{joined_into or view.memo_id}",
        status="other",
        footer=who,
        text=f"【{verdict}】{named}：请看{where}。",
    )
