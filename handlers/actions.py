"""Every button in one table, and the checks that all taps share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from handlers import contradictions, editing, joining, records, replies
from handlers.cards import notice, words
from handlers.context import Context
from handlers.messages import Inbound, Outbound, Show
from storage import audit, cards, memos, people
from storage.cards import CardView
from storage.memos import Memo, Record

MemoAction = Callable[[Context, Memo], list[Outbound]]
RecordAction = Callable[[Inbound, Context, Record], list[Outbound]]

ACTIONS: Final[dict[str, RecordAction]] = {
    "memo.ok": lambda _, ctx, record: records.confirm(ctx, record),
    "memo.edit": lambda _, ctx, record: editing.edit(ctx, record),
    "memo.back": lambda _, ctx, record: records.back(ctx, record),
    "memo.save": lambda event, ctx, record: editing.save_form(
        ctx, record, event.values, then_file=True
    ),
    "memo.pick": lambda _, ctx, record: records.pick(ctx, record),
    "memo.picked": lambda event, ctx, record: editing.save_form(
        ctx, record, event.values, then_file=False
    ),
    "memo.drop": lambda _, ctx, record: records.drop(ctx, record),
    "memo.undo": lambda _, ctx, record: records.undo(ctx, record),
    "ask.save": lambda event, ctx, record: records.fill_in(ctx, record, event.values),
    "ask.skip": lambda _, ctx, record: records.skip(ctx, record),
    "contradiction.now": lambda event, ctx, record: contradictions.decide(
        event, ctx, record, "now"
    ),
    "contradiction.before": lambda event, ctx, record: contradictions.decide(
        event, ctx, record, "before"
    ),
    "contradiction.both": lambda event, ctx, record: contradictions.decide(
        event, ctx, record, "both"
    ),
}

# On a card about a whole memo.
MEMO_ACTIONS: Final[dict[str, MemoAction]] = {
    "memo.join": joining.join,
    "memo.keep": joining.keep,
    "memo.apart": joining.apart,
}


def tap(event: Inbound, ctx: Context) -> list[Outbound]:
    """A tap on a card: who taps, on which drawing, and is it still open?  All checked now."""
    if event.action == "notice.ok":
        return accept_notice(ctx)
    card = cards.get(ctx.session, event.card_id)
    known = MEMO_ACTIONS if card and card.subject_kind == "memo" else ACTIONS
    if card is None or event.action not in known:
        return [ctx.reply(replies.STALE_CARD)]
    if card.person_id != ctx.person.id:
        owner = people.get(ctx.session, card.person_id)
        return [ctx.reply(replies.not_yours(owner.name if owner else ""))]
    if event.handle:
        cards.remember_handle(ctx.session, card.id, event.handle)
    if card.subject_kind == "memo":
        return _tap_memo(event, ctx, card)
    record = memos.lock_record(ctx.session, card.subject_id)
    if record is None:
        return [ctx.reply(replies.STALE_CARD)]
    if event.nonce != card.nonce:
        # A tap on an older drawing: the values that it showed may have changed since.
        return [records.already(ctx, record)]
    # Platforms may leave out what nobody touched; it is what the person saw and sent.
    values = {**cards.chosen(ctx.session, card.id), **event.values}
    return ACTIONS[event.action](replace(event, values=values), ctx, record)


def _tap_memo(event: Inbound, ctx: Context, card: CardView) -> list[Outbound]:
    memo = memos.get(ctx.session, card.subject_id)
    if memo is None:
        return [ctx.reply(replies.STALE_CARD)]
    if event.nonce != card.nonce:
        return [joining.already(ctx, memo)]
    return MEMO_ACTIONS[event.action](ctx, memo)


def accept_notice(ctx: Context) -> list[Outbound]:
    """知道了: kept with the version of the notice and the time."""
    if ctx.person.notice_version >= notice.VERSION:
        return [ctx.reply("好的。")]
    people.accept_notice(ctx.session, ctx.person.id, notice.VERSION)
    audit.note(
        ctx.session,
        at=ctx.now,
        who=ctx.person.name,
        person_id=ctx.person.id,
        action="notice.accept",
        subject=f"person:{ctx.person.id}",
        new={"version": notice.VERSION},
    )
    return [notice_card(ctx, accepted=True)]


def notice_card(ctx: Context, *, accepted: bool = False) -> Show:
    settings = ctx.tools.memo
    card = (
        notice.accepted(words.moment(ctx.now), ctx.person.name)
        if accepted
        else notice.first_use(keep_days=settings.keep_days, log_days=settings.log_days)
    )
    return Show(
        card_key=f"notice:{ctx.person.id}:{notice.VERSION}",
        person_id=ctx.person.id,
        card=card,
        subject_kind="person",
        subject_id=ctx.person.id,
    )
