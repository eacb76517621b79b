"""The company's directory as a platform tells it: members, the last sync, who is out of reach."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage import settings
from storage.people import key_of
from storage.platform_tables import DirectoryMemberRow
from storage.sql import insert_new
from storage.tables import PersonRow, SettingRow

PLATFORM_ID: Final = {"wecom": "wecom_id", "dingtalk": "dingtalk_id"}  # columns of a person


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    id: str
    name: str
    leader: bool = False  # whether this member leads it


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member as the platform says.

    ``departments``: the main one first.  ``managers``: user ids, the first that is a person here
    becomes the manager.  ``leads``: a department or somebody.
    """

    user_id: str  # the key: lower case where the platform does not care
    shown_id: str
    name: str
    active: bool = True
    managers: tuple[str, ...] = ()
    leads: bool = False
    departments: tuple[Department, ...] = ()
    position: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """How many people changed how.  ``held`` are names that only the admin can tell apart."""

    members: int = 0
    added: int = 0
    updated: int = 0
    left: int = 0
    back: int = 0
    held: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """``at``: when somebody was taken over last; ``whole_at``: when everybody was.

    ``wanted_at``: when an event of the platform said that something changed.
    """

    at: datetime | None = None
    whole_at: datetime | None = None
    wanted_at: datetime | None = None
    applied: Applied = field(default_factory=Applied)
    facts: Mapping[str, Any] = field(default_factory=dict)  # of the app, such as its trusted domain


@dataclass(frozen=True, slots=True, kw_only=True)
class Lacks:
    """Active people whom the platform cannot reach: without its id, or with an unknown one.

    ``with_id`` counts all others and the latter.
    """

    with_id: int = 0
    without_id: tuple[str, ...] = ()
    unknown_id: tuple[str, ...] = ()


def status(session: Session, channel: str) -> Status:
    kept = _status(settings.get(session, _key(channel)))
    wanted = settings.get(session, f"directory_wanted:{channel}")
    return replace(kept, wanted_at=datetime.fromisoformat(wanted) if wanted else None)


def want(session: Session, channel: str, *, now: datetime) -> None:
    """Somebody unknown wrote, or came in: read the directory soon."""
    settings.put(session, f"directory_wanted:{channel.removesuffix('_bot')}", now.isoformat())


def known_ids(session: Session, channel: str) -> frozenset[str]:
    """Everybody to ask the platform for, whatever its lists say: members and people of ours."""
    column = getattr(PersonRow, PLATFORM_ID[channel])
    people = session.scalars(sa.select(column).where(column.is_not(None), PersonRow.active))
    members = session.scalars(
        sa.select(DirectoryMemberRow.user_id).where(
            DirectoryMemberRow.channel == channel, DirectoryMemberRow.active
        )
    )
    return frozenset({*(key_of(channel, one) for one in people), *members})


def lacks(session: Session, channel: str) -> Lacks:
    column = getattr(PersonRow, PLATFORM_ID[channel])
    known = set(
        session.scalars(
            sa.select(DirectoryMemberRow.user_id).where(DirectoryMemberRow.channel == channel)
        )
    )
    rows = session.execute(
        sa.select(PersonRow.name, column).where(PersonRow.active).order_by(PersonRow.id)
    ).all()
    return Lacks(
        with_id=sum(1 for _, user in rows if user),
        without_id=tuple(name for name, user in rows if not user),
        unknown_id=tuple(
            name for name, user in rows if user and key_of(channel, user) not in known
        ),
    )


# --- what is remembered about the syncs ---------------------------------------------------------


def _key(channel: str) -> str:
    return f"directory:{channel}"


def lock(session: Session, channel: str) -> Status:
    """Two syncs at once take turns, on PostgreSQL too."""
    insert_new(session, SettingRow, key=_key(channel), value="")
    row = session.scalars(
        sa.select(SettingRow).where(SettingRow.key == _key(channel)).with_for_update()
    ).one()
    session.refresh(row)
    return _status(row.value)


def _status(text: str) -> Status:
    if not text:
        return Status()
    kept = json.loads(text)
    at, whole_at = (
        datetime.fromisoformat(kept[key]) if kept[key] else None for key in ("at", "whole_at")
    )
    applied = {**kept["applied"], "held": tuple(kept["applied"]["held"])}
    return Status(at=at, whole_at=whole_at, applied=Applied(**applied), facts=kept["facts"])


def remember(session: Session, channel: str, kept: Status) -> None:
    told = {
        "at": kept.at.isoformat() if kept.at else None,
        "whole_at": kept.whole_at.isoformat() if kept.whole_at else None,
        "applied": asdict(kept.applied),
        "facts": dict(kept.facts),
    }
    settings.put(session, _key(channel), json.dumps(told, ensure_ascii=False))
