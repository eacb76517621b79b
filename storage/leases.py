"""What only one process may do at a time, such as hold a bot's only long connection."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.platform_tables import LeaseRow
from storage.sql import changed, insert_new


def take(session: Session, name: str, *, holder: str, now: datetime, for_s: float) -> bool:
    """Take the lease, or keep it, until *for_s* seconds from *now*; False while another has it."""
    until = now + timedelta(seconds=for_s)
    if insert_new(session, LeaseRow, name=name, holder=holder, until=until) is not None:
        return True
    ours = sa.or_(LeaseRow.holder == holder, LeaseRow.until <= now)
    taken = sa.update(LeaseRow).where(LeaseRow.name == name, ours)
    return changed(session, taken.values(holder=holder, until=until)) == 1


def seize(session: Session, name: str, *, holder: str, now: datetime, for_s: float) -> None:
    """Take the lease from whoever has it: only for one who knows that the other is dead."""
    session.execute(sa.delete(LeaseRow).where(LeaseRow.name == name))
    take(session, name, holder=holder, now=now, for_s=for_s)


def release(session: Session, name: str, *, holder: str) -> None:
    """Let another take it at once; nothing happens when it is not ours any more."""
    session.execute(sa.delete(LeaseRow).where(LeaseRow.name == name, LeaseRow.holder == holder))


def holder(session: Session, name: str, *, now: datetime) -> str:
    """Who has it now; '' when nobody has."""
    held = sa.select(LeaseRow.holder).where(LeaseRow.name == name, LeaseRow.until > now)
    return session.scalar(held) or ""
