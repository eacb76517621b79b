"""People, and how to reach them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from sales.people import Person
from storage.tables import PersonRow

_PLATFORM_ID = {"wecom": PersonRow.wecom_id, "dingtalk": PersonRow.dingtalk_id}


def key_of(channel: str, user: str) -> str:
    """A platform's user id as it is kept: WeCom does not care about capitals, we would."""
    return user.lower() if channel.startswith("wecom") else user


def get(session: Session, person_id: int) -> Person | None:
    row = session.get(PersonRow, person_id)
    return _person(row) if row else None


def by_name(session: Session, name: str) -> Person | None:
    row = session.scalar(sa.select(PersonRow).where(PersonRow.name == name))
    return _person(row) if row else None


def by_platform(session: Session, channel: str, user: str) -> Person | None:
    """The active person behind a platform's user id; the console uses our own id."""
    column = _PLATFORM_ID.get(channel.removesuffix("_bot"))
    if column is not None:
        kept = sa.func.lower(column) if channel.startswith("wecom") else column
        same = kept == key_of(channel, user)  # older rows may hold the platform's own spelling
        row = session.scalar(sa.select(PersonRow).where(same, PersonRow.active).limit(1))
    else:
        row = session.get(PersonRow, int(user)) if user.isdigit() else None
    return _person(row) if row and row.active else None


def everyone(session: Session) -> list[Person]:
    rows = session.scalars(sa.select(PersonRow).where(PersonRow.active).order_by(PersonRow.id))
    return [_person(row) for row in rows]


def managers_of(session: Session, person_id: int) -> tuple[int, ...]:
    """The managers above, nearest first; a circle in the data ends the chain."""
    chain: list[int] = []
    current = session.get(PersonRow, person_id)
    while current and current.manager_id and current.manager_id not in (person_id, *chain):
        chain.append(current.manager_id)
        current = session.get(PersonRow, current.manager_id)
    return tuple(chain)


def wrote_from(session: Session, person: Person, *, channel: str, conversation: str) -> None:
    """Remember where to reach somebody; writes only when that changed."""
    if (person.channel, person.conversation) != (channel, conversation):
        session.execute(
            sa.update(PersonRow)
            .where(PersonRow.id == person.id)
            .values(channel=channel, conversation=conversation)
        )


def accept_notice(session: Session, person_id: int, version: int) -> None:
    session.execute(
        sa.update(PersonRow).where(PersonRow.id == person_id).values(notice_version=version)
    )


def address(session: Session, person_id: int) -> tuple[str, str, str]:
    """``(channel, conversation, user id on that channel)``; the console when they never wrote."""
    row = session.get_one(PersonRow, person_id)
    channel = row.channel or ("wecom" if row.wecom_id else "dingtalk" if row.dingtalk_id else "")
    if channel.startswith("wecom") and row.wecom_id:
        return channel, row.conversation or f"wecom:{row.wecom_id}", row.wecom_id
    if channel.startswith("dingtalk") and row.dingtalk_id:
        return channel, row.conversation or f"dingtalk:{row.dingtalk_id}", row.dingtalk_id
    return "console", f"console:{row.id}", str(row.id)


def user_on(session: Session, person_id: int, channel: str) -> str:
    """The person's id on one platform; our own id on the console."""
    row = session.get_one(PersonRow, person_id)
    if channel.startswith("wecom"):
        return row.wecom_id or ""
    return (row.dingtalk_id or "") if channel.startswith("dingtalk") else str(row.id)


def _person(row: PersonRow) -> Person:
    return Person(
        id=row.id,
        name=row.name,
        role=row.role,
        manager_id=row.manager_id,
        team=row.team,
        region=row.region,
        channel=row.channel,
        conversation=row.conversation,
        notice_version=row.notice_version,
        active=row.active,
    )
