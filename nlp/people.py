"""People: surname and title, role and name, and whose side they are on.

Titles that begin other words (周总结, 高工资, 曾经理解) and surnames that end other words
(万元总价, 对方总监) are kept out by the letters around them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from nlp.people_words import (
    BAD_AFTER,
    BAD_BEFORE,
    COMPOUND,
    FEMININE,
    GIVEN,
    NOT_NAMES,
    NOT_TITLED,
    RARE,
    ROLE_ALONE,
    SHORT_TITLES,
    STOP_GIVEN,
    SURNAMES,
    TITLES,
)
from nlp.words import is_common
from sales.facts import Span

_DEPARTMENT = (
    r"(?:[\u4e00-\u9fff]{1,4}?(?:部|科室|科|处|室|办|中心|车间|组|班|馆|所|院)|SQE|IT|QA|QC|PMC|HR|采购|设备|技术|生产|仓储|工程|质量|质检|研发|财务|运营|市场|行政|人事|后勤"
    r"|总务|基建|信息|检验|物资|销售|法务|安全|动力|电气|机修|维修|工艺|品质|品控|供应链|商务|营运|门店|教务|物业|客服|门诊|药剂|护理)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person as heard.  ``name`` is the full name when said, else the surname (小顾 stays 小顾)."""

    name: str
    surname: str
    title: str
    department: str
    span: Span
    full: bool

    @property
    def role(self) -> str:
        title = {
            "工": "工程师",
            "总": "总",
            "姐": "",
            "哥": "",
            "先生": "",
            "女士": "",
            "师傅": "师傅",
        }.get(self.title, self.title)
        return self.department + title if title or self.department else ""


_TITLE = "|".join(sorted(TITLES, key=len, reverse=True))
_LONG_TITLE = "|".join(sorted((t for t in TITLES if t not in SHORT_TITLES), key=len, reverse=True))
_A_WORD = 3  # counted so often, two letters are a word
_ALL_SURNAMES = frozenset(SURNAMES + RARE)
_RARE = _ALL_SURNAMES - frozenset(SURNAMES)
_SUR = rf"(?:{'|'.join(sorted(COMPOUND))}|[{SURNAMES}{RARE}])"
_SUR_TITLE = re.compile(rf"(?P<sur>{_SUR})(?P<given>[\u4e00-\u9fff]{{0,2}}?)(?P<title>{_TITLE})")
_FAMILIAR = re.compile(rf"(?P<kind>[老小])(?P<sur>{_SUR})")
_TITLED_NAME = re.compile(
    rf"(?P<title>{_LONG_TITLE})(?:是|叫|名叫)?(?P<sur>{_SUR})(?P<given>[\u4e00-\u9fff]{{1,3}})"
)
_CALLED = re.compile(
    rf"(?:叫|姓名是?|名字叫|名叫|联系人是?)(?P<sur>{_SUR})(?P<given>[\u4e00-\u9fff]{{1,3}})"
)
_SURNAMED = re.compile(
    rf"(?:姓)(?P<sur>{'|'.join(sorted(COMPOUND))}|[\u4e00-\u9fff])(?=[ ,，。的]|$|说|要|管|是|来|负责|让|想|讲|现|接|科|经|主|总|工|部|处|院|老|姐|她|他)"
)
_NOT_SURNAME = frozenset("名什啥甚谁哪何的啊呢吗了")
_CALLED_LOOSE = re.compile(
    rf"(?:叫|名叫|名字叫)(?P<sur>{_SUR})(?P<given>[\u4e00-\u9fff]{{1,2}})(?=[ ,，。]|$|的|说|要|管|以后|她|他|负责|接)"
)
_ANYBODY = re.compile(
    rf"(?P<sur>[\u4e00-\u9fff])(?P<title>{_TITLE}|[科站](?=说|讲|问|要|那|让|答|也))"
)
_CLOSES = re.compile(
    r"[ ,，。、:：]|说|讲|和|跟|嫌|问|要(?!求)|让|答应|觉得|提|过|今天|昨天|那边|这边|她|他|把|看|在"
)
_FRESH = re.compile(r"(?:^|[ ,，。:：;；!！?？“”\"的跟和找见问给让是与由请陪去])$")
_DEPT_NAME = re.compile(
    rf"(?:部|科|处|室|车间|馆|中心)的?(?P<sur>{_SUR})(?P<given>[\u4e00-\u9fff]{{1,3}})"
)
_LATIN = re.compile(r"(?<![A-Za-z])(?P<name>[A-Z][a-z]{1,9}(?: ?(?:总|姐|哥|经理))?)(?![A-Za-z])")
_DEPT_BEFORE = re.compile(rf"(?P<dept>{_DEPARTMENT}{{1,2}}?)(?P<role>(?:{_LONG_TITLE})?)的?$")
_NOT_OLD = "师板实家客公城年堵满封伏怀完危尽那相后益支旁步慎慕咸卡说用想要掉断坏是用问忘爱底令"
_NOT_SMALL_AFTER = "时区学程包温项费心型商店米麦数高石车路龙白文金康武章方江安常易"


def find_people(
    text: str, *, taken: tuple[Span, ...] = (), known: frozenset[str] = frozenset()
) -> list[Person]:
    """Everybody named in *text* (normalised), in order.

    Args:
        taken: places that are names of things.
        known: surnames of people whom the company knows, believed before any title.
    """
    busy = [False] * (len(text) + 1)
    for start, end in taken:
        for place in range(start, min(end, len(text))):
            busy[place] = True
    found: list[Person] = []

    def claim(person: Person) -> None:
        start, end = person.span
        if not any(busy[start:end]):
            found.append(person)
            busy[start:end] = [True] * (end - start)

    for finder in (
        _titled_names,
        _surname_titles,
        _familiar,
        _called,
        _surnamed,
        _departmental,
        _latin,
    ):
        for person in finder(text, busy):
            claim(person)
    for person in _acquainted(text, busy, known):
        claim(person)
    return sorted(found, key=lambda one: one.span)


def _busy(busy: list[bool], start: int, end: int) -> bool:
    return any(busy[start:end])


def _department(text: str, start: int, busy: list[bool]) -> tuple[str, str, int]:
    """Department and role just before *start*: (设备部, ''), (采购, 工程师); and where they begin."""
    floor = start
    while (
        floor > 0
        and start - floor < 9
        and not busy[floor - 1]
        and text[floor - 1] not in " ,，。;；\n"
    ):
        floor -= 1
    match = _DEPT_BEFORE.search(text, floor, start)
    if match is None:
        role = re.compile(rf"(?P<role>{_LONG_TITLE}|老板|法人|负责人)的?$").search(
            text, floor, start
        )
        return ("", role["role"], role.start()) if role else ("", "", start)
    dept, begin = match["dept"], match.start()
    trimmed = re.sub(
        r"^(?:.*(?:了|的|跟|和|见|找|去|到|是|给|问|让|在|那个|咱们?|我们?|他们?|她们?|陪|带|同))",
        "",
        dept,
    )
    if len(trimmed) < 2 and trimmed not in ("IT", "QA"):
        return "", match["role"], match.end("dept")
    return trimmed, match["role"], begin + len(dept) - len(trimmed)


def _person(
    text: str, start: int, end: int, busy: list[bool], *, sur: str, given: str, title: str
) -> Person:
    department, role, begin = _department(text, start, busy)
    if role and (not title or title in SHORT_TITLES or title in ("先生", *FEMININE.split("|"))):
        title = role
    elif role and role != title:
        department += role if role not in department else ""
    return Person(
        name=sur + given, surname=sur, title=title, department=department,
        span=(begin if department or role else start, end), full=bool(given),
    )  # fmt: skip


def _good_left(text: str, start: int, sur: str) -> bool:
    before = text[start - 1 : start] if start else ""
    return not (before and before in BAD_BEFORE.get(sur, ""))


def _good_right(text: str, end: int, title: str) -> bool:
    after = text[end : end + 1]
    return not (after and after in BAD_AFTER.get(title, ""))


def _surname_titles(text: str, busy: list[bool]) -> list[Person]:
    """王经理, 王磊经理, 检验科高主任, 黄工."""
    out = []
    place = 0
    while (match := _SUR_TITLE.search(text, place)) is not None:
        place = match.start() + 1
        sur, given, title = match["sur"], match["given"], match["title"]
        start, end = match.span()
        if _busy(busy, start, end) or not _good_left(text, start, sur):
            continue
        if not _good_right(text, end, title) or sur + title in NOT_TITLED:
            continue
        if (
            sur in _RARE
            and not _is_fresh(text, start, busy)
            and (title in SHORT_TITLES or is_common(text[start - 1 : start + 1], _A_WORD))
        ):
            continue
        if given and (
            sur + given in NOT_NAMES
            or any(char in STOP_GIVEN for char in given)
            or title in SHORT_TITLES
            or (given[-1] in SURNAMES and given not in GIVEN and not _is_given(given))
            or not _is_given(given)
        ):
            continue
        out.append(_person(text, start, end, busy, sur=sur, given=given, title=title))
        place = end
    return out


def _acquainted(text: str, busy: list[bool], known: frozenset[str]) -> list[Person]:
    """水场长, 吉会计: surnames that only the company's own list makes surnames."""
    if not known:
        return []
    return [
        _person(text, *match.span(), busy, sur=match["sur"], given="", title=match["title"])
        for match in _ANYBODY.finditer(text)
        if match["sur"] in known
        and not _busy(busy, *match.span())
        and _good_right(text, match.end(), match["title"])
        and (match["title"] not in SHORT_TITLES or _is_fresh(text, match.start(), busy))
    ]


def _is_fresh(text: str, start: int, busy: list[bool]) -> bool:
    """Whether words begin at *start*: after a pause, 的, 跟, or a name."""
    return start == 0 or busy[start - 1] or bool(_FRESH.search(text[start - 1 : start]))


def _is_given(given: str) -> bool:
    return given[-1] in GIVEN and all(char not in STOP_GIVEN for char in given)


def _familiar(text: str, busy: list[bool]) -> list[Person]:
    """小顾, 老崔: 小 stays with the name, 老 does not."""
    out = []
    for match in _FAMILIAR.finditer(text):
        start, end = match.span()
        after = text[end : end + 1]
        bad = _NOT_SMALL_AFTER if match["kind"] == "小" else ""
        follows_on = bool(after) and after in "长者线道网路"  # 小组长, 老者, 老管线
        if _busy(busy, start, end) or match["sur"] in bad or follows_on:
            continue
        if (
            text[start - 1 : start]
            in ("最", "大", "较", "很", "太", "缩", "减", "古", "从", "多", "养", "元")
            and start
        ):
            continue
        if match["kind"] == "老" and match["sur"] in _NOT_OLD:
            continue
        sur = match["sur"]
        person = _person(text, start, end, busy, sur=sur, given="", title="")
        name = "小" + sur if match["kind"] == "小" else sur
        out.append(
            Person(
                name=name, surname=sur, title=person.title, department=person.department,
                span=person.span, full=False,
            )
        )  # fmt: skip
    return out


def _given(text: str, start: int, busy: list[bool], options: str) -> str:
    """The given name that begins at *start*: one or two letters, as far as they look like a name."""
    first = options[:1]
    second = options[1:2]
    if not first or busy[start] or (first == "明" and second in tuple("天年早晚后日儿")):
        return ""
    if first in STOP_GIVEN and not (first == "一" and second in GIVEN and second):
        return ""
    if not second or second in STOP_GIVEN or busy[start + 1]:
        return first
    third = text[start + 2 : start + 3]
    closed = not third or third in STOP_GIVEN or busy[start + 2]
    return first + second if second in GIVEN or closed else first


def _named(
    text: str, busy: list[bool], pattern: re.Pattern[str], *, with_title: bool
) -> list[Person]:
    out = []
    for match in pattern.finditer(text):
        sur = match["sur"]
        at = match.start("sur")
        given = _given(text, match.start("given"), busy, match["given"])
        end = at + len(sur) + len(given)
        if not given or _busy(busy, at, end):
            continue
        ends = not text[end : end + 1] or bool(_CLOSES.match(text, end))
        if not _is_likely(sur, given) and not (
            with_title and ends and sur + given not in NOT_NAMES and not is_common(sur + given, 20)
        ):
            continue
        title = match["title"] if with_title else ""
        if with_title and text[at : at + 1] in "和":
            continue
        person = _person(text, at, end, busy, sur=sur, given=given, title="")
        start = min(person.span[0], match.start("title") if with_title else at)
        out.append(
            Person(
                name=sur + given, surname=sur, title=title or person.title, department=person.department,
                span=(start, end), full=True,
            )
        )  # fmt: skip
    return out


def _is_likely(sur: str, given: str) -> bool:
    """Whether surname and given name make a person: 车间, 高温 and 方案 do not."""
    word = sur + given
    return given[-1] in GIVEN and word not in NOT_NAMES and word[:2] not in NOT_NAMES


def _titled_names(text: str, busy: list[bool]) -> list[Person]:
    """校长江雪, 生产厂长宋强."""
    return [
        one
        for one in _named(text, busy, _TITLED_NAME, with_title=True)
        if not re.match(
            r"(?:总|工|经理|主任|老师|科长|部长|处长)", text[one.span[1] : one.span[1] + 2]
        )
    ]


def _called(text: str, busy: list[bool]) -> list[Person]:
    """新来的叫沈丽华; a rarer given name too, where the name ends the words."""
    found = _named(text, busy, _CALLED, with_title=False)
    taken = {one.span[0] for one in found}
    for match in _CALLED_LOOSE.finditer(text):
        at, end = match.start("sur"), match.end("given")
        word = match["sur"] + match["given"]
        if at in taken or _busy(busy, at, end) or word[:2] in NOT_NAMES:
            continue
        if any(char in STOP_GIVEN for char in match["given"].removeprefix("一")):
            continue
        if is_common(word, 20):
            continue
        found.append(_person(text, at, end, busy, sur=match["sur"], given=match["given"], title=""))
    return found


def _departmental(text: str, busy: list[bool]) -> list[Person]:
    """设备部赵国栋."""
    return _named(text, busy, _DEPT_NAME, with_title=False)


def _surnamed(text: str, busy: list[bool]) -> list[Person]:
    """新经理姓韩."""
    return [
        _person(text, match.start("sur"), match.end(), busy, sur=match["sur"], given="", title="")
        for match in _SURNAMED.finditer(text)
        if not _busy(busy, *match.span()) and match["sur"] not in _NOT_SURNAME
    ]


def _latin(text: str, busy: list[bool]) -> list[Person]:
    """运营总监Amy: a Latin given name beside a role or before a verb of speech."""
    out = []
    for match in _LATIN.finditer(text):
        start, end = match.span("name")
        beside = re.search(
            rf"(?:{_LONG_TITLE}|部|科|叫|一个叫|是)的?$", text[max(0, start - 6) : start]
        )
        speaks = re.match(
            r"(?:说|要|想|问|那边|觉得|同意|答应|跟我|让我|反馈)", text[end : end + 3]
        )
        if _busy(busy, start, end) or not (beside or speaks):
            continue
        person = _person(text, start, end, busy, sur=match["name"], given="", title="")
        out.append(person)
    return out


__all__ = ["COMPOUND", "ROLE_ALONE", "SURNAMES", "TITLES", "Person", "find_people"]
