"""The offline extractor: names, then sides, then customers, then what was said about each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from nlp.extract import lexicon as lex
from nlp.extract.contacts import Sides, contact_facts, known_as, take_sides
from nlp.extract.counts import quantity_facts
from nlp.extract.kinds import kind_of
from nlp.extract.objections import find_objections
from nlp.extract.places import Split, Topic, split
from nlp.extract.promises import find_promises
from nlp.extract.replies import read_reply
from nlp.extract.scene import Scene, look, remask
from nlp.extract.summary import next_step, summary
from nlp.extract.things import amount_facts, product_facts, rival_facts
from nlp.extract.voices import Voice, listen
from nlp.extract.world import Prepared, Worlds
from nlp.people import Person
from nlp.ports import Correction, World
from sales.facts import Kind, MemoFacts, RecordFacts, Unplaced


@dataclass(frozen=True, slots=True)
class Reading:
    """A memo as it was read, with all that led there; ``parts`` is None unless it is a memo."""

    scene: Scene
    sides: Sides
    voices: list[Voice]
    kind: Kind
    parts: Split | None


class RuleExtractor:
    """``Extractor`` by rules and our own small models: same text and lists, same facts."""

    def __init__(self) -> None:
        self._worlds = Worlds()

    def extract(self, text: str, *, now: datetime, world: World) -> MemoFacts:
        """See ``nlp.ports.Extractor``."""
        return facts_of(self.read(text, now=now, world=world))

    def customers(self, said: str, *, now: datetime, world: World) -> tuple[str, ...]:
        """See ``nlp.ports.Extractor``."""
        names: dict[str, None] = {}
        # In a sentence about a visit, since there even a short name is believed.
        for record in self.extract(f"今天拜访了{said}", now=now, world=world).records:
            if record.customer:
                alone = (record.customer.name,) if record.customer.known else ()
                names.update(dict.fromkeys(record.customer.candidates or alone))
        return tuple(names)

    def correction(self, text: str, *, now: datetime, world: World) -> Correction | None:
        """See ``nlp.ports.Extractor``."""
        return read_reply(text, now=now, ready=self._worlds.get(world))

    def read(self, text: str, *, now: datetime, world: World) -> Reading:
        """The first half of ``extract``, for ``nlp.extract.explain`` too."""
        scene = look(text, now=now, ready=self._worlds.get(world))
        sides = take_sides(scene)
        if sides.ours:
            remask(scene, colleagues=sides.ours)
        voices = listen(scene)
        kind = kind_of(scene, voices)
        return Reading(scene, sides, voices, kind, split(scene, sides) if kind == "memo" else None)


def facts_of(reading: Reading) -> MemoFacts:
    """What a reading says, each field with the place of its words."""
    scene, parts = reading.scene, reading.parts
    if parts is None:
        return MemoFacts(kind=reading.kind)
    records = [_record(reading, topic, parts.topics) for topic in parts.topics]
    kept, dropped = _worth_keeping(scene, records, parts.topics)
    spans = [scene.clauses[number].span for number in sorted({*parts.unplaced, *dropped})]
    unplaced = tuple(Unplaced(text=scene.said(span), span=span) for span in spans)
    return MemoFacts(kind="memo", records=tuple(kept), unplaced=unplaced)


def _record(reading: Reading, topic: Topic, topics: list[Topic]) -> RecordFacts:
    """Everything said about one customer."""
    scene, voices, clauses = reading.scene, reading.voices, topic.clauses
    people = [one for one in reading.sides.customer if _is_here(scene, one, topic, topics)]
    promises = find_promises(scene, voices, clauses)
    products = tuple(product_facts(scene, clauses))
    record = RecordFacts(
        customer=topic.customer,
        contacts=tuple(contact_facts(scene, people, topic.known, clauses)),
        products=products,
        amounts=tuple(amount_facts(scene, clauses)),
        quantities=tuple(quantity_facts(scene, products)),
        objections=tuple(find_objections(scene, voices, clauses)),
        commitments=tuple(one.fact for one in promises),
        competitors=tuple(rival_facts(scene, clauses)),
        next_step=next_step(promises),
    )
    return replace(record, summary=summary(scene, record, clauses))


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


__all__ = ["Prepared", "Reading", "RuleExtractor", "facts_of"]
