"""What a person's finger can do to a card: only what the card shows.  Protocol sheet 4.2, 4.3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.fakes.wecom.state import Copy, Json

Selected = Mapping[str, str | Sequence[str]]


class CannotTap(AssertionError):
    """The person does not see such a card, button or option."""


def buttons_of(card: Json) -> dict[str, str]:
    """Words -> key of the buttons that answer, whatever became of the card."""
    made = {one["text"]: one["key"] for one in card.get("button_list", []) if not one.get("type")}
    if submit := card.get("submit_button"):
        made[submit["text"]] = submit["key"]
    return made


def pick(seen: Copy, shown: Mapping[str, str], key: str) -> str:
    """The key of the button that *key* names: its key, or the words on it; '' for the only one."""
    if not key and len(shown) == 1:
        return next(iter(shown.values()))
    if key in shown:
        return shown[key]
    if key in shown.values():
        return key
    raise CannotTap(f"{seen.user} sees no button {key!r}, only {dict(shown)} (grey: {seen.grey!r})")


def menu_key(seen: Copy, key: str) -> str:
    if key in seen.menu:
        return seen.menu[key]
    if key in seen.menu.values():
        return key
    raise CannotTap(f"{seen.user} sees no menu entry {key!r}, only {seen.menu}")


def choices(seen: Copy, card: Json, selected: Selected) -> dict[str, list[str]]:
    """What the card would send: *selected* over what it shows chosen."""
    questions = _questions(card)
    if extra := set(selected) - set(questions):
        raise CannotTap(f"{seen.user} sees no question {sorted(extra)}, only {sorted(questions)}")
    made: dict[str, list[str]] = {}
    for name, question in questions.items():
        options = {one["text"]: one["id"] for one in question["option_list"]}
        if name not in selected:
            made[name] = _chosen(question, checklist=question is card.get("checkbox"))
            continue
        if question.get("disable"):
            raise CannotTap(f"question {name} is locked")
        wanted = selected[name]
        names = [wanted] if isinstance(wanted, str) else list(wanted)
        if len(names) > 1 and question.get("mode", 0) == 0:
            raise CannotTap(f"question {name} takes one answer")
        unknown = [one for one in names if one not in options and one not in options.values()]
        if unknown:
            raise CannotTap(f"question {name} has no {unknown}, only {options}")
        made[name] = [options.get(one, one) for one in names]
    return made


def _questions(card: Json) -> dict[str, Json]:
    found = [*card.get("select_list", [])]
    found += [card[name] for name in ("button_selection", "checkbox") if name in card]
    return {one["question_key"]: one for one in found}


def _chosen(question: Json, *, checklist: bool) -> list[str]:
    """A drop-down shows its first option when none is chosen; a checklist starts empty."""
    options = question["option_list"]
    if checklist:
        return [one["id"] for one in options if one.get("is_checked")]
    ids = [one["id"] for one in options]
    chosen = question.get("selected_id")
    return [chosen if chosen in ids else ids[0]]
