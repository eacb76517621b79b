"""Batch work behind ``genjin extract|dates|amounts|match``: one JSON object in, one out.

A bad line gives ``{"id": ..., "error": "..."}`` and never stops the rest.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta, timezone
from functools import cache
from typing import TYPE_CHECKING, Any

from nlp.ports import KnownContact, World

if TYPE_CHECKING:
    from nlp.extract.rules import RuleExtractor

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
Line = dict[str, Any]
_WORLDS_KEPT = 4


class BadLine(ValueError):
    """A line that cannot be worked on; the text says why."""


@cache
def _extractor() -> RuleExtractor:
    from nlp.extract.rules import RuleExtractor

    return RuleExtractor()


def extract_line(line: Mapping[str, Any], *, explained: bool = False) -> Line:
    """One memo to its fields (DESIGN section 3), with *explained* each field's rule beside it."""
    text, now = _text(line), _now(line)
    if not explained:
        facts = _extractor().extract(text, now=now, world=world_of(line))
        return {"id": line.get("id"), **facts.to_dict()}
    from nlp.extract.explain import explain
    from nlp.extract.rules import facts_of

    reading = _extractor().read(text, now=now, world=world_of(line))
    facts = facts_of(reading)
    return {"id": line.get("id"), **facts.to_dict(), "explain": explain(reading, facts)}


def dates_line(line: Mapping[str, Any]) -> Line:
    """The time expressions of one text."""
    from nlp.dates import find_dates

    found = find_dates(_text(line), _now(line))
    return {
        "id": line.get("id"),
        "dates": [
            {
                "span": list(hit.span), "text": hit.text, "start": _day(hit.start), "end": _day(hit.end),
                "due": _day(hit.due), "clock": _plain(hit.clock), "certainty": hit.certainty,
                "provisional": hit.provisional, "rule": hit.rule, "past": hit.past,
                "superseded": hit.superseded,
            }
            for hit in found
        ],
    }  # fmt: skip


def amounts_line(line: Mapping[str, Any], *, numbers: bool = False) -> Line:
    """The sums (and with *numbers* the plain numbers) of one text."""
    from nlp.amounts import find_amounts

    found = find_amounts(_text(line), numbers=numbers)
    return {
        "id": line.get("id"),
        "amounts": [
            {
                "span": list(hit.span), "text": hit.text, "value": _value(hit.value), "unit": hit.unit,
                "approx": hit.approx, "role": hit.role, "superseded": hit.superseded,
                "rule": hit.rule,
            }
            for hit in found
        ],
    }  # fmt: skip


def match_line(line: Mapping[str, Any]) -> Line:
    """Names of a list in one text.  A tie gives every name it may be, marked ``tied``."""
    text = _text(line)
    names = _strings(line, "names")
    matches = []
    for hit in _index(tuple(names)).find(text):
        if not hit.sure:
            continue
        for name in hit.names:
            match: Line = {"span": list(hit.span), "name": name, "score": hit.score}
            if len(hit.names) > 1:
                match |= {"score": round(hit.score / len(hit.names), 3), "tied": True}
            matches.append(match)
    return {"id": line.get("id"), "matches": matches}


_indexes: OrderedDict[tuple[str, ...], Any] = OrderedDict()


def _index(names: tuple[str, ...]) -> Any:
    """The index of a list of names; the last few lists are kept, since a file repeats its list."""
    from nlp.match import NameIndex

    found = _indexes.get(names)
    if found is None:
        found = _indexes[names] = NameIndex(names)
    _indexes.move_to_end(names)
    while len(_indexes) > _WORLDS_KEPT:
        _indexes.popitem(last=False)
    return found


COMMANDS: Mapping[str, Callable[..., Line]] = {
    "extract": extract_line,
    "dates": dates_line,
    "amounts": amounts_line,
    "match": match_line,
}


def run(command: str, lines: Iterable[str], **options: Any) -> Iterator[tuple[Line, bool]]:
    """Answers in the order of *lines*, each with whether it went well; blank lines are skipped.

    Raises:
        KeyError: no such command.
    """
    work = COMMANDS[command]
    return _run(work, lines, options)


def _run(
    work: Callable[..., Line], lines: Iterable[str], options: Mapping[str, Any]
) -> Iterator[tuple[Line, bool]]:
    for number, raw in enumerate(lines, start=1):
        if not raw.strip().lstrip("\ufeff"):
            continue
        name: Any = None
        try:
            line = json.loads(raw.lstrip("\ufeff"))
            if not isinstance(line, dict):
                raise BadLine("not a JSON object")
            name = line.get("id")
            yield work(line, **options), True
        except json.JSONDecodeError as error:
            yield {"id": None, "error": f"line {number}: not JSON: {error.msg}"}, False
        except BadLine as error:
            yield {"id": name, "error": f"line {number}: {error}"}, False
        except Exception as error:  # one line must not end the batch; the answer says what broke
            yield {"id": name, "error": f"line {number}: {type(error).__name__}: {error}"}, False


def _text(line: Mapping[str, Any]) -> str:
    text = line.get("text")
    if not isinstance(text, str):
        raise BadLine("text: a string is wanted")
    return text


def _now(line: Mapping[str, Any]) -> datetime:
    """When it was said; a time without a zone is Shanghai's."""
    now = line.get("now")
    if not isinstance(now, str):
        raise BadLine("now: an ISO time is wanted")
    try:
        moment = datetime.fromisoformat(now)
    except ValueError:
        raise BadLine(f"now: not an ISO time: {now[:40]!r}") from None
    if moment.tzinfo is None:
        return moment.replace(tzinfo=SHANGHAI)
    try:
        return moment.astimezone(SHANGHAI)
    except OverflowError:
        raise BadLine(f"now: out of range: {now[:40]!r}") from None


def _strings(line: Mapping[str, Any], key: str) -> list[str]:
    values = line.get(key) or []
    if (
        not isinstance(values, Sequence)
        or isinstance(values, str)
        or not all(isinstance(one, str) for one in values)
    ):
        raise BadLine(f"{key}: a list of strings is wanted")
    return list(values)


def world_of(line: Mapping[str, Any]) -> World:
    contacts = line.get("known_contacts") or {}
    if not isinstance(contacts, Mapping):
        raise BadLine("known_contacts: an object is wanted")
    people: dict[str, list[KnownContact]] = {}
    for customer, group in contacts.items():
        if not isinstance(group, list) or not all(isinstance(one, Mapping) for one in group):
            raise BadLine("known_contacts: lists of {name, role} are wanted")
        people[str(customer)] = [
            KnownContact(name=str(one.get("name") or ""), role=str(one.get("role") or ""))
            for one in group
            if one.get("name")
        ]
    customers = _strings(line, "known_customers")
    return World(
        customers=dict.fromkeys(dict.fromkeys((*customers, *people)), ()),
        contacts=people,
        products=_strings(line, "known_products"),
        competitors=_strings(line, "known_competitors"),
    )


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def _value(value: Any) -> Any:
    """A number as short as it is: 12000 rather than 12000.0."""
    if isinstance(value, (list, tuple)):
        return [_value(one) for one in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return value


__all__ = ["COMMANDS", "BadLine", "amounts_line", "dates_line", "extract_line", "match_line", "run"]
