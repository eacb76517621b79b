"""Who did what, when, and what it was before (F49)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from storage.tables import AuditRow


def note(
    session: Session,
    *,
    at: datetime,
    who: str,
    action: str,
    subject: str,
    person_id: int | None = None,
    old: dict[str, Any] | None = None,
    new: dict[str, Any] | None = None,
) -> None:
    session.add(
        AuditRow(
            at=at,
            person_id=person_id,
            who=who,
            action=action,
            subject=subject,
            old=old,
            new=new,
        )
    )
