"""The program dies at every commit and at random moments; nothing is lost, nothing happens twice."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest

from tests.conftest import POSTGRES, _postgres_away
from tests.crash.harness import Report
from tests.crash.harness import crash as crash_here
from tests.support.require import require


def crash(runs: int, **how: Any) -> Report:
    """In a small process of its own: each run forks, and pytest's process has grown large."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as alone:
        return alone.submit(crash_here, runs, **how).result()


@pytest.mark.timeout(1500)
def test_a_hundred_deaths_lose_and_double_nothing() -> None:
    report = crash(100)
    assert report.runs == 100
    # A random moment may fall after the journey's end; most do not.
    assert report.kills >= 90, report
    assert report.sound, [report, *report.lost, *report.doubled, *report.stuck][:8]


@pytest.mark.timeout(600)
def test_deaths_on_postgresql() -> None:
    """Fewer: a dead worker's jobs come back only after its heartbeat is missed."""
    why = _postgres_away()
    require("PostgreSQL", not why, why)
    report = crash(6, postgres=POSTGRES)
    assert report.kills >= 4, report
    assert report.sound, [report, *report.lost, *report.doubled, *report.stuck][:8]


def test_the_harness_notices_a_missing_unique_key() -> None:
    """Without the key of the inbox the late second delivery of a tap or memo is seen as a new one."""
    report = crash(3, sabotage="inbox")
    assert not report.sound
