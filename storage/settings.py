"""Small facts about this installation, and counters that tell when a cached list is stale."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.sql import insert_new
from storage.tables import SettingRow

WORLD_VERSION = "world_version"


def get(session: Session, key: str, default: str = "") -> str:
    found = session.scalar(sa.select(SettingRow.value).where(SettingRow.key == key))
    return default if found is None else found


def put(session: Session, key: str, value: str) -> None:
    if insert_new(session, SettingRow, key=key, value=value) is None:
        session.execute(sa.update(SettingRow).where(SettingRow.key == key).values(value=value))


def lists_changed(session: Session) -> None:
    """Call after every write to customers, contacts, products, competitors or people."""
    put(session, WORLD_VERSION, str(int(get(session, WORLD_VERSION, "0")) + 1))
