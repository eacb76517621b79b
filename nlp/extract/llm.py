"""The optional LLM: it may point at promises and objections that the rules missed (EXTRACTION §4).

It answers in phrases, and a phrase counts only where it stands in the memo: every word and place
that goes on is the memo's own, days come from our own reader, and what the rules found stays as it
is.  So it can make nothing up, whatever it is told or says.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, Literal, TypeVar

from rapidfuzz.distance import Levenshtein

from nlp.dates import DateHit
from nlp.extract import lexicon as lex
from nlp.extract.llm_client import LlmClient, LlmFailed
from nlp.extract.rules import Reading, RuleExtractor, facts_of
from nlp.ports import Correction, LlmSettings, World
from nlp.text import letters_of
from sales.facts import (
    OBJECTION_CATEGORIES,
    CommitmentFact,
    MemoFacts,
    ObjectionFact,
    RecordFacts,
    Span,
)

# Letters besides customers' names.  Shorter talk the rules read whole.
_WORTH_ASKING: Final = 10
_SHORTEST, _LONGEST = 2, 80  # letters of a quote: less says nothing, more is no evidence
_REPAIRABLE: Final = 4  # letters from which a quote may have one wrong
_TURNING: Final = "不没未无别非莫勿"  # never repaired: they turn the meaning round
_NEXT_TO: Final = 6  # letters between a quote and the words that say when
_MOST_ITEMS: Final = 40  # of one list; no memo has more
_EDGES: Final = " ,，。、；;！!？?\n"

log = logging.getLogger(__name__)


class Counts:
    """What became of the questions.  Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def add(self, name: str, count: int = 1) -> None:
        with self._lock:
            self._counts[name] += count

    def describe(self) -> Mapping[str, int]:
        """``asked``, ``failed_REASON``, ``dropped_WHY``, ``known_…``, ``added_…``, ``unread_…``."""
        with self._lock:
            return {name: count for name, count in sorted(self._counts.items()) if count}


class LlmExtractor:
    """``Extractor``: the rules, and behind them a model that may add to what they found."""

    def __init__(self, rules: RuleExtractor, settings: LlmSettings) -> None:
        """Raises ``ValueError`` when *settings* name no server or no model."""
        self._rules = rules
        self._client = LlmClient(settings)
        self._model = settings.model
        self._counts = Counts()

    def extract(self, text: str, *, now: datetime, world: World) -> MemoFacts:
        """See ``nlp.ports.Extractor``; waits for the server, ``timeout_s`` at most.

        Whatever goes wrong is counted, and the facts are those of the rules.
        """
        reading = self._rules.read(text, now=now, world=world)
        facts = facts_of(reading)
        if facts.kind != "memo" or not facts.records or not _is_worth_asking(reading, facts):
            return facts
        self._counts.add("asked")
        try:
            return merged(facts, self._client.ask(text), reading=reading, counts=self._counts)
        except LlmFailed as error:
            self._failed(error.reason)
        except Exception as error:  # a bug here must not cost a memo; its text may quote one
            self._failed(f"bug_{type(error).__name__}")
        return facts

    def customers(self, said: str, *, now: datetime, world: World) -> tuple[str, ...]:
        """See ``nlp.ports.Extractor``; read by the rules alone."""
        return self._rules.customers(said, now=now, world=world)

    def correction(self, text: str, *, now: datetime, world: World) -> Correction | None:
        """See ``nlp.ports.Extractor``; read by the rules alone."""
        return self._rules.correction(text, now=now, world=world)

    def describe(self) -> Mapping[str, object]:
        """The model and, since the start, what became of the questions (see ``Counts``)."""
        return {"model": self._model, "counts": self._counts.describe()}

    def _failed(self, reason: str) -> None:
        self._counts.add(f"failed_{reason}")
        log.warning("llm: %s; the rules alone were used", reason)


def merged(
    facts: MemoFacts, answer: Mapping[str, Any], *, reading: Reading, counts: Counts
) -> MemoFacts:
    """*facts* and those commitments and objections of *answer* that hold and are new.

    Nothing of *facts* changes; an added item goes to the record said nearest to it.
    """
    check = _Check(reading, counts)
    promised = _new(
        check.all_of(answer, "commitments", check.commitment),
        known=[one.span for record in facts.records for one in record.commitments],
        count=lambda what: counts.add(f"{what}_commitments"),
    )
    felt = _new(
        check.all_of(answer, "objections", check.objection),
        known=[one.span for record in facts.records for one in record.objections],
        count=lambda what: counts.add(f"{what}_objections"),
    )
    check.names(answer, facts)
    records = list(facts.records)
    spans = [list(_spans(record)) for record in records]
    for promise in promised:
        at = _nearest(spans, promise.span)
        promises = sorted((*records[at].commitments, promise), key=lambda one: one.span)
        records[at] = replace(records[at], commitments=tuple(promises))
    for objection in felt:
        at = _nearest(spans, objection.span)
        objections = sorted((*records[at].objections, objection), key=lambda one: one.span)
        records[at] = replace(records[at], objections=tuple(objections))
    return replace(facts, records=tuple(records))


Fact = TypeVar("Fact", CommitmentFact, ObjectionFact)


class _Check:
    """Holds one answer against one memo.  Places are counted in letters of the memo's stream."""

    def __init__(self, reading: Reading, counts: Counts) -> None:
        self._scene = reading.scene
        self._letters = reading.scene.heard.letters
        self._counts = counts

    def all_of(
        self, answer: Mapping[str, Any], key: str, check: Callable[[Mapping[str, Any]], Fact | str]
    ) -> list[Fact]:
        """The items of one list that hold; the others are counted by what is wrong with them."""
        kept: list[Fact] = []
        items = answer.get(key, [])
        for item in items[:_MOST_ITEMS]:
            found = check(item) if isinstance(item, dict) else "form"
            if isinstance(found, str):
                self._counts.add(f"dropped_{found}")
            else:
                kept.append(found)
        self._counts.add("dropped_many", max(0, len(items) - _MOST_ITEMS))
        return kept

    def commitment(self, item: Mapping[str, Any]) -> CommitmentFact | str:
        """The promise, or why it does not hold: form | enum | quote | time."""
        who, what, quote = item.get("who"), item.get("what"), item.get("quote")
        when = item.get("time_phrase") or ""
        if not (isinstance(what, str) and isinstance(quote, str) and isinstance(when, str)):
            return "form"
        if who not in ("us", "customer"):
            return "enum"
        side: Literal["us", "customer"] = who
        places = self._places(quote)
        if not places:
            return "quote"
        place, day = places[0], None
        if phrase := letters_of(when):
            near = [
                (gap, at, spot)
                for at in _occurrences(self._letters, phrase)
                for spot in places
                if (gap := _gap(spot, at)) <= _NEXT_TO
            ]
            if not near:
                return "time"
            _, said_at, place = min(near)
            days = self._days(said_at)
            day = next((hit for hit in days if self._stands(hit)), None)
            if days and day is None:
                return "time"  # over, or taken back in the memo itself
            if not days:
                self._counts.add("unread_time")  # 尽快 is no day: due stays open
        span = self._scene.heard.span(*place)
        return CommitmentFact(
            who=side,
            what=self._act(what, place),
            due=day.due if day else None,
            span=span,
            certainty="loose" if day and day.certainty == "loose" else "firm",
            conditional=self._is_conditional(span),
            due_span=day.span if day else None,
            provisional=bool(day and day.provisional),
        )

    def objection(self, item: Mapping[str, Any]) -> ObjectionFact | str:
        """The objection, or why it does not hold: form | enum | quote."""
        category, quote = item.get("category"), item.get("quote")
        if not (isinstance(category, str) and isinstance(quote, str)):
            return "form"
        if category not in OBJECTION_CATEGORIES:
            return "enum"
        places = self._places(quote)
        if not places:
            return "quote"
        span = self._scene.heard.span(*places[0])
        return ObjectionFact(category=category, text=self._scene.said(span), span=span)

    def names(self, answer: Mapping[str, Any], facts: MemoFacts) -> None:
        """Count names that are nowhere, and names said that the rules read as nobody's.

        They set nothing: customers and contacts are the matcher's.  The counts tell the admin
        whether a list lacks names.
        """
        world = self._scene.ready.world
        read = [span for record in facts.records for span in _named(record)]
        listed = {
            "customers": {
                *world.customers,
                *(s for some in world.customers.values() for s in some),
            },
            "contacts": {one.name for group in world.contacts.values() for one in group},
        }
        for key, known in listed.items():
            for name in answer.get(key, [])[:_MOST_ITEMS]:
                letters = letters_of(name) if isinstance(name, str) else ""
                places = _occurrences(self._letters, letters)
                spans = [self._scene.heard.span(*place) for place in places]
                if not spans and not (isinstance(name, str) and name in known):
                    self._counts.add("dropped_name")
                elif spans and not any(_touch(span, other) for span in spans for other in read):
                    self._counts.add(f"unread_{key}")

    def _places(self, quote: str) -> list[Span]:
        """Where *quote* stands, marks, spaces, width and fillers apart; one letter may be wrong."""
        letters = letters_of(quote)
        if not _SHORTEST <= len(letters) <= _LONGEST:
            return []
        found = _occurrences(self._letters, letters)
        if not found and (near := _repaired(self._letters, letters)):
            self._counts.add("repaired")
            found = [near]
        return found

    def _days(self, place: Span) -> list[DateHit]:
        span = self._scene.heard.span(*place)
        return [hit for hit in self._scene.dates if _touch(hit.span, span)]

    def _stands(self, hit: DateHit) -> bool:
        today = self._scene.now.date()
        return not hit.past and not hit.superseded and (hit.due is None or hit.due >= today)

    def _act(self, what: str, place: Span) -> str:
        """The act in the memo's words: *what* where the quote holds it, else the whole quote."""
        letters = letters_of(what)
        start = self._letters.find(letters, *place) if len(letters) >= _SHORTEST else -1
        if start >= 0:
            place = (start, start + len(letters))
        return " ".join(self._scene.said(self._scene.heard.span(*place)).split()).strip(_EDGES)

    def _is_conditional(self, span: Span) -> bool:
        """如果 may stand in the clause before: 如果价格合适 他们下周就签."""
        clauses = self._scene.clauses
        number = self._scene.clause_at(span[0])
        begin = clauses[number - 1 if number and not clauses[number].hard else number].start
        return bool(lex.CONDITION.search(self._scene.masked, min(begin, span[0]), span[1]))


def _new(found: list[Fact], *, known: list[Span], count: Callable[[str], None]) -> list[Fact]:
    """Those that no item of their kind overlaps, neither of the rules nor added before."""
    taken = list(known)
    fresh: list[Fact] = []
    for one in found:
        if any(_touch(one.span, other) for other in taken):
            count("known")
            continue
        taken.append(one.span)
        fresh.append(one)
        count("added")
    return fresh


def _occurrences(letters: str, wanted: str) -> list[Span]:
    out: list[Span] = []
    place = letters.find(wanted) if wanted else -1
    while place >= 0:
        out.append((place, place + len(wanted)))
        place = letters.find(wanted, place + 1)
    return out


def _repaired(letters: str, quote: str) -> Span | None:
    """Where all of *quote* but one letter stands: one other, one too many or one missing."""
    if len(quote) < _REPAIRABLE:
        return None
    turns = [quote.count(char) for char in _TURNING]
    for size in (len(quote), len(quote) - 1, len(quote) + 1):
        for start in range(len(letters) - size + 1):
            window = letters[start : start + size]
            if (
                Levenshtein.distance(quote, window, score_cutoff=1) <= 1
                and [window.count(char) for char in _TURNING] == turns
            ):
                return start, start + size
    return None


def _is_worth_asking(reading: Reading, facts: MemoFacts) -> bool:
    names = sum(
        one.customer.span[1] - one.customer.span[0] for one in facts.records if one.customer
    )
    return len(reading.scene.heard.letters) - names >= _WORTH_ASKING


def _named(record: RecordFacts) -> Iterable[Span]:
    if record.customer:
        yield record.customer.span
    yield from (one.span for one in record.contacts)


def _spans(record: RecordFacts) -> Iterable[Span]:
    yield from _named(record)
    for group in (record.products, record.amounts, record.objections, record.commitments):
        yield from (one.span for one in group)
    yield from (one.span for one in record.competitors)


def _nearest(records: list[list[Span]], span: Span) -> int:
    """Number of the record with the nearest span; the earlier one of two equally near."""
    far = [min((_gap(span, other) for other in spans), default=None) for spans in records]
    near = [(gap, at) for at, gap in enumerate(far) if gap is not None]
    return min(near)[1] if near else 0


def _gap(one: Span, other: Span) -> int:
    """What lies between two spans; 0 when they touch or overlap."""
    return max(0, one[0] - other[1], other[0] - one[1])


def _touch(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


__all__ = ["Counts", "LlmExtractor", "merged"]
