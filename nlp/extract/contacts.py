"""Who of the people heard is the customer's, and which contact of the CRM that is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from nlp.extract import lexicon as lex
from nlp.extract.scene import Scene
from nlp.extract.world import sounds_like
from nlp.people import COMPOUND, ROLE_ALONE, Person
from nlp.ports import KnownContact
from nlp.text import stream
from sales.facts import ContactFact, Span

_OURS_BEFORE = re.compile(
    r"(?:我们(?:公司|这边|部门|厂里?)?的?|咱们?的?|我司的?|公司的?|(?:我|我们)?(?:带着?|带上|带了|叫上|拉上|拉着|陪着?)|同事|(?:我|我们)(?:让|叫|派|请|安排|找)(?:了)?"
    r"|(?:让|派|安排)(?=[^ ,，。]{0,4}$)|向(?:我们)?(?:领导)?|(?:我|我们)(?:跟|和|与|同|带|让)(?:我们|公司)?(?:的)?(?=售后|技术支持|客服|实施|同事|商务|研发)|(?:我们|咱们)(?:领导|老板|财务|技术|研发|商务|售后|工程|采购|法务|仓库|生产|质检|设计)[部处科]?的?)[的]?(?:技术支持|技术|研发|财务|商务|售后|客服|实施|工程师?|法务|生产|设计|质检|区域|总监|部|经理|同事)*$"
)
_WITH = re.compile(
    r"(?:(?:我|我们)(?:今天|昨天|上午|下午|刚才|刚)?|^|今[天儿](?:是)?)(?:跟|和|与|同)[^ ,，。]{0,10}$"
)
_TOGETHER = re.compile(
    r"^(?:[、和跟][^ ,，。]{2,8}?)?(?:两个人?|我们俩|他们?)?(?:一起|一块儿?)(?:去|拜访|过去|上门|到|跑|出差|见)"
)
_ABOVE_US = re.compile(
    r"^(?:去|来|那边)?(?:申请|请示|汇报|打报告|批(?!量)|审批|特批|要(?:政策|价格|授权|折扣|底价))"
)
# Somebody who only made the acquaintance, or belongs to a third house.
_THIRD_AFTER = re.compile(
    r"^(?:给我?们?)?(?:介绍|牵(?:的)?线|推荐|引荐|带的?路|光?帮着?带路|搭的?线)"
)
_THIRD_BEFORE = re.compile(
    r"(?:总包|监理|设计院|代理商?|隔壁(?:家)?|教育局|卫健委|门卫|保安|司机|房东|(?<![\u4e00-\u9fff])(?:物流|快递)|对门)的?$"
)
_ADDRESSED = re.compile(r"^[啊呀,，]")  # 小杜啊: the speaker himself
_GONE_BEFORE = re.compile(
    r"(?:原来的?|以前的?|之前的?|前任的?|上一任|老的|接替了?|接了?|代替|顶替|替换了?|取代)(?:那个|是|的|负责的?|对接的?|管[^ ,，。]{0,4}的)?(?:[\u4e00-\u9fff]{0,4}的)?$"
)
_GONE_AFTER = re.compile(
    r"^(?:他|她|人)?(?:[一二三四五六七八九十]{1,2}月(?:初|底|中旬|份)?|[去今]年[^ ,，。]{0,3}|已经|刚|前两天|上个?月|上周|也|都|最近|去年|年初|前阵子|早就|被|[ ,，])*(?:调走|调到|调去|调离|调岗|退休|离职|辞职|不干|走了|不在了|不做了|升了|升职|跳槽|换(?:人|掉|成|了)|转岗|退了|被换|回总部|内退|不负责|不管(?:了|采购|这)|撤了|开除|下来了|不在(?:这|那)(?:边|里|家)?了|离开)"
)
_TAKEN_BACK = re.compile(
    r"^[ ,，。]*(?:哦|啊|呃)?(?:不对|不是|说错了?|错了|口误)[ ,，。]*(?:应该)?(?:是)?[ ,，]*(?:[\u4e00-\u9fff]{0,8}的)?$"
)
_REPLACING = re.compile(r"^(?:[ ,，])*(?:换成|换了|改成|变成|换为|交给|转给)")
_DECIDES = re.compile(
    r"(?:拍板|说了算|做主|作主|最终(?:决定|定)|决策人|定夺|一把手|最后(?:他|她)?定|(?:他|她)(?:来)?定(?!金|制|下|在|了)|签字(?:权|就行|才行|算数)|他点头|她点头|由(?:他|她)(?:定|决定|审批))"
)
_NOT_DECIDES = re.compile(
    r"(?:不(?:能|敢)?拍板|拍不了板|说了不算|做不了主|不做主|没法拍板|不是.{0,4}拍板|谁拍板|谁说了算)"
)
_ROLE_SPEAKS = re.compile(
    r"^(?:那边|这边|本人)?(?:也|就|又|还)?(?:说|讲|要(?!签|批|同意|去|来)|想|让|答应|同意|嫌|觉得|担心|怕|问|提|反馈|表示|催|承诺|希望|不在|认可|对|谈|聊|吃|跟|打|发|回|今天|昨天|刚|没|还没|不|点头|有(?:意见|点|顾虑)|挺|很|比较|比|看)"
)
_ROLE_AFTER = re.compile(
    r"(?:见了?|跟|和|找了?|约了?|拜访了?|联系了?|问了?|给|陪)(?:他们|那边|客户)?的?$"
)
_ROLE_NEW = re.compile(
    r"(?:换了?|新来的?|新任|招了?|缺|分管|没有|哪个|是谁|当|升|兼)(?:个|位|一个|的)?$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """People of a memo by side, and their titles' places."""

    customer: tuple[Person, ...]
    ours: frozenset[Span]
    gone: frozenset[Span]


def take_sides(scene: Scene) -> Sides:
    """Our colleagues and those who left are no contacts."""
    ours: set[Span] = set()
    gone: set[Span] = set()
    stay: list[Person] = []
    known = scene.ready.lists.contacts.surnames
    for person in scene.people:
        start, end = person.span
        before, after = _same_clause_before(scene.plain, start), scene.plain[end : end + 16]
        if _is_colleague(scene.ready.world.colleagues, person):
            ours.add(person.span)
        elif (
            (_GONE_BEFORE.search(before) and not re.match(r"的?(?:电话|微信|语音|消息)", after))
            or _GONE_AFTER.match(after)
            or _THIRD_AFTER.match(after)
            or _THIRD_BEFORE.search(before)
            or (_ADDRESSED.match(after) and re.search(r"(?:说|讲)?[:：]$", before))
        ):
            gone.add(person.span)
        elif (
            (_OURS_BEFORE.search(before) and not _is_known(known, person))
            or (
                _ABOVE_US.match(after)
                and re.search(r"(?:跟|和|找|向|等|让|请|得)$", before)
                and not _is_known(known, person)
            )
            or (_WITH.search(before) and _TOGETHER.match(after) and not _is_known(known, person))
        ):
            ours.add(person.span)
        else:
            stay.append(person)
    for one, following in pairwise(scene.people):
        if _TAKEN_BACK.match(scene.plain[one.span[1] : following.span[0]]):
            gone.add(one.span)
    stay = [
        one
        for one in stay
        if one.span not in gone
        and not (_REPLACING.match(scene.plain[one.span[1] : one.span[1] + 6]) and len(stay) > 1)
    ]
    names = {_called(one) for one in scene.people if one.span in ours}
    again = [one for one in stay if _called(one) in names]
    ours.update(one.span for one in again)
    stay = [one for one in stay if _called(one) not in names]
    left = {_called(one) for one in scene.people if one.span in gone}
    stay = [one for one in stay if _called(one) not in left]
    return Sides(customer=tuple(stay), ours=frozenset(ours), gone=frozenset(gone))


def _called(person: Person) -> tuple[str, str]:
    """By what somebody is named a second time: 李总, 小赵."""
    return person.surname, person.title or person.name


def _same_clause_before(plain: str, start: int) -> str:
    before = plain[max(0, start - 14) : start]
    return re.split(r"[ ,，。！？；\n]", before)[-1]


def _is_colleague(colleagues: Sequence[str], person: Person) -> bool:
    return person.full and any(sounds_like(name, person.name) for name in colleagues)


def _is_known(surnames: frozenset[str], person: Person) -> bool:
    return person.surname in surnames


_VAGUE_TITLES = frozenset(
    [
        "姐",
        "哥",
        "姨",
        "叔",
        "先生",
        "女士",
        "小姐",
        "师傅",
        "负责人",
        "代表",
        "老师",
        "老板",
        "老板娘",
    ]
)


def fits(title: str, role: str, department: str = "") -> bool:
    """Whether somebody called by *title* may hold *role*: 黎总 may be the 老板, 王工 not the 会计."""
    if not title or not role or title in _VAGUE_TITLES:
        return not department or not role or _department_fits(department, role)
    groups = {
        "总": "总经理|老板|董事|总监|负责人|厂长|校长|院长|园长|店长|站长|总裁|主管|法人|CEO|CTO|CIO|合伙人|创始人|经理|总",
        "工": "工程师|工|技术|设备|研发|工艺|机电|电气|维修|SQE|QA|质量|质检|设计|项目|IT|信息|生产|机械",
        "老板": "老板|总|法人|董事|店主|负责人|店长",
        "老师": "老师|教师|教|校|主任|馆|园|学|辅导|管理员|实验",
        "医生": "医|主任|大夫|科", "大夫": "医|主任|大夫|科", "博士": "博士|研|工程师|技术|主任|教授|总", "教授": "教授|主任|院长|博士|老师|所长",
        "董": "董事|老板|总", "总工": "总工|工程师|技术", "采购": "采购", "工程师": "工",
        "书记": "书记", "会计": "会计|财务", "主管": "主管|经理|主任", "经理": "经理|主管|总(?!工)|负责人|店长",
    }  # fmt: skip
    pattern = groups.get(title)
    if pattern is not None:
        return bool(re.search(pattern, role))
    if title in role or role in title:
        return True
    head = title[-2:]
    return (
        len(head) == 2
        and head in role
        and not (title.startswith("副") != role.startswith("副") and head != role)
    )


def _department_fits(department: str, role: str) -> bool:
    return bool(set(department) - set("部科处室办")) and any(
        char in role for char in set(department) - set("部科处室办")
    )


def known_as(person: Person, contacts: Sequence[KnownContact]) -> tuple[list[KnownContact], bool]:
    """Contacts that *person* may be, and whether by the same letters (not only by sound)."""
    if person.full:
        exact = [one for one in contacts if one.name == person.name]
        if exact:
            return exact, True
        return [
            one
            for one in contacts
            if sounds_like(one.name, person.name) and fits(person.title, one.role)
        ], False
    same = [one for one in contacts if _surname_of(one.name) == person.surname.upper()]
    if same:
        fitting = [one for one in same if fits(person.title, one.role, person.department)]
        better = [
            one
            for one in fitting
            if person.department and _department_fits(person.department, one.role)
        ]
        return (better or fitting), True
    if not person.title or not re.match(r"[\u4e00-\u9fff]", person.surname):
        return [], False
    alike = [
        one
        for one in contacts
        if sounds_like(_surname_of(one.name), person.surname)
        and one.role
        and fits(person.title, one.role)
        and person.title in (*_STRONG_TITLES, one.role)
    ]
    return (alike if len(alike) == 1 else []), False


_STRONG_TITLES = (
    "科长", "处长", "部长", "厂长", "院长", "校长", "园长", "所长", "局长", "站长", "店长", "护士长", "主任", "经理", "总监", "书记", "老师", "工程师",
    "总", "工", "采购", "老板", "副总", "总经理", "会计", "采购经理", "主管",
)  # fmt: skip


def _surname_of(name: str) -> str:
    letters = stream(name).letters
    if letters[:2] in COMPOUND:
        return letters[:2]
    if letters[:1].isascii():
        return letters
    if letters[:1] in "小老" and len(letters) == 2:
        return letters[1]
    return letters[:1]


def contact_facts(
    scene: Scene, people: Iterable[Person], customer: str | None, clauses: Sequence[int]
) -> list[ContactFact]:
    """Facts of the people of one customer, each once, in spoken order."""
    known = scene.ready.contacts_of(customer) if customer else ()
    facts: list[ContactFact] = []
    where: list[Span] = []
    for person in people:
        fact = _fact(person, known)
        twin = next((i for i, other in enumerate(facts) if _same_person(other, fact)), None)
        if twin is None:
            facts.append(fact)
            where.append(person.span)
        else:
            facts[twin] = _richer(facts[twin], fact)
            where[twin] = person.span
    for fact in _by_name_or_role(scene, known, clauses, facts):
        facts.append(fact)
        where.append(fact.span)
    return _decision_makers(scene, facts, clauses)


def _fact(person: Person, known: Sequence[KnownContact]) -> ContactFact:
    options, _ = known_as(person, known)
    if len(options) == 1:
        return ContactFact(
            name=options[0].name, role=options[0].role or person.role, new=False, span=person.span
        )
    return ContactFact(name=person.name, role=person.role, new=not options, span=person.span)


def _same_person(one: ContactFact, other: ContactFact) -> bool:
    if one.name == other.name:
        return (
            not (one.role and other.role)
            or one.role == other.role
            or fits(one.role, other.role)
            or fits(other.role, one.role)
            or len(one.name) > 1
        )
    left, right = one.name.removeprefix("小"), other.name.removeprefix("小")
    short, long = sorted((left, right), key=len)
    return long.startswith(short) and (not one.role or not other.role or len(short) == 1)


def _richer(one: ContactFact, other: ContactFact) -> ContactFact:
    best = one if len(one.name.removeprefix("小")) >= len(other.name.removeprefix("小")) else other
    role = max((one.role, other.role), key=len)
    return ContactFact(name=best.name, role=role, new=one.new and other.new, span=best.span)


def _by_name_or_role(
    scene: Scene, known: Sequence[KnownContact], clauses: Sequence[int], have: list[ContactFact]
) -> list[ContactFact]:
    """Known contacts named without a title, or called by a role that only one of them holds."""
    out: list[ContactFact] = []
    names = {one.name for one in have}
    for number in clauses:
        clause = scene.clauses[number]
        piece = scene.plain[clause.start : clause.end]
        for contact in known:
            if contact.name in names or len(contact.name) < 2:
                continue
            place = piece.find(contact.name)
            if (
                place >= 0
                and lex.PERSON not in scene.masked[clause.start + place : clause.start + place + 1]
            ):
                begin = clause.start + place
                span = (begin, begin + len(contact.name))
                gone = _GONE_BEFORE.search(
                    _same_clause_before(scene.plain, begin)
                ) or _GONE_AFTER.match(scene.plain[span[1] : span[1] + 16])
                names.add(contact.name)
                if not gone:
                    out.append(
                        ContactFact(name=contact.name, role=contact.role, new=False, span=span)
                    )
        for match in _ROLES.finditer(piece):
            begin, end = clause.start + match.start("title"), clause.start + match.end()
            if (
                any(mark in lex.MARKS for mark in scene.masked[begin:end])
                or scene.masked[end : end + 1] == lex.PERSON
            ):
                continue
            before = scene.plain[
                max(0, match.start() + clause.start - 6) : match.start() + clause.start
            ]
            after = scene.plain[end : end + 5]
            belongs = re.search(
                rf"{lex.CUSTOMER}的?$", scene.masked[: clause.start + match.start()]
            )
            if _ROLE_NEW.search(scene.plain[max(0, begin - 6) : begin]) or not (
                _ROLE_SPEAKS.match(after) or _ROLE_AFTER.search(before) or belongs
            ):
                continue
            holders = _holders(known, match["dept"] or "", match["title"])
            if len(holders) == 1 and holders[0].name not in names:
                names.add(holders[0].name)
                out.append(
                    ContactFact(
                        name=holders[0].name, role=holders[0].role, new=False, span=(begin, end)
                    )
                )
    return out


_ROLES = re.compile(
    rf"(?P<dept>(?:质量|设备|采购|生产|技术|研发|财务|工程|信息|仓储|总务|后勤|运营|销售|市场|检验|品质|供应链|行政|人事|客房|餐饮)(?:部|科|处|中心)?)?(?P<title>{'|'.join(sorted(ROLE_ALONE, key=len, reverse=True))})"
)


def _holders(known: Sequence[KnownContact], department: str, title: str) -> list[KnownContact]:
    """Contacts that hold a role: its title, and its department where one was said."""
    held = [
        one
        for one in known
        if title in one.role and (title.startswith("副") or not one.role.startswith("副"))
    ]
    stem = department.rstrip("部科处") if department else ""
    return [one for one in held if stem in one.role] or ([] if stem else held)


def _decision_makers(
    scene: Scene, facts: list[ContactFact], clauses: Sequence[int]
) -> list[ContactFact]:
    """Mark who decides: 李主任拍板, or she, when she was the last one named."""
    marked: set[int] = set()
    for number in clauses:
        clause = scene.clauses[number]
        piece = scene.plain[clause.start : clause.end]
        if not _DECIDES.search(piece) or _NOT_DECIDES.search(piece):
            continue
        inside = [i for i, fact in enumerate(facts) if clause.start <= fact.span[0] < clause.end]
        before = [i for i, fact in enumerate(facts) if fact.span[0] < clause.end]
        chosen = inside or sorted(before, key=lambda i: facts[i].span)[-1:]
        if not inside and not re.search(
            r"(?:他|她)|^(?:以后|采购|最后|最终|拍板|说了算|负责)", piece
        ):
            continue
        marked.update(chosen[-1:])
    return [
        ContactFact(
            name=fact.name, role=fact.role, new=fact.new, span=fact.span, decision_maker=i in marked
        )
        for i, fact in enumerate(facts)
    ]
