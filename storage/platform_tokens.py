"""Access tokens, shared by all processes: one fetches under a lease, the others wait for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.platform_tables import PlatformTokenRow
from storage.sql import changed, insert_new


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """``stopped`` says why nobody may fetch until the settings change or an admin asks again."""

    token: str = ""
    got_at: datetime | None = None
    expires_at: datetime | None = None
    fetching_until: datetime | None = None
    stopped: str = ""


def get(session: Session, app: str) -> Token:
    """What is known of *app*; an empty token when nobody has fetched one yet."""
    row = session.get(PlatformTokenRow, app)
    if row is None:
        return Token()
    return Token(
        token=row.token,
        got_at=row.got_at,
        expires_at=row.expires_at,
        fetching_until=row.fetching_until,
        stopped=row.stopped,
    )


def claim(session: Session, app: str, *, seen: str, now: datetime, lease_s: float) -> bool:
    """Compare and set the lease; the winner fetches.

    *seen* is the token that the caller found wanting.  False when somebody else fetches, or when
    another token is there already.
    """
    insert_new(session, PlatformTokenRow, app=app)
    free = sa.or_(PlatformTokenRow.fetching_until.is_(None), PlatformTokenRow.fetching_until <= now)
    won = sa.update(PlatformTokenRow).where(
        PlatformTokenRow.app == app, PlatformTokenRow.token == seen, free
    )
    return changed(session, won.values(fetching_until=now + timedelta(seconds=lease_s))) == 1


def keep(session: Session, app: str, *, token: str, now: datetime, expires_at: datetime) -> None:
    """A token came; whatever stopped us before is over."""
    _set(session, app, token=token, got_at=now, expires_at=expires_at, stopped="")


def release(session: Session, app: str) -> None:
    """No token came this time: the next one may try."""
    _set(session, app)


def stop(session: Session, app: str, why: str) -> None:
    """The platform refuses our secret: asking on would get the whole address banned."""
    _set(session, app, stopped=why)


def resume(session: Session, app: str) -> bool:
    """An admin asks again; False when nothing was stopped."""
    stopped = sa.update(PlatformTokenRow).where(
        PlatformTokenRow.app == app, PlatformTokenRow.stopped != ""
    )
    return changed(session, stopped.values(stopped="", fetching_until=None)) == 1


def _set(session: Session, app: str, **values: object) -> None:
    session.execute(
        sa.update(PlatformTokenRow)
        .where(PlatformTokenRow.app == app)
        .values(fetching_until=None, **values)
    )
