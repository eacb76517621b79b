"""A channel without idempotent sending: after a crash it is said again at most once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.channels.base import Accept, ChannelError, OutcomeUnknown, Outgoing, Sent
from bot.work import SENT_AGAIN, Again, Parked
from storage.database import Database
from storage.jobs import queue_of
from storage.tables import OutboxRow
from tests.support.desk import Desk


class Platform:
    """Counts what reaches it, and answers as it is told."""

    name = "console"
    idempotent = False

    def __init__(self) -> None:
        self.took: list[str] = []
        self.error: Exception | None = None

    async def run(self, accept: Accept) -> None: ...

    async def send(self, message: Outgoing) -> Sent:
        if isinstance(self.error, ChannelError) and not isinstance(self.error, OutcomeUnknown):
            raise self.error
        self.took.append(message.effect_key)
        if self.error:
            raise self.error
        return Sent(platform_id="m1")

    async def download(self, ref: str) -> bytes:
        return b""


@pytest.fixture
def desk(database: Database, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(database, tmp_path)
    yield made
    made.close()


def _row(desk: Desk) -> Any:
    return desk.db.read(lambda s: s.execute(sa.select(OutboxRow.state, OutboxRow.reason)).one())


def _hello(desk: Desk, platform: Platform) -> None:
    desk.work._channels = {"console": platform}  # type: ignore[dict-item]
    desk.accept(desk.event(desk.lina, text="你好"))


def _again(desk: Desk) -> list[Any]:
    for job in desk.db.read(lambda s: queue_of(s).listing(s, states=("queued",))):
        desk.db.write(lambda s, job=job: queue_of(s).retry(s, job.id))
    return desk.run()


def test_an_unknown_outcome_is_sent_again_once_and_then_parked(desk: Desk) -> None:
    platform = Platform()
    platform.error = OutcomeUnknown("no answer", transient=True)
    _hello(desk, platform)
    assert isinstance(desk.run()[-1], Again)
    assert _row(desk).state == "sending"

    _again(desk)
    assert platform.took == ["in:1:1", "in:1:1"]
    last = _again(desk)[-1]

    assert last == Parked(SENT_AGAIN)
    assert len(platform.took) == 2
    assert tuple(_row(desk)) == ("parked", SENT_AGAIN)


def test_a_refusal_is_no_sending(desk: Desk) -> None:
    platform = Platform()
    platform.error = ChannelError("busy", transient=True)
    _hello(desk, platform)
    desk.run()
    for _ in range(4):
        _again(desk)
    assert platform.took == []
    assert _row(desk).state == "queued"

    platform.error = None
    _again(desk)
    assert platform.took == ["in:1:1"]
    assert tuple(_row(desk)) == ("sent", "")
