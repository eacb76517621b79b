"""The hunt: try inputs, keep what makes a reader answer in a new way, shrink what fails."""

from __future__ import annotations

import heapq
import random
import signal
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Final

from tools.fuzz_language.mutations import mutated
from tools.fuzz_language.readers import NOWS, Wrong, probe, readers, warm_up

ROOT: Final = Path(__file__).resolve().parents[2]
_HANGS_S: Final = 2.0  # after which a reader is interrupted
_ROUND: Final = 2000  # inputs handed to a process at once
_KEPT: Final = 4000  # texts kept for their behaviour
_SHRINK_S: Final = 20.0  # processor time spent on making a failing text shorter
_TOLD: Final = 20  # different failures that are shrunk and shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """``kind`` is the same for texts that fail in the same way; ``where`` the round and input."""

    reader: str
    now: datetime
    text: str
    kind: str
    words: str
    where: str = ""

    def __str__(self) -> str:
        said = f"{self.kind}: {self.words}"
        return f"!! {self.where} {said}\n   now={self.now.isoformat()} text={self.text!r}"


@dataclass(slots=True)
class Report:
    """``slowest`` is seconds, reader, length and beginning of the text; ``new`` the texts kept."""

    inputs: int = 0
    failed: int = 0
    failures: dict[str, Failure] = field(default_factory=dict)  # the first of each kind
    seen: set[str] = field(default_factory=set)
    new: list[str] = field(default_factory=list)
    slowest: list[tuple[float, str, int, str]] = field(default_factory=list)

    def add(self, other: Report) -> None:
        self.inputs += other.inputs
        self.failed += other.failed
        self.failures = {**other.failures, **self.failures}
        self.seen |= other.seen
        self.new = (self.new + other.new)[-_KEPT:]
        self.slowest = heapq.nlargest(10, self.slowest + other.slowest)


@contextmanager
def _alarm() -> Iterator[Callable[[float], object]]:
    """Gives what sets the processor time left, 0 for no limit; where there are such timers."""
    if not hasattr(signal, "setitimer"):
        yield lambda seconds: None
        return

    def ring(number: int, frame: FrameType | None) -> None:
        raise Wrong(f"slow: stopped after {_HANGS_S:.0f} s")

    before = signal.signal(signal.SIGVTALRM, ring)
    try:
        yield lambda seconds: signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def failure_of(
    name: str, text: str, now: datetime, limit: Callable[[float], object], *, twice: bool = True
) -> Failure | frozenset[str]:
    """What *text* does to a reader: how it fails, or what its answer holds."""
    try:
        limit(_HANGS_S)
        return probe(name, text, now, twice=twice)
    except Exception as error:
        frames = [
            one for one in traceback.extract_tb(error.__traceback__) if str(ROOT) in one.filename
        ]
        place = f"{Path(frames[-1].filename).name}:{frames[-1].name}" if frames else ""
        about = str(error).partition(":")[0] if isinstance(error, Wrong) else place
        kind = f"{name} {type(error).__name__} {about}"
        return Failure(reader=name, now=now, text=text, kind=kind, words=f"{error} ({place})")
    finally:
        limit(0)


def shrunk(failure: Failure, limit: Callable[[float], object]) -> Failure:
    """The failure with as little text as still fails in the same way."""
    best, size, end = failure, max(1, len(failure.text) // 2), time.process_time() + _SHRINK_S
    while size and time.process_time() < end:
        place, smaller = 0, False
        while place < len(best.text) and time.process_time() < end:
            text = best.text[:place] + best.text[place + size :]
            again = failure_of(best.reader, text, best.now, limit)
            if isinstance(again, Failure) and again.kind == best.kind:
                best, smaller = replace(again, where=best.where), True
            else:
                place += size
        if not smaller or size > 1:
            size //= 2
    return best


def tell(failure: Failure) -> None:
    """Print it now: the round may take a while yet, or never end."""
    print(failure, flush=True)


def hunt(
    seed: str,
    inputs: int,
    kept: Sequence[str] = (),
    *,
    at_once: Callable[[Failure], object] = tell,
) -> Report:
    """Try *inputs* mutations that follow from *seed* and *kept*, in this process.

    The first failure of each kind goes to *at_once* as it was met, and shrunk into the report.
    """
    warm_up()
    rng, report = random.Random(seed), Report()
    names = list(readers())
    shares = [one.share for one in readers().values()]
    pool = list(kept)
    with _alarm() as limit:
        for number in range(inputs):
            [name] = rng.choices(names, shares)
            text, now, twice = mutated(rng, pool), rng.choice(NOWS), rng.random() < 0.05
            began = time.process_time()
            found = failure_of(name, text, now, limit, twice=twice)
            took = time.process_time() - began
            report.inputs += 1
            if len(report.slowest) < 10 or took > report.slowest[-1][0]:
                report.slowest = heapq.nlargest(
                    10, [*report.slowest, (took, name, len(text), text[:40])]
                )
            if isinstance(found, Failure):
                report.failed += 1
                if found.kind not in report.failures and len(report.failures) < _TOLD:
                    found = replace(found, where=f"round {seed!r} input {number}:")
                    at_once(found)
                    report.failures[found.kind] = shrunk(found, limit)
                continue
            behaviour = f"{name}: {'; '.join(sorted(found))}"
            if behaviour not in report.seen:
                report.seen.add(behaviour)
                report.new.append(text)
                pool.append(text)
    return report


def run(inputs: int, *, seed: int, processes: int, say: Callable[[str], None]) -> Report:
    """Hunt in rounds on several processes; a round builds on what earlier ones have kept."""
    whole, began, told = Report(), time.monotonic(), time.monotonic()
    waiting: deque[Future[Report]] = deque()
    given = number = 0
    with ProcessPoolExecutor(processes) as workers:
        while given < inputs or waiting:
            while given < inputs and len(waiting) < 2 * processes:
                size = min(_ROUND, inputs - given)
                waiting.append(workers.submit(hunt, f"{seed}/{number}", size, tuple(whole.new)))
                given, number = given + size, number + 1
            if wait([waiting[0]], timeout=1).done:
                done = waiting.popleft().result()
                fresh = done.seen - whole.seen
                done.new = done.new if fresh else []
                whole.add(done)
            if time.monotonic() - told >= 5:
                told = time.monotonic()
                say(_line(whole, told - began))
    say(_line(whole, time.monotonic() - began))
    return whole


def _line(report: Report, seconds: float) -> str:
    return (
        f"{report.inputs} inputs in {seconds:.0f} s, {report.inputs / seconds:.0f} inputs/s, "
        f"{report.failed} failures, {len(report.seen)} behaviours seen"
    )
