"""What the file last said about a customer, and what was asked about it (G6).

The questions and their answers stand in the audit log under the record that they belong to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from sales.contradictions import Contradiction, FiledEntry, OpenPromise
from sales.drafts import Draft
from sales.facts import ContactFact, RecordFacts
from storage.tables import AuditRow, CommitmentRow, ContactRow, InteractionRow, PersonRow

ASK: Final = "contradiction.ask"
ANSWER: Final = "contradiction.answer"
_NEWEST: Final = 50  # entries of one customer that are looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question about a record; ``answer`` is '' while it is open."""

    customer_id: int
    contradiction: Contradiction
    answer: str = ""
    who: str = ""
    at: datetime | None = None


def of_customer(session: Session, customer_id: int) -> list[FiledEntry]:
    """Filed entries that were not withdrawn, the newest first; last, what the lists alone know.

    Who left is no decision maker any more, and only open promises count.
    """
    rows = session.execute(
        sa.select(InteractionRow, PersonRow.name)
        .join(PersonRow, PersonRow.id == InteractionRow.person_id)
        .where(InteractionRow.customer_id == customer_id, InteractionRow.withdrawn_at.is_(None))
        .order_by(InteractionRow.at.desc(), InteractionRow.id.desc())
        .limit(_NEWEST)
    ).all()
    people = session.scalars(
        sa.select(ContactRow).where(ContactRow.customer_id == customer_id).order_by(ContactRow.id)
    ).all()
    gone = {one.name for one in people if one.left_at is not None}
    open_rows = session.scalars(
        sa.select(CommitmentRow).where(
            CommitmentRow.customer_id == customer_id, CommitmentRow.state == "open"
        )
    )
    promises = {(one.interaction_id, one.ordinal): one for one in open_rows}
    entries = []
    for row, person in rows:
        # Entries without the fields of a memo (imported ones) say nothing that can be compared.
        if "facts" in row.fields:
            draft = _without(Draft.from_dict(row.fields), gone)
            entries.append(
                FiledEntry(
                    id=row.id,
                    at=row.at,
                    by=person,
                    text=row.text,
                    draft=draft,
                    promises=tuple(_promises(row.id, draft, promises)),
                    opportunity_id=row.opportunity_id,
                )
            )
    return [*entries, _list_entry([one for one in people if one.left_at is None])]


def _without(draft: Draft, gone: set[str]) -> Draft:
    kept = tuple(one for one in draft.facts.contacts if one.name not in gone)
    decider = "" if draft.decision_maker in gone else draft.decision_maker
    return replace(draft, facts=replace(draft.facts, contacts=kept), decision_maker=decider)


def _promises(
    interaction_id: int, draft: Draft, rows: dict[tuple[int, int], CommitmentRow]
) -> Iterator[OpenPromise]:
    for ordinal, fact in enumerate(draft.facts.commitments):
        row = rows.get((interaction_id, ordinal))
        if row is not None:
            yield OpenPromise(
                number=ordinal, promise=replace(fact, due=row.due), moved=row.postponed
            )


def _list_entry(people: list[ContactRow]) -> FiledEntry:
    deciders = tuple(
        ContactFact(name=one.name, role=one.role, new=False, span=(0, 0), decision_maker=True)
        for one in people
        if one.decision_maker
    )
    return FiledEntry(
        id=0,
        at=None,
        by="",
        text="",
        draft=Draft(facts=RecordFacts(customer=None, contacts=deciders)),
    )


def asked(session: Session, record_id: int) -> list[Asked]:
    """The questions about a record in the order in which they were asked."""
    rows = session.scalars(
        sa.select(AuditRow)
        .where(AuditRow.subject == f"record:{record_id}", AuditRow.action.in_((ASK, ANSWER)))
        .order_by(AuditRow.id)
    )
    found: dict[str, Asked] = {}
    for row in rows:
        said: dict[str, Any] = row.new or {}
        if row.action == ASK:
            one = Contradiction.from_dict(said["contradiction"])
            found[one.key] = Asked(customer_id=said["customer_id"], contradiction=one)
        else:
            found[said["key"]] = replace(
                found[said["key"]], answer=said["answer"], who=row.who, at=row.at
            )
    return list(found.values())
