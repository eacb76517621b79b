"""``genjin extract --explain``: every field names its rule and its words."""

from __future__ import annotations

from nlp.batch import extract_line

MEMO = {
    "id": "m", "now": "2026-03-10T17:20:00+08:00",
    "text": "今天去了横基水泥 王经理说阀门比国泰贵百分之十 报价每台一万二 我答应下周三之前重新报价",
    "known_customers": ["恒基水泥有限公司"],
    "known_contacts": {"恒基水泥有限公司": [{"name": "王磊", "role": "采购经理"}]},
    "known_products": ["电动阀门"], "known_competitors": ["国泰"],
}  # fmt: skip


def test_every_field_has_a_rule_and_its_words() -> None:
    answer = extract_line(MEMO, explained=True)
    (record,), told = answer["records"], answer["explain"]
    rules = {one["field"]: one for one in told["fields"]}

    assert rules["customer"]["rule"] == "name-sound"
    assert rules["contacts"]["rule"] == "surname+title-known"
    assert rules["competitors"]["rule"] == "name-letters"
    assert rules["amounts"]["rule"].startswith("sum-price")
    assert rules["objections"]["rule"].startswith("objection-价格")
    assert rules["commitments"]["rule"].startswith("promise-us")
    assert rules["commitments"]["due"] == "2026-03-18 by week-day-before"
    assert rules["commitments"]["because"]
    fields = sum(
        len(record[name])
        for name in ("contacts", "products", "amounts", "objections", "commitments", "competitors")
    )
    assert len(told["fields"]) == fields + 1
    for one in told["fields"]:
        start, end = one["span"]
        assert MEMO["text"][start:end] == one["said"]


def test_the_answer_itself_is_the_same_without_the_explanation() -> None:
    explained = extract_line(MEMO, explained=True)
    del explained["explain"]
    assert explained == extract_line(MEMO)


def test_what_is_no_memo_says_why() -> None:
    told = extract_line({**MEMO, "text": "恒基最近咋样"}, explained=True)
    assert told["records"] == []
    assert told["explain"]["kind"]["is"] == "command"
    assert told["explain"]["kind"]["sure"] > 0.5
    assert told["explain"]["fields"] == []
