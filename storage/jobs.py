"""The job queue port: the only way that work moves (DESIGN 5.2).

A job is a trigger; the truth whether its work is done stands in the row that it refers to
(``inbox.state``, ``memo.state``, ``outbox.state``), so running a job twice is harmless.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from sqlalchemy.orm import Session

# Fastest first: a tap never waits for a recording.
LANES: Final = ("tap", "message", "speech", "push")
MAX_ATTEMPTS: Final = 8
SPARED: Final = MAX_ATTEMPTS - 3  # attempts that count at most after a run that tried nothing
WAKES: Final = "wakes"  # in ``Session.info``: this transaction made work


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """``unique_key`` names the work for good: a second job with the same key is not made.

    The queue lives in the machine's own time; the demo's clock never moves it.
    ``lock``: jobs with the same lock run one after another, oldest first.
    """

    kind: str  # inbox memo outbox
    ref: int
    lane: str
    lock: str
    after_s: float = 0.0  # run it so many seconds from now

    @property
    def unique_key(self) -> str:
        return f"{self.kind}:{self.ref}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    id: int
    kind: str
    ref: int
    lane: str
    attempts: int  # this run included


@dataclass(frozen=True, slots=True, kw_only=True)
class JobView:
    """One line of ``genjin jobs list`` and of the queue page."""

    id: int
    kind: str
    ref: int
    lane: str
    state: str  # queued running done parked
    attempts: int
    reason: str
    run_at: datetime


class JobQueue(Protocol):
    """All functions work inside the caller's transaction."""

    def put(self, session: Session, added: Sequence[NewJob]) -> None:
        """Add jobs in this order; nothing happens for one whose key was used before."""

    def finish(self, session: Session, job_id: int) -> None: ...

    def again(self, session: Session, job: Job, *, after_s: float, reason: str) -> None:
        """Remember why a job waits; on the embedded queue also put it back for *after_s*."""

    def spare(self, session: Session, job_id: int) -> None:
        """A run that could try nothing: its job must keep a few tries of ``MAX_ATTEMPTS``."""

    def park(self, session: Session, job_id: int, *, reason: str) -> None: ...

    def retry(self, session: Session, job_id: int) -> bool:
        """Run a parked or waiting job again now; False when there is no such job."""

    def get(self, session: Session, job_id: int) -> JobView | None: ...

    def listing(
        self, session: Session, *, states: tuple[str, ...] = (), limit: int = 200
    ) -> list[JobView]: ...

    def waiting(self, session: Session, lane: str) -> int:
        """How many jobs of *lane* are queued or running."""


def queue_of(session: Session) -> JobQueue:
    """The queue that belongs to the database of *session*."""
    if session.get_bind().dialect.name == "sqlite":
        from storage.jobs_embedded import EmbeddedQueue

        return EmbeddedQueue()
    from storage.jobs_postgres import PostgresQueue

    return PostgresQueue()


def put(session: Session, *added: NewJob) -> None:
    """Add jobs in this transaction; the workers are woken after its commit."""
    queue_of(session).put(session, added)
    session.info[WAKES] = True
