"""A draft: what one memo says about one customer, until its person confirms it.

Corrections (G1) change one field and keep the old value; nothing else moves.
"""

from __future__ import annotations

import typing
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any, Final, Literal, Self

from sales.errors import BotError
from sales.facts import AmountFact, CustomerFact, RecordFacts

State = Literal["pending", "asking", "filed", "dropped", "draft"]

# compare-and-set: which states an act may start from
MAY: Final[dict[str, tuple[State, ...]]] = {
    "file": ("pending", "asking", "draft"),
    "edit": ("pending", "asking", "draft"),
    "drop": ("pending", "asking", "draft"),
    "undo_file": ("filed",),
    "undo_drop": ("dropped",),
}

REQUIRABLE: Final = ("customer", "amount", "close", "decision_maker")
MAX_ASK_ROUNDS: Final = 2
MAX_ASKED: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One correction.  ``path`` such as ``commitments.0.due``; ``said`` the words that asked."""

    path: str
    old: str
    new: str
    said: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """``skipped``: required fields that the person left open on purpose."""

    facts: RecordFacts
    edits: tuple[Edit, ...] = ()
    close: str = ""  # when they expect to sign: month next_month quarter next_quarter half unknown
    decision_maker: str = ""
    follow_up: date | None = None
    skipped: tuple[str, ...] = ()
    rounds: int = 0  # how often we asked for missing fields
    pending_choice: dict[str, Any] | None = None  # a correction that fits several fields

    def to_dict(self) -> dict[str, Any]:
        data = asdict(self)
        data["facts"] = self.facts.to_dict()
        data["follow_up"] = self.follow_up.isoformat() if self.follow_up else None
        return data

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        known = {**data, "facts": RecordFacts.from_dict(data["facts"])}
        known["edits"] = tuple(Edit(**edit) for edit in data.get("edits", ()))
        known["skipped"] = tuple(data.get("skipped", ()))
        day = data.get("follow_up")
        known["follow_up"] = date.fromisoformat(day) if day else None
        return cls(**known)

    def edit_of(self, path: str) -> Edit | None:
        """The first value and the last one of a field that was corrected; None if it never was."""
        changes = [edit for edit in self.edits if edit.path == path]
        if not changes or changes[0].old == changes[-1].new:
            return None
        return replace(changes[-1], old=changes[0].old)


class Unclear(BotError):
    """A correction fits several fields: ``paths`` of them; the person picks one."""

    code = "unclear_correction"

    def __init__(self, paths: tuple[str, ...]) -> None:
        super().__init__(f"fits {paths}", paths=paths)
        self.paths = paths


class NothingToCorrect(BotError):
    """The draft has no field of that kind.  ``field``: due amount contact product."""

    code = "nothing_to_correct"

    def __init__(self, field: str) -> None:
        super().__init__(field, field=field)
        self.field = field


def due_paths(draft: Draft) -> tuple[str, ...]:
    """The promises whose day a correction may mean: dated ones, else all."""
    all_of_them = draft.facts.commitments
    dated = [n for n, promise in enumerate(all_of_them) if promise.due]
    chosen = dated or list(range(len(all_of_them)))
    return tuple(f"commitments.{n}.due" for n in chosen)


def set_due(draft: Draft, day: date, *, said: str, path: str = "") -> Draft:
    """Move one promise.

    Raises:
        NothingToCorrect: there is no promise.
        Unclear: several promises have a day, and *path* names none.
    """
    paths = (path,) if path else due_paths(draft)
    if not paths:
        raise NothingToCorrect("due")
    if len(paths) > 1:
        raise Unclear(paths)
    number = int(paths[0].split(".")[1])
    promises = list(draft.facts.commitments)
    old = promises[number].due
    promises[number] = replace(promises[number], due=day, certainty="firm", provisional=False)
    edit = Edit(
        path=paths[0],
        old=old.isoformat() if old else "",
        new=day.isoformat(),
        said=said,
    )
    return replace(
        draft,
        facts=replace(draft.facts, commitments=tuple(promises)),
        edits=(*draft.edits, edit),
        pending_choice=None,
    )


def set_amount(draft: Draft, value: float, *, said: str, path: str = "", old: str = "") -> Draft:
    """Change one sum, or add it when the memo had none.

    *old*, when given, is the value it replaces and picks the sum.

    Raises:
        Unclear: several sums, and neither *path* nor *old* tells which.
    """
    sums = list(draft.facts.amounts)
    matching = [n for n, one in enumerate(sums) if old and as_number(old) == one.value]
    numbers = [int(path.split(".")[1])] if path else matching or list(range(len(sums)))
    if len(numbers) > 1:
        raise Unclear(tuple(f"amounts.{n}" for n in numbers))
    if not numbers:
        sums.append(AmountFact(value=value, role="", span=(0, 0)))
        edit = Edit(path=f"amounts.{len(sums) - 1}", old="", new=f"{value:g}", said=said)
    else:
        at = numbers[0]
        before = sums[at].value
        sums[at] = replace(sums[at], value=value, approx=False)
        shown = (
            f"{before:g}"
            if isinstance(before, (int, float))
            else "-".join(f"{one:g}" for one in before)
        )
        edit = Edit(path=f"amounts.{at}", old=shown, new=f"{value:g}", said=said)
    return replace(
        draft,
        facts=replace(draft.facts, amounts=tuple(sums)),
        edits=(*draft.edits, edit),
        pending_choice=None,
    )


def set_customer(draft: Draft, customer: CustomerFact, *, said: str) -> Draft:
    """Change whose memo this is."""
    old = draft.facts.customer.name if draft.facts.customer else ""
    edit = Edit(path="customer", old=old, new=customer.name, said=said)
    return replace(
        draft,
        facts=replace(draft.facts, customer=customer),
        edits=(*draft.edits, edit),
        pending_choice=None,
    )


def set_contact(draft: Draft, name: str, role: str, *, said: str) -> Draft:
    """Change the contact, the first when there are several.

    Raises:
        NothingToCorrect: the memo named nobody.
    """
    if not draft.facts.contacts:
        raise NothingToCorrect("contact")
    first, *rest = draft.facts.contacts
    changed = replace(first, name=name, role=role or first.role)
    edit = Edit(path="contacts.0", old=first.name, new=name, said=said)
    return replace(
        draft,
        facts=replace(draft.facts, contacts=(changed, *rest)),
        edits=(*draft.edits, edit),
    )


def set_product(draft: Draft, name: str, *, known: bool, said: str) -> Draft:
    """Change the product, the first when there are several.

    Raises:
        NothingToCorrect: the memo named none.
    """
    if not draft.facts.products:
        raise NothingToCorrect("product")
    first, *rest = draft.facts.products
    edit = Edit(path="products.0", old=first.name, new=name, said=said)
    return replace(
        draft,
        facts=replace(draft.facts, products=(replace(first, name=name, known=known), *rest)),
        edits=(*draft.edits, edit),
    )


def missing(draft: Draft, required: typing.Sequence[str], *, has_customer: bool) -> list[str]:
    """Which of the *required* fields are still open and were not skipped; the customer first.

    The customer cannot be skipped: a record without one has no file to stand in.
    """
    open_fields = []
    for field in sorted(set(required) | {"customer"}, key=REQUIRABLE.index):
        there = {
            "customer": has_customer,
            "amount": bool(draft.facts.amounts),
            "close": bool(draft.close),
            "decision_maker": bool(draft.decision_maker)
            or any(contact.decision_maker for contact in draft.facts.contacts),
        }[field]
        if not there and (field == "customer" or field not in draft.skipped):
            open_fields.append(field)
    return open_fields


def within_undo(decided_at: datetime, now: datetime, minutes: int) -> bool:
    return (now - decided_at).total_seconds() <= minutes * 60


def as_number(words: str) -> float | None:
    try:
        return float(words)
    except ValueError:
        return None
