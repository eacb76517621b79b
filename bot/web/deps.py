"""What the pages need from the rest of the program."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from aiohttp import web

from bot.channels.console.server import Console
from bot.config import Config
from bot.home import Home
from sales.clock import Clock, SystemClock
from sales.errors import BotError
from storage import jobs
from storage.database import Database, Session
from storage.directory import Applied
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


class SignIn(Protocol):
    """A platform that can say who sits before the browser, when a page is opened inside it."""

    @property
    def channel(self) -> str: ...

    def fits(self, user_agent: str) -> bool:
        """Whether the browser is the platform's own."""

    def address(self, redirect_uri: str, state: str) -> str:
        """Where to send the browser; it comes back to *redirect_uri* with ``state`` and with
        ``code`` or ``authCode``."""

    async def user(self, code: str) -> str:
        """Whose code it is, as the key of a user id.

        Raises:
            CodeOver, Outsider, UntrustedDomain, ChannelError
        """


class CodeOver(BotError):
    """The code is invalid, used or expired: a new one helps."""

    code = "oauth_code"


class Outsider(BotError):
    """Somebody who does not belong to the company."""

    code = "oauth_outsider"


class UntrustedDomain(BotError):
    """The platform does not know the domain of our pages."""

    code = "oauth_domain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One question to a platform, in the admin's words; ``why`` where it was not answered well."""

    title: str
    fine: bool
    why: str = ""


Check = Callable[[str], Awaitable[Sequence[Checked]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What the set-up page sees and changes.

    ``config`` is what the running program started with.  ``sync`` reads one channel's directory,
    ``check`` asks its platform whether all is well; ``checked`` is what came of that, by channel.
    Both raise LookupError for a channel that cannot.
    """

    home: Home
    config: Config
    env: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    sync: Callable[..., Awaitable[Applied]] | None = None
    check: Check | None = None
    checked: dict[str, tuple[datetime, Sequence[Checked]]] = field(default_factory=dict)


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
    sign_ins: Sequence[SignIn] = ()
    setup: Setup | None = None


DEPS: web.AppKey[WebDeps] = web.AppKey("deps", WebDeps)
