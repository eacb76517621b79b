"""Labelled sentences to training examples: features and label of each clause."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from nlp.batch import world_of
from nlp.extract.contacts import take_sides
from nlp.extract.cuts import once, signs
from nlp.extract.kinds import rule_kind
from nlp.extract.promises import rule_promises
from nlp.extract.scene import Scene, look, remask
from nlp.extract.signs import of_message, of_objection, of_promise
from nlp.extract.voices import Voice, listen
from nlp.extract.world import Worlds
from nlp.ports import World
from tools.language.fit import Example

NOW = datetime.fromisoformat("2026-03-10T10:00:00+08:00")
_WORLDS = Worlds()
_COVERED, _TOUCHED = 0.5, 0.15


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


def seen(text: str, now: datetime = NOW, world: World | None = None) -> tuple[Scene, list[Voice]]:
    """The scene of a text as the extractor has it when it looks for objections and promises."""
    scene = look(text, now=now, ready=_WORLDS.get(world or World()))
    sides = take_sides(scene)
    if sides.ours:
        remask(scene, colleagues=sides.ours)
    return scene, listen(scene)


def objections_of_clauses(rows: Sequence[dict[str, Any]]) -> Iterator[Example]:
    """Rows ``{"text", "category"}``: a clause or two with what they object to, '' for nothing."""
    for row in rows:
        scene, voices = seen(row["text"])
        numbers = range(len(scene.clauses))
        if scene.clauses:
            signs = [of_objection(scene, voices, number) for number in numbers]
            yield set().union(*signs), row["category"], 1.0
            if len(signs) > 2 and not row["category"]:
                yield from ((one, "", 0.5) for one in signs)


def memo_scene(row: dict[str, Any]) -> tuple[Scene, list[Voice]]:
    return seen(row["text"], datetime.fromisoformat(row["now"]), world_of(row))


def objections_of_memos(rows: Sequence[dict[str, Any]]) -> Iterator[Example]:
    """Clauses and neighbours of labelled memos; what is half inside a quote is left out."""
    for row in rows:
        expects = (row["expect"], *row.get("expect_more", ()))
        if not all(one["text"] for expect in expects for one in expect["objections"]):
            continue  # labelled by category only
        scene, voices = memo_scene(row)
        marks = [""] * len(scene.text)
        for expect in expects:
            for objection in expect["objections"]:
                for start, end in _places(scene.text, objection["text"]):
                    marks[start:end] = [objection["category"]] * (end - start)
        labels = [_label(marks[one.start : one.end]) for one in scene.clauses]
        signs = [of_objection(scene, voices, number) for number in range(len(labels))]
        for number, label in enumerate(labels):
            if label is not None:
                yield signs[number], label, 1.0
            after = labels[number + 1] if number + 1 < len(labels) else None
            if after is not None and label == after:
                yield signs[number] | signs[number + 1], label, 0.5


def _places(text: str, quote: str) -> Iterator[tuple[int, int]]:
    """Where the pieces of a quote stand in the text."""
    for piece in re.split(r"[ ,，。、；;]+", quote):
        at = text.find(piece) if len(piece) >= 2 else -1
        if at >= 0:
            yield at, at + len(piece)
            continue
        for size in range(len(piece) - 1, 2, -1):
            found = next(
                (text.find(piece[k : k + size]) for k in range(len(piece) - size + 1)
                 if piece[k : k + size] in text), -1,
            )  # fmt: skip
            if found >= 0:
                yield found, found + size
                break


def _label(marks: Sequence[str]) -> str | None:
    """The label of a clause by how much of it is quoted; None where that is unclear."""
    told = [one for one in marks if one]
    share = len(told) / max(1, len(marks))
    if share >= _COVERED:
        return max(set(told), key=told.count)
    return "" if share < _TOUCHED else None


def promises_of_memos(rows: Sequence[dict[str, Any]]) -> Iterator[Example]:
    for row in rows:
        scene, voices = memo_scene(row)
        wanted = [
            promise
            for expect in (row["expect"], *row.get("expect_more", ()))
            for promise in expect["commitments"]
        ]
        labels = _promise_labels(scene, wanted)
        yield from _promise_examples(scene, voices, labels)


def _promise_labels(scene: Scene, wanted: Sequence[dict[str, Any]]) -> dict[int, str]:
    """The clause that each labelled promise stands in: that of its day, and of its words."""
    labels: dict[int, str] = {}
    for promise in wanted:
        best, best_score = None, 0.75
        words = set(promise["what"])
        for number, clause in enumerate(scene.clauses):
            if number in labels:
                continue
            text = scene.text[clause.start : clause.end]
            score = len(words & set(text)) / max(1, len(words)) * 2
            days = [
                hit
                for hit in scene.dates
                if clause.start <= hit.span[0] < clause.end and hit.due and not hit.superseded
            ]
            if promise["due"] and any(hit.due.isoformat() == promise["due"] for hit in days):
                score += 2.0
            elif promise["due"]:
                score -= 0.8 if days else 0.4
            if score > best_score:
                best, best_score = number, score
        if best is not None:
            labels[best] = promise["who"]
    return labels


def promises_of_snippets(rows: Sequence[dict[str, Any]]) -> Iterator[Example]:
    """Rows ``{"text", "promises": [{"who", "act", "when"}]}``."""
    for row in rows:
        scene, voices = seen(row["text"])
        labels: dict[int, str] = {}
        for promise in row["promises"]:
            at = row["text"].find(promise["act"])
            if at >= 0:
                labels[scene.clause_at(at)] = promise["who"]
        yield from _promise_examples(scene, voices, labels)


def _promise_examples(
    scene: Scene, voices: list[Voice], labels: dict[int, str]
) -> Iterator[Example]:
    by_rule, days = rule_promises(scene, voices, list(range(len(scene.clauses))))
    for number in range(len(scene.clauses)):
        made = by_rule.get(number)
        features = of_promise(
            scene, voices, number, by_rule=made.fact.who if made else "", days=days.get(number, "")
        )
        yield features, labels.get(number, ""), 1.0


def kinds_of_messages(rows: Sequence[dict[str, Any]]) -> Iterator[Example]:
    """Rows ``{"text", "kind"}``."""
    for row in rows:
        scene, voices = seen(row["text"])
        yield of_message(scene, voices, by_rule=rule_kind(scene)), row["kind"], 1.0


def kinds_of_snippets(rows: Sequence[dict[str, Any]]) -> Iterator[Example]:
    """Pieces of memos with a promise in them: a memo may be as short as that."""
    for row in rows:
        if row["promises"]:
            scene, voices = seen(row["text"])
            yield of_message(scene, voices, by_rule=rule_kind(scene)), "memo", 0.3


def kinds_of_memos(rows: Sequence[dict[str, Any]]) -> Iterator[Example]:
    """Labelled memos: what is about no customer is a command, a setting or chat by its ``kind``."""
    for row in rows:
        scene, voices = memo_scene(row)
        kind = row.get("kind") or ("memo" if row["expect"]["customer"] else "")
        if kind:
            yield of_message(scene, voices, by_rule=rule_kind(scene)), kind, 1.0
        if kind == "memo" and len(scene.clauses) > 4:  # its beginning alone is one too, if shorter
            begun = {**row, "text": scene.text[: scene.clauses[2].end]}
            scene, voices = memo_scene(begun)
            if scene.customers or scene.people:
                yield of_message(scene, voices, by_rule=rule_kind(scene)), kind, 0.7
                scene, voices = seen(begun["text"])  # of a company with empty lists
                yield of_message(scene, voices, by_rule=rule_kind(scene)), kind, 0.7


_STOPS = re.compile(r"[。！？!?；;\n，,、：:…—\s]+")


def cuts_of_memos(rows: Sequence[dict[str, Any]]) -> Iterator[Example]:
    """Places of memos that were written with marks, the marks taken out."""
    for row in rows:
        scene, _ = memo_scene(row)
        yield from cuts_of_text(scene.masked)


def cuts_of_sentences(rows: Sequence[dict[str, Any]]) -> Iterator[Example]:
    """The same of any other labelled sentences with marks."""
    for row in rows:
        if len(_STOPS.split(row["text"].strip())) > 1:
            yield from cuts_of_text(seen(row["text"])[0].masked)


def cuts_of_text(masked: str) -> Iterator[Example]:
    pieces = [one for one in _STOPS.split(masked) if one]
    if len(pieces) < 2 or max(map(len, pieces)) > 40:
        return
    letters, _ = once("".join(pieces))
    ends, total = set(), 0
    for piece in pieces:
        total += len(once(piece)[0])
        ends.add(total)
    last = 0
    for place in range(1, len(letters) - 1):
        if place in ends:
            yield set(signs(letters[last:place], letters[place:])), "cut", 1.0
            last = place
        elif place - last >= 3:
            yield set(signs(letters[last:place], letters[place:])), "", 1.0
