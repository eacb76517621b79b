"""Whatever the readers of language are given: no exception, and every span holds its words."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nlp.amounts import find_amounts
from tools.fuzz_language import readers as reading
from tools.fuzz_language.hunt import Failure, hunt
from tools.fuzz_language.mutations import FRAGMENTS
from tools.fuzz_language.readers import NOWS, probe, readers, warm_up

texts = st.lists(
    st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=4)), max_size=14
).map("".join)  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def _warm() -> None:
    warm_up()


@pytest.mark.parametrize("name", list(readers()))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=texts, now=st.sampled_from(NOWS))
def test_every_answer_is_honest_and_comes_out_again(name: str, text: str, now: datetime) -> None:
    probe(name, text, now, twice=True)


def test_mutations_of_what_people_say() -> None:
    report = hunt("tests", 3000)

    assert report.inputs == 3000
    assert len(report.seen) > 100
    assert not report.failures, "\n".join(map(repr, report.failures.values()))


def test_a_failure_is_told_at_once_with_its_round_and_shrunk_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "SLOW_S", -1.0)  # everything is too slow now
    told: list[Failure] = []

    report = hunt("7/3", 12, at_once=told.append)

    assert report.failed == 12
    assert [one.kind for one in told] == list(report.failures)
    assert told[0].where == "round '7/3' input 0:"
    assert repr(told[0].text) in str(told[0])
    for one in told:
        shrunk = report.failures[one.kind]
        assert (shrunk.where, shrunk.text) == (one.where, "")
    again: list[Failure] = []
    hunt("7/3", 12, at_once=again.append)
    assert [one.text for one in again] == [one.text for one in told]


@pytest.mark.parametrize(
    "text",
    ["十" * 800, "两0" * 400, "一二" * 500, "点五" * 400, "9.9" * 500, "百万" * 600],
    ids=lambda text: text[:2],
)
def test_long_runs_of_numerals_are_read_in_time(text: str) -> None:
    for name in readers():
        probe(name, text, NOWS[0])


@pytest.mark.parametrize("text", ["五" * 309, "9" * 400, "一" + "兆" * 39])
def test_amounts_are_finite(text: str) -> None:
    for hit in find_amounts(text + "块", numbers=True):
        assert isinstance(hit.value, float)
        assert hit.value < float("inf")


@pytest.mark.parametrize("name", list(readers()))
@pytest.mark.parametrize(
    "text",
    ["二月二十九" * 40, "今天上午" * 60 + "好", "五" + "六" * 1900, "二十三十" * 450, "1.5" * 600],
    ids=["dates", "hours", "digits", "tens", "decimals"],
)
def test_what_is_said_over_and_over_does_not_stall_a_reader(name: str, text: str) -> None:
    """Backtracking over them took minutes once."""
    probe(name, text, NOWS[0])
