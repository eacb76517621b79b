"""Recordings that follow each other within two minutes may be joined into one memo.

Platforms cut a long memo into pieces of a minute.  The second piece offers it; a tap or 合并 makes
a third memo of both texts, which is read like any other.  Its records stand instead of those of the
parts, which are ``replaced`` until somebody takes the memo apart again.  Nothing is deleted.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from handlers import records, replies, views
from handlers.cards import join as cards
from handlers.cards.model import Card
from handlers.context import Context
from handlers.messages import Outbound, Show
from sales import drafts
from sales.drafts import Draft
from sales.facts import Span
from storage import audit, inbox, jobs, memo_joins, memos
from storage.memos import Memo

GAP: Final = timedelta(minutes=2)
ANSWERED: Final = "answered"  # a spoken reply or command: no part of a report
OPEN: Final = drafts.MAY["edit"]
_SEPARATOR: Final = " "  # a pause: the cut may lie inside a sentence
_LOOK_BACK: Final = timedelta(hours=12)


def offer(ctx: Context, memo: Memo) -> list[Outbound]:
    """Ask whether *memo*, just drafted, belongs to the recording before it."""
    before = _partner(ctx, memo)
    return [] if before is None else [_show(memo, _offer(ctx, before, memo))]


def join(ctx: Context, memo: Memo) -> list[Outbound]:
    """合并成一条: the recording before *memo* and this one become a memo of their own."""
    before = _partner(ctx, memo, lock=True)
    if before is None:
        return [already(ctx, memo)]
    event = ctx.event
    inbox_id = inbox.id_of(ctx.session, event.channel, event.event_key) if event else None
    if inbox_id is None:  # spoken: that event is a memo itself
        return [ctx.reply(replies.JOIN_BY_HAND)]
    made = memo_joins.join(
        ctx.session, (before, memo), inbox_id=inbox_id, separator=_SEPARATOR, now=ctx.now
    )
    if made is None:
        return []
    said: list[Outbound] = [_show(memo, _joined(ctx, made))]
    for part in (before, memo):
        said += _replace(ctx, part, joined_into=made.id)
    jobs.put(
        ctx.session,
        jobs.NewJob(kind="memo", ref=made.id, lane="message", lock=ctx.conversation),
    )
    _note(ctx, "memo.join", made)
    return said


def join_latest(ctx: Context) -> list[Outbound]:
    """合并, in words: the newest recording and the one before it."""
    memo = memo_joins.latest_voice(
        ctx.session, ctx.person.id, since=ctx.now - _LOOK_BACK, but_not=ANSWERED
    )
    if memo is None or _partner(ctx, memo) is None:
        return [ctx.reply(replies.JOIN_NOTHING)]
    made = join(ctx, memo)
    return [*made, ctx.reply(replies.JOIN_WORKING)] if len(made) > 1 else made


def keep(ctx: Context, memo: Memo) -> list[Outbound]:
    """分开记: the question is closed."""
    if memo.state != "drafted":
        return [already(ctx, memo)]
    shown = _show(memo, cards.kept(who=ctx.person.name, at=ctx.now, memo_id=memo.id))
    open_ones = [one for one in memos.records_of(ctx.session, memo.id) if one.state in OPEN]
    if any(one.draft.facts.customer is None and one.customer_id is None for one in open_ones):
        return [shown, ctx.reply(replies.NO_CUSTOMER)]
    return [shown] if open_ones else [shown, ctx.reply(replies.NOT_UNDERSTOOD)]


def apart(ctx: Context, memo: Memo) -> list[Outbound]:
    """分开, within the minutes for undoing: the parts as they were.  *memo*: one of them."""
    minutes = ctx.tools.memo.undo_minutes
    made = memos.get(ctx.session, memo.joined_into) if memo.joined_into else None
    if made is None or made.joined_into is not None or not _undoable(ctx, made):
        return [ctx.reply(replies.APART_NOTHING.format(minutes=minutes))]
    memo_joins.lock(ctx.session, made.id, *_parts(made))
    if any(one.state not in OPEN for one in memos.records_of(ctx.session, made.id)):
        return [ctx.reply(replies.APART_LATE)]
    return [*_apart(ctx, made), ctx.reply(replies.APART_DONE)]


def apart_latest(ctx: Context) -> list[Outbound]:
    """分开, in words."""
    found = latest(ctx)
    if found is None:
        minutes = ctx.tools.memo.undo_minutes
        return [ctx.reply(replies.APART_NOTHING.format(minutes=minutes))]
    last = memos.get(ctx.session, _parts(found)[-1])
    return [] if last is None else apart(ctx, last)


def latest(ctx: Context) -> Memo | None:
    """The newest joined memo that may still be taken apart."""
    found = memo_joins.latest_join(ctx.session, ctx.person.id)
    return found if found and _undoable(ctx, found) else None


def nothing_read(ctx: Context, made: Memo) -> list[Outbound]:
    """The joined text says nothing about a customer: better two records than none."""
    return [*_apart(ctx, made), ctx.reply(replies.JOIN_FAILED)]


def already(ctx: Context, memo: Memo) -> Outbound:
    """The answer to a tap that comes too late."""
    if memo.state == "joined":
        by = next(
            (one for one in memos.records_of(ctx.session, memo.id) if one.state == "replaced"),
            None,
        )
        return records.already(ctx, by) if by else ctx.reply(replies.STALE_CARD)
    return ctx.reply(replies.JOIN_LATE)


def corrected(ctx: Context, made: Memo, draft: Draft) -> Draft:
    """*draft*, read from the joined text, with what the person had corrected in the parts.

    A correction belongs to words; it holds where the same words were read the same way again.
    """
    for part, start in made.join.parts if made.join else ():
        for record in memos.records_of(ctx.session, part):
            if record.state == "replaced":
                draft = _carry(record.draft, start, draft)
    return draft


# --- what the ways in share ---------------------------------------------------------------------


def _partner(ctx: Context, memo: Memo, *, lock: bool = False) -> Memo | None:
    """What stands before *memo*, near enough and still open, as *memo* itself is; else None."""
    if memo.media_sha is None or memo.source != "voice":
        return None
    previous = memo_joins.voice_before(ctx.session, memo, but_not=ANSWERED)
    if previous is None:
        return None
    began = memo.said_at - timedelta(milliseconds=memo.duration_ms or 0)
    if began - previous.said_at > GAP or previous.said_at - memo.said_at > GAP:
        return None
    before = memo_joins.whole(ctx.session, previous)
    if lock:
        memo_joins.lock(ctx.session, before.id, memo.id)
    states = [memos.get(ctx.session, one.id) for one in (before, memo)]
    if any(one is None or one.state != "drafted" or one.joined_into for one in states):
        return None
    said = [one for part in (before, memo) for one in memos.records_of(ctx.session, part.id)]
    return before if said and all(one.state in OPEN for one in said) else None


def _replace(ctx: Context, part: Memo, *, joined_into: int | None) -> list[Outbound]:
    """The records of *part* stand elsewhere from now on; their cards say so."""
    said: list[Outbound] = []
    for record in memos.records_of(ctx.session, part.id):
        saved = memos.save(
            ctx.session,
            record,
            expected=OPEN,
            state="replaced",
            decided_by=ctx.person.id,
            decided_at=ctx.now,
        )
        if saved is not None:  # they are locked and were open a moment ago
            view = views.view(ctx, saved)
            said.append(views.show(saved, cards.replaced(view, joined_into=joined_into)))
    return said


def _apart(ctx: Context, made: Memo) -> list[Outbound]:
    said = _replace(ctx, made, joined_into=None)
    parts = memo_joins.take_apart(ctx.session, made)
    remind_at = ctx.now + timedelta(hours=ctx.tools.memo.remind_hours)
    for part in parts:
        for record in memos.records_of(ctx.session, part.id):
            saved = memos.save(
                ctx.session, record, expected=("replaced",), state="pending", remind_at=remind_at
            )
            if saved is not None:
                said.append(records.open_card(ctx, saved))
    _note(ctx, "memo.apart", made)
    return [*said, _show(parts[-1], _offer(ctx, parts[0], parts[-1]))]


def _undoable(ctx: Context, made: Memo) -> bool:
    minutes = ctx.tools.memo.undo_minutes
    return made.join is not None and drafts.within_undo(made.join.at, ctx.now, minutes)


def _parts(made: Memo) -> tuple[int, ...]:
    return tuple(part for part, _ in made.join.parts) if made.join else ()


def _show(memo: Memo, card: Card) -> Show:
    return Show(
        card_key=f"memo.join:{memo.id}",
        person_id=memo.person_id,
        card=card,
        subject_kind="memo",
        subject_id=memo.id,
    )


def _offer(ctx: Context, before: Memo, memo: Memo) -> Card:
    return cards.offer(
        before=_about(ctx, before),
        said=memo.text or "",
        heard=bool(memos.records_of(ctx.session, memo.id)),
        memo_id=memo.id,
        duration_ms=memo.duration_ms,
        at=memo.said_at,
    )


def _joined(ctx: Context, made: Memo) -> Card:
    minutes = ctx.tools.memo.undo_minutes
    return cards.joined(who=ctx.person.name, at=ctx.now, memo_id=made.id, undo_minutes=minutes)


def _about(ctx: Context, memo: Memo) -> str:
    """The customers of a memo, else its first words."""
    shown = [views.view(ctx, one) for one in memos.records_of(ctx.session, memo.id)]
    named = list(dict.fromkeys(one.short or one.customer for one in shown))
    return "、".join(one for one in named if one) or (memo.text or "")[:12]


def _note(ctx: Context, action: str, made: Memo) -> None:
    audit.note(
        ctx.session,
        at=ctx.now,
        who=ctx.person.name,
        person_id=ctx.person.id,
        action=action,
        subject=f"memo:{made.id}",
        new={"parts": list(_parts(made))},
    )


# --- corrections that stay ----------------------------------------------------------------------


def _carry(old: Draft, start: int, draft: Draft) -> Draft:
    for path in dict.fromkeys(edit.path for edit in old.edits):
        edit = old.edit_of(path)
        kind, number, *_ = (*path.split("."), "")
        if edit is None or kind not in ("amounts", "commitments"):
            continue  # names are heard right from the correction on (G3)
        span = getattr(old.facts, kind)[int(number)].span
        place = _find([one.span for one in getattr(draft.facts, kind)], span, start)
        if place is None:
            continue
        if kind == "amounts":
            value = float(edit.new)
            draft = drafts.set_amount(draft, value, said=edit.said, path=f"amounts.{place}")
        else:
            day, where = date.fromisoformat(edit.new), f"commitments.{place}.due"
            draft = drafts.set_due(draft, day, said=edit.said, path=where)
    return draft


def _find(spans: list[Span], wanted: Span, start: int) -> int | None:
    moved = (wanted[0] + start, wanted[1] + start)
    return next((number for number, span in enumerate(spans) if span == moved), None)
