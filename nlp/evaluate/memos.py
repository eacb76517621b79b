"""Scores of ``genjin eval memos``: what was found against what was labelled, field by field.

The rules are the "Suggested scoring" of the development data: customers exact, contacts by
surname and novelty, products by containment, sums as sets, objections as a multiset of categories,
commitments by side, day and act, rivals as sets.  Whatever is found in a row that is not about a
customer is an error.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from nlp.batch import extract_line
from nlp.evaluate.table import Row, Table

NEEDS = ("expect",)
FIELDS = (
    "customer", "contacts", "products", "amounts", "objections", "commitments", "who+due", "due dates",
    "competitors",
)  # fmt: skip
_SAME_ACT = 0.34


def score(rows: Iterable[Row], *, extract: Callable[[Row], Row] = extract_line) -> Table:
    """Extract every labelled row and compare."""
    table = Table.of(FIELDS, "memos")
    for row in rows:
        table.rows += 1
        answer = extract(row)
        _check_spans(table, str(row.get("text") or ""), answer)
        wanted = [row["expect"], *(row.get("expect_more") or [])]
        if wanted[0].get("customer") is None and not _anything(wanted[0]):
            wanted = []
        compare(table, str(row.get("id")), list(answer.get("records") or []), wanted)
    return table


def _anything(expect: Row) -> bool:
    return any(
        expect.get(name)
        for name in ("contacts", "products", "amounts", "objections", "commitments")
    )


def compare(table: Table, row: str, found: list[Row], wanted: list[Row]) -> None:
    """Pair records of one memo by customer, then in order, and count."""
    pairs: list[tuple[Row, Row]] = []
    rest = list(found)
    later: list[Row] = []
    for want in wanted:
        twin = next((one for one in rest if _customer(one) == want.get("customer")), None)
        if twin is None:
            later.append(want)
        else:
            rest.remove(twin)
            pairs.append((twin, want))
    for want in later:
        pairs.append((rest.pop(0) if rest else {}, want))
    pairs += [(one, {}) for one in rest]
    for have, want in pairs:
        for name in table.fields:
            judge = _JUDGES[name]
            right, found_count, wanted_count, note = judge(have, want)
            table.count(name, right, found_count, wanted_count, error=f"{row} {name}: {note}")


_Verdict = tuple[int, int, int, str]


def _customer(record: Row) -> str | None:
    customer = record.get("customer")
    return customer.get("name") if isinstance(customer, Mapping) else None


def _judge_customer(have: Row, want: Row) -> _Verdict:
    found, wanted = _customer(have), want.get("customer")
    return (
        int(found is not None and found == wanted),
        int(found is not None),
        int(wanted is not None),
        (f"found {found}, wanted {wanted}"),
    )


def _matched(
    found: Sequence[Any], wanted: Sequence[Any], same: Callable[[Any, Any], bool]
) -> tuple[int, list[Any], list[Any]]:
    """One-to-one pairs, and what is left on both sides."""
    left = list(wanted)
    extra: list[Any] = []
    right = 0
    for one in found:
        twin = next((other for other in left if same(one, other)), None)
        if twin is None:
            extra.append(one)
        else:
            left.remove(twin)
            right += 1
    return right, extra, left


def _verdict(
    found: Sequence[Any], wanted: Sequence[Any], same: Callable[[Any, Any], bool]
) -> _Verdict:
    right, extra, missed = _matched(found, wanted, same)
    return right, len(found), len(wanted), f"extra {_dump(extra)}, missed {_dump(missed)}"


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _items(record: Row, name: str) -> list[Any]:
    return list(record.get(name) or [])


def _surname(name: str) -> str:
    name = name.strip()
    if re.match(r"[A-Za-z]", name):
        return name.lower()
    return name.lstrip("老小")[:1] if len(name) > 1 else name


def _judge_contacts(have: Row, want: Row) -> _Verdict:
    return _verdict(
        [_person(one) for one in _items(have, "contacts")],
        [_person(one) for one in _items(want, "contacts")],
        lambda a, b: _surname(a["name"]) == _surname(b["name"]) and a["new"] == b["new"],
    )


def _person(one: Row) -> Row:
    return {"name": one["name"], "new": bool(one["new"])}


def _judge_products(have: Row, want: Row) -> _Verdict:
    def same(found: str, wanted: str) -> bool:
        one, other = (re.sub(r"\s+", "", text).lower() for text in (found, wanted))
        return one == other or (bool(one) and bool(other) and (one in other or other in one))

    return _verdict(
        [one["name"] for one in _items(have, "products")], _items(want, "products"), same
    )


def _numbers(value: Any) -> tuple[float, ...]:
    values = value if isinstance(value, (list, tuple)) else [value]
    return tuple(round(float(one), 4) for one in values)


def _judge_amounts(have: Row, want: Row) -> _Verdict:
    found = sorted({_numbers(one["value"]) for one in _items(have, "amounts")})
    wanted = sorted({_numbers(one) for one in _items(want, "amounts")})
    return _verdict(found, wanted, lambda a, b: a == b)


def _judge_objections(have: Row, want: Row) -> _Verdict:
    found = Counter(one["category"] for one in _items(have, "objections"))
    wanted = Counter(one["category"] for one in _items(want, "objections"))
    extra, missed = list((found - wanted).elements()), list((wanted - found).elements())
    return (
        (found & wanted).total(),
        found.total(),
        wanted.total(),
        f"extra {extra}, missed {missed}",
    )


def same_act(one: str, other: str) -> bool:
    """Whether two wordings tell the same act: enough letters of the shorter one are shared."""
    left, right = (
        set(re.findall(r"[\w]", text)) - set("的了把给他她我们就一下") for text in (one, other)
    )
    if not left or not right:
        return one == other or bool(left) == bool(right)
    return len(left & right) / min(len(left), len(right)) >= _SAME_ACT


def _judge_commitments(have: Row, want: Row) -> _Verdict:
    return _verdict(
        [_promise(one) for one in _items(have, "commitments")],
        [_promise(one) for one in _items(want, "commitments")],
        lambda a, b: a[:2] == b[:2] and same_act(a[2], b[2]),
    )


def _judge_who_due(have: Row, want: Row) -> _Verdict:
    return _verdict(
        [_promise(one)[:2] for one in _items(have, "commitments")],
        [_promise(one)[:2] for one in _items(want, "commitments")],
        lambda a, b: a == b,
    )


def _judge_dues(have: Row, want: Row) -> _Verdict:
    found = [one["due"] for one in _items(have, "commitments") if one["due"]]
    wanted = [one["due"] for one in _items(want, "commitments") if one["due"]]
    return _verdict(found, wanted, lambda a, b: a == b)


def _promise(one: Row) -> tuple[str, str | None, str]:
    return one["who"], one["due"], one["what"]


def _judge_competitors(have: Row, want: Row) -> _Verdict:
    found = sorted({one["name"] for one in _items(have, "competitors")})
    return _verdict(found, sorted(set(_items(want, "competitors"))), lambda a, b: a == b)


_JUDGES: Mapping[str, Callable[[Row, Row], _Verdict]] = {
    "customer": _judge_customer,
    "contacts": _judge_contacts,
    "products": _judge_products,
    "amounts": _judge_amounts,
    "objections": _judge_objections,
    "commitments": _judge_commitments,
    "who+due": _judge_who_due,
    "due dates": _judge_dues,
    "competitors": _judge_competitors,
}


def _check_spans(table: Table, text: str, answer: Row) -> None:
    """Count items, and those whose span is not a place of the text (the goal is none)."""
    for record in answer.get("records") or []:
        items = [record["customer"]] if record.get("customer") else []
        for name in ("contacts", "products", "amounts", "objections", "commitments", "competitors"):
            items += _items(record, name)
        for item in items:
            start, end = item["span"]
            table.spans += 1
            if not 0 <= start < end <= len(text):
                table.dishonest += 1
