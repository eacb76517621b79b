"""Customers and their file: contacts, interactions, objections, promises of both sides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from sales.drafts import Draft
from storage.sql import changed, insert_new
from storage.tables import (
    CommitmentRow,
    ContactRow,
    CustomerRow,
    InteractionRow,
    ObjectionRow,
    OpportunityRow,
    PersonRow,
    ShortNameRow,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    id: int
    code: str
    name: str
    owner_id: int | None
    region: str
    industry: str
    tier: str
    short: str  # the shortest known short name, '' when none
    last_effective_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    id: int
    name: str
    role: str
    phone: str
    decision_maker: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Opportunity:
    id: int
    name: str
    stage: str
    state: str
    stage_since: datetime
    amount_fen: int | None
    expected_close: date | None
    owner_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    id: int
    record_id: int | None
    person_id: int
    person: str
    kind: str
    at: datetime
    summary: str
    text: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitment:
    id: int
    customer_id: int
    customer: str
    person_id: int
    who: str
    what: str
    due: date | None
    certainty: str
    conditional: bool
    postponed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    id: int
    category: str
    text: str


def get(session: Session, customer_id: int) -> Customer | None:
    row = session.get(CustomerRow, customer_id)
    return _customer(session, row) if row else None


def by_name(session: Session, name: str) -> Customer | None:
    """By the registered name or a short name that belongs to one customer only."""
    row = session.scalar(sa.select(CustomerRow).where(CustomerRow.name == name))
    if row is None:
        ids = session.scalars(
            sa.select(ShortNameRow.customer_id).where(ShortNameRow.name == name).distinct()
        ).all()
        row = session.get(CustomerRow, ids[0]) if len(ids) == 1 else None
    return _customer(session, row) if row else None


def search(session: Session, words: str, *, limit: int = 9) -> list[Customer]:
    """Customers whose registered or short name contains *words*, shortest first."""
    like = f"%{words.replace('%', '').replace('_', '')}%"
    short = sa.select(ShortNameRow.customer_id).where(ShortNameRow.name.like(like))
    rows = session.scalars(
        sa.select(CustomerRow)
        .where(sa.or_(CustomerRow.name.like(like), CustomerRow.id.in_(short)))
        .order_by(sa.func.length(CustomerRow.name), CustomerRow.id)
        .limit(limit)
    )
    return [_customer(session, row) for row in rows]


def contacts(session: Session, customer_id: int) -> list[Contact]:
    rows = session.scalars(
        sa.select(ContactRow)
        .where(ContactRow.customer_id == customer_id, ContactRow.left_at.is_(None))
        .order_by(ContactRow.decision_maker.desc(), ContactRow.id)
    )
    return [
        Contact(
            id=row.id,
            name=row.name,
            role=row.role,
            phone=row.phone,
            decision_maker=row.decision_maker,
        )
        for row in rows
    ]


def open_opportunities(session: Session, customer_id: int) -> list[Opportunity]:
    rows = session.scalars(
        sa.select(OpportunityRow)
        .where(OpportunityRow.customer_id == customer_id, OpportunityRow.state == "open")
        .order_by(OpportunityRow.updated_at.desc(), OpportunityRow.id.desc())
    )
    return [
        Opportunity(
            id=row.id,
            name=row.name,
            stage=row.stage,
            state=row.state,
            stage_since=row.stage_since,
            amount_fen=row.amount_fen,
            expected_close=row.expected_close,
            owner_id=row.owner_id,
        )
        for row in rows
    ]


def interactions(session: Session, customer_id: int, *, limit: int = 50) -> list[Interaction]:
    rows = session.execute(
        sa.select(InteractionRow, PersonRow.name)
        .join(PersonRow, PersonRow.id == InteractionRow.person_id)
        .where(InteractionRow.customer_id == customer_id, InteractionRow.withdrawn_at.is_(None))
        .order_by(InteractionRow.at.desc(), InteractionRow.id.desc())
        .limit(limit)
    )
    return [
        Interaction(
            id=row.id,
            record_id=row.record_id,
            person_id=row.person_id,
            person=name,
            kind=row.kind,
            at=row.at,
            summary=row.summary,
            text=row.text,
            fields=row.fields,
        )
        for row, name in rows
    ]


def objections(session: Session, customer_id: int) -> list[Objection]:
    rows = session.scalars(
        sa.select(ObjectionRow)
        .where(ObjectionRow.customer_id == customer_id, ObjectionRow.state == "open")
        .order_by(ObjectionRow.id.desc())
    )
    return [Objection(id=row.id, category=row.category, text=row.text) for row in rows]


def commitments(
    session: Session, *, person_id: int | None = None, customer_id: int | None = None
) -> list[Commitment]:
    """Open promises of both sides, the earliest day first, those without a day last (G5)."""
    query = (
        sa.select(CommitmentRow, CustomerRow.name)
        .join(CustomerRow, CustomerRow.id == CommitmentRow.customer_id)
        .where(CommitmentRow.state == "open")
        .order_by(CommitmentRow.due.is_(None), CommitmentRow.due, CommitmentRow.id)
    )
    if person_id is not None:
        query = query.where(CommitmentRow.person_id == person_id)
    if customer_id is not None:
        query = query.where(CommitmentRow.customer_id == customer_id)
    return [
        Commitment(
            id=row.id,
            customer_id=row.customer_id,
            customer=name,
            person_id=row.person_id,
            who=row.who,
            what=row.what,
            due=row.due,
            certainty=row.certainty,
            conditional=row.conditional,
            postponed=row.postponed,
        )
        for row, name in session.execute(query)
    ]


def file_record(
    session: Session,
    *,
    record_id: int,
    version: int,
    customer_id: int,
    opportunity_id: int | None,
    person_id: int,
    source: str,
    at: datetime,
    text: str,
    draft: Draft,
    now: datetime,
) -> int | None:
    """Write a confirmed record into the customer's file; None when that was done before."""
    facts = draft.facts
    interaction_id = insert_new(
        session,
        InteractionRow,
        record_id=record_id,
        effect_key=f"record:{record_id}:{version}",
        customer_id=customer_id,
        opportunity_id=opportunity_id,
        person_id=person_id,
        kind="memo" if source == "voice" else "message",
        at=at,
        summary=facts.summary or text[:120],
        text=text,
        fields=draft.to_dict(),
    )
    if interaction_id is None:
        return None
    for ordinal, objection in enumerate(facts.objections):
        insert_new(
            session,
            ObjectionRow,
            interaction_id=interaction_id,
            ordinal=ordinal,
            customer_id=customer_id,
            category=objection.category,
            text=objection.text,
        )
    for ordinal, promise in enumerate(facts.commitments):
        insert_new(
            session,
            CommitmentRow,
            interaction_id=interaction_id,
            ordinal=ordinal,
            customer_id=customer_id,
            person_id=person_id,
            who=promise.who,
            what=promise.what,
            due=promise.due,
            certainty=promise.certainty,
            conditional=promise.conditional,
            created_at=now,
        )
    for contact in facts.contacts:
        insert_new(
            session,
            ContactRow,
            customer_id=customer_id,
            name=contact.name,
            role=contact.role,
            decision_maker=contact.decision_maker,
            interaction_id=interaction_id,
            created_at=now,
        )
    # A confirmed memo is an effective interaction (a sign from the customer's side).
    session.execute(
        sa.update(CustomerRow).where(CustomerRow.id == customer_id).values(last_effective_at=at)
    )
    return int(interaction_id)


def withdraw_record(session: Session, *, record_id: int, now: datetime) -> bool:
    """Take back what :func:`file_record` wrote; False when there was nothing to take back."""
    filed = session.scalars(
        sa.select(InteractionRow).where(
            InteractionRow.record_id == record_id, InteractionRow.withdrawn_at.is_(None)
        )
    ).all()
    for interaction in filed:
        interaction.withdrawn_at = now
        for table in (ObjectionRow, CommitmentRow):
            session.execute(
                sa.update(table)
                .where(table.interaction_id == interaction.id)
                .values(state="withdrawn")
            )
        session.execute(sa.delete(ContactRow).where(ContactRow.interaction_id == interaction.id))
        session.flush()
        before = session.scalar(
            sa.select(sa.func.max(InteractionRow.at)).where(
                InteractionRow.customer_id == interaction.customer_id,
                InteractionRow.withdrawn_at.is_(None),
            )
        )
        session.execute(
            sa.update(CustomerRow)
            .where(CustomerRow.id == interaction.customer_id)
            .values(last_effective_at=before)
        )
    return bool(filed)


def finish_commitment(session: Session, commitment_id: int, *, now: datetime) -> bool:
    done = sa.update(CommitmentRow).where(
        CommitmentRow.id == commitment_id, CommitmentRow.state == "open"
    )
    return changed(session, done.values(state="done", done_at=now)) == 1


def _customer(session: Session, row: CustomerRow) -> Customer:
    short = session.scalar(
        sa.select(ShortNameRow.name)
        .where(ShortNameRow.customer_id == row.id)
        .order_by(sa.func.length(ShortNameRow.name))
        .limit(1)
    )
    return Customer(
        id=row.id,
        code=row.code,
        name=row.name,
        owner_id=row.owner_id,
        region=row.region,
        industry=row.industry,
        tier=row.tier,
        short=short or "",
        last_effective_at=row.last_effective_at,
    )
