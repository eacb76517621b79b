from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sales import drafts
from sales.drafts import Draft, NothingToCorrect, Unclear
from sales.facts import AmountFact, CommitmentFact, CustomerFact, MemoFacts, RecordFacts

days = st.dates(date(2026, 1, 1), date(2027, 12, 31))
spans = st.tuples(st.integers(0, 50), st.integers(51, 100))
promises = st.builds(
    CommitmentFact,
    who=st.sampled_from(["us", "customer"]),
    what=st.text(min_size=1, max_size=8),
    due=st.none() | days,
    span=spans,
    certainty=st.sampled_from(["firm", "loose"]),
    conditional=st.booleans(),
    due_span=st.none() | spans,
)
sums = st.builds(
    AmountFact,
    value=st.floats(0, 1e9, allow_nan=False) | st.tuples(st.floats(0, 1e6), st.floats(0, 1e6)),
    role=st.sampled_from(["报价", "预算", ""]),
    span=spans,
    approx=st.booleans(),
)
customers = st.none() | st.builds(
    CustomerFact,
    name=st.text(min_size=1, max_size=8),
    known=st.booleans(),
    said=st.text(max_size=8),
    span=spans,
    candidates=st.lists(st.text(min_size=1, max_size=4), max_size=3).map(tuple),
)
facts = st.builds(
    RecordFacts,
    customer=customers,
    commitments=st.lists(promises, max_size=4).map(tuple),
    amounts=st.lists(sums, max_size=4).map(tuple),
    next_step=st.text(max_size=10),
)
drafts_of = st.builds(Draft, facts=facts)


@given(facts)
def test_facts_survive_the_database(made: RecordFacts) -> None:
    memo = MemoFacts(kind="memo", records=(made,))
    assert MemoFacts.from_dict(memo.to_dict()) == memo


@given(drafts_of, days)
def test_a_draft_survives_the_database(draft: Draft, day: date) -> None:
    changed = Draft(facts=draft.facts, follow_up=day, skipped=("close",), rounds=1)
    assert Draft.from_dict(changed.to_dict()) == changed


@given(drafts_of, days)
def test_a_new_day_changes_one_promise_and_nothing_else(draft: Draft, day: date) -> None:
    for number, before in enumerate(draft.facts.commitments):
        after = drafts.set_due(draft, day, said="改成", path=f"commitments.{number}.due")
        assert after.facts.commitments[number].due == day
        others = [one for n, one in enumerate(after.facts.commitments) if n != number]
        assert others == [one for n, one in enumerate(draft.facts.commitments) if n != number]
        assert after.facts.amounts == draft.facts.amounts
        assert after.facts.customer == draft.facts.customer
        edit = after.edit_of(f"commitments.{number}.due")
        if before.due == day:
            assert edit is None
        else:
            assert edit is not None
            assert edit.old == (before.due.isoformat() if before.due else "")


@given(drafts_of, days)
def test_without_a_path_it_is_clear_or_it_is_asked(draft: Draft, day: date) -> None:
    try:
        after = drafts.set_due(draft, day, said="")
    except NothingToCorrect:
        assert not draft.facts.commitments
    except Unclear as unclear:
        assert len(unclear.paths) > 1
    else:
        assert len(after.edits) == 1


@given(drafts_of, st.floats(1, 1e9))
def test_the_old_value_of_a_field_is_the_first_one(draft: Draft, value: float) -> None:
    once = (
        drafts.set_amount(draft, value, said="", path="amounts.0") if draft.facts.amounts else draft
    )
    if once is draft:
        return
    twice = drafts.set_amount(once, value + 1, said="", path="amounts.0")
    first, both = once.edit_of("amounts.0"), twice.edit_of("amounts.0")
    if first and both:
        assert first.old == both.old


@given(st.sets(st.sampled_from(drafts.REQUIRABLE)), st.booleans())
def test_the_customer_can_never_be_left_open(skipped: set[str], has: bool) -> None:
    draft = Draft(facts=RecordFacts(customer=None), skipped=tuple(sorted(skipped)))
    left = drafts.missing(draft, drafts.REQUIRABLE, has_customer=has)
    assert ("customer" in left) == (not has)
    assert not (set(left) - {"customer"}) & skipped


@pytest.mark.parametrize(("minutes", "open_still"), [(0, True), (10, True), (10.1, False)])
def test_the_undo_ends(minutes: float, open_still: bool) -> None:
    from datetime import UTC, datetime

    at = datetime(2026, 3, 2, tzinfo=UTC)
    assert drafts.within_undo(at, at + timedelta(minutes=minutes), 10) is open_still
