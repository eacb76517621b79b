"""From a voice memo's acceptance to its card, beyond the time that the model itself computes.

``python -m benchmarks.memo``: the demo's recordings through the real program (embedded queue, real
speech process), one after another.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from bot import app
from bot import config as settings
from bot.channels.console.server import Upload
from bot.demo import loader
from bot.home import Home
from bot.intake import Intake
from bot.samples import spoken_memos
from bot.work import Work
from bot.worker import EmbeddedWorker
from nlp.audio import duration_s
from sales.clock import SystemClock
from storage import console, memos, people
from storage.database import Database
from storage.migrations import runner

ROUNDS = 3


async def _measure(parts: app.Parts) -> list[tuple[float, float, float]]:
    """``(sound, model, all)`` seconds of each memo."""
    db = parts.db
    loop = asyncio.get_running_loop()
    intake = Intake(db, parts.tools.clock)
    channel = asyncio.create_task(parts.console.run(intake.accept))
    work = Work(db, parts.tools, parts.channels, loop, duration_s)
    worker = asyncio.create_task(EmbeddedWorker(db, work).run())
    await asyncio.sleep(0.2)
    lina = await asyncio.to_thread(db.read, lambda s: people.by_name(s, "李娜"))
    assert lina is not None
    found = []
    samples = [one for one in spoken_memos() if not one.text.startswith("不对")]
    for number in range(ROUNDS + 1):
        for sample in samples:
            data = sample.path.read_bytes()
            last = await asyncio.to_thread(db.read, console.last_change)
            began = time.perf_counter()
            await parts.console.upload(
                person_id=lina.id,
                event_key=f"bench-{number}-{sample.path.stem}",
                file=Upload(data=data, name=sample.path.name, recorded=True),
            )
            while not await asyncio.to_thread(
                db.read, lambda s, last=last: _card(s, lina.id, last)
            ):
                await asyncio.sleep(0.002)
            took = time.perf_counter() - began
            transcript = await asyncio.to_thread(db.read, _last_transcript)
            if number:  # the first round loads the model
                found.append((transcript["duration_s"], transcript["compute_s"], took))
    for task in (worker, channel):
        task.cancel()
    await asyncio.gather(worker, channel, return_exceptions=True)
    return found


def _card(session: Any, person_id: int, after: int) -> bool:
    return any(one.card_id for one in console.since(session, [person_id], after))


def _last_transcript(session: Any) -> dict[str, Any]:
    number = 1
    latest: dict[str, Any] = {}
    while (memo := memos.get(session, number)) is not None:
        latest, number = memo.transcript or latest, number + 1
    return latest


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home")
        home.set_up()
        config = settings.load(home.path)
        runner.migrate(config.database.url)
        db = Database(config.database.url)
        loader.load(db, now=SystemClock().now())
        db.close()
        parts = app.build(config, home, demo=True)
        try:
            found = asyncio.run(_measure(parts))
        finally:
            close = getattr(parts.tools.transcriber, "close", None)
            if close:
                close()
            parts.db.close()
    sound, model, everything = (statistics.median(column) for column in zip(*found, strict=True))
    beyond = statistics.median(one[2] - one[1] for one in found)
    print(f"memo, {len(found)} recordings, medians")
    print(f"  sound {sound:.2f} s, model {model:.3f} s, upload to card {everything:.3f} s")
    print(f"  beyond the model {beyond * 1000:.0f} ms; card / model = {everything / model:.2f}")


if __name__ == "__main__":
    main()
