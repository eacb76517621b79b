"""Files that a platform holds already, until their ids expire: the same bytes go up once."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.platform_tables import PlatformUploadRow
from storage.sql import changed


def find(session: Session, app: str, sha256: str, kind: str, *, now: datetime) -> str:
    """The platform's id of the file; '' when it must be uploaded."""
    row = session.get(PlatformUploadRow, (app, sha256, kind))
    return row.media_id if row and row.expires_at > now else ""


def keep(
    session: Session, app: str, sha256: str, kind: str, *, media_id: str, expires_at: datetime
) -> None:
    row = PlatformUploadRow(
        app=app, sha256=sha256, kind=kind, media_id=media_id, expires_at=expires_at
    )
    session.merge(row)
    session.flush()


def forget(session: Session, media_id: str) -> None:
    """The platform does not know it any more."""
    session.execute(sa.delete(PlatformUploadRow).where(PlatformUploadRow.media_id == media_id))


def forget_old(session: Session, *, now: datetime) -> int:
    return changed(session, sa.delete(PlatformUploadRow).where(PlatformUploadRow.expires_at <= now))
