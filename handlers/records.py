"""What follows when a person decides about a record: file, drop, undo, fill in what is missing.

Every decision is one compare-and-set on the record (state and version); a second equal tap finds
another state and is answered in words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from handlers import replies, views
from handlers.cards import ask
from handlers.cards import memo as cards
from handlers.context import Context
from handlers.messages import Outbound
from sales import drafts
from sales.drafts import Draft, Edit
from storage import audit, customers, memos, settings
from storage.memos import Record

VERDICTS = {
    "filed": "确认入库",
    "dropped": "作废",
    "draft": "转为草稿",
    "replaced": "并到另一张卡片里",
}


def confirm(ctx: Context, record: Record) -> list[Outbound]:
    """确认入库: file it, or ask for what is missing (M2), at most two rounds."""
    if record.state not in drafts.MAY["file"]:
        return [already(ctx, record)]
    draft = record.draft
    open_fields = drafts.missing(
        draft, ctx.tools.memo.required, has_customer=record.customer_id is not None
    )
    if "customer" in open_fields:
        return pick(ctx, record)
    if open_fields and draft.rounds < drafts.MAX_ASK_ROUNDS:
        return _ask(ctx, record, open_fields)
    return _file(ctx, record, draft)


def _file(ctx: Context, record: Record, draft: Draft) -> list[Outbound]:
    saved = memos.save(
        ctx.session,
        record,
        expected=drafts.MAY["file"],
        state="filed",
        draft=replace(draft, pending_choice=None),
        decided_by=ctx.person.id,
        decided_at=ctx.now,
    )
    if saved is None or saved.customer_id is None:
        return [already(ctx, record)]
    memo = memos.get(ctx.session, record.memo_id)
    deals = customers.open_opportunities(ctx.session, saved.customer_id)
    customers.file_record(
        ctx.session,
        record_id=saved.id,
        version=saved.version,
        customer_id=saved.customer_id,
        opportunity_id=deals[0].id if deals else None,
        person_id=saved.person_id,
        source=memo.source if memo else "text",
        at=memo.said_at if memo else ctx.now,
        text=(memo.text or "") if memo else "",
        draft=saved.draft,
        now=ctx.now,
    )
    settings.lists_changed(ctx.session)  # its new contacts are names from now on
    note(ctx, "memo.file", saved, {"state": record.state}, {"state": "filed"})
    return [views.show(saved, cards.filed(views.view(ctx, saved)))]


def drop(ctx: Context, record: Record) -> list[Outbound]:
    """作废: nothing is written; the recording goes after a day unless it is restored."""
    saved = memos.save(
        ctx.session,
        record,
        expected=drafts.MAY["drop"],
        state="dropped",
        decided_by=ctx.person.id,
        decided_at=ctx.now,
    )
    if saved is None:
        return [already(ctx, record)]
    note(ctx, "memo.drop", saved, {"state": record.state}, {"state": "dropped"})
    return [views.show(saved, cards.dropped(views.view(ctx, saved)))]


def undo(ctx: Context, record: Record) -> list[Outbound]:
    """撤销 of a filing or 恢复 of a drop, within the minutes that the settings give."""
    minutes = ctx.tools.memo.undo_minutes
    if record.state not in ("filed", "dropped"):
        return [ctx.reply(replies.NOTHING_TO_UNDO.format(minutes=minutes))]
    if record.decided_at and not drafts.within_undo(record.decided_at, ctx.now, minutes):
        return [ctx.reply(replies.LATE_UNDO.format(minutes=minutes))]
    saved = memos.save(
        ctx.session,
        record,
        expected=(record.state,),
        state="pending",
        remind_at=ctx.now + timedelta(hours=ctx.tools.memo.remind_hours),
    )
    if saved is None:
        return [already(ctx, record)]
    if record.state == "filed":
        customers.withdraw_record(ctx.session, record_id=record.id, now=ctx.now)
        settings.lists_changed(ctx.session)
    note(ctx, "memo.undo", saved, {"state": record.state}, {"state": "pending"})
    return [open_card(ctx, saved), ctx.reply(replies.DONE_UNDO)]


def pick(ctx: Context, record: Record) -> list[Outbound]:
    """选客户: the person chooses among those alike."""
    if record.state not in drafts.MAY["edit"]:
        return [already(ctx, record)]
    choices = views.candidates(ctx.session, record.draft, record.customer_id)
    if not choices and record.draft.facts.customer is None:
        return [ctx.reply(replies.NO_CUSTOMER)]
    return [views.show(record, cards.pick_form(views.view(ctx, record), choices))]


def back(ctx: Context, record: Record) -> list[Outbound]:
    if record.state not in drafts.MAY["edit"]:
        return [already(ctx, record)]
    return [open_card(ctx, record)]


def _ask(ctx: Context, record: Record, open_fields: list[str]) -> list[Outbound]:
    saved = memos.save(
        ctx.session,
        record,
        expected=drafts.MAY["file"],
        state="asking",
        draft=replace(record.draft, rounds=record.draft.rounds + 1),
        remind_at=ctx.now + timedelta(hours=ctx.tools.memo.remind_hours),
    )
    if saved is None:
        return [already(ctx, record)]
    view = views.view(ctx, saved)
    to_pick = [one for one in open_fields if one in ("close", "decision_maker")]
    if not to_pick:
        return [views.show(saved, ask.amount(view))]
    known = [one.name for one in customers.contacts(ctx.session, saved.customer_id or 0)]
    said = [one.name for one in saved.draft.facts.contacts]
    people = list(dict.fromkeys([*said, *known]))
    return [views.show(saved, ask.choose(view, to_pick[: drafts.MAX_ASKED], people))]


def fill_in(ctx: Context, record: Record, values: Mapping[str, Any]) -> list[Outbound]:
    """补上: an answer of 说不准 counts as left open on purpose."""
    if record.state != "asking":
        return [already(ctx, record)]
    draft = record.draft
    for field in ("close", "decision_maker"):
        answer = str(values.get(field, ""))
        if answer == ask.UNKNOWN:
            draft = replace(draft, skipped=(*draft.skipped, field))
        elif answer:
            draft = _with_edit(draft, field, answer)
    return _continue(ctx, record, draft)


def fill_amount(ctx: Context, record: Record, value: float, said: str) -> list[Outbound]:
    return _continue(ctx, record, drafts.set_amount(record.draft, value, said=said))


def skip(ctx: Context, record: Record) -> list[Outbound]:
    """先空着: whatever is still open stays open."""
    if record.state != "asking":
        return [already(ctx, record)]
    open_fields = drafts.missing(record.draft, ctx.tools.memo.required, has_customer=True)
    return _continue(
        ctx, record, replace(record.draft, skipped=(*record.draft.skipped, *open_fields))
    )


def _continue(ctx: Context, record: Record, draft: Draft) -> list[Outbound]:
    saved = save_edit(ctx, record, draft, None)
    return confirm(ctx, saved) if saved else [already(ctx, record)]


def _with_edit(draft: Draft, field: str, answer: str) -> Draft:
    change = Edit(path=field, old="", new=answer, said="表单")
    if field == "close":
        return replace(draft, close=answer, edits=(*draft.edits, change))
    return replace(draft, decision_maker=answer, edits=(*draft.edits, change))


def already(ctx: Context, record: Record) -> Outbound:
    """The answer to a late or repeated tap; it has no effect."""
    now = memos.get_record(ctx.session, record.id) or record
    verdict = VERDICTS.get(now.state)
    if verdict is None:
        return ctx.reply(replies.STALE_CARD)
    who = views.view(ctx, now).actor
    return ctx.reply(replies.handled_already(who, now.decided_at, verdict))


def open_card(ctx: Context, record: Record) -> Outbound:
    return views.show(record, cards.confirm(views.view(ctx, record)))


def save_edit(
    ctx: Context,
    record: Record,
    draft: Draft,
    customer_id: int | None,
    *,
    drop_customer: bool = False,
) -> Record | None:
    saved = memos.save(
        ctx.session,
        record,
        expected=drafts.MAY["edit"],
        draft=draft,
        customer_id=customer_id,
        drop_customer=drop_customer,
    )
    if saved:
        for change in draft.edits[len(record.draft.edits) :]:
            note(
                ctx,
                "memo.edit",
                saved,
                {change.path: change.old},
                {change.path: change.new, "said": change.said},
            )
    return saved


def note(
    ctx: Context, action: str, record: Record, old: dict[str, Any], new: dict[str, Any]
) -> None:
    audit.note(
        ctx.session,
        at=ctx.now,
        who=ctx.person.name,
        person_id=ctx.person.id,
        action=action,
        subject=f"record:{record.id}",
        old=old,
        new=new,
    )
