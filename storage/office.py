"""What the office asks: who is listed, what was done, and tables to export."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from storage.table_base import Base
from storage.tables import (
    AuditRow,
    ContactRow,
    CustomerRow,
    MemoRow,
    OpportunityRow,
    PersonRow,
    ProductRow,
)

# Codes that let somebody in, and the queue's and the channels' bookkeeping, are nobody's data.
_NOT_EXPORTED: Final = frozenset(
    (
        *("link", "job", "job_reason", "job_run", "console_message"),
        *("platform_token", "card_handle", "platform_upload", "send_window", "lease"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonEntry:
    id: int
    name: str
    role: str
    manager: str
    team: str
    region: str
    wecom: str
    dingtalk: str
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductEntry:
    id: int
    name: str
    category: str
    unit: str
    list_price_fen: int | None
    floor_price_fen: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    at: datetime
    who: str
    action: str
    subject: str
    old: dict[str, Any] | None
    new: dict[str, Any] | None


def people(session: Session) -> list[PersonEntry]:
    """Everybody, those who left included."""
    boss = aliased(PersonRow)
    rows = session.execute(
        sa.select(PersonRow, boss.name)
        .outerjoin(boss, boss.id == PersonRow.manager_id)
        .order_by(PersonRow.id)
    )
    return [
        PersonEntry(
            id=row.id,
            name=row.name,
            role=row.role,
            manager=manager or "",
            team=row.team,
            region=row.region,
            wecom=row.wecom_id or "",
            dingtalk=row.dingtalk_id or "",
            active=row.active,
        )
        for row, manager in rows
    ]


def products(session: Session) -> list[ProductEntry]:
    return [
        ProductEntry(
            id=row.id,
            name=row.name,
            category=row.category,
            unit=row.unit,
            list_price_fen=row.list_price_fen,
            floor_price_fen=row.floor_price_fen,
        )
        for row in session.scalars(sa.select(ProductRow).order_by(ProductRow.id))
    ]


def audit_log(
    session: Session, *, who: str = "", action: str = "", limit: int = 50
) -> list[AuditEntry]:
    """The latest entries, newest first; *action* may be the beginning of one."""
    query = sa.select(AuditRow).order_by(AuditRow.id.desc()).limit(limit)
    if who:
        query = query.where(AuditRow.who == who)
    if action:
        query = query.where(AuditRow.action.startswith(action, autoescape=True))
    return [
        AuditEntry(
            at=row.at,
            who=row.who,
            action=row.action,
            subject=row.subject,
            old=row.old,
            new=row.new,
        )
        for row in session.scalars(query)
    ]


def counts(session: Session) -> dict[str, int]:
    """How much there is, for doctor and ``genjin demo``."""
    tables: dict[str, type[Base]] = {
        "people": PersonRow,
        "customers": CustomerRow,
        "contacts": ContactRow,
        "products": ProductRow,
        "opportunities": OpportunityRow,
        "memos": MemoRow,
    }
    return {
        name: session.scalar(sa.select(sa.func.count()).select_from(table)) or 0
        for name, table in tables.items()
    }


def exportable() -> list[str]:
    """Names of the tables that an export holds, parents before children."""
    return [table.name for table in Base.metadata.sorted_tables if table.name not in _NOT_EXPORTED]


def dump(session: Session, table: str) -> tuple[list[str], Iterator[list[str]]]:
    """Headings and rows of one table as text: times ISO with zone, nested values as JSON."""
    source = Base.metadata.tables[table]
    rows = session.execute(sa.select(source).order_by(*source.primary_key))
    return [column.name for column in source.columns], ([_cell(one) for one in row] for row in rows)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return str(value)
