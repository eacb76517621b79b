"""The text layer: one normal width, places kept, clauses cut.

Every step keeps places: ``normalise`` changes characters one for one, and a ``Stream`` carries the
place of each of its characters, so that a span found anywhere is a span of the memo.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sales.facts import Span

_HARD = "。！？!?；;\n"
_SOFT = "，,、：:…—~"
_SKIP = " \t\r\u3000·“”\"'‘’（）()【】[]《》<>-_/|"
_FILLERS = "呃嗯额唔欸诶"
_BREAKS = frozenset(_HARD + _SOFT + " \t\r\u3000")
_NOT_LETTERS = frozenset(_HARD + _SOFT + _SKIP + _FILLERS)


_NORMAL = {
    code: chr(code - 0xFEE0)
    for code in range(0xFF01, 0xFF5F)
    if chr(code) not in "，！？；：（）～"
} | {code: " " for code in range(0x3001) if chr(code).isspace() and chr(code) != "\n"}
_LETTERS_ONLY = _NORMAL | {ord(char): None for char in _NOT_LETTERS}


def normalise(text: str) -> str:
    """Half-width letters and digits, plain spaces; the same length, so places stay."""
    return text.translate(_NORMAL)


def letters_of(text: str) -> str:
    """The letters of ``stream(text)`` without their places, for lists of names."""
    bare = text.translate(_LETTERS_ONLY)
    upper = bare.upper()
    return upper if len(upper) == len(bare) else stream(text).letters


@dataclass(frozen=True, slots=True)
class Stream:
    """The letters of a text without spaces, marks and fillers.

    ``at[i]`` is the place of letter i; ``gap[i]`` tells whether a pause stands before it.
    """

    letters: str
    at: tuple[int, ...]
    gap: tuple[bool, ...]

    def span(self, start: int, end: int) -> Span:
        """Place in the text of the letters ``start`` to ``end`` (half open, not empty)."""
        return self.at[start], self.at[end - 1] + 1

    def has_gap(self, start: int, end: int) -> bool:
        """Whether a pause lies inside, not before, these letters."""
        return any(self.gap[start + 1 : end])


def stream(text: str) -> Stream:
    """Letters of *text* (upper case, one width) with their places."""
    letters: list[str] = []
    at: list[int] = []
    gap: list[bool] = []
    pause = True
    for place, char in enumerate(normalise(text)):
        if char in _NOT_LETTERS:
            pause = pause or char in _BREAKS
            continue
        upper = char.upper()
        letters.append(upper if len(upper) == 1 else char)
        at.append(place)
        gap.append(pause)
        pause = False
    return Stream("".join(letters), tuple(at), tuple(gap))


@dataclass(frozen=True, slots=True)
class Clause:
    """A stretch of the text; ``hard`` when a full stop stood before it."""

    start: int
    end: int
    hard: bool = False

    @property
    def span(self) -> Span:
        return self.start, self.end


_TIME = (
    r"(?:大后天|后天|明天|今天|今晚|明晚|明早|(?:这|本|下下|下)?(?:周|礼拜|星期)[一二三四五六日天末]"
    r"|(?:这|本|下下|下)(?:个)?(?:周|月|季度|礼拜|星期)|月底|月初|年底|年前|年后"
    r"|[一二三四五六七八九十两\d]{1,3}月|[一二三四五六七八九十\d]{1,3}[号日](?!楼|线|机|店|库)|上午|下午|晚上)"
)
_SUBJECT = r"(?:他们|她们|他|她|对方|客户|人家|我们|咱们|我|咱|领导|老板)"
_CUE = re.compile(
    r"(?:但是|不过|然后|另外|还有(?!几|[一二两三四五六七八九十\d])|所以|而且|后来|接着|结果(?=他|她|我|客户|对方)"
    r"|对了|再就是|同时|顺便|最后(?!一))"
    rf"|(?:他|她)还|还嫌|[让叫催要](?:我们|咱们)|让我(?!们)|{_SUBJECT}(?={_TIME})"
    rf"|{_SUBJECT}(?=说|讲|要(?!求)|要求|让|叫|嫌|觉得|担心|怕|答应|承诺|保证|同意|想|希望|问|也|就|现在|目前|这边|那边|最多"
    r"|先|再|会|把|去|来|给|可以|能|回头|回去|马上|尽快|不|没|还|又|都|跟|和|报|准备|打算|定|签|付|安排|负责|两家|三家|提|建议|反馈|表示|认为|有点|着急|比较|很|挺|对|已经|刚|们?那边)"
    r"|(?:报价|预算|单价|总价|一共|总共|总金额|合同金额|订单金额|担心|主要是?|要求|希望|嫌)"
    rf"|(?<![的说在到定约从是要等于至把])(?:{_TIME})"
)
_AFTER_PRONOUN = re.compile(
    r"(?:他们|她们|他|她|我们|我|咱们|必须|务必|得|需要|安排|答应|争取|尽量|说)$"
)  # a day may follow
_TIES_TO_NEXT = re.compile(
    r"(?:[给跟和把让叫帮对向找问比被请为催寄送发到回的与替带陪等见约求劝说是嫌告诉答应通知联系拜访怕在从]|看看|参观|了解|答复|回复|告诉|说好|约好|定好|定在|推到|改到"
    r"|(?<![给跟和把让叫帮对向找问陪带回发寄系访知复])(?:他|她|他们|她们|我们|我|咱们)|客户|对方|公司|领导|老板|经理|主任|总|工|科长|厂长|院长|校长|园长|处长|部长|就|也|还|都|会|先|再|才|不|没|准备|打算|计划|争取|预计|大概|可能|应该|最迟|最晚"
    r"|上午|下午|晚上|一|每|去年|今年|明年|上|前|底|那边|这边|这|那|今天|明天|后天|去|来|有|要|最)$"
)
_TIME_HEAD = re.compile(_TIME)
_SHORT_NAME, _FIRST_LETTER = 4, 1
_SENTENCE = re.compile(r"[。！？!?；;\n]")
_SOFT_CUT = re.compile(r"[，,、：:…—\s]+")


def clauses(
    text: str,
    solid: tuple[Span, ...] = (),
    starts: tuple[int, ...] = (),
    sure: tuple[int, ...] = (),
) -> list[Clause]:
    """Cut *text* at marks, pauses and, where a recogniser left none, before the next predicate.

    *solid* spans (names, dates, sums) are never cut; *starts* are further places (dates, products
    after a person) where a cut may be made, *sure* where one is.  Two letters apart by a space (P O C) stay together.
    """
    plain = normalise(text)
    inside = [False] * (len(plain) + 1)
    for begin, end in solid:
        for place in range(begin + 1, min(end, len(plain))):
            inside[place] = True
    cuts: list[tuple[int, int, bool]] = []  # end of one, begin of the next, hard
    for match in re.finditer(r"[。！？!?；;\n，,、：:…—\s]+", plain):
        if _spelled(plain, match.start(), match.end()) or inside[match.start()]:
            continue
        cuts.append((match.start(), match.end(), bool(_SENTENCE.search(match.group()))))
    pieces: list[Clause] = []
    begin, hard = 0, True
    for end, following, mark in [*cuts, (len(plain), len(plain), False)]:
        if end > begin:
            pieces += _soften(plain, Clause(begin, end, hard), inside, starts=starts, sure=sure)
        begin, hard = following, mark
    return pieces


def _spelled(plain: str, start: int, end: int) -> bool:
    """Whether the gap stands between single spelled letters or inside a number: P O C, 1,600."""
    if start == 0 or end >= len(plain):
        return False
    left, right = plain[start - 1], plain[end]
    if plain[start:end].isspace():
        return left.isascii() and right.isascii() and left.isalnum() and right.isalnum()
    return plain[start:end] == "," and left.isdigit() and right.isdigit()


def _only_names(plain: str, begin: int, place: int, inside: list[bool]) -> bool:
    """Whether nothing is said yet between two places, only named: 富源超市 before 双十一要做活动."""
    piece = plain[begin:place]
    rest = sum(not inside[spot] for spot in range(begin, place))
    return "了" not in piece and (len(piece) <= _SHORT_NAME or rest <= _FIRST_LETTER)


def _soften(
    plain: str, whole: Clause, inside: list[bool], *, starts: tuple[int, ...], sure: tuple[int, ...]
) -> list[Clause]:
    """Cut one stretch without marks before subjects, connectives and dates."""
    begin, end, hard = whole.start, whole.end, whole.hard
    points = {place for place in sure if begin + 2 <= place < end and not inside[place]}
    cues = [match.start() for match in _CUE.finditer(plain, begin, end)]
    for place in [*cues, *(place for place in starts if begin < place < end)]:
        if place - begin < 2 or inside[place] or end - place < 3:
            continue
        day = bool(_TIME_HEAD.match(plain, place)) or place in starts
        if day and _only_names(
            plain, max([begin, *(one for one in points if one < place)]), place, inside
        ):
            continue
        if not _TIES_TO_NEXT.search(plain, begin, place) and not (
            day and _AFTER_PRONOUN.search(plain, begin, place)
        ):
            points.add(place)
    out: list[Clause] = []
    last = begin
    for place in sorted(points):
        if place - last >= 2:
            out.append(Clause(last, place, hard))
            last, hard = place, False
    out.append(Clause(last, end, hard))
    return out
