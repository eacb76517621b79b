"""The workers of the embedded queue: a few slots per lane, woken by commits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import structlog

from bot.work import Again, Parked, Work
from storage.database import Database
from storage.jobs import LANES, Job
from storage.jobs_embedded import EmbeddedQueue

log = structlog.get_logger()

# How many jobs of a lane run at once.  Speech computes in its own process, so one waits for it.
SLOTS: Final = {"tap": 3, "message": 3, "speech": 1, "push": 4}
_GIVE_WAY_S: Final = 5.0  # at most, before each job of a slot, while others are more urgent
_CALM_LOOK_S: Final = 0.2
_LOOK_AGAIN_S: Final = 1.0  # for jobs whose time comes without a commit


class EmbeddedWorker:
    """Runs the jobs of some lanes until cancelled; a job in hand is finished first."""

    def __init__(
        self,
        db: Database,
        work: Work,
        slots: Mapping[str, int] = SLOTS,
        *,
        give_way: Callable[[], bool] = lambda: False,
    ) -> None:
        """*give_way*: whether something more urgent needs the machine; then work goes on slowly."""
        self._give_way = give_way
        self._db = db
        self._work = work
        self._queue = EmbeddedQueue()
        self._slots = {lane: slots.get(lane, 0) for lane in LANES}
        self._threads = ThreadPoolExecutor(sum(self._slots.values()), thread_name_prefix="work")
        self._bells = {lane: asyncio.Event() for lane in LANES}
        self._stopping = False

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        recovered = await loop.run_in_executor(
            self._threads, lambda: self._db.write(self._queue.recover)
        )
        if recovered:
            log.info("jobs of the last run taken up again", count=recovered)

        def ring() -> None:
            loop.call_soon_threadsafe(self._ring)

        self._db.on_work.append(ring)
        tasks = [
            asyncio.create_task(self._slot(lane), name=f"{lane}-{number}")
            for lane, count in self._slots.items()
            for number in range(count)
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        except asyncio.CancelledError:
            # First the flag: a slot whose bell rings at that moment does not feel the cancelling.
            self._stopping = True
            self._ring()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise
        finally:
            self._db.on_work.remove(ring)
            self._threads.shutdown(wait=False)

    def _ring(self) -> None:
        for bell in self._bells.values():
            bell.set()

    async def _slot(self, lane: str) -> None:
        loop, bell = asyncio.get_running_loop(), self._bells[lane]
        while not self._stopping:
            bell.clear()
            await self._calm()
            try:
                worked = await loop.run_in_executor(self._threads, self._one, lane)
            except asyncio.CancelledError:
                return
            except Exception:
                # The database itself failed (a full disk, say): nothing is lost, look again.
                log.exception("worker", lane=lane)
                await asyncio.sleep(_LOOK_AGAIN_S)
                continue
            if not worked and not self._stopping:
                try:
                    await asyncio.wait_for(bell.wait(), _LOOK_AGAIN_S)
                except TimeoutError:
                    continue

    async def _calm(self) -> None:
        """Until nothing more urgent goes on; but no slot stands still for good."""
        until = asyncio.get_running_loop().time() + _GIVE_WAY_S
        while self._give_way() and not self._stopping:
            if asyncio.get_running_loop().time() >= until:
                return
            await asyncio.sleep(_CALM_LOOK_S)

    def _one(self, lane: str) -> bool:
        """Claim and do one job; False when there was none."""
        if not self._db.read(lambda session: self._queue.ready(session, lane)):
            return False
        job = self._db.write(lambda session: self._queue.claim(session, lane))
        if job is None:
            return False
        self._settle(job)
        return True

    def _settle(self, job: Job) -> None:
        outcome = self._work.run(job)
        if isinstance(outcome, Again):
            self._db.write(
                lambda session: self._queue.again(
                    session, job, after_s=outcome.after_s, reason=outcome.reason
                )
            )
        elif isinstance(outcome, Parked):
            self._db.write(lambda session: self._queue.park(session, job.id, reason=outcome.reason))
