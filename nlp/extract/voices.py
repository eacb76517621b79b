"""Who speaks and who acts, clause by clause."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from nlp.extract import lexicon as lex
from nlp.extract.scene import Scene

Subject = Literal["us", "customer", ""]

_DIRECT_DEMAND = re.compile(
    r"(?:想让|要求|希望|催|让|叫|要|请|逼|麻烦)(?:着)?(?:我们公司|我们这边|我们|咱们|我)(?!的|说|报[^价])"
)
_LACK = re.compile(
    r"(?:我们|我)(?:的|家|这边|现在)?[^ ,，。说]{0,3}?(?:没有?(?!问题)|不(?!能再|会再|用)|太|价格|报价|质量|交期|送货|产品|服务|这个|牌子|贵|慢)"
)


_OURS_LATER = re.compile(
    r"(?<![给跟和让找问对向为替帮比带陪领请约催要叫嫌回])(?:我们|我)(?=要|得|会|去|再|先|把|给|报|发|写|送)"
)
_FIRST_WORDS = 14
_BARE_DEMAND = re.compile(r"(?:要求|希望|催着?)(?!他|她|客户|对方)")
_ASKED_OF_THEM = re.compile(
    r"(?:要求?|让|请|催|叫)(?:他们|她们|他|她|对方|客户)(?!来|到|过来|去|看|参观|试)"
)
_TURN = re.compile(
    r"[\u4e00-\u9fff]{1,6}?(?<![给跟和让找问对向为替帮比带陪领请约催])(?:我们|我)(?=要|得|会|去|来|再|先|把|给|报|发)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """``subject`` acts; '' when the clause names nobody.  ``body``: where the act begins."""

    subject: Subject
    speaker: Subject = ""  # whose words they are when somebody is quoted
    promised: bool = False
    demand: bool = False  # the customer wants us to act
    caused: bool = False  # we have our own people do it
    lacking: bool = False  # about us, but as the customer's complaint
    asked: bool = False  # we want the customer to act
    body: int = 0


def listen(scene: Scene) -> list[Voice]:
    """One voice per clause; a clause that names nobody says so."""
    return [_voice(scene.masked[one.start : one.end], one.start) for one in scene.clauses]


def _voice(text: str, offset: int) -> Voice:
    place = 0
    subject: Subject = ""
    speaker: Subject = ""
    promised = demand = caused = False
    for _ in range(6):
        place = _skip(text, place)
        if not subject and _BARE_DEMAND.match(text, place):
            return Voice(
                subject="us", speaker="customer", demand=True, lacking=True, body=offset + place
            )
        wish = _DIRECT_DEMAND.match(text, place)
        if wish and (subject != "us"):
            return Voice(
                subject="us", speaker=speaker or "customer", demand=True, promised=promised,
                lacking=bool(_LACK.search(text)), body=offset + wish.end(),
            )  # fmt: skip
        ours, theirs = lex.US.match(text, place), lex.THEM.match(text, place)
        if ours and not (subject == "us" and not speaker):
            subject, place = "us", ours.end()
        elif theirs:
            subject, place = "customer", theirs.end()
            place = _apposition(text, place)
        else:
            said = lex.SPEECH.match(text, place)
            if said and (subject or place > 0 or said.end() < len(text)):
                speaker = subject or speaker or _unnamed(text, place, said.group())
                promised = promised or bool(lex.PROMISE.match(said.group()))
                if (
                    said.group().startswith(("答应", "承诺", "保证", "说好", "约", "敲定", "定了"))
                    and not subject
                ):
                    promised = True
                place = said.end()
                continue
            break
    place = _skip(text, place)
    asked = _ASKED_OF_THEM.match(text, place)
    if asked and subject != "customer":
        return Voice(
            subject="customer",
            speaker="us",
            asked=True,
            promised=promised,
            body=offset + asked.end(),
        )
    turn = _TURN.match(text, place) if subject == "customer" and not speaker else None
    if turn:  # 他们年会我要去
        subject, place = "us", turn.end()
    if not subject:
        middle = _OURS_LATER.search(text, place, place + _FIRST_WORDS)
        if middle:  # 采购经理回来我再去一趟
            subject, place = "us", middle.end()
    if subject == "us" and re.match(r"(?:让|叫|请|安排|派|找|催|协调)", text[place:]):
        caused = True
    elif not subject and re.match(
        rf"(?:让|叫|请|派)(?:{lex.COLLEAGUE}|实验室|研发|技术|工厂|厂里|财务|法务|车间|仓库|物流|售后|同事|公司|商务|生产|设计|质检|采购部|客服)",
        text[place:],
    ):
        subject, caused = "us", True
    lacking = subject == "us" and speaker == "customer"
    return Voice(
        subject=subject, speaker=speaker, promised=promised, demand=demand, caused=caused,
        lacking=lacking or (bool(re.match(rf".{{0,8}}(?:嫌|说|觉得|担心|怕).{{0,3}}{_LACK.pattern}", text)) and not lex.US.match(text)),
        body=offset + place,
    )  # fmt: skip


def _unnamed(text: str, place: int, verb: str) -> Subject:
    """Who speaks when nobody is named: the customer, unless it is said to them or agreed by both."""
    if re.search(r"(?:跟|和|给|向|对)[^ ,，。]{1,5}$", text[:place]):
        return "us"
    return (
        ""
        if verb.startswith(
            (
                "答应",
                "承诺",
                "保证",
                "说好",
                "约",
                "定了",
                "敲定",
                "解释",
                "建议",
                "告诉",
                "介绍",
                "同意",
            )
        )
        else "customer"
    )


def _apposition(text: str, place: int) -> int:
    """Step over a name after a role and a role after a name: 采购小顾, 王总那边."""
    more = re.compile(rf"(?:{lex.PERSON}|那边|这边|本人|[ ,，])*").match(text, place)
    return more.end() if more else place


def _skip(text: str, place: int) -> int:
    """Step over connectives, adverbs, days and whom it was said to."""
    while True:
        step = lex.LEAD.match(text, place) or lex.ADVERB.match(text, place)
        if step is None or step.end() == place:
            head = re.compile(
                rf"(?:{lex.CUSTOMER}+(?:那边|这边|那里|公司|他们|那个)?的?)(?={lex.PERSON}|{lex.CUSTOMER})"
            ).match(text, place)
            if head is None:
                return place
            step = head
        if lex.PERSON in step.group() and re.match(lex.PERSON, step.group()):
            return place  # a person may be the subject
        place = step.end()
