"""Signs in the text around a name: whether it goes on, and whether it is to be believed."""

from __future__ import annotations

import re

from nlp.people_words import SURNAMES
from nlp.pinyin import same
from nlp.shortnames import LEGAL, TRADES, Strength
from nlp.text import Stream
from nlp.words import COMMON, is_common, word_set
from sales.facts import Span

_ENDS_ALONE = frozenset("厂店院园校所社站场局")
_LEFT = re.compile(
    r"(?:去了?|去趟|到了?|来了?|拜访了?|见了?|跑了?|约了?|走访了?|回访了?|联系了?|跟|和|给|找了?|刚从|从|在|陪|来|对|问了?|客户是?|客户叫"
    r"|帮|是|欠|拿下|签了?|另外|还有|然后|上午|下午|今天|昨天|刚才|刚刚|打给|打电话给|的是|推进|查|认领|放弃|查一下|报价|关于|那个|这个)$"
)
_VISIT = re.compile(
    r"(?:去了?|去趟|到了?|拜访了?|跑了?|走访了?|回访了?|客户是?|客户叫|刚从|联系了?|打给|推进|查|认领|查一下)$"
)
_RIGHT = re.compile(
    r"(?:那边|这边|那里|这里|他们|公司|集团|那个(?!时)|的?[\u4e00-\u9fffA-Z]{0,5}?(?:总|经理|主任|科长|处长|部长|厂长|院长|校长|园长|所长|局长"
    r"|站长|店长|老板|工(?![作业厂资期艺程人具地单])|工程师|老师|教授|博士|医生|护士长|主管|采购|书记|姐|哥)|的?老[\u4e00-\u9fff]|的?小[\u4e00-\u9fff]"
    r"|的?(?:采购|设备|技术|生产|财务|工程|质量|质检|研发|信息|后勤|总务|检验)[部科处室])"
)
_RIGHT_WEAK = re.compile(
    r"(?:的|说|要|想|订|那|现在|这次|今天|续费|丢了|换了|来|又|没|已|刚|昨|都|也|还|催|答应|同意|反馈|回|打|下单|签|付|给|出|这)"
)
_NOT_TRADE_AFTER = frozenset("部科处室组员师商")
_CLEAR_TRADE = 2
_SHORT = 3
_HOUSE_SAID = re.compile(r"(?:公司|集团|那边|他们|这边)")


def follow(heard: Stream, end: int, rest: str) -> int:
    """How far the letters from *end* on run through *rest* in order, letting parts fall out."""
    place, reach = 0, end
    while reach < len(heard.letters) and not heard.gap[reach]:
        letter = heard.letters[reach]
        at = next((i for i in range(place, len(rest)) if same(letter, rest[i]) >= 0.97), -1)
        if at < 0:
            break
        place, reach = at + 1, reach + 1
    taken = heard.letters[end:reach]
    following = heard.letters[reach : reach + 1]
    if taken and taken[-1] in _ENDS_ALONE and following == "长":
        reach, taken = reach - 1, taken[:-1]  # 厂长 is a person
    if len(taken) == 1 and not (taken in _ENDS_ALONE and taken in rest):
        return end
    return reach


def legal_end(heard: Stream, end: int) -> int:
    """Take a spoken legal form along: 恒基 + 公司."""
    for form in LEGAL:
        if len(form) >= _CLEAR_TRADE and heard.letters.startswith(form, end):
            if (
                form[-1] in _ENDS_ALONE
                and heard.letters[end + len(form) : end + len(form) + 1] == "长"
            ):
                return end
            return end + len(form) if not any(heard.gap[end : end + len(form)]) else end
    return end


def other_trade(heard: Stream, end: int) -> bool:
    """Whether a trade word follows that the name does not have: 汇通 + 快递."""
    if end < len(heard.gap) and heard.gap[end]:
        return False
    for length in (4, 3, 2):
        word = heard.letters[end : end + length]
        if word in TRADES and word not in _NOT_OTHER:
            after = heard.letters[end + length : end + length + 1]
            return after not in _NOT_TRADE_AFTER
    return False


_NOT_OTHER = word_set(
    """
    设备 技术 采购 管理 服务 工程 会计 财务 设计 系统 检验 检测 实验 生产 销售
    软件 中心 信息 数据 开发 仪表 电气 工业
    """
)


# A place that is called like a customer: 青园路, 南桥镇, 北港码头.
_PLACE_AFTER = re.compile(
    r"(?:大?[路街巷镇乡村县]|小区|码头|大道|广场|[门东西南北]?地铁|湾?站(?!点)|区(?!域|别|分)|高速|机场|山庄|新区|开发区|河边|湖边|岛)(?!.{0,3}(?:店|厂|院|公司|超市|学校))"
)
# Another house that begins with the same letters: 德润 + 奶茶店.
_HOUSE_AFTER = re.compile(r"[\u4e00-\u9fff]{1,3}(?:店|馆|厂|城|行|铺|坊|院|园)(?![长子外内的里中])")
_NEVER = word_set(
    "同行 大家 对方 人家 客户 家和 万事 一家 两家 几家 全家 自家 公司 老板 领导 现在 今天 明天 上午 下午 报价 价格 合同"
)
_GIVEN_BEFORE = frozenset(SURNAMES)
_FRESH = re.compile(r"(?:^|[给请找叫跟和的是让问见约陪带说])$")


def named_otherwise(heard: Stream, start: int, end: int) -> bool:
    """Whether a short form in the right letters is part of a place, a person or another house."""
    letters = heard.letters
    if letters[start:end] in _NEVER:
        return True
    if end < len(letters) and not heard.gap[end]:
        after = letters[end : end + 8]
        if _PLACE_AFTER.match(after) or (_HOUSE_AFTER.match(after) and not _RIGHT.match(after)):
            return True
    if start and not heard.gap[start] and letters[start - 1] in _GIVEN_BEFORE:
        begins = heard.gap[start - 1] or bool(_FRESH.search(letters[max(0, start - 2) : start - 1]))
        return begins and not re.match(r"公司|那边|集团|他们", letters[end : end + 2])
    return False


def believe(
    heard: Stream,
    place: Span,
    end: int,
    *,
    exact: bool,
    strength: Strength,
    longer: bool,
    owners: int,
) -> bool | None:
    """Whether a cautious index believes a form at *place* (letters; the name goes on to *end*).

    None: not at all.  False: only with other signs, such as a contact of that customer.
    """
    start, size = place[0], place[1] - place[0]
    letters = heard.letters
    before, after = letters[max(0, start - 5) : start], letters[end : end + 9]
    opens = heard.gap[start]
    left = opens or bool(_LEFT.search(before))
    visit = bool(_VISIT.search(before))
    strong = bool(_RIGHT.match(after)) or end > place[1]
    right = strong or bool(_RIGHT_WEAK.match(after)) or end >= len(letters) or heard.gap[end]
    word = letters[start : place[1]]
    everyday = is_common(word)
    torn = _torn(heard, start, place[1])
    if size <= _SHORT and end == place[1] and named_otherwise(heard, start, end):
        return None
    if longer or (exact and size >= 4):
        return True if longer or not everyday else (visit or strong or None)
    if strength == "weak":
        signs = (visit or (left and strong)) and not torn
        return (
            True
            if signs and exact and (not everyday or _HOUSE_SAID.match(after))
            else (False if signs and exact else None)
        )
    if exact:
        if everyday:
            return (
                True
                if (visit and right) or (left and strong)
                else (False if left and right else None)
            )
        if size >= 3:
            return not torn or left or None
        return True if left or strong or not torn else None
    if size >= 4:
        return True
    if size == 3:
        if (left and right) or strong:
            return True
        plain = is_common(word[:2], COMMON // 3) or is_common(word[1:], COMMON // 3)
        return None if torn or plain or is_common(word, 1) else True
    if is_common(word, COMMON // 3):
        return True if strong and (visit or opens) else None
    if (strong and (left or not torn)) or (right and not torn and (visit or opens)):
        return True
    if left and right and not torn and not is_common(word, 1):
        return True
    return False if left and not torn else None


def _torn(heard: Stream, start: int, end: int) -> bool:
    """Whether a common word crosses the edge of the place: 上[海纳]税."""
    letters = heard.letters
    left = start > 0 and not heard.gap[start] and is_common(letters[start - 1 : start + 1], 100)
    right = end < len(letters) and not heard.gap[end] and is_common(letters[end - 1 : end + 1], 100)
    return left or right
