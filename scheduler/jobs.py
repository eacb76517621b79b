"""What the clock does: every job in one screen.  APScheduler only rings; a row says that it ran."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from handlers import reissue, waiting
from handlers.context import Tools
from sales.clock import COMPANY_ZONE
from storage import card_handles, job_runs, platform_uploads, retention, send_windows
from storage.database import Database, Session

log = structlog.get_logger()

# The platforms ask senders to stay away from the full and the half hour.
_EVERY_MINUTE: Final = "1-29,31-59"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """``slot`` is a strftime form in the company's zone: one run per different text."""

    id: str
    slot: str
    minute: str
    hour: str
    run: Callable[[Session, Tools, datetime], object]


def _memo_reminders(session: Session, tools: Tools, now: datetime) -> object:
    return waiting.sweep(session, tools.memo, now=now)


def _cards_again(session: Session, tools: Tools, now: datetime) -> object:
    return reissue.sweep(session, now=now)


def _platform_leftovers(session: Session, tools: Tools, now: datetime) -> object:
    card_handles.forget_old(session, before=now - timedelta(days=30))
    platform_uploads.forget_old(session, now=now)
    return send_windows.forget_old(session, now=now)


def _housekeeping(session: Session, tools: Tools, now: datetime) -> object:
    job_runs.forget(session, before=now - timedelta(days=60))
    return retention.sweep(
        session,
        tools.media,
        now=now,
        dropped_hours=tools.memo.dropped_hours,
        audio_days=tools.memo.keep_days,
        log_days=tools.memo.log_days,
    )


JOBS: Final = (
    Job(
        id="memo_reminders",
        slot="%Y-%m-%dT%H:%M",
        minute=_EVERY_MINUTE,
        hour="*",
        run=_memo_reminders,
    ),
    Job(id="cards_again", slot="%Y-%m-%dT%H", minute="23", hour="*", run=_cards_again),
    Job(
        id="platform_leftovers",
        slot="%Y-%m-%dT%H",
        minute="41",
        hour="*",
        run=_platform_leftovers,
    ),
    Job(id="housekeeping", slot="%Y-%m-%d", minute="17", hour="3", run=_housekeeping),
)


class Scheduler:
    """Rings the jobs; several schedulers on one database are harmless."""

    def __init__(self, db: Database, tools: Tools) -> None:
        self._db = db
        self._tools = tools
        self._bells = BackgroundScheduler(timezone=COMPANY_ZONE)

    def start(self) -> None:
        for job in JOBS:
            self._bells.add_job(
                self.run_once,
                CronTrigger(hour=job.hour, minute=job.minute, second=20, timezone=COMPANY_ZONE),
                args=[job],
                id=job.id,
                coalesce=True,
                misfire_grace_time=None,
                max_instances=1,
            )
        self._bells.start()

    def stop(self) -> None:
        self._bells.shutdown(wait=True)

    def catch_up(self) -> None:
        """After a start, or when the demo's clock was moved: what is due runs now."""
        for job in JOBS:
            self.run_once(job)

    def run_once(self, job: Job) -> bool:
        """Run *job* unless its slot is taken.  The slot and the effects commit together."""
        now = self._tools.clock.now()
        slot = now.astimezone(COMPANY_ZONE).strftime(job.slot)

        def run(session: Session) -> bool:
            if not job_runs.start(session, job.id, slot, now=now):
                return False
            job.run(session, self._tools, now)
            return True

        try:
            return self._db.write(run)
        except Exception:
            # The slot was rolled back with the effects; the next ring tries again.
            log.exception("scheduled job failed", job=job.id, slot=slot)
            return False
