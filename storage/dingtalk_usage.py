"""How many calls and pushes of the month's quota are used, counted for all processes together."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from sales.clock import COMPANY_ZONE
from storage.platform_tables import SendWindowRow
from storage.sql import insert_of

What = Literal["api", "push"]
_KEPT: Final = timedelta(days=100)  # last month can still be looked at


def add(session: Session, what: What, *, now: datetime, units: int = 1) -> int:
    """Count, and return what is used of this month now."""
    month = month_of(now)
    add_one = insert_of(session, SendWindowRow).values(
        scope=_scope(what, month), window=month, count=units, until=now + _KEPT
    )
    table = SendWindowRow.__table__
    grow = {"count": table.c.count + units, "until": now + _KEPT}
    counted = add_one.on_conflict_do_update(index_elements=["scope", "window"], set_=grow)
    return int(session.execute(counted.returning(table.c.count)).scalar_one())


def used(session: Session, what: What, *, month: str) -> int:
    """*month* as ``month_of`` gives it."""
    found = session.scalar(
        sa.select(SendWindowRow.count).where(
            SendWindowRow.scope == _scope(what, month), SendWindowRow.window == month
        )
    )
    return int(found or 0)


def month_of(now: datetime) -> str:
    """2026-11: the quota begins anew with the month in China."""
    return f"{now.astimezone(COMPANY_ZONE):%Y-%m}"


def _scope(what: What, month: str) -> str:
    return f"dingtalk:{what}:{month}"
