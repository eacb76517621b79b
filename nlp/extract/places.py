"""Which customers a memo is about, and which clause belongs to whom (G4)."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field

from nlp.extract import lexicon as lex
from nlp.extract.contacts import Sides, known_as
from nlp.extract.houses import unknown
from nlp.extract.scene import Scene
from nlp.match import Hit
from nlp.people import Person
from nlp.ports import KnownContact
from sales.facts import CustomerFact, Span

_ASIDE_BEFORE = re.compile(
    r"(?:以前在|之前在|原来在|原先在|隔壁|像|好比|参考|类似|听|之前给|以前给|给过|做过|比如|例如|就是跟|不如)$"
)
_ASIDE_AFTER = re.compile(
    r"^(?:那边)?(?:看(?:看|一下)?(?:实物|现场|样板|我们|他们)|[^ ,，。]{0,6}介绍(?:我|的)|看[^ ,，。]{0,8}(?:刷|装|做|用)的|也在打听|那回|那次一个|一样|那样|那种|那套|也(?:在用|是用|用的|买的|上了)|介绍(?:的|过来|我)|推荐(?:的|过来)|转介绍|的(?:案例|样板|项目做参考|那个案例|例子)|用的(?:就)?是我们|在用我们|(?:做|用|买|装|上|供)的|用了我们|买过|做过|隔壁|旁边|对面|附近)"
)
_CORRECTION = re.compile(
    r"^[ ,，。]*(?:哦|啊|那个)?(?:不对|不是|说错了|错了|口误)[ ,，。]*(?:应该)?(?:是|去的是|说的是)?"
)
_NOT_THIS = re.compile(r"(?:不是|并非)$")
_BACK_FIRST = re.compile(
    r"(?:第一家|头一家|前面那家|上午那家|刚才那家|早上那家|先说的那家|第一个客户)"
)
_BACK_SECOND = re.compile(r"(?:第二家|后面那家|下午那家|后一家|第二个客户)")
_OWN_AFFAIR = re.compile(
    r"(?:报销|请假|公司开会|开周会|例会|油卡|加油|停车费|打车|名片|周报|日报|写标书|培训我|体检|出差费|车(?:子)?(?:坏|限号|送修)|团建|年假|工位|电脑坏|回公司)"
)
_SCORE_CONTACT = 0.7


@dataclass(slots=True)
class Topic:
    """One customer of the memo and the clauses that are about it."""

    customer: CustomerFact | None
    options: tuple[str, ...] = ()
    clauses: list[int] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)

    @property
    def known(self) -> str | None:
        return self.customer.name if self.customer and self.customer.known else None


@dataclass(frozen=True, slots=True)
class Split:
    topics: list[Topic]
    unplaced: list[int]


def split(scene: Scene, sides: Sides) -> Split:
    """Topics in spoken order, each with its clauses; clauses of nobody apart."""
    mentions = _mentions(scene, sides)
    topics: list[Topic] = []
    by_place: dict[Span, int] = {}
    for mention in mentions:
        same = next((i for i, one in enumerate(topics) if _is_same(one, mention)), None)
        if same is None:
            topics.append(Topic(customer=mention, options=mention.candidates, spans=[mention.span]))
            same = len(topics) - 1
        else:
            topics[same].spans.append(mention.span)
            if mention.known and topics[same].customer and not topics[same].customer.known:  # type: ignore[union-attr]
                topics[same].customer = mention
        by_place[mention.span] = same
    if not topics:
        alone = _by_contact(scene, sides)
        topics.append(Topic(customer=alone, spans=[alone.span] if alone else []))
    if len(topics) == 1:
        topics[0].clauses = list(range(len(scene.clauses)))
        return Split(topics, [])
    return _deal_out(scene, sides, topics, by_place)


def _is_same(topic: Topic, mention: CustomerFact) -> bool:
    have = topic.customer
    if have is None:
        return False
    if have.name == mention.name:
        return True
    return bool(
        mention.candidates
        and (have.name in mention.candidates or set(have.candidates) == set(mention.candidates))
    ) or have.name.startswith(mention.name)


_NOT_LISTED = re.compile(
    r"(?:不在|没在)(?:咱们?|我们)?(?:系统|名单|库|表)|(?:系统|名单|库)里(?:还)?(?:没有|没这家|查不到|没)|新(?:认识|摸到|开发|跑)(?:的)?一家|头一回去"
)
_SURE_NAME = 0.97


def _mentions(scene: Scene, sides: Sides) -> list[CustomerFact]:
    """Customers that are talked about, withdrawn and merely compared ones left out."""
    hits = [hit for hit in scene.customers if _is_topic(scene, hit)]
    if len(hits) == 1 and _NOT_LISTED.search(scene.plain):
        hits = [hit for hit in hits if hit.score >= _SURE_NAME]  # 云汉 is not 云海
    dropped: set[Span] = set()
    for one, following in itertools.pairwise(hits):
        between = scene.plain[one.span[1] : following.span[0]]
        if re.fullmatch(
            r"(?:的|那边)?(?:(?:哦|啊|哎|唉|噢|那个|呃|[ ,，。])*(?:不对|不是|说错了?|说反了?|错了|口误|记错了?))+[ ,，。]*(?:应该)?(?:是|去的是|说的是|叫)?[ ,，]*",
            between,
        ) or (
            _NOT_THIS.search(scene.plain[max(0, one.span[0] - 3) : one.span[0]])
            and len(between) < 8
        ):
            dropped.add(one.span)
    facts = []
    for hit in hits:
        if hit.span in dropped:
            continue
        fact = _customer(scene, sides, hit, alone=len(hits) == 1)
        if fact is not None:
            facts.append(fact)
    known_spans = [hit.span for hit in hits]
    facts += [one for one in unknown(scene, bool(facts)) if not _overlaps(one.span, known_spans)]
    return sorted(facts, key=lambda one: one.span)


def _overlaps(span: Span, others: list[Span]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in others)


def _is_topic(scene: Scene, hit: Hit) -> bool:
    before, after = (
        scene.plain[max(0, hit.span[0] - 4) : hit.span[0]],
        scene.plain[hit.span[1] : hit.span[1] + 8],
    )
    if _ASIDE_AFTER.match(after):
        return False
    if re.search(r"(?:跟|和|像)$", before) and re.match(
        r"(?:的|那边)?.{0,4}(?:一样|差不多|类似)", after
    ):
        return False
    return not _ASIDE_BEFORE.search(before)


def _customer(scene: Scene, sides: Sides, hit: Hit, *, alone: bool) -> CustomerFact | None:
    """The customer of a hit; ties are broken by the memo's contacts, else they stay ties."""
    said = scene.said(hit.span)
    names = hit.names
    supported = [name for name in names if _has_contact(scene, sides, name)]
    if len(names) > 1 and len(supported) == 1:
        names = (supported[0],)
    if not hit.sure and not supported and not (alone and (sides.customer or scene.products)):
        return None
    if len(names) == 1:
        return CustomerFact(name=names[0], known=True, said=said, span=hit.span, score=hit.score)
    return CustomerFact(
        name=said, known=False, said=said, span=hit.span, score=round(hit.score / len(names), 3),
        candidates=tuple(names),
    )  # fmt: skip


def _has_contact(scene: Scene, sides: Sides, customer: str) -> bool:
    contacts = scene.ready.contacts_of(customer)
    return any(known_as(person, contacts)[0] for person in sides.customer) if contacts else False


def _by_contact(scene: Scene, sides: Sides) -> CustomerFact | None:
    """The customer of a memo that names only its contact, when exactly one customer has him."""
    contacts, known = scene.ready.lists.contacts, scene.ready.world.customers
    for person in sides.customer:
        near: dict[str, list[KnownContact]] = {}
        for customer, contact in contacts.alike(person.surname):
            near.setdefault(customer, []).append(contact)
        holders = [
            customer
            for customer, group in near.items()
            if known_as(person, group)[1] and known_as(person, group)[0]
        ]
        if len(holders) == 1 and holders[0] in known:
            return CustomerFact(
                name=holders[0], known=True, said=scene.said(person.span), span=person.span,
                score=0.9 if person.full else _SCORE_CONTACT,
            )  # fmt: skip
    for start, end, holders in contacts.named(scene.plain):
        if len(set(holders)) == 1 and holders[0] in known:
            said = scene.said((start, end))
            return CustomerFact(
                name=holders[0], known=True, said=said, span=(start, end), score=0.9
            )
    return None


def _deal_out(scene: Scene, sides: Sides, topics: list[Topic], by_place: dict[Span, int]) -> Split:
    """Give every clause to a customer: the one named last, unless something in it points back."""
    current: int | None = None
    unplaced: list[int] = []
    leading: list[int] = []
    for number, clause in enumerate(scene.clauses):
        named = [i for span, i in by_place.items() if clause.start <= span[0] < clause.end]
        text = scene.plain[clause.start : clause.end]
        if named:
            current = named[-1] if len(named) == 1 else named[0]
        else:
            back = _points_back(scene, sides, topics, clause.span, current)
            if back is not None:
                current = back
            elif _OWN_AFFAIR.search(text) and not _has_mark(scene, clause.span):
                unplaced.append(number)
                continue
        if current is None:
            leading.append(number)
            continue
        topics[current].clauses.append(number)
    unplaced += [n for n in leading if _says_something(scene, n)]
    for number in leading:
        if number not in unplaced:
            topics[0].clauses.insert(0, number)
    return Split(topics, sorted(unplaced))


def _has_mark(scene: Scene, span: Span) -> bool:
    return any(
        mark in (lex.PERSON, lex.PRODUCT, lex.RIVAL, lex.SUM)
        for mark in scene.masked[span[0] : span[1]]
    )


def _says_something(scene: Scene, number: int) -> bool:
    """Whether a clause before the first customer is more than 今天跑了两家."""
    clause = scene.clauses[number]
    text = scene.plain[clause.start : clause.end].strip()
    return len(text) >= 6 and not re.match(
        r"(?:嗯|呃|那个|好|喂)*(?:今天|昨天|上午|下午|刚才|刚)*(?:一共|总共|我)?(?:跑了?|去了?|拜访了?|见了?|走了?|说一下|汇报|有|两件事|三件事)",
        text,
    )


def _points_back(
    scene: Scene, sides: Sides, topics: list[Topic], span: Span, current: int | None
) -> int | None:
    """The earlier customer that a clause returns to, by 第一家, a contact or a product of its own."""
    text = scene.plain[span[0] : span[1]]
    if _BACK_FIRST.search(text):
        return 0
    if _BACK_SECOND.search(text) and len(topics) > 1:
        return 1
    named = [
        i
        for i, topic in enumerate(topics)
        if topic.known
        and any(
            len(one.name) > 1 and one.name in text for one in scene.ready.contacts_of(topic.known)
        )
    ]
    if len(named) == 1 and named[0] != current:
        return named[0]
    for person in sides.customer:
        if not span[0] <= person.span[0] < span[1]:
            continue
        owners = [i for i, topic in enumerate(topics) if _belongs(scene, sides, topic, person)]
        if len(owners) == 1 and owners[0] != current:
            return owners[0]
    for hit in scene.products:
        if not span[0] <= hit.span[0] < span[1]:
            continue
        owners = [
            i
            for i, topic in enumerate(topics)
            if any(_product_in(scene, number, hit.names) for number in topic.clauses)
        ]
        if (
            len(owners) == 1
            and owners[0] != current
            and re.search(r"(?:对了|那个|的事|刚才|还有|补充)", text)
        ):
            return owners[0]
    return None


def _product_in(scene: Scene, number: int, names: tuple[str, ...]) -> bool:
    clause = scene.clauses[number]
    return any(
        hit.names == names and clause.start <= hit.span[0] < clause.end for hit in scene.products
    )


def _belongs(scene: Scene, sides: Sides, topic: Topic, person: Person) -> bool:
    """Whether *person* was named with this customer before, or is its contact."""
    if topic.known and known_as(person, scene.ready.contacts_of(topic.known))[0]:
        return True
    for number in topic.clauses:
        clause = scene.clauses[number]
        if any(
            other.surname == person.surname and clause.start <= other.span[0] < clause.end
            for other in sides.customer
        ):
            return True
    return False
