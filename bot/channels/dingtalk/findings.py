"""What is wrong with the channel, kept for doctor and the set-up page."""

from __future__ import annotations

import time
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, Final

import structlog

from bot.channels.dingtalk.errors import Finding
from sales.clock import Clock
from storage import channel_states
from storage.database import Database, Session

log = structlog.get_logger()

CHANNEL: Final = "dingtalk"
_LOOK_AGAIN_S: Final = 60.0  # other processes find and end problems too
_BY_ANY_CALL: Final = ("token", "ip")


class Findings:
    """Notes and clears beside the traffic, written only when something changed; best effort."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._open: dict[str, Finding] | None = None  # None: not looked yet
        self._fresh: dict[str, Finding] = {}  # noted since the last look began
        self._looked_at = float("-inf")

    def note(self, finding: Finding | None, *, path: str = "") -> None:
        """*path*: the call that found it; the same call's success ends it."""
        if finding is None:
            return
        if path:
            finding = replace(finding, detail={**finding.detail, "path": path})
        self._look()
        if self._open and self._open.get(finding.topic) == finding:
            return
        log.warning("dingtalk", problem=finding.problem, topic=finding.topic, **_shown(finding))
        self._fresh[finding.topic] = finding
        if self._open is not None:
            self._open[finding.topic] = finding
        now = self._clock.now()
        self._write(
            lambda session: channel_states.note(
                session, CHANNEL, finding.topic, finding.problem, finding.detail, now=now
            )
        )

    def clear(self, topic: str) -> None:
        """It works (again).  Asked for after every success, so this must cost nothing."""
        self._look()
        self._fresh.pop(topic, None)
        if self._open is not None and self._open.pop(topic, None) is None:
            return
        now = self._clock.now()
        self._write(lambda session: channel_states.clear(session, CHANNEL, topic, now=now))

    def well(self, path: str) -> None:
        """A call to *path* was answered well: whatever that proves wrong is over."""
        self._look()
        for topic, finding in list((self._open or {}).items()):
            if topic in _BY_ANY_CALL or finding.detail.get("path") == path:
                self.clear(topic)

    def _look(self) -> None:
        moment = time.monotonic()
        if moment - self._looked_at < _LOOK_AGAIN_S:
            return
        self._looked_at = moment
        self._fresh = {}
        looking = self._db.submit(lambda session: channel_states.problems(session, CHANNEL))
        looking.add_done_callback(self._loaded)

    def _loaded(self, done: Future[Any]) -> None:
        if done.cancelled() or done.exception():
            log_failure(done)
            return
        kept = {
            one.topic: Finding(topic=one.topic, problem=one.problem, detail=dict(one.detail))
            for one in done.result()
        }
        self._open = {**kept, **self._fresh}

    def _write(self, work: Any) -> None:
        self._db.submit(work).add_done_callback(log_failure)


class Unreached:
    """People whom nothing could be sent to; the admin sees up to fifty of them."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._users: dict[str, None] = {}

    def add(self, user: str) -> None:
        self._users[user] = None
        self._tell()

    def discard(self, user: str) -> None:
        if self._users.pop(user, "") is None:
            self._tell()

    def _tell(self) -> None:
        users = list(self._users)[-50:]
        if users:
            detail = {"users": users}
            self._findings.note(Finding(topic="people", problem="out_of_range", detail=detail))
        else:
            self._findings.clear("people")


def log_failure(done: Future[Any]) -> None:
    if not done.cancelled() and (error := done.exception()):
        log.warning("dingtalk: finding not kept", error=repr(error))


def _shown(finding: Finding) -> dict[str, Any]:
    return {key: value for key, value in finding.detail.items() if key in ("code", "words", "ip")}


def problems(session: Session) -> list[channel_states.State]:
    """What is wrong with DingTalk now, the oldest first."""
    return channel_states.problems(session, CHANNEL)
