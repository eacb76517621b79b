"""What the pages need from the rest of the program."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.channels.console.server import Console
from sales.clock import Clock, SystemClock
from storage import jobs
from storage.database import Database, Session
from storage.media import MediaStore


def retry_job(session: Session, job_id: int) -> bool:
    return jobs.queue_of(session).retry(session, job_id)


def park_job(session: Session, job_id: int, reason: str) -> None:
    jobs.queue_of(session).park(session, job_id, reason=reason)


def list_jobs(session: Session) -> list[jobs.JobView]:
    return jobs.queue_of(session).listing(session, states=("queued", "running", "parked"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A recording that the demo offers."""

    title: str
    path: Path
    text: str = ""  # what it says


@dataclass(frozen=True, slots=True, kw_only=True)
class WebDeps:
    """``clock`` is the bot's, which the demo moves; ``wall`` judges log-ins and never moves.

    ``status`` gives ``{"speech": {"ready": bool, "words": str}, "queues": {lane: n},
    "parked": n}``; it is called in a thread, every few seconds while a console is open.
    ``unready`` names what keeps ``/readyz`` from saying yes.
    """

    db: Database
    media: MediaStore
    clock: Clock
    console: Console
    key: bytes = field(repr=False)
    wall: Clock = field(default_factory=SystemClock)
    demo: bool = False
    public_url: str = ""
    hosts: tuple[str, ...] = ()
    samples: tuple[Sample, ...] = ()
    undo_minutes: int = 10
    status: Callable[[], Mapping[str, Any]] = dict
    unready: Callable[[], list[str]] = list
    move_clock: Callable[[timedelta], None] | None = None
    list_jobs: Callable[[Session], list[jobs.JobView]] = list_jobs
    retry_job: Callable[[Session, int], bool] = retry_job
    park_job: Callable[[Session, int, str], None] = park_job


DEPS: web.AppKey[WebDeps] = web.AppKey("deps", WebDeps)
