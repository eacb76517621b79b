"""The offline extractor: names, then sides, then customers, then what was said about each."""

from __future__ import annotations

import re
from datetime import datetime

from nlp.extract import lexicon as lex
from nlp.extract.contacts import Sides, contact_facts, known_as, take_sides
from nlp.extract.kinds import kind_of
from nlp.extract.objections import find_objections
from nlp.extract.places import Topic, split
from nlp.extract.promises import Promise, find_promises
from nlp.extract.replies import read_reply
from nlp.extract.scene import Scene, look, remask
from nlp.extract.things import amount_facts, product_facts, rival_facts
from nlp.extract.voices import Voice, listen
from nlp.extract.world import Prepared, Worlds
from nlp.people import Person
from nlp.ports import Correction, World
from sales.facts import CommitmentFact, MemoFacts, RecordFacts, Unplaced

_SUMMARY_LINE = 60
_WAIT = ("等", "")


class RuleExtractor:
    """``Extractor`` by rules alone: the same text and lists always give the same facts."""

    def __init__(self) -> None:
        self._worlds = Worlds()

    def extract(self, text: str, *, now: datetime, world: World) -> MemoFacts:
        """See ``nlp.ports.Extractor``."""
        if not text.strip():
            return MemoFacts(kind="chat")
        ready = self._worlds.get(world)
        scene = look(text, now=now, ready=ready)
        sides = take_sides(scene)
        if sides.ours:
            remask(scene, colleagues=sides.ours)
        voices = listen(scene)
        kind = kind_of(scene, voices)
        if kind != "memo":
            return MemoFacts(kind=kind)
        parts = split(scene, sides)
        records = [_record(scene, sides, voices, topic, parts.topics) for topic in parts.topics]
        kept, dropped = _worth_keeping(scene, records, parts.topics)
        spans = [scene.clauses[number].span for number in sorted({*parts.unplaced, *dropped})]
        unplaced = tuple(Unplaced(text=scene.said(span), span=span) for span in spans)
        return MemoFacts(kind="memo", records=tuple(kept), unplaced=unplaced)

    def correction(self, text: str, *, now: datetime, world: World) -> Correction | None:
        """See ``nlp.ports.Extractor``."""
        return read_reply(text, now=now, ready=self._worlds.get(world))


def _record(
    scene: Scene, sides: Sides, voices: list[Voice], topic: Topic, topics: list[Topic]
) -> RecordFacts:
    """Everything said about one customer."""
    clauses = topic.clauses
    people = [person for person in sides.customer if _is_here(scene, person, topic, topics)]
    promises = find_promises(scene, voices, clauses)
    objections = find_objections(scene, voices, clauses)
    commitments = tuple(one.fact for one in promises)
    record = RecordFacts(
        customer=topic.customer,
        contacts=tuple(contact_facts(scene, people, topic.known, clauses)),
        products=tuple(product_facts(scene, clauses)),
        amounts=tuple(amount_facts(scene, clauses)),
        objections=tuple(objections),
        commitments=commitments,
        competitors=tuple(rival_facts(scene, clauses)),
        next_step=_next_step(promises),
        summary="",
    )
    return _with_summary(scene, record, clauses)


def _with_summary(scene: Scene, record: RecordFacts, clauses: list[int]) -> RecordFacts:
    from dataclasses import replace

    return replace(record, summary=_summary(scene, record, clauses))


def _is_here(scene: Scene, person: Person, topic: Topic, topics: list[Topic]) -> bool:
    number = scene.clause_at(person.span[0])
    if len(topics) == 1:
        return True
    if number in topic.clauses:
        # 两家在一句里: the contact goes to the customer that has him
        owners = [
            one
            for one in topics
            if one.known and known_as(person, scene.ready.contacts_of(one.known))[0]
        ]
        return not owners or topic in owners
    return False


def _worth_keeping(
    scene: Scene, records: list[RecordFacts], topics: list[Topic]
) -> tuple[list[RecordFacts], list[int]]:
    """Records with something in them; a customer that was only named in passing stays a mention."""
    full = [
        bool(
            one.contacts
            or one.products
            or one.amounts
            or one.objections
            or one.commitments
            or one.competitors
        )
        for one in records
    ]
    if not any(full) or len(records) == 1:
        return records[:1] if not any(full) and len(records) == 1 else records, []
    kept: list[RecordFacts] = []
    lost: list[int] = []
    for record, topic, has in zip(records, topics, full, strict=True):
        visited = record.customer is not None and lex.VISITED.search(
            scene.plain, max(0, record.customer.span[0] - 6), record.customer.span[0]
        )
        if has or visited or len(topic.clauses) > 1:
            kept.append(record)
        else:
            lost += [
                n
                for n in topic.clauses
                if len(scene.plain[scene.clauses[n].start : scene.clauses[n].end].strip()) > 4
            ]
    return kept, lost


def _next_step(promises: list[Promise]) -> str:
    """Our earliest next action, else what we wait for, in the memo's words."""
    ours = [one for one in promises if one.fact.who == "us" and not one.fact.conditional]
    ours = ours or [one for one in promises if one.fact.who == "us"]
    if ours:
        return _step(min(ours, key=_when))
    theirs = [one for one in promises if one.fact.who == "customer"]
    return _step(min(theirs, key=_when)) if theirs else ""


def _when(one: Promise) -> tuple[bool, str]:
    fact: CommitmentFact = one.fact
    return fact.due is None, fact.due.isoformat() if fact.due else ""


def _step(one: Promise) -> str:
    return (one.due_text + one.fact.what).strip()


def _summary(scene: Scene, record: RecordFacts, clauses: list[int]) -> str:
    """Two lines at most, cut from the memo: what they want or hold against it, and what follows."""
    promised = [one.span for one in record.commitments]
    lines: list[str] = []
    first: list[str] = []
    weight = 0
    for number in clauses:
        clause = scene.clauses[number]
        if any(start < clause.end and clause.start < end for start, end in promised):
            continue
        text = scene.said(clause.span).strip(" ,，。、")
        if len(text) < 3 or (len(clauses) > 3 and not _tells(scene, record, clause.span)):
            continue
        if weight + len(text) > _SUMMARY_LINE:
            continue
        first.append(text)
        weight += len(text) + 1
    if first:
        lines.append(" ".join(first))
    second: list[str] = []
    weight = 0
    for start, end in promised:
        text = scene.said((start, end)).strip(" ,，。、")
        if text not in second and weight + len(text) <= _SUMMARY_LINE:
            second.append(text)
            weight += len(text) + 1
    if second:
        lines.append(" ".join(second))
    return "\n".join(lines)


def _tells(scene: Scene, record: RecordFacts, span: tuple[int, int]) -> bool:
    """Whether a clause carries a product, a sum, an objection or a rival."""
    places = [
        *(one.span for one in record.objections),
        *(one.span for one in record.products),
        *(one.span for one in record.amounts),
        *(one.span for one in record.competitors),
        *(one.span for one in record.contacts if one.decision_maker),
    ]
    del scene
    return any(start < span[1] and span[0] < end for start, end in places)


__all__ = ["Prepared", "RuleExtractor", "re"]
