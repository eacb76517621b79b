"""Keeps the people in step with the platforms' directories: every few hours, and when asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, Protocol, TypeVar

import structlog

from bot.channels.base import ChannelError
from sales.clock import COMPANY_ZONE, Clock
from storage import channel_states, directory, directory_sync, job_runs
from storage.database import Database, Session
from storage.directory import Applied, Member

log = structlog.get_logger(__name__)
T = TypeVar("T")

TOPIC: Final = "directory"  # of the channel's state
EVERY_HOURS: Final = 4
_LOOK_S: Final = 61.0  # how often to see whether a slot is due; the rows say whether it is
_AFTER_FAILURE: Final = timedelta(minutes=17)
_AFTER_SYNC: Final = timedelta(minutes=5)  # wishes that come meanwhile share the next one


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """Everybody whom the app may see.  ``facts``: what the platform says about the app itself."""

    members: tuple[Member, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)


class Source(Protocol):
    """One platform's directory."""

    @property
    def channel(self) -> str: ...

    async def fetch(self, known: Collection[str]) -> Fetched: ...

    async def member(self, user_id: str) -> Fetched: ...


class NobodyVisible(ChannelError):
    """The platform answered without a single member: its visible range is empty."""

    code = "nobody_visible"

    def __init__(self) -> None:
        super().__init__("the visible range of the app is empty", transient=False)


class Directory:
    """One for all platforms; ``run`` until cancelled."""

    def __init__(self, db: Database, clock: Clock, sources: Sequence[Source]) -> None:
        self._db, self._clock = db, clock
        self._sources = {one.channel: one for one in sources}
        self._failed: dict[str, datetime] = {}

    async def run(self) -> None:
        """At the start when the last slot was missed, then in every slot."""
        while True:
            for channel in self._sources:
                try:
                    await self.run_due(channel)
                except Exception:  # the database is away, say; the program goes on without
                    log.exception("directory", channel=channel)
            await asyncio.sleep(_LOOK_S)

    async def run_due(self, channel: str) -> Applied | None:
        """Sync in a new slot, or when the platform told of a change since the last one.

        Not right after a try that failed.
        """
        now = self._clock.now()
        failed = self._failed.get(channel)
        if failed is not None and now < failed + _AFTER_FAILURE:
            return None
        slot = slot_of(now)
        due, wanted = await self._read(partial(_due, channel=channel, slot=slot, now=now))
        if not due and not wanted:
            return None
        try:
            return await self._sync(channel, slot if due else "")
        except ChannelError as error:
            self._failed[channel] = now
            log.warning("directory not synced", channel=channel, why=str(error))
        return None

    async def sync(self, channel: str, *, same_names: bool = False) -> Applied:
        """Sync now.  *same_names*: see ``storage.directory_sync.apply``.

        Raises:
            ChannelError: what was fetched is not taken over in part.
            LookupError: no such channel, or it is not ready.
        """
        applied = await self._sync(channel, "", same_names=same_names)
        assert applied is not None  # no slot was asked for
        return applied

    async def learn(self, channel: str, user_id: str) -> Applied:
        """Somebody unknown wrote, or came into the visible range: ask for this one alone."""
        source = self._sources[channel]
        fetched = await source.member(user_id)
        take = partial(
            directory_sync.apply,
            channel=channel,
            members=fetched.members,
            now=self._clock.now(),
            whole=False,
        )
        return await self._write(take)

    async def _sync(self, channel: str, slot: str, *, same_names: bool = False) -> Applied | None:
        """None when *slot* was taken by another process meanwhile."""
        source = self._sources[channel]
        known = await self._read(partial(directory.known_ids, channel=channel))
        try:
            fetched = await source.fetch(known)
            if not fetched.members:
                raise NobodyVisible
        except ChannelError as error:
            await self._write(partial(_note, channel=channel, error=error, now=self._clock.now()))
            raise
        now = self._clock.now()

        def take(session: Session) -> Applied | None:
            if slot and not job_runs.start(session, _job(channel), slot, now=now):
                return None
            channel_states.clear(session, channel, TOPIC, now=now)
            return directory_sync.apply(
                session,
                channel,
                fetched.members,
                now=now,
                facts=fetched.facts,
                same_names=same_names,
            )

        applied = await self._write(take)
        self._failed.pop(channel, None)
        return applied

    async def _read(self, work: Callable[[Session], T]) -> T:
        return await asyncio.to_thread(self._db.read, work)

    async def _write(self, work: Callable[[Session], T]) -> T:
        return await asyncio.to_thread(self._db.write, work)


def slot_of(now: datetime) -> str:
    """The span of hours that *now* is in, in the company's zone."""
    local = now.astimezone(COMPANY_ZONE)
    return f"{local:%Y-%m-%d}T{local.hour // EVERY_HOURS * EVERY_HOURS:02}"


def _job(channel: str) -> str:
    return f"directory:{channel}"


def _due(session: Session, channel: str, slot: str, now: datetime) -> tuple[bool, bool]:
    """Whether the slot is free, and whether somebody wants what is newer than the last sync."""
    last = directory.status(session, channel)
    wanted = last.wanted_at is not None and (
        last.whole_at is None or last.whole_at < min(last.wanted_at, now - _AFTER_SYNC)
    )
    return not job_runs.ran(session, _job(channel), slot), wanted


def _note(session: Session, channel: str, error: ChannelError, now: datetime) -> None:
    detail = {"why": str(error), "errcode": int(getattr(error, "errcode", 0))}
    problem = error.code if isinstance(error, NobodyVisible) else "directory_failed"
    channel_states.note(session, channel, TOPIC, problem, detail, now=now)
