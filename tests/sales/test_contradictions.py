"""G6: only clear contradictions, whatever else stands in the file."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sales import contradictions
from sales.contradictions import Contradiction, FiledEntry, OpenPromise
from sales.drafts import Draft, Edit
from sales.facts import (
    AmountFact,
    CommitmentFact,
    ContactFact,
    ProductFact,
    QuantityFact,
    RecordFacts,
)

START = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)
NOWHERE = (0, 0)

sums = st.builds(
    AmountFact,
    value=st.sampled_from([1000.0, 2000.0, (500.0, 1500.0), (3000.0, 4000.0)]),
    role=st.sampled_from([*contradictions.ROLES, "竞品价", ""]),
    span=st.just(NOWHERE),
)
products = st.builds(
    ProductFact,
    name=st.sampled_from(["蝶阀", "安全阀"]),
    known=st.just(True),
    said=st.just(""),
    span=st.just(NOWHERE),
)
counts = st.builds(
    QuantityFact,
    product=st.sampled_from(["蝶阀", "安全阀", ""]),
    value=st.sampled_from([3.0, 5.0]),
    unit=st.sampled_from(["台", "吨"]),
    span=st.just(NOWHERE),
)
promises = st.builds(
    CommitmentFact,
    who=st.sampled_from(["us", "customer"]),
    what=st.sampled_from(["发报价", "把报价发过去", "签合同", "送样品", "的"]),
    due=st.none() | st.sampled_from([date(2026, 12, 1), date(2026, 12, 4)]),
    span=st.just(NOWHERE),
)
people = st.builds(
    ContactFact,
    name=st.sampled_from(["赵国强", "赵", "刘总", "陈丽"]),
    role=st.just(""),
    new=st.just(False),
    span=st.just(NOWHERE),
    decision_maker=st.booleans(),
)
facts = st.builds(
    RecordFacts,
    customer=st.none(),
    amounts=st.lists(sums, max_size=3).map(tuple),
    products=st.lists(products, max_size=2).map(tuple),
    quantities=st.lists(counts, max_size=3).map(tuple),
    commitments=st.lists(promises, max_size=3).map(tuple),
    contacts=st.lists(people, max_size=3).map(tuple),
)


def entry(said: RecordFacts, number: int = 1, *, moved: int = 0, text: str = "") -> FiledEntry:
    return FiledEntry(
        id=number,
        at=START + timedelta(days=number),
        by="李娜",
        text=text,
        draft=Draft(facts=said),
        promises=tuple(
            OpenPromise(number=n, promise=one, moved=moved)
            for n, one in enumerate(said.commitments)
        ),
    )


def find(now: RecordFacts, *filed: FiledEntry, text: str = "") -> list[Contradiction]:
    return contradictions.find(Draft(facts=now), text, filed)


def said(**fields: Any) -> RecordFacts:
    return RecordFacts(customer=None, **fields)


def budget(value: float | tuple[float, float]) -> RecordFacts:
    return said(amounts=(AmountFact(value=value, role="预算", span=NOWHERE),))


def promise(day: int, what: str = "发报价") -> RecordFacts:
    return said(
        commitments=(CommitmentFact(who="us", what=what, due=date(2026, 12, day), span=NOWHERE),)
    )


def price(value: float, *names: str) -> RecordFacts:
    return said(
        amounts=(AmountFact(value=value, role="单价", span=NOWHERE),),
        products=tuple(ProductFact(name=n, known=True, said=n, span=NOWHERE) for n in names),
    )


def decides(name: str) -> RecordFacts:
    one = ContactFact(name=name, role="", new=False, span=NOWHERE, decision_maker=True)
    return said(contacts=(one,))


def quantity(value: float, unit: str = "台") -> RecordFacts:
    return said(quantities=(QuantityFact(product="蝶阀", value=value, unit=unit, span=NOWHERE),))


@given(facts)
def test_equal_facts_give_none(same: RecordFacts) -> None:
    assert find(same, entry(same)) == []


@given(facts, facts)
def test_it_is_symmetric(one: RecordFacts, other: RecordFacts) -> None:
    there = {(c.kind, str(c.before), str(c.now), c.unit) for c in find(one, entry(other))}
    back = {(c.kind, str(c.now), str(c.before), c.unit) for c in find(other, entry(one))}
    assert there == back


@given(facts, st.lists(facts, max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_the_file_does_not_matter(
    now: RecordFacts, filed: list[RecordFacts], random: Any
) -> None:
    entries = [entry(one, number) for number, one in enumerate(filed)]
    shuffled = list(entries)
    random.shuffle(shuffled)
    assert find(now, *entries) == find(now, *shuffled)


@given(facts, facts, st.lists(facts, max_size=3))
def test_what_the_newest_entry_settles_no_older_one_changes(
    now: RecordFacts, newest: RecordFacts, older: list[RecordFacts]
) -> None:
    last = entry(newest, 9)
    alone = [replace(one, moved=0) for one in find(now, last)]
    rest = [entry(one, number) for number, one in enumerate(older)]
    together = [replace(one, moved=0) for one in find(now, *rest, last)]
    assert [one for one in together if one.said_at == last.at] == alone


@given(facts, facts)
def test_every_key_is_there_once_and_survives_the_database(
    now: RecordFacts, before: RecordFacts
) -> None:
    found = find(now, entry(before))
    assert len({one.key for one in found}) == len(found)
    assert [Contradiction.from_dict(one.to_dict()) for one in found] == found


@given(facts, facts)
def test_restored_it_contradicts_no_more(now: RecordFacts, before: RecordFacts) -> None:
    for one in find(now, entry(before)):
        draft = contradictions.restore(Draft(facts=now), one, said="以上次为准")
        left = contradictions.find(draft, "", [entry(before)])
        assert one.key not in {other.key for other in left}
        assert draft.edits[0].said == "以上次为准"
        assert Draft.from_dict(draft.to_dict()) == draft


@pytest.mark.parametrize(
    ("now", "before", "count"),
    [
        (budget(700_000), budget(500_000), 1),
        (budget(550_000), budget((500_000, 600_000)), 0),
        (budget(700_000), budget((500_000, 600_000)), 1),
        (price(1500, "蝶阀"), price(1200, "蝶阀"), 1),
        (price(1500, "蝶阀"), price(1200, "安全阀"), 0),
        (price(1500, "蝶阀"), price(1200), 0),
        (price(1500, "蝶阀", "安全阀"), price(1200, "蝶阀"), 0),
        (promise(4), promise(1), 1),
        (promise(4, "把报价发过去"), promise(1), 1),
        (promise(4, "签合同"), promise(1), 0),
        (promise(4, "发货"), promise(1, "开发票"), 0),
        (quantity(15), quantity(12), 1),
        (quantity(15), quantity(12, "吨"), 0),
        (decides("陈丽"), decides("赵国强"), 1),
        (decides("赵经理"), decides("赵国强"), 0),
        (decides("赵"), decides("赵国强"), 0),
        (decides("赵明"), decides("赵国强"), 1),
    ],
)  # fmt: skip
def test_examples(now: RecordFacts, before: RecordFacts, count: int) -> None:
    assert len(find(now, entry(before))) == count


@pytest.mark.parametrize("role", contradictions.ROLES)
@pytest.mark.parametrize(("before", "now"), [(1, 2), (1, None), (None, 2), (1, 1), (None, None)])
def test_prices_are_compared_inside_one_opportunity(
    role: str, before: int | None, now: int | None
) -> None:
    cheap, dear = (
        replace(one, amounts=(replace(one.amounts[0], role=role),))
        for one in (price(1200, "蝶阀"), price(1500, "蝶阀"))
    )
    filed = replace(entry(cheap), opportunity_id=before)
    found = contradictions.find(Draft(facts=dear), "", [filed], opportunity_id=now)
    assert len(found) == (before == now or role not in ("单价", "报价"))


def test_an_older_price_of_the_same_deal_counts_behind_a_newer_one_of_another() -> None:
    older = replace(entry(price(1200, "蝶阀"), 1), opportunity_id=1)
    newer = replace(entry(price(1500, "蝶阀"), 2), opportunity_id=2)
    now = Draft(facts=price(1500, "蝶阀"))
    [one] = contradictions.find(now, "", [older, newer], opportunity_id=1)
    assert (one.before, one.said_at) == (1200, older.at)
    assert contradictions.find(now, "", [older, newer], opportunity_id=2) == []


def test_the_most_valuable_comes_first() -> None:
    both = [
        replace(
            budget(value),
            commitments=promise(day).commitments,
            contacts=decides(name).contacts,
            quantities=quantity(number).quantities,
        )
        for value, day, name, number in ((1.0, 1, "陈丽", 3), (2.0, 2, "赵国强", 4))
    ]
    kinds = [one.kind for one in find(both[0], entry(both[1]))]
    assert kinds == ["amount", "due", "decision_maker", "quantity"]


def test_it_tells_how_often_a_day_was_moved() -> None:
    [one] = find(promise(8), entry(promise(1), 1), entry(promise(4), 2))
    assert (one.before, one.moved) == (date(2026, 12, 4), 2)
    [counted] = find(promise(8), entry(promise(4), 2, moved=2))
    assert counted.moved == 3


def test_both_sides_bring_their_words_and_the_correction_when_there_was_one() -> None:
    text = "预算七十万"
    heard = AmountFact(value=700_000, role="预算", span=(2, 5))
    filed = entry(said(amounts=(replace(heard, value=500_000),)), text="预算六十万")
    [one] = find(said(amounts=(heard,)), filed, text=text)
    assert (one.before_words, one.now_words, one.said_by) == ("六十万", "七十万", "李娜")

    edit = Edit(path="amounts.0", old="600000", new="500000", said="不对 是五十万")
    filed = replace(filed, draft=replace(filed.draft, edits=(edit,)))
    [one] = find(said(amounts=(heard,)), filed, text=text)
    assert one.before_words == "不对 是五十万"
