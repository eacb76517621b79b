"""以哪个为准？  A drafted memo is held against the customer's file, and the person decides (G6).

What was asked and how it was answered stands in the audit log of the record; the answer is written
while the record is locked, so a second tap finds it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from handlers import records, replies, views
from handlers.cards import contradiction as cards
from handlers.cards.model import Card
from handlers.context import Context
from handlers.messages import Inbound, Outbound, Show
from sales import contradictions, drafts
from sales.contradictions import Contradiction
from storage import customers, filed_facts, memos
from storage.filed_facts import Asked
from storage.memos import Record

MAX_ASKED: Final = 2


def ask(ctx: Context, record: Record) -> list[Outbound]:
    """Up to two cards about what the record says against the file; each is asked once.

    What was asked of another customer, whom the record had before, does not count.
    """
    memo = memos.get(ctx.session, record.memo_id)
    if record.customer_id is None or memo is None:
        return []
    before = filed_facts.asked(ctx.session, record.id)
    here = {one.contradiction.key for one in before if one.customer_id == record.customer_id}
    deals = customers.open_opportunities(ctx.session, record.customer_id)
    found = contradictions.find(
        record.draft,
        memo.text or "",
        filed_facts.of_customer(ctx.session, record.customer_id),
        opportunity_id=deals[0].id if deals else None,  # as it would be filed
    )
    found = [replace(one, key=f"{record.customer_id}:{one.key}") for one in found]
    fresh = [one for one in found if one.key not in here][: MAX_ASKED - len(here)]
    said: list[Outbound] = []
    for number, one in enumerate(fresh, len(before) + 1):
        question = {"customer_id": record.customer_id, "contradiction": one.to_dict()}
        records.note(ctx, filed_facts.ASK, record, {}, question)
        view = views.view(ctx, record)
        said.append(_show(record, one, cards.question(view, one, number)))
    return said


def after_edit(ctx: Context, before: Record, now: Record) -> list[Outbound]:
    """Another customer has another file: what the record says is held against that one too."""
    return ask(ctx, now) if now.customer_id != before.customer_id else []


def decide(event: Inbound, ctx: Context, record: Record, answer: str) -> list[Outbound]:
    """*answer*: one of ``cards.VERDICTS``.  The first one counts; ``before`` changes the draft."""
    questions = filed_facts.asked(ctx.session, record.id)
    number = int(event.arg) if event.arg.isdecimal() else 0
    if not 1 <= number <= len(questions):
        return [ctx.reply(replies.STALE_CARD)]
    question = questions[number - 1]
    if question.answer:
        verdict = cards.VERDICTS[question.answer]
        return [ctx.reply(replies.handled_already(question.who, question.at, verdict))]
    if record.state not in drafts.MAY["edit"]:
        return [records.already(ctx, record)]
    if record.customer_id != question.customer_id:
        return [ctx.reply(replies.OTHER_CUSTOMER_NOW)]
    return _decided(ctx, record, question, answer)


def _decided(ctx: Context, record: Record, question: Asked, answer: str) -> list[Outbound]:
    one = question.contradiction
    said: list[Outbound] = []
    if answer == cards.BEFORE:
        draft = contradictions.restore(record.draft, one, said=cards.VERDICTS[answer])
        saved = records.save_edit(ctx, record, draft, None)
        if saved is None:
            return [records.already(ctx, record)]
        record = saved
        said.append(records.open_card(ctx, record))
    records.note(ctx, filed_facts.ANSWER, record, {}, {"key": one.key, "answer": answer})
    view = views.view(ctx, record)
    closed = cards.decided(view, one, answer, who=ctx.person.name, at=ctx.now)
    return [*said, _show(record, one, closed)]


def _show(record: Record, one: Contradiction, card: Card) -> Show:
    # A subject of its own: the record's page taps the record's card, not this one.
    return Show(
        card_key=f"contradiction:{record.id}:{one.key}",
        person_id=record.person_id,
        card=card,
        subject_kind="contradiction",
        subject_id=record.id,
    )
