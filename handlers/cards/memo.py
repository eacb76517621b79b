"""M1: does the record say what the rep said?  All its lives: open, form, filed, dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from handlers.cards import words
from handlers.cards.model import Button, Card, Choice, Link, Question, Row
from sales import money
from sales.drafts import Draft, Edit, as_number
from sales.facts import CommitmentFact

SOURCE = "销售助手·语音纪要"
NEW_CUSTOMER = "new"
FOLLOW_UPS = (
    ("none", "不跟进"),
    ("0", "今天"),
    ("1", "明天"),
    ("2", "后天"),
    ("mon", "下周一"),
    ("wed", "下周三"),
    ("14", "两周后"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """All that the card of one record shows."""

    record_id: int
    memo_id: int
    draft: Draft
    text: str  # the memo's words
    source: str  # voice text
    said_at: datetime
    duration_ms: int | None
    customer: str  # as registered, or as said
    short: str
    customer_id: int | None
    opportunity: str = ""
    actor: str = ""
    acted_at: datetime | None = None
    undo_minutes: int = 10


def confirm(view: View) -> Card:
    """Open: rows with what was heard, and three buttons."""
    candidates = view.draft.facts.customer.candidates if view.draft.facts.customer else ()
    choose = view.customer_id is None and bool(candidates)
    first = (
        Button(text="选客户", action="memo.pick")
        if choose
        else Button(text="确认入库", action="memo.ok")
    )
    rows = tuple(_rows(view))
    return Card(
        kind="memo.confirm",
        layout="buttons",
        source=SOURCE,
        title=f"{_short(view)}｜这样记对吗？",
        subtitle=_subtitle(view),
        quote_title="听到的原话",
        quote=_quote(view),
        rows=rows,
        body="自动整理，请核对；“待核”是没听准的。点“确认入库”前不会写进客户档案。",
        buttons=(
            first,
            Button(text="修改", action="memo.edit"),
            Button(text="作废", action="memo.drop"),
        ),
        url=f"/m/{view.memo_id}",
        text=_text(view, rows, first.text),
    )


def edit_form(view: View, customers: Sequence[tuple[str, str]]) -> Card:
    """The form behind 修改.  *customers*: up to nine ``(id, short name)``, the chosen one first."""
    choices = [Choice(id=key, text=name) for key, name in customers[:9]]
    choices.append(Choice(id=NEW_CUSTOMER, text="新建客户"))
    sums = view.draft.facts.amounts
    value = sums[0].value if len(sums) == 1 else None
    questions = [
        Question(
            id="customer",
            title="客户",
            choices=tuple(choices),
            selected=str(view.customer_id or choices[0].id),
        ),
        Question(
            id="follow_up",
            title="下次跟进",
            choices=tuple(Choice(id=key, text=text) for key, text in FOLLOW_UPS),
            selected="none",
        ),
    ]
    if value is not None and not isinstance(value, tuple):
        questions.append(
            Question(id="amount", title="金额（元）", entry="number", value=f"{value:g}")
        )
    dated = [(n, promise) for n, promise in enumerate(view.draft.facts.commitments) if promise.due]
    for number, promise in dated[:2]:
        questions.append(
            Question(
                id=f"due.{number}",
                title=f"{promise.what[:6]} 哪天",
                entry="date",
                value=promise.due.isoformat() if promise.due else "",
            )
        )
    return Card(
        kind="memo.edit",
        layout="form",
        source=SOURCE,
        title=f"{_short(view)}｜改哪几项？",
        subtitle="金额、日期可直接回复，如：金额 100万",
        questions=tuple(questions),
        submit=Button(text="保存并入库", action="memo.save"),
        buttons=(Button(text="不改了", action="memo.back"),),
        url=f"/m/{view.memo_id}",
        text=f"【修改】{_short(view)}：直接回复要改的，如“金额 100万”“改成周四”“客户是恒基”。",
    )


def pick_form(view: View, customers: Sequence[tuple[str, str]]) -> Card:
    """Several customers fit: the person chooses, nobody guesses."""
    choices = [Choice(id=key, text=name) for key, name in customers[:9]]
    choices.append(Choice(id=NEW_CUSTOMER, text="新建客户"))
    listed = "；".join(f"{n} {choice.text}" for n, choice in enumerate(choices, 1))
    return Card(
        kind="memo.pick",
        layout="form",
        source=SOURCE,
        title=f"{_short(view)}｜是哪一家？",
        subtitle="选好点“就是这家”，再核对一遍",
        questions=(
            Question(id="customer", title="客户", choices=tuple(choices), selected=choices[0].id),
        ),
        submit=Button(text="就是这家", action="memo.picked"),
        buttons=(Button(text="返回", action="memo.back"),),
        url=f"/m/{view.memo_id}",
        text=f"【选客户】听到“{_short(view)}”，是哪一家？直接回复客户名。{listed}",
    )


def filed(view: View) -> Card:
    """Closed: who and when, and the way back for some minutes."""
    rows = [row for row in _rows(view) if row.key not in ("客户", "异议", "竞品")][:4]
    who = f"{view.actor} {words.moment(view.acted_at)}" if view.acted_at else view.actor
    return Card(
        kind="memo.confirm",
        layout="notice",
        source=SOURCE,
        title=f"已入库｜{_short(view)}",
        subtitle=f"{who} 确认",
        rows=tuple(rows),
        links=(
            Link(text="看这条跟进记录", url=f"/c/{view.customer_id}"),
            Link(text=f"{view.undo_minutes}分钟内可撤回", url=f"/m/{view.memo_id}#undo"),
        ),
        url=f"/c/{view.customer_id}",
        tone="done",
        status="done",
        footer=f"{who} 确认",
        text=f"【已入库】{_short(view)}，{who} 确认。{view.undo_minutes} 分钟内回复“撤销”可撤回。",
    )


def dropped(view: View) -> Card:
    who = f"{view.actor} {words.moment(view.acted_at)}" if view.acted_at else view.actor
    what = "语音" if view.source == "voice" else "记录"
    return Card(
        kind="memo.confirm",
        layout="notice",
        source=SOURCE,
        title=f"已作废｜{words.moment(view.said_at)} 的{what}",
        subtitle=f"{who}" + (" · 录音 24 小时内删除" if view.source == "voice" else ""),
        rows=(Row(key="客户", value=view.customer or "没听出"),),
        links=(Link(text="误点了？去恢复", url=f"/m/{view.memo_id}#undo"),),
        url=f"/m/{view.memo_id}",
        status="dropped",
        footer=who,
        text=f"【已作废】{_short(view)}，{who}。误点了就回复“恢复”。",
    )


def set_aside(view: View) -> Card:
    """Three days without an answer: kept as a draft, never filed by itself."""
    return Card(
        kind="memo.confirm",
        layout="buttons",
        source=SOURCE,
        title=f"转为草稿｜{_short(view)}",
        subtitle=_subtitle(view),
        rows=tuple(_rows(view)),
        body="三天没动，先存成草稿，没有写进客户档案。还要的话点“确认入库”。",
        buttons=(
            Button(text="确认入库", action="memo.ok"),
            Button(text="修改", action="memo.edit"),
            Button(text="作废", action="memo.drop"),
        ),
        url=f"/m/{view.memo_id}",
        text=f"【草稿】{_short(view)} 三天没动，已存成草稿。回复 1 入库 2 修改 3 作废",
    )


def _short(view: View) -> str:
    return view.short or view.customer or "没听出客户"


def _subtitle(view: View) -> str:
    if view.source == "voice" and view.duration_ms:
        return f"语音 {words.length(view.duration_ms)} · {words.moment(view.said_at)}"
    return f"文字 · {words.moment(view.said_at)}"


def _quote(view: View, most: int = 60) -> str:
    """The words around what was read first, at most 60 characters."""
    facts = view.draft.facts
    spans = [one.span for one in facts.commitments]
    spans += [one.span for one in facts.amounts] + [one.span for one in facts.objections]
    heard = [span for span in spans if span != (0, 0)]
    if not heard or len(view.text) <= most:
        return view.text if len(view.text) <= most else view.text[: most - 1] + "…"
    start = max(0, min(span[0] for span in heard) - 4)
    piece = view.text[start : start + most - 2]
    return f"…{piece}…" if start else f"{piece}…"


def _rows(view: View) -> list[Row]:
    """What the person must see before it is filed comes first: whose, how much, until when."""
    facts, draft = view.draft.facts, view.draft
    rows = [_customer_row(view)]
    for number, fact in enumerate(facts.amounts[:3]):
        edit = draft.edit_of(f"amounts.{number}")
        rows.append(
            Row(
                key="金额",
                value=words.amount(fact),
                old=_old_amount(edit),
                source=_source(view, fact.span, edit),
            )
        )
    ours = [(n, one) for n, one in enumerate(facts.commitments) if one.who == "us"]
    theirs = [(n, one) for n, one in enumerate(facts.commitments) if one.who == "customer"]
    rows += [_promise_row(view, n, one, "下一步") for n, one in ours]
    rows += [_promise_row(view, n, one, "对方答应") for n, one in theirs]
    for objection in facts.objections:
        rows.append(
            Row(
                key="异议",
                value=f"{objection.category}：{objection.text}",
                source=words.span_source(view.text, objection.span),
            )
        )
    for number, contact in enumerate(facts.contacts):
        edit = draft.edit_of(f"contacts.{number}")
        # A bare surname is shown with the title that was said.
        named = f"{contact.name}（{contact.role}）" if contact.role else contact.name
        rows.append(
            Row(
                key="决策人" if contact.decision_maker else "联系人",
                value=named + ("，新" if contact.new else ""),
                old=edit.old if edit else "",
                source=_source(view, contact.span, edit),
            )
        )
    if view.opportunity:
        rows.append(Row(key="商机", value=view.opportunity))
    for number, product in enumerate(facts.products):
        edit = draft.edit_of(f"products.{number}")
        rows.append(
            Row(
                key="产品",
                value=product.name,
                old=edit.old if edit else "",
                source=_source(view, product.span, edit),
            )
        )
    for rival in facts.competitors:
        rows.append(
            Row(
                key="竞品",
                value=rival.name,
                source=words.span_source(view.text, rival.span),
            )
        )
    if draft.follow_up:
        rows.append(Row(key="跟进", value=words.day(draft.follow_up)))
    return rows


def _customer_row(view: View) -> Row:
    fact = view.draft.facts.customer
    edit = view.draft.edit_of("customer")
    if view.customer_id is None and fact and fact.candidates:
        value = f"{len(fact.candidates)} 家相近，待选"
    elif view.customer_id is None:
        value = f"{fact.name}（名单里没有）" if fact and fact.name else "没听出，待选"
    else:
        value = view.customer
    source = _source(view, fact.span, edit) if fact else ""
    return Row(key="客户", value=value, old=edit.old if edit else "", source=source)


def _promise_row(view: View, number: int, promise: CommitmentFact, key: str) -> Row:
    edit = view.draft.edit_of(f"commitments.{number}.due")
    loose = "（待核）" if promise.certainty == "loose" or promise.provisional else ""
    when = f"{words.day(promise.due)}{loose} " if promise.due else ""
    condition = "（有条件）" if promise.conditional else ""
    return Row(
        key=key,
        value=f"{when}{promise.what}{condition}",
        old=words.day(date.fromisoformat(edit.old)) if edit and edit.old else "",
        source=_source(view, promise.due_span or promise.span, edit),
    )


def _source(view: View, span: tuple[int, int], edit: Edit | None) -> str:
    """The words behind a value (G2): those of the correction where one was made."""
    if edit and edit.said:
        return words.span_source(edit.said, (0, len(edit.said)))
    return words.span_source(view.text, span)


def _old_amount(edit: Edit | None) -> str:
    if edit is None or not edit.old:
        return ""
    value = as_number(edit.old)
    return money.short(value) if value is not None else edit.old


def _text(view: View, rows: Sequence[Row], first: str) -> str:
    said = "，".join(f"{row.key} {row.value}" for row in rows if row.key != "客户")
    return (
        f"【纪要】{rows[0].value}"
        + (f"，{said}" if said else "")
        + f"。回复 1 {first} 2 修改 3 作废"
    )


def follow_up_day(choice: str, today: date) -> date | None:
    """The day behind a choice of :data:`FOLLOW_UPS`; None for 不跟进 or an unknown one."""
    monday = today + timedelta(days=7 - today.weekday())
    if choice == "mon":
        return monday
    if choice == "wed":
        return monday + timedelta(days=2)
    return today + timedelta(days=int(choice)) if choice.isdigit() else None
