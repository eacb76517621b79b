"""The whole program in a child process, with a death at a chosen commit."""

from __future__ import annotations

import asyncio
import mmap
import os
import signal
import struct
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bot import app
from bot import config as settings
from bot.channels.console.server import Console
from bot.home import Home
from nlp.ports import Hints, Transcript
from sales.clock import FixedClock

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


class CommitCounter:
    """A number that parent and child share."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 8)

    @property
    def value(self) -> int:
        return int(struct.unpack("q", self._memory[:8])[0])

    @value.setter
    def value(self, number: int) -> None:
        self._memory[:8] = struct.pack("q", number)


class Scripted:
    """Hears what the recording's bytes say: the crash test is about the path, not about ears."""

    def transcribe(self, data: bytes, hints: Hints) -> Transcript:
        return Transcript(
            text=data.decode(),
            segments=(),
            language="zh",
            backend="scripted",
            model="scripted",
            duration_s=10.0,
            compute_s=0.0,
        )

    def describe(self) -> Mapping[str, object]:
        return {"backend": "scripted", "model": "scripted", "ready": True}


def start(home: Path, url: str, port: int, counter: CommitCounter, die_at: int) -> int:
    """Fork the program; it kills itself right after commit number *die_at* (0: never).

    The parent must have no threads.  Returns the child's process id.
    """
    counter.value = 0
    pid = os.fork()
    if pid:
        return pid
    status = 70
    try:
        sink = os.open(home / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(sink, 1)
        os.dup2(sink, 2)
        status = _run(home, url, port, counter, die_at)
    except BaseException as error:
        sys.stderr.write(f"{error!r}\n")
    finally:
        os._exit(status)


def _run(path: Path, url: str, port: int, counter: CommitCounter, die_at: int) -> int:
    os.environ["GENJIN_HOME"] = str(path)
    home = Home(path)
    config = settings.load(path)
    config = config.model_copy(update={"database": config.database.model_copy(update={"url": url})})
    app.configure_logs()
    with home.lock(shared=not url.startswith("sqlite")):
        parts = app.build(config, home, demo=False)

        def committed() -> None:
            counter.value += 1
            if counter.value == die_at:
                os.kill(os.getpid(), signal.SIGKILL)

        parts.db.after_commit.insert(0, committed)
        clock = FixedClock(NOW)
        console = Console(parts.db, parts.tools.media, clock)
        parts = replace(
            parts,
            tools=replace(parts.tools, clock=clock, transcriber=Scripted()),
            console=console,
            channels={"console": console},
        )
        return asyncio.run(app.serve(parts, port=port, open_browser=False))
