"""What the customer holds against it: a category and the clause that says so (F3)."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

from nlp.extract import lexicon as lex
from nlp.extract.grounds import GROUNDS
from nlp.extract.scene import Scene
from nlp.extract.voices import Voice
from sales.facts import ObjectionFact, Span

_N = r"[\d一二两三四五六七八九十百千万几]"


_FINE = re.compile(
    r"(?:不是(?:嫌|因为|怕|担心|觉得)?|不嫌|没嫌|没有嫌|并不|不算|不觉得|不太在意|不在乎|不担心|没说|没提|没还价|没砍价|没压价|没有还价|没有说|没有提|不存在|不怕|没嫌|也不|没觉得|没有觉得|已经不|不是说)(?!满意|行|够|好|达标|放心|稳定)"
)
_SOLVED = re.compile(
    r"(?:没问题|没有问题|没意见|没有意见|不是问题|能接受|可以接受|接受了|认可|满意|放心了|很放心|解决了|已经解决|搞定了|不用担心|没有异议|没异议|都行|挺好|不错|没变|不变|好说|通过了|过了(?!保质|期|.{0,3}再)|够用|来得及|没毛病|很好|还可以|没什么问题|没得说|同意了|都同意)"
)
_HEARD_FROM_US = re.compile(
    r"(?:我们?(?:也)?(?:可以|能|会|说|答应|解释|保证|承诺|最多|准备|打算|明天|去|给|把|帮|来|这边可以)|我让|我请|我(?!们)(?!看|怕|担心|觉得他))"
)


# When nothing more special fits: that somebody complains or something is amiss, and of what.
_COMPLAINT = re.compile(
    r"嫌|担心|怕(?!是)|顾虑|抱怨|不(?:太|是很|怎么)?(?:满意|放心|高兴|乐意|认可|愿意|敢)|犹豫|吐槽|意见|疑虑|卡在|卡住|接受不了|能接受(?=吗)|反感|恼火|发火|最大的问题"
    r"|受不了|拿不准|吃不准|没底|不舒服|投诉|怀疑|纠结|头疼|犯愁|为难|不(?:太)?相信"
)
_AMISS = re.compile(
    r"太(?!好|棒|客气|感谢|平)|不够|不行(?!动)|不好(?!意思)|不稳|不准|不一样|不一致|不均|不足|不及时|不到位|偏(?=[高低大小慢软硬厚薄重])|差(?=$|[ ,，。了些点远很太劲])|慢|坏|断|卡(?!车|片|丁)|堵|松|裂|烂"
    r"|难(?!得|道)|麻烦|复杂|有(?:点|些)?问题|出问题|毛病|返工|停(?:机|了|三|两|好几)|失败|无法|老是?(?=[卡停坏断掉死漏堵跳报])|总是|影响|跟不上|搞不定|没解决|不安全|不方便|不美观|难看|吃亏|超了|超出|超过了|达不到|对不上|不符|缺|少了"
)
_ABOUT = {
    "付款账期": re.compile(r"账期|付款|预付|首付|尾款|定金|货款|承兑|发票|垫资|赊"),
    "预算": re.compile(r"预算|经费|资金|拨款"),
    "合同条款": re.compile(r"合同|条款|违约|协议|独家|法务|罚"),
    "合规验收": re.compile(
        r"验收|认证|资质|证书|标准|环保|消防|检查|合规|审计|备案|许可|环评|等保"
    ),
    "售后服务": re.compile(
        r"售后|服务|维修|维护|保养|备件|配件|响应|质保|保修|没人管|太远|距离|上门|报修|客服"
    ),
    "交期": re.compile(
        r"交期|工期|货期|周期|进度|到货|送货|发货|供货|断货|交付|交货|来不及|赶不上|推迟|推到|延期|晚到|迟到"
    ),
    "动销库存": re.compile(r"库存|销量|卖不|走量|退货|临期|过期|压货|周转|滞销|动销|铺货|货架"),
    "案例信任": re.compile(r"案例|信任|靠谱|牌子|品牌|名气|规模|实力|新公司|骗|跑路|没做过|没用过"),
    "决策流程": re.compile(r"领导|审批|流程|签字|担责|责任|集团|股东|董事"),
    "质量": re.compile(
        r"质量|品质|坏|次品|做工|寿命|耐用|口感|味道|破|锈|漏|变质|批次|一致性|尺寸|硬度|厚度|颜色|色|干得|断线|起毛|卡标|停机|强度|密封|新鲜|包装|标签|油墨|表面|焊|精细|报废|合格|投诉"
    ),
    "价格": re.compile(r"价|贵|钱|费|成本|划算|利润|块|折扣|优惠"),
    "技术": re.compile(
        r"性能|功能|参数|技术|速度|效率|兼容|操作|接口|安全|重量|噪音|温度|稳定|系统|软件|数据|精度|产能|耗电|能耗|效果|学不会|不会用|占地|安装|改造|换型|升级|迁移|太重|亮度|功率|流量|压力|信号|网络|续航|容量|体积|高度|长度|宽度|灵敏|延迟|界面"
    ),
    "竞品": re.compile(lex.RIVAL),
}
_LOOK_BACK = 2
_OF_US = re.compile(
    r"我们(?:的|家|这边)?.{0,4}?(?:太|没有?(?!问题)|不(?!能再|会再)|贵|慢|远|差|小)"
)
_OWN_VIEW = re.compile(r"(?:先放|再说|没戏|先缓|暂时|先不|再看)")


@dataclass(frozen=True, slots=True)
class _Felt:
    category: str
    clause: int
    span: Span
    soft: bool = False  # told by the topic of something amiss, not by words of objection


def find_objections(
    scene: Scene, voices: list[Voice], clause_numbers: list[int]
) -> list[ObjectionFact]:
    """Objections in the clauses of one customer, one per category, in spoken order."""
    felt: list[_Felt] = []
    for number in clause_numbers:
        felt += _in_clause(scene, voices, number)
    if not all(one.soft for one in felt):
        felt = [one for one in felt if not one.soft]
    felt += _gaps(scene, voices, clause_numbers)
    felt += _undercut(scene, voices, clause_numbers)
    felt = [_of_software(scene, one) for one in felt]
    if any(one.category == "付款账期" for one in felt):
        felt = [one for one in felt if one.category != "预算" or "预算" in scene.said(one.span)]
    if any(one.category == "质量" for one in felt):
        felt = [one for one in felt if one.category != "动销库存" or not _only_return(scene, one)]
    if any(one.category in ("价格",) for one in felt):
        felt = [one for one in felt if one.category != "竞品"]  # its ground is the price
    merged: dict[str, list[_Felt]] = {}
    for one in felt:
        merged.setdefault(one.category, []).append(one)
    out = []
    for category, group in merged.items():
        span = _joined(scene, group)
        out.append(ObjectionFact(category=category, text=scene.said(span), span=span))
    return sorted(out, key=lambda one: (one.span, one.category))


def _in_clause(scene: Scene, voices: list[Voice], number: int) -> list[_Felt]:
    clause, voice = scene.clauses[number], voices[number]
    text = _for_reading(scene, clause.span)
    if voice.subject == "us" and voice.speaker != "customer" and not voice.lacking:
        told = (
            number and voices[number - 1].speaker == "customer" and not scene.clauses[number].hard
        )
        if not (told and _OF_US.match(text)):
            return []
    if (
        not voice.subject
        and number
        and voices[number - 1].subject == "us"
        and _OWN_VIEW.match(text)
    ):
        return []
    out: list[_Felt] = []
    used: list[Span] = []
    for category, pattern in GROUNDS.items():
        for match in pattern.finditer(text):
            if _denied(text, match.start(), match.end()) or any(
                match.start() < end and start < match.end() for start, end in used
            ):
                continue
            if category == "决策流程" and voice.promised:
                continue
            used.append(match.span())
            out.append(_Felt(category, number, clause.span))
            break
    if not out:
        category, soft = _complaint(scene, voices, number, text)
        if category:
            out.append(_Felt(category, number, clause.span, soft))
    return out


def _complaint(scene: Scene, voices: list[Voice], number: int, text: str) -> tuple[str, bool]:
    """What a complaint without words of its own is about, by the thing complained of."""
    said = _COMPLAINT.search(text)
    frame = said or _AMISS.search(text)
    if frame is None or _denied(text, *frame.span()):
        return "", True
    near = [
        (abs(match.start() - frame.end()), category)
        for category, pattern in _ABOUT.items()
        for match in pattern.finditer(text)
    ]
    if near:
        return min(near)[1], said is None
    if said is None:
        return "", True
    for back in range(number - 1, max(-1, number - 1 - _LOOK_BACK), -1):
        before = _for_reading(scene, scene.clauses[back].span)
        found = next((name for name, pattern in _ABOUT.items() if pattern.search(before)), "")
        if found and voices[back].subject != "us":
            return found, True
    return "", True


def _for_reading(scene: Scene, span: Span) -> str:
    """The clause with names masked but days and sums legible: 明年三月再看 needs its words."""
    text = list(scene.fixed[span[0] : span[1]])
    for place in range(span[0], span[1]):
        mark = scene.masked[place]
        if mark in (lex.RIVAL, lex.CUSTOMER, lex.PERSON, lex.COLLEAGUE):
            text[place - span[0]] = mark
    return "".join(text)


def _denied(text: str, start: int, end: int) -> bool:
    """Whether the words around take the objection back: 不是嫌贵, 价格没问题."""
    floor = max(0, start - 8)
    for fine in _FINE.finditer(text, floor, end):
        if fine.start() <= start and fine.end() >= start - 3:
            return True
    inside = re.search(r"(?:不|没)(?:贵|高|长|慢)$", text[start:end]) if end - start <= 6 else None
    return bool(inside) or bool(_SOLVED.search(text, start, min(len(text), end + 8)))


def _gaps(scene: Scene, voices: list[Voice], numbers: list[int]) -> list[_Felt]:
    """A demand and what we have instead: 交期要在30天以内 + 我们现在要45天; 一百八十度 + 我们一百五."""
    out: list[_Felt] = []
    for number, following in itertools.pairwise(numbers):
        if following != number + 1:
            continue
        first = scene.fixed[scene.clauses[number].start : scene.clauses[number].end]
        second = scene.fixed[scene.clauses[following].start : scene.clauses[following].end]
        if not re.match(
            rf"(?:可|但|而|但是|可是|可我|但我)?我们(?:的)?(?:现在|目前|这边|只能|最快|只有|才|标准|评估|排期|生产|最少|至少)*(?:要|做到|只能|是|到|最快|最多|耐|只有)?{_N}+",
            second,
        ):
            continue
        category = ""
        if (
            re.search(r"(?:必须|一定|要|得).{0,10}(?:上线|交付|到货|装好|交货|投产|完工)", first)
            and re.search(rf"{_N}+个?(?:天|周|月|礼拜|星期)", second)
        ) or re.search(
            rf"(?:交期|交货|供货|工期|到货).{{0,6}}(?:要|在|得|不能)?.{{0,6}}{_N}+(?:天|周|个月)",
            first,
        ):
            category = "交期"
        elif re.search(
            rf"(?:要求?|得|必须|需要).{{0,16}}{_N}+(?:度|公斤|兆帕|MPa|毫米|微米|转|吨|千瓦|伏|小时|万次|%|级)",
            first,
        ):
            category = "技术"
        if category:
            span = (scene.clauses[number].start, scene.clauses[following].end)
            out.append(_Felt(category, number, span))
    return out


def _undercut(scene: Scene, voices: list[Voice], numbers: list[int]) -> list[_Felt]:
    """A rival's sum held up to us: 宏图那边两块九."""
    out = []
    for number in numbers:
        clause = scene.clauses[number]
        text = scene.masked[clause.start : clause.end]
        if (
            voices[number].subject != "us"
            and re.search(
                rf"(?:{lex.RIVAL}+|隔壁|别家|别人家|别的(?:厂家?|供应商|牌子)|其他(?:厂家?|家|供应商)|另外?一家|同行|(?:现在|原来|目前)的?(?:供应商|厂家|牌子)|网上|市面上|市场价)[^{lex.MARKS}]{{0,6}}{lex.SUM}",
                text,
            )
            and not re.search(r"比我们(?:贵|高)", text)
        ):
            out.append(_Felt("价格", number, clause.span))
    return out


def _of_software(scene: Scene, one: _Felt) -> _Felt:
    """A programme that fails is a matter of technique, a thing that fails one of quality."""
    text = scene.plain[one.span[0] : one.span[1]]
    if one.category == "质量" and re.search(r"系统|软件|平台|网络|接口|程序|APP|数据|界面", text):
        return _Felt("技术", one.clause, one.span)
    return one


def _only_return(scene: Scene, one: _Felt) -> bool:
    """Whether the clause only asks to send goods back, which then is about their quality."""
    text = _for_reading(scene, scene.clauses[one.clause].span)
    return "退货" in text and not re.search(r"临期|卖不|滞销|积压|过期", text)


def _joined(scene: Scene, group: list[_Felt]) -> Span:
    """Neighbouring clauses of one objection as one quote; otherwise the first alone."""
    start, end = group[0].span
    last = group[0].clause
    for one in group[1:]:
        if one.clause <= last + 1 or one.span[0] <= end:
            end, last = max(end, one.span[1]), one.clause
    return start, end
