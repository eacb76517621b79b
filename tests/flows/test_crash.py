"""The program dies at every commit and at random moments; nothing is lost, nothing happens twice."""

from __future__ import annotations

import pytest

from tests.conftest import POSTGRES, _postgres_away
from tests.crash.harness import crash
from tests.support.require import require


@pytest.mark.timeout(1500)
def test_two_hundred_deaths_lose_and_double_nothing() -> None:
    report = crash(200)
    assert report.runs == 200
    # A random moment may fall after the journey's end; most do not.
    assert report.kills >= 180, report
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
