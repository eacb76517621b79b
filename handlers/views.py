"""From rows to what a card shows."""

from __future__ import annotations

import re

from handlers.cards.memo import View
from handlers.cards.model import Card
from handlers.context import Context
from handlers.messages import Show
from sales.drafts import Draft
from storage import customers, memos, people
from storage.database import Session
from storage.memos import Memo, Record

_LEGAL_FORM = re.compile(r"(股份有限公司|有限责任公司|有限公司|集团公司|集团|公司)$")


def short_name(name: str, known: str = "") -> str:
    """The known short name, else the registered one without its legal form."""
    return known or _LEGAL_FORM.sub("", name) or name


def of(session: Session, record: Record, memo: Memo, *, undo_minutes: int) -> View:
    """The card's view of *record* as it stands now."""
    said = record.draft.facts.customer
    customer = customers.get(session, record.customer_id) if record.customer_id else None
    deals = customers.open_opportunities(session, record.customer_id) if record.customer_id else []
    actor = people.get(session, record.decided_by) if record.decided_by else None
    name = customer.name if customer else (said.name if said else "")
    return View(
        record_id=record.id,
        memo_id=memo.id,
        draft=record.draft,
        text=memo.text or "",
        source=memo.source,
        said_at=memo.said_at,
        duration_ms=memo.duration_ms,
        customer=name,
        short=short_name(name, customer.short if customer else ""),
        customer_id=record.customer_id,
        opportunity=f"{deals[0].name}（{deals[0].stage}）" if deals else "",
        actor=actor.name if actor else "",
        acted_at=record.decided_at,
        undo_minutes=undo_minutes,
    )


def view(ctx: Context, record: Record) -> View:
    memo = memos.get(ctx.session, record.memo_id)
    if memo is None:
        raise LookupError(f"record {record.id} without its memo")
    return of(ctx.session, record, memo, undo_minutes=ctx.tools.memo.undo_minutes)


def show(record: Record, card: Card) -> Show:
    """Put *card* where the record's card is: one card per record, redrawn in place."""
    return Show(
        card_key=f"memo.confirm:{record.id}",
        person_id=record.person_id,
        card=card,
        subject_kind="record",
        subject_id=record.id,
    )


def candidates(session: Session, draft: Draft, chosen: int | None) -> list[tuple[str, str]]:
    """Up to nine customers for a drop-down: the chosen one, those alike, those said alike."""
    found: dict[str, str] = {}

    def take(customer: customers.Customer | None) -> None:
        if customer and len(found) < 9:
            found.setdefault(str(customer.id), short_name(customer.name, customer.short))

    fact = draft.facts.customer
    take(customers.get(session, chosen) if chosen else None)
    if fact:
        for name in fact.candidates:
            take(customers.by_name(session, name))
        for words in dict.fromkeys((fact.name, fact.said, fact.said[:2])):
            if len(words) >= 2:
                for customer in customers.search(session, words):
                    take(customer)
    return list(found.items())
