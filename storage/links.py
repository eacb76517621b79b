"""One-time log-in links and the short ``/go/`` links of cards.  Only a code's hash is stored."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.sql import changed
from storage.tables import LinkRow

LOGIN_FOR: Final = timedelta(minutes=30)
GO_FOR: Final = timedelta(hours=24)

Refused = Literal["unknown", "used", "expired"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """``person_id`` is None for the operator of a machine who is nobody in the company's list."""

    person_id: int | None
    target: str


def add_login(
    session: Session,
    *,
    now: datetime,
    person_id: int | None = None,
    target: str = "/console",
    lasts: timedelta = LOGIN_FOR,
) -> str:
    """A code for ``/login?code=``; it works once.  *now* is the real time, never a moved clock."""
    return _add(session, "login", person_id, target, now + lasts)


def add_go(
    session: Session,
    *,
    now: datetime,
    person_id: int | None,
    target: str,
    lasts: timedelta = GO_FOR,
    code: str = "",
) -> str:
    """A code for ``/go/<code>``: shows *target* to that person, as often as they like.

    With *code*, which nobody must be able to guess, that one: added again it lasts longer.
    """
    if code:
        again = sa.update(LinkRow).where(LinkRow.code_hash == _hash(code))
        if changed(session, again.values(expires_at=now + lasts)):
            return code
    return _add(session, "go", person_id, target, now + lasts, code=code)


def use_login(session: Session, code: str, *, now: datetime) -> Link | Refused:
    """Spend a log-in code: one compare-and-set, so that two clicks log in once."""
    row = session.get(LinkRow, _hash(code))
    if row is None or row.purpose != "login":
        return "unknown"
    if row.used_at is not None:
        return "used"
    if row.expires_at <= now:
        return "expired"
    spend = sa.update(LinkRow).where(LinkRow.code_hash == row.code_hash, LinkRow.used_at.is_(None))
    if changed(session, spend.values(used_at=now)) != 1:
        return "used"
    return Link(person_id=row.person_id, target=row.target)


def open_go(session: Session, code: str, *, now: datetime) -> Link | Refused:
    """Look where a short link leads; nothing changes, since platforms fetch links ahead."""
    row = session.get(LinkRow, _hash(code))
    if row is None or row.purpose != "go":
        return "unknown"
    if row.expires_at <= now:
        return "expired"
    return Link(person_id=row.person_id, target=row.target)


def forget_old(session: Session, *, before: datetime) -> int:
    """Delete links that expired before *before*."""
    return changed(session, sa.delete(LinkRow).where(LinkRow.expires_at < before))


def _add(
    session: Session,
    purpose: str,
    person_id: int | None,
    target: str,
    expires_at: datetime,
    *,
    code: str = "",
) -> str:
    code = code or secrets.token_urlsafe(24 if purpose == "login" else 12)
    session.add(
        LinkRow(
            code_hash=_hash(code),
            purpose=purpose,
            person_id=person_id,
            target=target,
            expires_at=expires_at,
        )
    )
    session.flush()
    return code


def _hash(code: str) -> str:
    # The codes are random and long, so a plain hash cannot be searched backwards.
    return hashlib.sha256(code.encode("utf-8", "replace")).hexdigest()
