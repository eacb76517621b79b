"""What a new memo says against the customer's file (G6): a sum, a day, a person, a quantity.

Only clear cases: one value on each side.  Of the file the newest entry that speaks of the thing
counts; what is older tells only how often a day was moved.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any, Final, Literal, Self

from sales import drafts
from sales.acts import same_act
from sales.drafts import Draft, Edit
from sales.facts import CommitmentFact, ContactFact, Span

Kind = Literal["amount", "due", "decision_maker", "quantity"]
Value = float | tuple[float, float] | date | str

ROLES: Final = ("预算", "单价", "总价", "报价", "成交", "首付")
ORDER: Final[tuple[Kind, ...]] = ("amount", "due", "decision_maker", "quantity")
_UNIT_PRICE: Final = "单价"
_OF_ONE_DEAL: Final = ("单价", "报价")  # another deal's price is another price
_TITLES: Final = ("总", "工", "董", "经理", "主任", "厂长", "部长", "科长", "处长", "老板", "老师")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPromise:
    """A promise of the file that is still open.

    ``number``: its place among the entry's commitments.  ``moved``: how often it was put off there.
    """

    number: int
    promise: CommitmentFact
    moved: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledEntry:
    """One filed memo: its words, what was confirmed, and which of its promises are open.

    ``opportunity_id``: the deal that it was filed under.  An entry with ``at`` None is the bare
    file (an imported contact): older than any memo.
    """

    id: int
    at: datetime | None
    by: str
    text: str
    draft: Draft
    promises: tuple[OpenPromise, ...] = ()
    opportunity_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """Two values of one thing.

    ``key`` is unique in a record.  ``what`` names the thing: a sum's role, an act, a product.
    ``path`` is the field of the draft that holds ``now``.  The values are yuan or (low, high) for
    an amount, a local date for a due, a count of ``unit`` for a quantity, else a name.
    ``moved`` counts how often a day was moved, this time included.
    """

    kind: Kind
    key: str
    what: str
    path: str
    before: Value
    now: Value
    said_at: datetime | None
    said_by: str
    before_words: str
    now_words: str
    product: str = ""
    unit: str = ""
    before_role: str = ""  # of the contact that the file names
    moved: int = 0

    def to_dict(self) -> dict[str, Any]:
        data = asdict(self)
        data["said_at"] = self.said_at.isoformat() if self.said_at else None
        for side in ("before", "now"):
            value = data[side]
            data[side] = value.isoformat() if isinstance(value, date) else value
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        made = dict(data)
        made["said_at"] = datetime.fromisoformat(data["said_at"]) if data["said_at"] else None
        for side in ("before", "now"):
            value = data[side]
            if data["kind"] == "due":
                value = date.fromisoformat(value)
            made[side] = tuple(value) if isinstance(value, list) else value
        return cls(**made)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """One value with its place in a draft."""

    value: Value
    path: str
    words: str
    product: str = ""
    unit: str = ""
    role: str = ""


def find(
    now: Draft, text: str, filed: Sequence[FiledEntry], *, opportunity_id: int | None = None
) -> list[Contradiction]:
    """Contradictions of *now* (with its memo's *text*) and the file, the most valuable first.

    *filed* may come in any order; ``at``, then ``id``, tell the newest.  *opportunity_id* is the
    deal that *now* belongs to.
    """
    entries = sorted(
        filed, key=lambda one: (one.at.timestamp() if one.at else -math.inf, one.id), reverse=True
    )
    found = [*_values(now, text, entries, opportunity_id), *_days(now, text, entries)]
    found += _decision_makers(now, text, entries)
    unique = {one.key: one for one in reversed(found)}
    return sorted(unique.values(), key=lambda one: (ORDER.index(one.kind), one.path, one.key))


def restore(draft: Draft, one: Contradiction, *, said: str) -> Draft:
    """*draft* with the file's value again; *said* is kept as the words that asked."""
    match one.kind, one.before:
        case "due", date() as day:
            return drafts.set_due(draft, day, said=said, path=one.path)
        case "amount", (int() | float()) as value:
            return drafts.set_amount(draft, value, said=said, path=one.path)
        case "decision_maker", str() as name:
            return _set_decision_maker(draft, name, one.before_role, said=said)
    return _set_value(draft, one, said=said)


def same_person(one: str, other: str) -> bool:
    """Equal, or a bare surname (with or without a title) may be the other one."""
    if one == other:
        return True
    short, full = sorted((one, other), key=len)
    return bool(short) and short[0] == full[0] and (len(short) == 1 or short[1:] in _TITLES)


def _values(
    now: Draft, text: str, entries: Sequence[FiledEntry], opportunity_id: int | None
) -> Iterator[Contradiction]:
    """Sums of one role, quantities of one product and unit."""
    for key, mine in _by_key(now, text).items():
        of_one_deal = key[0] == "amount" and key[1] in _OF_ONE_DEAL
        for entry in entries:
            if of_one_deal and entry.opportunity_id != opportunity_id:
                continue
            theirs = _by_key(entry.draft, entry.text).get(key)
            if theirs is None:
                continue
            if len(mine) == len(theirs) == 1 and not _agree(mine[0].value, theirs[0].value):
                yield _against(key[:2], ":".join(key), mine[0], theirs[0], entry)
            break


def _by_key(draft: Draft, text: str) -> dict[tuple[Kind, str, str], list[_Said]]:
    """Different values of each thing; (kind, what, of which product)."""
    facts = draft.facts
    products = {one.name for one in facts.products}
    only = products.pop() if len(products) == 1 else ""
    found: dict[tuple[Kind, str, str], list[_Said]] = {}

    def add(key: tuple[Kind, str, str], one: _Said) -> None:
        others = found.setdefault(key, [])
        if all(one.value != other.value for other in others):
            others.append(one)

    for number, fact in enumerate(facts.amounts):
        product = only if fact.role == _UNIT_PRICE else ""
        if fact.role not in ROLES or (fact.role == _UNIT_PRICE and not product):
            continue
        path = f"amounts.{number}"
        words = _words(draft, text, path, fact.span)
        said = _Said(value=fact.value, path=path, words=words, product=product)
        add(("amount", fact.role, product), said)
    for number, count in enumerate(facts.quantities):
        path = f"quantities.{number}"
        words = _words(draft, text, path, count.span)
        said = _Said(
            value=count.value, path=path, words=words, product=count.product, unit=count.unit
        )
        add(("quantity", count.product, count.unit), said)
    return found


def _agree(one: Value, other: Value) -> bool:
    """Equal, or ranges that meet: 五十到六十万 and 五十五万 do not contradict."""
    if isinstance(one, (date, str)) or isinstance(other, (date, str)):
        return one == other
    (a, b), (c, d) = (
        sorted(value) if isinstance(value, tuple) else (value, value) for value in (one, other)
    )
    return a <= d and c <= b


def _days(now: Draft, text: str, entries: Sequence[FiledEntry]) -> Iterator[Contradiction]:
    for number, promise in enumerate(now.facts.commitments):
        history = [entry for entry in entries if _alike(promise, entry)]
        if promise.due is None or not history:
            continue
        last = history[0]
        matching = _alike(promise, last)
        before = matching[0].promise
        rivals = [one for one in now.facts.commitments if _same(one, before)]
        # Several promises alike on either side: nobody guesses which one was moved.
        if len(matching) > 1 or len(rivals) > 1 or before.due in (None, promise.due):
            continue
        mine, theirs = (
            _Said(
                value=fact.due or "",
                path=path,
                words=_words(draft, words, path, fact.due_span or fact.span),
            )
            for draft, words, fact, path in (
                (now, text, promise, f"commitments.{number}.due"),
                (last.draft, last.text, before, f"commitments.{matching[0].number}.due"),
            )
        )
        key = f"due:{promise.who}:{promise.what}"
        made = _against(("due", promise.what), key, mine, theirs, last)
        yield replace(made, moved=_moves(promise, history))


def _same(one: CommitmentFact, other: CommitmentFact) -> bool:
    return one.who == other.who and same_act(one.what, other.what)


def _alike(promise: CommitmentFact, entry: FiledEntry) -> list[OpenPromise]:
    return [one for one in entry.promises if _same(one.promise, promise)]


def _moves(promise: CommitmentFact, newest_first: Sequence[FiledEntry]) -> int:
    """Changes of the day from entry to entry up to *promise*, and those that the file counted."""
    days = [promise.due]
    counted = 0
    for entry in newest_first:
        for one in _alike(promise, entry):
            counted += one.moved
            if one.promise.due and one.promise.due != days[-1]:
                days.append(one.promise.due)
    return len(days) - 1 + counted


def _decision_makers(
    now: Draft, text: str, entries: Sequence[FiledEntry]
) -> Iterator[Contradiction]:
    mine = _deciders(now, text)
    for entry in entries if mine else ():
        theirs = _deciders(entry.draft, entry.text)
        if not theirs:
            continue
        known = any(same_person(str(a.value), str(b.value)) for a in mine for b in theirs)
        if len(mine) == len(theirs) == 1 and not known:
            yield _against(("decision_maker", ""), "decision_maker", mine[0], theirs[0], entry)
        return


def _deciders(draft: Draft, text: str) -> list[_Said]:
    """Who decides: the one that the person named when asked, else those marked in the memo."""
    if draft.decision_maker:
        edit = draft.edit_of("decision_maker")
        words = edit.said if edit else ""
        return [_Said(value=draft.decision_maker, path="decision_maker", words=words)]
    return [
        _Said(
            value=one.name,
            path=f"contacts.{number}",
            words=_words(draft, text, f"contacts.{number}", one.span),
            role=one.role,
        )
        for number, one in enumerate(draft.facts.contacts)
        if one.decision_maker
    ]


def _against(
    thing: tuple[Kind, str], key: str, mine: _Said, theirs: _Said, entry: FiledEntry
) -> Contradiction:
    return Contradiction(
        kind=thing[0],
        key=key,
        what=thing[1],
        path=mine.path,
        before=theirs.value,
        now=mine.value,
        said_at=entry.at,
        said_by=entry.by,
        before_words=theirs.words,
        now_words=mine.words,
        product=mine.product,
        unit=mine.unit,
        before_role=theirs.role,
    )


def _words(draft: Draft, text: str, path: str, span: Span) -> str:
    """The words behind a value: those of the correction where one was made."""
    edit = draft.edit_of(path)
    return edit.said if edit and edit.said else text[span[0] : span[1]]


def _set_decision_maker(draft: Draft, name: str, role: str, *, said: str) -> Draft:
    people = list(draft.facts.contacts)
    old = "、".join(one.name for one in people if one.decision_maker)
    changes = [Edit(path="decision_maker", old=old, new=name, said=said)]
    people = [replace(one, decision_maker=one.name == name) for one in people]
    if all(one.name != name for one in people):
        people.append(
            ContactFact(name=name, role=role, new=False, span=(0, 0), decision_maker=True)
        )
        changes.append(Edit(path=f"contacts.{len(people) - 1}", old="", new=name, said=said))
    return replace(
        draft,
        facts=replace(draft.facts, contacts=tuple(people)),
        decision_maker=name,
        edits=(*draft.edits, *changes),
    )


def _set_value(draft: Draft, one: Contradiction, *, said: str) -> Draft:
    """A range or a quantity, for which there is no setter of one number."""
    at = int(one.path.split(".")[1])
    sums, counts = list(draft.facts.amounts), list(draft.facts.quantities)
    old: Value
    match one.kind, one.before:
        case "amount", (low, high):
            old = sums[at].value
            sums[at] = replace(sums[at], value=(low, high))
        case "quantity", (int() | float()) as count:
            old = counts[at].value
            counts[at] = replace(counts[at], value=count)
        case _:
            raise ValueError(f"{one.kind} cannot be {one.before!r}")
    edit = Edit(path=one.path, old=_shown(old), new=_shown(one.before), said=said)
    facts = replace(draft.facts, amounts=tuple(sums), quantities=tuple(counts))
    return replace(draft, facts=facts, edits=(*draft.edits, edit))


def _shown(value: Any) -> str:
    return "-".join(f"{one:g}" for one in (value if isinstance(value, tuple) else (value,)))
