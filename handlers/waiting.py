"""Memos that nobody has confirmed: one reminder after a day, a draft after three, never filed."""

from __future__ import annotations

from datetime import datetime, timedelta

from handlers import replies, views
from handlers.cards import memo as cards
from handlers.context import MemoSettings
from handlers.messages import Outbound, Say
from handlers.post import post
from storage import memos
from storage.database import Session
from storage.memos import Record


def sweep(session: Session, settings: MemoSettings, *, now: datetime) -> int:
    """Remind of, or set aside, every record whose time has come; how many."""
    due = memos.due_for_reminder(session, now=now)
    for record in due:
        said = _one(session, record, settings, now)
        post(session, said, now=now)
    return len(due)


def _one(session: Session, record: Record, settings: MemoSettings, now: datetime) -> list[Outbound]:
    memo = memos.get(session, record.memo_id)
    if memo is None:
        return []
    if now - record.created_at >= timedelta(hours=settings.draft_hours):
        saved = memos.save(session, record, expected=("pending", "asking"), state="draft")
        if saved is None:
            return []
        view = views.of(session, saved, memo, undo_minutes=settings.undo_minutes)
        return [views.show(saved, cards.set_aside(view))]
    later = record.created_at + timedelta(hours=settings.draft_hours)
    saved = memos.save(
        session, record, expected=(record.state,), state=record.state, remind_at=later
    )
    if saved is None:
        return []
    view = views.of(session, saved, memo, undo_minutes=settings.undo_minutes)
    hours = round((now - record.created_at).total_seconds() / 3600)
    words = replies.reminder(view.short or view.customer or "刚才", hours)
    return [
        Say(
            effect_key=f"memo.remind:{record.id}:{record.created_at.isoformat()}",
            person_id=record.person_id,
            text=words,
        )
    ]
