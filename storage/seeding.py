"""Made-up history for the demo, and taking all of it away again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage import settings
from storage.table_base import Base
from storage.tables import (
    CommitmentRow,
    CustomerRow,
    InteractionRow,
    ObjectionRow,
    OpportunityRow,
    PersonRow,
)

DEMO: Final = "demo"  # key of the setting that says: everybody in here is made up


@dataclass(frozen=True, slots=True, kw_only=True)
class MadePromise:
    who: str
    what: str
    due: date
    done_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeInteraction:
    customer_id: int
    opportunity_id: int | None
    person_id: int
    kind: str
    at: datetime
    summary: str
    text: str
    objection: tuple[str, str] | None = None  # category, words
    objection_open: bool = False
    promises: Sequence[MadePromise] = ()


def is_demo(session: Session) -> bool:
    return bool(settings.get(session, DEMO))


def has_people(session: Session) -> bool:
    return session.scalar(sa.select(PersonRow.id).limit(1)) is not None


def mark(session: Session, now: datetime) -> None:
    settings.put(session, DEMO, now.isoformat(timespec="seconds"))


def add_opportunity(
    session: Session,
    *,
    customer_id: int,
    owner_id: int,
    name: str,
    stage: str,
    stage_since: datetime,
    state: str,
    amount_fen: int,
    expected_close: date,
    created_at: datetime,
) -> int:
    row = OpportunityRow(
        customer_id=customer_id,
        owner_id=owner_id,
        name=name,
        stage=stage,
        stage_since=stage_since,
        state=state,
        amount_fen=amount_fen,
        expected_close=expected_close,
        created_at=created_at,
        updated_at=stage_since,
    )
    session.add(row)
    session.flush()
    return row.id


def add_interactions(session: Session, made: Sequence[MadeInteraction]) -> None:
    """Everything at once: the demo must be there in a moment."""
    rows = [
        InteractionRow(
            effect_key=f"demo:{number}",
            customer_id=one.customer_id,
            opportunity_id=one.opportunity_id,
            person_id=one.person_id,
            kind=one.kind,
            at=one.at,
            summary=one.summary,
            text=one.text,
            fields={},
        )
        for number, one in enumerate(made)
    ]
    session.add_all(rows)
    session.flush()
    last: dict[int, datetime] = {}
    for row, one in zip(rows, made, strict=True):
        last[one.customer_id] = max(one.at, last.get(one.customer_id, one.at))
        if one.objection is not None:
            session.add(
                ObjectionRow(
                    interaction_id=row.id,
                    ordinal=0,
                    customer_id=one.customer_id,
                    category=one.objection[0],
                    text=one.objection[1],
                    state="open" if one.objection_open else "answered",
                )
            )
        for ordinal, promise in enumerate(one.promises):
            session.add(
                CommitmentRow(
                    interaction_id=row.id,
                    ordinal=ordinal,
                    customer_id=one.customer_id,
                    person_id=one.person_id,
                    who=promise.who,
                    what=promise.what,
                    due=promise.due,
                    state="done" if promise.done_at else "open",
                    done_at=promise.done_at,
                    created_at=one.at,
                )
            )
    session.flush()
    for customer_id, at in last.items():
        session.execute(
            sa.update(CustomerRow).where(CustomerRow.id == customer_id).values(last_effective_at=at)
        )


def clear(session: Session) -> None:
    """Remove every row of every table.  Only for a demo: the caller has asked ``is_demo``."""
    session.execute(sa.update(PersonRow).values(manager_id=None))
    for table in reversed(Base.metadata.sorted_tables):
        session.execute(sa.delete(table))
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text("DELETE FROM procrastinate_jobs"))
