"""The company's own lists in the shape that reading a memo needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.sql import changed, insert_new
from storage.tables import (
    CommitmentRow,
    CompetitorRow,
    ContactRow,
    CorrectionRow,
    CustomerRow,
    InteractionRow,
    PersonRow,
    ProductRow,
    ShortNameRow,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """``customers``: registered name -> short names; ``contacts``: -> ``(name, role)``."""

    customers: dict[str, list[str]]
    contacts: dict[str, list[tuple[str, str]]]
    products: list[str]
    competitors: list[str]
    colleagues: list[str]


def lists(session: Session) -> Lists:
    names = {
        row.id: row.name for row in session.execute(sa.select(CustomerRow.id, CustomerRow.name))
    }
    customers: dict[str, list[str]] = {name: [] for name in names.values()}
    for row in session.execute(sa.select(ShortNameRow.customer_id, ShortNameRow.name)):
        customers[names[row.customer_id]].append(row.name)
    contacts: dict[str, list[tuple[str, str]]] = {}
    current = sa.select(ContactRow.customer_id, ContactRow.name, ContactRow.role).where(
        ContactRow.left_at.is_(None)
    )
    for customer_id, name, role in session.execute(current):
        contacts.setdefault(names[customer_id], []).append((name, role))
    return Lists(
        customers=customers,
        contacts=contacts,
        products=list(session.scalars(sa.select(ProductRow.name).order_by(ProductRow.id))),
        competitors=list(session.scalars(sa.select(CompetitorRow.name).order_by(CompetitorRow.id))),
        colleagues=list(session.scalars(sa.select(PersonRow.name).where(PersonRow.active))),
    )


def corrections(session: Session, person_id: int) -> dict[str, str]:
    """What this person corrected before: heard -> meant, the latest wins (G3)."""
    rows = session.execute(
        sa.select(CorrectionRow.heard, CorrectionRow.meant)
        .where(CorrectionRow.person_id == person_id)
        .order_by(CorrectionRow.at, CorrectionRow.id)
    )
    return {row.heard: row.meant for row in rows}


def keep_correction(
    session: Session, *, person_id: int, kind: str, heard: str, meant: str, now: datetime
) -> None:
    """Remember what was heard wrongly, so that the next memo has it right."""
    if not heard or heard == meant:
        return
    made = insert_new(
        session, CorrectionRow, person_id=person_id, kind=kind, heard=heard, meant=meant, at=now
    )
    if made is None:
        changed(
            session,
            sa.update(CorrectionRow)
            .where(
                CorrectionRow.person_id == person_id,
                CorrectionRow.heard == heard,
                CorrectionRow.meant == meant,
            )
            .values(times=CorrectionRow.times + 1, at=now),
        )


def recent_names(session: Session, person_id: int, *, limit: int = 25) -> list[str]:
    """Names of this rep's own world, the most recent first: customers and their contacts."""
    last = sa.func.max(InteractionRow.at)
    recent = session.execute(
        sa.select(CustomerRow.id, CustomerRow.name)
        .join(InteractionRow, InteractionRow.customer_id == CustomerRow.id)
        .where(InteractionRow.person_id == person_id)
        .group_by(CustomerRow.id, CustomerRow.name)
        .order_by(last.desc())
        .limit(limit)
    ).all()
    names: list[str] = []
    for row in recent:
        names.append(row.name)
        names += session.scalars(
            sa.select(ContactRow.name).where(
                ContactRow.customer_id == row.id, ContactRow.left_at.is_(None)
            )
        ).all()
    owned = session.scalars(
        sa.select(CustomerRow.name).where(CustomerRow.owner_id == person_id).limit(limit)
    ).all()
    promised = session.scalars(
        sa.select(CustomerRow.name)
        .join(CommitmentRow, CommitmentRow.customer_id == CustomerRow.id)
        .where(CommitmentRow.person_id == person_id, CommitmentRow.state == "open")
        .limit(limit)
    ).all()
    return list(dict.fromkeys([*names, *promised, *owned]))[:limit]
