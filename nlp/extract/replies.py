"""Replies that correct a card: 不对 是下周三, 客户是驰远不是致远, 金额 100万 (G1).

A reply is short and says what is meant, often with what was wrong.  A memo in which the speaker
corrects himself is no reply.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from nlp.amounts import find_amounts
from nlp.dates import find_dates
from nlp.extract.contacts import known_as
from nlp.extract.world import Prepared
from nlp.people import find_people
from nlp.ports import Correction
from nlp.text import normalise
from sales.facts import ContactFact, CustomerFact, ProductFact, Span

_LONGEST = 30
_LONGEST_VALUE = 18
_FIELDS = {
    "customer": "客户名称|客户名|客户|公司名称|公司名|公司|单位|这家",
    "contact": "联系人|对接人|找的人|见的人|姓名|人名|名字|人",
    "product": "产品型号|产品|型号|品名|货",
    "amount": "预付款|合同金额|总金额|金额|价格|报价|预算|单价|总价|价钱|货款|首付|定金|尾款|款项|数目",
    "due": "交货日期|跟进时间|跟进日期|交期|日期|时间|到期日|截止日期|截止|下次跟进|期限",
    "next_step": "下一步|后续动作|动作|待办事项",
}
_FIELD = "|".join(f"(?P<{name}>{words})" for name, words in _FIELDS.items())
_MARK = re.compile(
    r"(?:[ ,，。:：]*(?:不对|不是这个|不是这样|错了|说错了|写错了|搞错了|弄错了|听错了|识别错了|记错了|更正一下|更正|纠正一下|纠正|改一下|改下|修改一下|修改|你?听错了|哦|啊|嗯|呃)[ ,，。:：]*)+"
)
_BECOMES = re.compile(
    r"[ ,，:：]*(?:也)?(?:应该是|应该|应为|改成是?|改为|改到|换成|变成|写成|推到|延到|提前到|其实是|是|叫|为)?[ ,，:：]*"
)
_CHANGE = re.compile(
    r"(?:帮我|请|麻烦|给我)?(?:把)?(?=.{0,8}(?:改成|改为|改到|换成|推到|延到|提前到))"
)
_VERB = re.compile(r"改成是?|改为|改到|换成|推到|延到|提前到|应该是|应为")
_RIGHT_NOT_WRONG = re.compile(
    r"^(?P<right>.{1,18}?)[ ,，]*(?:而)?(?:不是|并非|不叫)[ ,，]*(?P<wrong>.{1,18}?)$"
)
_WRONG_THEN_RIGHT = re.compile(
    r"^(?:不是|不叫|并非)(?P<wrong>.{1,18}?)(?:[ ,，]+(?:而)?是|[ ,，]*而是|[ ,，]*应该是|是|[ ,，]+)(?P<right>.{1,18})$"
)
_FILLER = re.compile(r"(?:吧|啊|呢|哈|的|了|才对|这家|那家|谢谢)+$")


@dataclass(frozen=True, slots=True)
class _Value:
    """The new value: its words, where they stand, and what they replace."""

    text: str
    start: int
    wrong: str = ""

    @property
    def span(self) -> Span:
        return self.start, self.start + len(self.text)


def read_reply(text: str, *, now: datetime, ready: Prepared) -> Correction | None:
    """See ``nlp.ports.Extractor.correction``."""
    plain = normalise(text).rstrip(" ,，。！!~")
    if not plain.strip() or len(re.sub(r"[ ,，。]", "", plain)) > _LONGEST:
        return None
    place = len(plain) - len(plain.lstrip(" ,，。"))
    marked = False
    mark = _MARK.match(plain, place)
    if mark and re.search(r"[不错更纠改]", mark.group()):
        marked, place = True, mark.end()
    swap = _WRONG_THEN_RIGHT.match(plain[place:])
    if swap:
        value = _clean(swap["right"], place + swap.start("right"), swap["wrong"])
        return _typed("", value, text, now, ready)
    change = _CHANGE.match(plain, place)
    place = change.end() if change else place
    head = re.compile(rf"(?:{_FIELD})").match(plain, place)
    field = head.lastgroup or "" if head else ""
    verb = _VERB.search(plain, place)
    if head:
        place = head.end()
        mark = _MARK.match(plain, place)
        if mark and re.search(r"[不错更纠改]", mark.group()):
            marked, place = True, mark.end()
        rest = _BECOMES.match(plain, place)
        stated = bool(rest and rest.group().strip())
        if not (marked or stated or (rest and rest.group()) or _is_amount(plain[place:])):
            return None  # 客户说... is a memo
        place = rest.end() if rest else place
        if verb and verb.start() >= place:
            place = verb.end()
    elif verb and (verb.start() - place <= 8):
        wrong = plain[place : verb.start()].strip(" ,，")
        return _typed("", _clean(plain[verb.end() :], verb.end(), wrong), text, now, ready)
    elif marked:
        place += len(re.match(r"(?:是|应该是|叫)?", plain[place:]).group())  # type: ignore[union-attr]
    elif plain.startswith("是", place) and "不是" in plain[place:]:
        place += 1
    else:
        return None
    said = plain[place:]
    pair = _RIGHT_NOT_WRONG.match(said)
    if pair:
        value = _clean(pair["right"], place + pair.start("right"), pair["wrong"])
    else:
        value = _clean(said, place, "")
    return _typed(field, value, text, now, ready)


def _is_amount(rest: str) -> bool:
    return bool(
        re.fullmatch(
            r"[ ]*[\d.,一二两三四五六七八九十百千万亿零半]+(?:块|元|万|千|百)?[一二三四五六七八九\d]*[ ]*",
            rest,
        )
    )


def _clean(said: str, start: int, wrong: str) -> _Value:
    lead = len(said) - len(said.lstrip(" ,，:："))
    body = _FILLER.sub("", said.strip(" ,，:：。"))
    return _Value(body, start + lead, _FILLER.sub("", wrong.strip(" ,，:：。")))


def _typed(
    field: str, value: _Value, text: str, now: datetime, ready: Prepared
) -> Correction | None:
    """The correction that *value* makes; its kind tells the field where none was named."""
    if not value.text or len(value.text) > _LONGEST_VALUE:
        return None
    if field == "next_step":
        return _answer(field, value, text)
    order = {
        "customer": (_customer_named,), "contact": (_contact,), "product": (_product_named,),
        "amount": (_amount_named,), "due": (_due,),
    }.get(field, (_due, _product, _customer, _contact, _amount))  # fmt: skip
    for read in order:
        made = read(value, text, now, ready)
        if made is not None:
            return made
    return None


def _answer(field: str, value: _Value, text: str, **values: object) -> Correction:
    start, end = value.span
    return Correction(
        field=field, text=text[start:end], span=value.span, wrong=value.wrong, **values,  # type: ignore[arg-type]
    )  # fmt: skip


def _covers(span: Span, size: int) -> bool:
    return span[1] - span[0] >= max(1, size - 3)


def _due(value: _Value, text: str, now: datetime, ready: Prepared) -> Correction | None:
    hits = [
        hit
        for hit in find_dates(value.text, now)
        if hit.due and not hit.past and not hit.superseded
    ]
    if not hits or not _covers((hits[0].span[0], hits[-1].span[1]), len(value.text)):
        return None
    return _answer("due", value, text, due=hits[-1].due)


def _amount(value: _Value, text: str, now: datetime, ready: Prepared) -> Correction | None:
    return _money(value, text, numbers=False)


def _amount_named(value: _Value, text: str, now: datetime, ready: Prepared) -> Correction | None:
    return _money(value, text, numbers=False) or _money(value, text, numbers=True)


def _money(value: _Value, text: str, *, numbers: bool) -> Correction | None:
    framed = (
        value.text if numbers else "金额" + value.text
    )  # a bare 三十五万八 is a sum when it stands alone
    shift = 0 if numbers else 2
    for hit in find_amounts(framed, numbers=numbers):
        good = hit.unit == "CNY" or (numbers and hit.unit is None)
        single = isinstance(hit.value, (int, float))
        if (
            good
            and single
            and not hit.superseded
            and _covers((hit.span[0] - shift, hit.span[1] - shift), len(value.text))
        ):
            return _answer("amount", value, text, amount=float(hit.value))  # type: ignore[arg-type]
    return None


def _product(value: _Value, text: str, now: datetime, ready: Prepared) -> Correction | None:
    hits = ready.lists.products.find(value.text)
    if len(hits) == 1 and _covers(hits[0].span, len(value.text)) and len(hits[0].names) == 1:
        fact = ProductFact(name=hits[0].names[0], known=True, said=value.text, span=value.span)
        return _answer("product", value, text, product=fact)
    return None


def _product_named(value: _Value, text: str, now: datetime, ready: Prepared) -> Correction | None:
    known = _product(value, text, now, ready)
    if known is not None:
        return known
    fact = ProductFact(name=value.text, known=False, said=value.text, span=value.span)
    return _answer("product", value, text, product=fact)


def _customer(value: _Value, text: str, now: datetime, ready: Prepared) -> Correction | None:
    """A customer of the list, by any of its forms; sounds count too, since nothing else is said."""
    names = ready.lists.customers.named(value.text)
    score = 1.0
    if not names:
        hits = ready.lists.customers.find("去了" + value.text + "公司")
        if len(hits) != 1 or not _covers(
            (hits[0].letters[0] - 2, hits[0].letters[1] - 2), len(value.text)
        ):
            return None
        names, score = hits[0].names, hits[0].score
    if len(names) == 1:
        fact = CustomerFact(
            name=names[0], known=True, said=value.text, span=value.span, score=score
        )
    else:
        fact = CustomerFact(
            name=value.text, known=False, said=value.text, span=value.span,
            score=round(score / len(names), 3), candidates=tuple(names),
        )  # fmt: skip
    return _answer("customer", value, text, customer=fact)


def _customer_named(value: _Value, text: str, now: datetime, ready: Prepared) -> Correction | None:
    known = _customer(value, text, now, ready)
    if known is not None:
        return known
    if len(value.text) < 2 or re.search(r"[说要了让想我他她]", value.text):
        return None
    fact = CustomerFact(name=value.text, known=False, said=value.text, span=value.span, score=0.5)
    return _answer("customer", value, text, customer=fact)


def _contact(value: _Value, text: str, now: datetime, ready: Prepared) -> Correction | None:
    people = find_people(value.text)
    surname = people[0].surname if people else value.text[:1]
    everyone = [one for _, one in ready.lists.contacts.alike(surname)]
    exact = [one for one in everyone if one.name == value.text]
    if exact:
        fact = ContactFact(name=exact[0].name, role=exact[0].role, new=False, span=value.span)
    elif len(people) == 1 and _covers(people[0].span, len(value.text)):
        options, certain = known_as(people[0], everyone)
        if len(options) == 1 and certain:
            fact = ContactFact(
                name=options[0].name, role=options[0].role, new=False, span=value.span
            )
        else:
            fact = ContactFact(
                name=people[0].name, role=people[0].role, new=not options, span=value.span
            )
    else:
        return None
    return _answer("contact", value, text, contact=fact)
