"""Memos that belong together: several recordings read as one text, and taken apart again.

The parts keep their recordings, words and records; ``memo.joined_into`` says where they stand now.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from storage import memos
from storage.memos import Memo
from storage.sql import insert_new
from storage.tables import MemoRow, RecordRow


def voice_before(session: Session, memo: Memo, *, but_not: str) -> Memo | None:
    """The recording that the same person sent before *memo* in the same chat.

    *but_not*: the reason of those that do not count.
    """
    return _newest_voice(
        session,
        MemoRow.person_id == memo.person_id,
        MemoRow.conversation == memo.conversation,
        MemoRow.id < memo.id,
        MemoRow.reason != but_not,
    )


def latest_voice(session: Session, person_id: int, *, since: datetime, but_not: str) -> Memo | None:
    """The newest recording said since then."""
    return _newest_voice(
        session,
        MemoRow.person_id == person_id,
        MemoRow.said_at >= since,
        MemoRow.reason != but_not,
    )


def _newest_voice(session: Session, *which: sa.ColumnElement[bool]) -> Memo | None:
    found = session.scalar(
        sa.select(MemoRow.id)
        .where(MemoRow.source == "voice", MemoRow.media_sha.is_not(None), *which)
        .order_by(MemoRow.id.desc())
        .limit(1)
    )
    return None if found is None else memos.get(session, found)


def latest_join(session: Session, person_id: int) -> Memo | None:
    """The newest memo that others were joined into, and still are."""
    part = aliased(MemoRow)
    found = session.scalar(
        sa.select(MemoRow.id)
        .where(
            MemoRow.person_id == person_id,
            MemoRow.joined_into.is_(None),
            sa.exists().where(part.joined_into == MemoRow.id),
        )
        .order_by(MemoRow.id.desc())
        .limit(1)
    )
    return None if found is None else memos.get(session, found)


def whole(session: Session, memo: Memo) -> Memo:
    """What *memo* stands in now: itself, or the last memo that it was joined into."""
    while memo.joined_into is not None:
        memo = _get(session, memo.joined_into)
    return memo


def lock(session: Session, *memo_ids: int) -> None:
    """Hold memos and their records until the transaction ends, always in the same order."""
    for table, key in ((MemoRow, MemoRow.id), (RecordRow, RecordRow.memo_id)):
        held = sa.select(table).where(key.in_(memo_ids)).order_by(table.id).with_for_update()
        session.scalars(held.execution_options(populate_existing=True)).all()


def join(
    session: Session,
    parts: Sequence[Memo],
    *,
    inbox_id: int,
    separator: str,
    now: datetime,
) -> Memo | None:
    """A memo made of others, which are part of it from now on; None when this event made one."""
    text, places = "", []
    for part in parts:
        text += separator if text else ""
        places.append([part.id, len(text)])
        text += part.text or ""
    first = parts[0]
    made = insert_new(
        session,
        MemoRow,
        inbox_id=inbox_id,
        person_id=first.person_id,
        channel=first.channel,
        conversation=first.conversation,
        source=first.source,
        said_at=first.said_at,
        duration_ms=sum(part.duration_ms or 0 for part in parts) or None,
        text=text,
        transcript={"join": {"at": now.isoformat(), "parts": places}},
        state="heard",
    )
    if made is None:
        return None
    session.execute(
        sa.update(MemoRow)
        .where(MemoRow.id.in_([part.id for part in parts]))
        .values(state="joined", joined_into=made)
        .execution_options(synchronize_session="fetch")
    )
    return _get(session, int(made))


def take_apart(session: Session, memo: Memo) -> list[Memo]:
    """The parts stand for themselves again, and *memo* for nothing; the parts in their order."""
    rows = session.scalars(
        sa.select(MemoRow).where(MemoRow.joined_into == memo.id).order_by(MemoRow.id)
    ).all()
    for row in rows:
        row.state, row.joined_into = "drafted", None
    session.get_one(MemoRow, memo.id).state = "apart"
    session.flush()
    return [_get(session, row.id) for row in rows]


def _get(session: Session, memo_id: int) -> Memo:
    found = memos.get(session, memo_id)
    if found is None:
        raise LookupError(f"memo {memo_id}")
    return found
