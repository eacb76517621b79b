"""Scores of labelled memos."""

from __future__ import annotations

from typing import Any

import pytest

from nlp.evaluate import format_table, read_rows
from nlp.evaluate.memos import same_act, score


def expect(**fields: Any) -> dict[str, Any]:
    empty = {
        name: []
        for name in ("contacts", "products", "amounts", "objections", "commitments", "competitors")
    }
    return {"customer": None, **empty, "next_step": None, **fields}


def record(customer: str | None = None, **fields: Any) -> dict[str, Any]:
    found = {"name": customer, "span": [0, 1]} if customer else None
    return {**expect(**fields), "customer": found}


def table(row: dict[str, Any], *records: dict[str, Any]) -> Any:
    return score(
        [{"id": "x", "text": "甲乙丙丁", **row}], extract=lambda _: {"records": list(records)}
    )


def promise(who: str, what: str, due: str | None) -> dict[str, Any]:
    return {"who": who, "what": what, "due": due, "span": [0, 1]}


def test_everything_right() -> None:
    wanted = expect(
        customer="甲", contacts=[{"name": "王磊", "role": "", "new": False}], products=["球阀 DN80"], amounts=[100],
        objections=[{"category": "价格", "text": ""}], commitments=[promise("us", "发报价", "2026-01-02")], competitors=["乙"],
    )  # fmt: skip
    found = record(
        "甲", contacts=[{"name": "王", "role": "经理", "new": False, "span": [0, 1]}],
        products=[{"name": "球阀", "span": [0, 1]}], amounts=[{"value": 100.0, "span": [0, 1]}],
        objections=[{"category": "价格", "span": [0, 1]}], commitments=[promise("us", "把报价发给他", "2026-01-02")],
        competitors=[{"name": "乙", "span": [0, 1]}],
    )  # fmt: skip
    result = table({"expect": wanted}, found)
    assert {name: one.f1 for name, one in result.fields.items()} == dict.fromkeys(
        result.fields, 1.0
    )
    assert result.dishonest == 0
    assert result.errors == []


def test_what_is_found_in_a_row_of_nobody_is_an_error() -> None:
    result = table({"expect": expect()}, record("甲", amounts=[{"value": 5, "span": [0, 1]}]))
    assert result.fields["customer"].precision == 0
    assert result.fields["amounts"].precision == 0


def test_further_customers_are_paired_by_name() -> None:
    row = {
        "expect": expect(customer="甲", amounts=[1]),
        "expect_more": [expect(customer="乙", amounts=[2])],
    }
    result = table(
        row,
        record("乙", amounts=[{"value": 2, "span": [0, 1]}]),
        record("甲", amounts=[{"value": 1, "span": [0, 1]}]),
    )
    assert result.fields["customer"].f1 == 1
    assert result.fields["amounts"].f1 == 1


def test_a_wrong_day_counts_twice_and_is_told() -> None:
    wanted = expect(customer="甲", commitments=[promise("us", "发报价", "2026-01-02")])
    result = table(
        {"expect": wanted}, record("甲", commitments=[promise("us", "发报价", "2026-01-03")])
    )
    tally = result.fields["who+due"]
    assert (tally.right, tally.found, tally.wanted) == (0, 1, 1)
    assert any("2026-01-03" in line for line in result.errors)


def test_a_span_outside_the_text_is_dishonest() -> None:
    assert (
        table(
            {"expect": expect(customer="甲")},
            {**record("甲"), "customer": {"name": "甲", "span": [0, 9]}},
        ).dishonest
        == 1
    )


def test_objections_are_a_multiset() -> None:
    wanted = expect(
        customer="甲",
        objections=[{"category": "价格", "text": ""}, {"category": "价格", "text": ""}],
    )
    result = table(
        {"expect": wanted}, record("甲", objections=[{"category": "价格", "span": [0, 1]}])
    )
    assert result.fields["objections"].recall == 0.5


def test_the_table_as_text() -> None:
    result = table({"expect": expect(customer="甲")}, record("乙"))
    text = format_table(result, errors=True)
    assert "customer" in text and "found 乙, wanted 甲" in text
    assert result.to_dict()["fields"]["customer"]["f1"] == 0


def test_same_act() -> None:
    assert same_act("给加急方案", "把加急方案发过去")
    assert not same_act("发报价", "签合同")


@pytest.mark.parametrize("line", ["{", "[]", '{"text": "x"}', '{"expect": {}}'])
def test_rows_that_are_no_labelled_memos(line: str) -> None:
    with pytest.raises(ValueError, match="line 1"):
        read_rows([line])
