"""Whatever the readers of language are given: no exception, and every span holds its words."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nlp.amounts import find_amounts
from tools.fuzz_language import FRAGMENTS, NOWS, hunt, probe, readers

texts = st.lists(
    st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=4)), max_size=14
).map("".join)  # fmt: skip


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
