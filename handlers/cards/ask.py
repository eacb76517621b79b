"""M2: what is still missing before the record can be filed.  Every question has a way out."""

from __future__ import annotations

from collections.abc import Sequence

from handlers.cards.memo import View
from handlers.cards.model import Button, Card, Choice, Question, Row

SOURCE = "销售助手·语音纪要"
UNKNOWN = "unknown"
CLOSE = (
    ("month", "本月"),
    ("next_month", "下月"),
    ("quarter", "本季度"),
    ("next_quarter", "下季度"),
    ("half", "半年内"),
    (UNKNOWN, "说不准"),
)


def choose(view: View, fields: Sequence[str], people: Sequence[str]) -> Card:
    """The missing fields that can be picked, at most three at a time."""
    questions = []
    if "close" in fields:
        questions.append(
            Question(
                id="close",
                title="预计什么时候签",
                choices=tuple(Choice(id=key, text=text) for key, text in CLOSE),
                selected=UNKNOWN,
            )
        )
    if "decision_maker" in fields:
        known = [Choice(id=name, text=name) for name in list(people)[:8]]
        questions.append(
            Question(
                id="decision_maker",
                title="谁拍板",
                choices=(*known, Choice(id=UNKNOWN, text="还不清楚")),
                selected=known[0].id if known else UNKNOWN,
            )
        )
    name = view.short or view.customer
    return Card(
        kind="memo.ask",
        layout="form",
        source=SOURCE,
        title=f"还差 {len(questions)} 项就能入库",
        subtitle=name,
        questions=tuple(questions),
        submit=Button(text="补上", action="ask.save"),
        url=f"/m/{view.memo_id}",
        text=f"【还差 {len(questions)} 项】{name}："
        + "；".join(question.title for question in questions)
        + "。回复“空着”可跳过。",
    )


def amount(view: View) -> Card:
    """The sum cannot be picked, only typed."""
    name = view.short or view.customer
    return Card(
        kind="memo.ask",
        layout="buttons",
        source=SOURCE,
        title="金额没听清，是多少？",
        subtitle="直接回复数字，例如：120万",
        rows=(
            Row(key="客户", value=view.customer),
            Row(key="听到的", value=view.text[:25] + ("…" if len(view.text) > 25 else "")),
        ),
        buttons=(
            Button(text="先空着", action="ask.skip"),
            Button(text="作废", action="memo.drop"),
        ),
        url=f"/m/{view.memo_id}",
        text=f"【还差金额】{name}：直接回复数字，例如 120万。回复“空着”可跳过。",
    )
