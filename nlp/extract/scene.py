"""Everything that is named in one memo, before anybody asks what it means."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

from nlp.amounts import AmountHit
from nlp.dates import DateHit, find_dates
from nlp.extract import lexicon as lex
from nlp.extract.cuts import cut_places
from nlp.extract.repair import repaired
from nlp.extract.sums import find_sums
from nlp.extract.world import Prepared
from nlp.match import Hit
from nlp.people import Person, find_people
from nlp.text import Clause, Stream, clauses, normalise, stream
from sales.facts import Span


@dataclass(slots=True)
class Scene:
    """A memo and what stands where in it.  Every span counts characters of ``text``."""

    text: str
    plain: str  # normalised, noise blanked; as long as text
    heard: Stream
    now: datetime
    ready: Prepared
    customers: list[Hit]
    products: list[Hit]
    rivals: list[Hit]
    people: list[Person]
    dates: list[DateHit]
    sums: list[AmountHit]
    clauses: list[Clause] = field(default_factory=list)
    fixed: str = ""  # plain with misheard terms of the trade set right; as long as text
    masked: str = ""  # fixed with every found thing replaced by its mark; as long as text
    cuts: tuple[int, ...] | None = None  # where clauses begin in stretches without marks

    def said(self, span: Span) -> str:
        return self.text[span[0] : span[1]]

    def clause_at(self, place: int) -> int:
        """Number of the clause that holds *place* (the next one when it stands between two)."""
        for number, clause in enumerate(self.clauses):
            if place < clause.end:
                return number
        return max(0, len(self.clauses) - 1)


def look(text: str, *, now: datetime, ready: Prepared) -> Scene:
    """Find names, people, days and sums, then cut the clauses around them."""
    plain = blank_noise(normalise(text))
    heard = stream(plain)
    customers = ready.find_customers(heard)
    products = [hit for hit in ready.find_products(heard) if not _inside(hit.span, customers)]
    customers = [hit for hit in customers if not _inside(hit.span, products)]
    rivals = [
        hit for hit in ready.find_rivals(heard) if not _inside(hit.span, [*customers, *products])
    ]
    customers = [hit for hit in customers if not _inside(hit.span, rivals)]
    named = tuple(hit.span for hit in (*customers, *products, *rivals))
    people = find_people(plain, taken=named, known=ready.lists.contacts.surnames)
    blocked = (*named, *(one.span for one in people if one.full))
    dates = [hit for hit in find_dates(plain, now) if not _touches(hit.span, blocked)]
    sums = find_sums(plain, named, tuple(hit.span for hit in dates))
    money = tuple(hit.span for hit in sums)
    dates = [hit for hit in dates if not _touches(hit.span, money)]  # 两块五一盒
    scene = Scene(
        text=text, plain=plain, heard=heard, now=now, ready=ready, customers=customers,
        products=products, rivals=rivals, people=people, dates=dates, sums=sums,
    )  # fmt: skip
    remask(scene)
    return scene


def remask(scene: Scene, *, colleagues: frozenset[Span] = frozenset()) -> None:
    """Cut clauses and mask again, after things were added or people found to be our own."""
    names = [hit.span for hit in (*scene.customers, *scene.products, *scene.rivals)]
    solid = (
        *names,
        *(one.span for one in scene.people),
        *(hit.span for hit in scene.dates),
        *(hit.span for hit in scene.sums),
    )
    starts = (
        *(hit.span[0] for hit in scene.dates),
        *(_visit_start(scene.plain, hit.span[0]) for hit in scene.customers),
    )
    scene.fixed = repaired(scene.plain, names)
    mask = list(scene.fixed)
    layers: list[tuple[str, list[Span]]] = [
        (lex.SUM, [hit.span for hit in scene.sums]),
        (lex.DATE, [hit.span for hit in scene.dates]),
        (lex.PERSON, [one.span for one in scene.people if one.span not in colleagues]),
        (lex.COLLEAGUE, sorted(colleagues)),
        (lex.CUSTOMER, [hit.span for hit in scene.customers]),
        (lex.PRODUCT, [hit.span for hit in scene.products]),
        (lex.RIVAL, [hit.span for hit in scene.rivals]),
    ]
    for mark, spans in layers:
        for start, end in spans:
            mask[start:end] = mark * (end - start)
    scene.masked = "".join(mask)
    if scene.cuts is None:
        scene.cuts = _unmarked_cuts(scene.masked)
    sure = (
        *scene.cuts,
        *(hit.span[0] for hit in scene.products if _follows_person(scene, hit.span[0])),
    )
    scene.clauses = [
        one
        for one in clauses(scene.plain, solid, starts, sure)
        if scene.plain[one.start : one.end].strip()
    ]


def _unmarked_cuts(masked: str) -> tuple[int, ...]:
    places: list[int] = []
    for stretch in re.finditer(r"[^。！？!?；;\n，,、：:…—\s]+", masked):
        places += cut_places(masked, stretch.start(), stretch.end())
    return tuple(places)


def blank_noise(plain: str) -> str:
    """The text with the recogniser's inventions turned to spaces; places stay."""
    return lex.NOISE.sub(lambda match: " " * len(match.group()), plain)


def _inside(span: Span, hits: list[Hit]) -> bool:
    """Whether a longer or equal hit of another list covers part of *span*."""
    size = span[1] - span[0]
    return any(
        span[0] < hit.span[1] and hit.span[0] < span[1] and hit.span[1] - hit.span[0] >= size
        for hit in hits
    )


def _touches(span: Span, others: tuple[Span, ...]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in others)


def _follows_person(scene: Scene, place: int) -> bool:
    return any(one.span[1] == place for one in scene.people) or any(
        hit.span[1] == place for hit in scene.sums
    )


_VISIT_BEFORE = re.compile(
    r"(?:然后|另外|接着|后来)?(?:今天|昨天)?(?:上午|下午|中午|晚上)?(?:又|再|还|我|刚|顺便)*(?:去了?|到了?|拜访了?|跑了?|见了?|回访了?|走访了?|跟|和|是|给|联系了?)?$"
)


def _visit_start(plain: str, place: int) -> int:
    """Where the words that lead to a customer begin: 下午去了 before 山泉饮料."""
    match = _VISIT_BEFORE.search(plain, max(0, place - 14), place)
    return match.start() if match else place
