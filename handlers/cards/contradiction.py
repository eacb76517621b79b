"""以哪个为准？  A value of the memo against the file's (G6): open with buttons, then closed."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final

from handlers.cards import words
from handlers.cards.memo import View
from handlers.cards.model import Button, Card, Link, Row
from sales import money
from sales.contradictions import Contradiction, Value

SOURCE = "销售助手·语音纪要"
KIND = "memo.contradiction"
NOW: Final = "now"
BEFORE: Final = "before"
BOTH: Final = "both"
VERDICTS: Final = {NOW: "以这次为准", BEFORE: "以上次为准", BOTH: "都对"}
HELD: Final = "换成这家客户后，上面几处和档案对不上，先没入库。看一眼，没问题再点“确认入库”。"
_THINGS: Final = {"due": "日期", "decision_maker": "拍板人", "quantity": "数量"}


def question(view: View, one: Contradiction, number: int) -> Card:
    """*number* tells the record's questions apart; the buttons bring it back."""
    thing, before, now = _thing(one), _before(one), _value(one, one.now, one.now_words)
    subject = f"“{one.what}”" if one.kind == "due" else one.product
    told = f"（{_told(one)}）"
    return _card(
        view,
        one,
        layout="buttons",
        title=f"{_short(view)}｜{thing}对不上",
        subtitle=f"纪要 {words.moment(view.said_at)}",
        body="以哪个为准？",
        buttons=tuple(
            Button(text=text, action=f"contradiction.{answer}", arg=str(number))
            for answer, text in VERDICTS.items()
        ),
        text=f"【{thing}对不上】{_short(view)}{subject}：上次{told}{before}，这次 {now}。"
        f"以哪个为准？以这次为准就不用回{_in_words(one, before)}。",
    )


def decided(view: View, one: Contradiction, answer: str, *, who: str, at: datetime) -> Card:
    verdict = f"{who} {words.moment(at)} {VERDICTS[answer]}"
    return _card(
        view,
        one,
        layout="notice",
        title=f"{VERDICTS[answer]}｜{_short(view)}{_thing(one)}",
        subtitle=verdict,
        links=(Link(text="看这条纪要", url=f"/m/{view.memo_id}"),),
        tone="done",
        status="done",
        footer=verdict,
        text=f"【{VERDICTS[answer]}】{_short(view)}{_thing(one)}，{who} {words.moment(at)}。",
    )


def _card(view: View, one: Contradiction, **given: Any) -> Card:
    """What both lives of the card share."""
    rows, url = _rows(one), f"/m/{view.memo_id}"
    return Card(kind=KIND, source=SOURCE, rows=rows, url=url, **given)


def _rows(one: Contradiction) -> tuple[Row, ...]:
    rows = [
        Row(
            key="上次",
            value=f"{_before(one)} · {_told(one)}",
            source=_quoted(one.before_words),
        ),
        Row(key="这次", value=_now(one), source=_quoted(one.now_words)),
    ]
    if one.kind == "due":
        rows.insert(0, Row(key="事项", value=one.what))
        rows.append(Row(key="改期", value=f"第 {one.moved} 次"))
    if one.product:
        rows.insert(0, Row(key="产品", value=one.product))
    return tuple(rows)


def _before(one: Contradiction) -> str:
    return _value(one, one.before, one.before_words)


def _now(one: Contradiction) -> str:
    shown, heard = _value(one, one.now, one.now_words), _quoted(one.now_words)
    return shown + (f"（“{heard}”）" if heard not in ("", shown) else "")


def _thing(one: Contradiction) -> str:
    return one.what if one.kind == "amount" else _THINGS[one.kind]


def _told(one: Contradiction) -> str:
    """11-20 周五 李娜; 档案 when the lists alone know it."""
    if one.said_at is None:
        return "档案"
    return f"{words.day(words.local_day(one.said_at))} {one.said_by}"


def _value(one: Contradiction, value: Value, heard: str) -> str:
    if isinstance(value, date):
        return words.day(value)
    if isinstance(value, str):
        # A bare surname is shown with the title that was said.
        return _quoted(heard) if len(value) == 1 and heard.startswith(value) else value
    if one.kind == "quantity" and not isinstance(value, tuple):
        return f"{value:.10g} {one.unit}".strip()
    ends = value if isinstance(value, tuple) else (value,)
    return "到".join(money.short(end) for end in ends)


def _quoted(said: str) -> str:
    return words.span_source(said, (0, len(said)))


def _in_words(one: Contradiction, before: str) -> str:
    """How to choose the old value without a button, where a reply can say it."""
    if one.kind == "amount" and not isinstance(one.before, tuple):
        return f"，以上次为准请回复“金额 {before.replace(' ', '')}”"
    if one.kind == "due" and isinstance(one.before, date):
        return f"，以上次为准请回复“改成{one.before.month}月{one.before.day}号”"
    return ""


def _short(view: View) -> str:
    return view.short or view.customer
