"""The batch lines: contracts of DESIGN section 3, and lines that are broken."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.batch import dates_line, extract_line, match_line, run
from sales.facts import MemoFacts

MEMO = {
    "id": "m1", "now": "2026-11-23T09:40:00+08:00", "text": "恒基水泥的王经理说球阀太贵 我周五前给新报价",
    "known_customers": ["恒基水泥有限公司"], "known_products": ["球阀"], "known_competitors": [],
    "known_contacts": {"恒基水泥有限公司": [{"name": "王磊", "role": "采购经理"}]},
}  # fmt: skip


def line(**changes: object) -> str:
    return json.dumps({**MEMO, **changes}, ensure_ascii=False)


def test_a_memo_gives_the_json_of_the_contract() -> None:
    answer = extract_line(MEMO)
    assert answer["id"] == "m1"
    assert set(answer) == {"id", "kind", "records", "unplaced"}
    json.dumps(answer)
    facts = MemoFacts.from_dict(answer)
    assert facts.to_dict() == {key: value for key, value in answer.items() if key != "id"}
    assert answer["records"][0]["customer"]["name"] == "恒基水泥有限公司"
    assert answer["records"][0]["contacts"][0]["new"] is False


def test_lists_are_optional_and_a_time_without_zone_is_shanghais() -> None:
    answer = extract_line(
        {"id": 1, "now": "2026-11-23T23:40:00", "text": "去了鼎盛重工 我明天报价"}
    )
    assert answer["records"][0]["commitments"][0]["due"] == "2026-11-24"


def test_dates_and_matches() -> None:
    (found,) = dates_line({"id": 2, "now": "2026-11-23T09:40:00+08:00", "text": "下周三给"})[
        "dates"
    ]
    assert (found["due"], found["span"], found["text"]) == ("2026-12-02", [0, 3], "下周三")
    assert (
        match_line({"id": 3, "text": "去了横基水泥", "names": ["恒基水泥有限公司"]})["matches"][0][
            "name"
        ]
        == "恒基水泥有限公司"
    )
    tied = match_line({"id": 4, "text": "去了汇通", "names": ["汇通热力公司", "汇通快修"]})[
        "matches"
    ]
    assert [one["tied"] for one in tied] == [True, True]
    assert all(one["score"] <= 0.5 for one in tied)


def test_amounts_are_short_numbers() -> None:
    ((answer, good),) = run(
        "amounts", [json.dumps({"id": 1, "text": "报价每台一万二"}, ensure_ascii=False)]
    )
    assert good
    assert [(one["value"], one["unit"]) for one in answer["amounts"]] == [(12000, "CNY")]
    assert isinstance(answer["amounts"][0]["value"], int)


@pytest.mark.parametrize(
    "raw",
    [
        "{", "[]", "1", line(text=None), line(now="gestern"), line(now=None), line(known_customers="恒基"),
        line(known_contacts=[1]), line(known_contacts={"恒基": "王磊"}), line(known_products=[1]),
    ],
)  # fmt: skip
def test_a_bad_line_is_an_error_and_not_a_crash(raw: str) -> None:
    answers = list(run("extract", [raw, line(id="next")]))
    assert [good for _, good in answers] == [False, True]
    assert set(answers[0][0]) == {"id", "error"}
    assert answers[1][0]["id"] == "next"


def test_answers_come_in_order_and_blank_lines_are_skipped() -> None:
    answers = list(run("extract", ["\ufeff" + line(id=1), "\n", line(id=2)]))
    assert [answer["id"] for answer, _ in answers] == [1, 2]


def test_an_unknown_command() -> None:
    with pytest.raises(KeyError):
        run("fly", [])


@settings(max_examples=50, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["id", "text", "now", "names", "known_contacts", "known_customers", "name"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_whatever_is_sent_is_answered(value: object) -> None:
    for command in ("extract", "match", "dates", "amounts"):
        for answer, good in run(command, [json.dumps(value)]):
            assert good or "error" in answer
