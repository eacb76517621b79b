"""Products, rivals and sums of one customer's clauses."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nlp.extract import lexicon as lex
from nlp.extract.scene import Scene
from nlp.match import Hit
from sales.facts import AmountFact, CompetitorFact, ProductFact, Span

_HEADS = (
    "阀门|阀|水泵|泵|电机|机器人|机床|分析仪|检测仪|测温仪|仪表|仪器|仪|显微镜|打印机|包装机|机器|机|柜|箱变|变压器|传感器|控制器|过滤器|换热器|减速器|器|管件|管道|电缆|线缆|轴承|齿轮|密封圈|密封件"
    "|系统|软件|平台|模块|大屏|一体机|白板|课桌椅|课桌|桌椅|实验台|投影|酸奶|鲜奶|纯奶|奶酪|牛奶|奶粉|支架|骨架|冲压件|注塑件|压铸件|橡胶件|模具|配件|滤芯|耗材|试剂|导管|口罩|手套|床|灯|屏|膜|纸箱|标签|瓶"
)
_MEASURE = "台|套|个|只|件|箱|盒|瓶|支|把|张|吨|公斤|米|卷|袋|桶|组|批|根|片|块"
_COUNT = rf"(?:[\d一二两三四五六七八九十百千万几]+|{lex.SUM}+)(?:多|来)?(?:{_MEASURE})"
_ASKED_AFTER = re.compile(
    rf"(?P<name>[\u4e00-\u9fffA-Za-z0-9]{{1,8}}?(?:{_HEADS}))(?:他们|他|她|客户)?(?:想|也)?(?:要|订|采购|买|需要|来|上|加)(?:了)?{_COUNT}"
)
_ASKED_BEFORE = re.compile(
    rf"(?:要|订|采购|买|需要|来|上|加|看中)(?:了)?{_COUNT}(?:的)?(?P<name>[\u4e00-\u9fffA-Za-z0-9]{{1,8}}?(?:{_HEADS}))"
)
_NOT_PRODUCT = re.compile(
    r"我|他|她|的|了|说|要|想|让|给|把|去|跟|和|是|在|这|那|有|没|不|报|时|机会|手机|司机|危机|商机|时机|飞机|会议|样|旧|老|原来|对接|公司|客户|部"
)
_RIVAL_FRAMES = re.compile(
    r"(?:(?:有(?:一?家|个)(?:厂家|公司|牌子)?(?:叫|是)|有家)(?P<e>[\u4e00-\u9fffA-Za-z]{2,5}?)(?:的|报|比|也|便宜|家)"
    r"|(?:就|都|也)?(?:要|去|想|准备|打算)?(?:找|换(?:成)?|用)(?P<f>[\u4e00-\u9fff]{2,3})(?:了|的了)(?=[ ,，。]|$)"
    r"|(?:竞争对手|竞品|对手|友商|竞争)(?:是|叫|为)(?P<a>[\u4e00-\u9fffA-Za-z]{2,5}?)(?=[ ,，。的家报]|$)"
    r"|(?:选了?|定了|用了|签了|换成了?|改用了?)(?P<b>[\u4e00-\u9fff]{2,4}?)(?:家的?|的(?:产品|设备|货|方案|牌子))"
    r"|(?:用的(?:就)?是|在用|一直用|现在用)(?P<c>[\u4e00-\u9fffA-Za-z]{2,4})(?:家?的|牌)(?:牌子|产品|设备|货|机器|系统|软件)?(?=[ ,，。]|$)"
    r"|(?<![\u4e00-\u9fff])(?P<d>[\u4e00-\u9fff]{2,4})(?:那边|家|公司)?(?:比我们|报价比我们|价格比我们)(?:的|家|这边)?(?:低|便宜|少))"
)
_NOT_RIVAL = re.compile(
    r"我|他|她|们|别|其|另|哪|某|自|国产|进口|同行|老|旧|原|以前|之前|现在|这|那|什么|一|两|客户|供应商|厂家|公司|对方|人家|便宜|普通|传统|手工|人工|报价|价格|产品|系统|软件|过|到|完|领导|老板|别人|时间|关系|人|地方|就是|的|去年|今年|单价|总价|第"
)
_REPLACED = re.compile(
    r"^(?:[ ,，。]|要|的|呃|哦|啊|他们)*(?:不对|不是|说错了?|错了|口误)[ ,，。]*(?:应该)?(?:是|要)?"
)
_ROLE_WORDS = {
    "unit_price": "单价", "total": "总价", "budget": "预算", "competitor": "竞品价", "deal": "成交",
    "deposit": "首付", "quote": "报价", "down_payment": "首付",
}  # fmt: skip


def product_facts(
    scene: Scene, clauses: Sequence[int], *, listed_only: bool = False
) -> list[ProductFact]:
    """Products, each once; the catalogue's name where exactly one entry fits, else as spoken."""
    hits = [hit for hit in scene.products if _in(scene, hit.span, clauses)]
    hits = _stand(scene, hits)
    facts: dict[str, ProductFact] = {}
    for hit in hits:
        said = scene.said(hit.span)
        known = len(hit.names) == 1
        name = hit.names[0] if known else said
        if not known and any(other in facts for other in hit.names):
            continue  # 闸板阀 after 电动闸板阀 is the same thing
        facts.setdefault(name, ProductFact(name=name, known=known, said=said, span=hit.span))
    if not facts and not listed_only:
        for span in _unlisted(scene, clauses):
            said = scene.said(span)
            facts.setdefault(said, ProductFact(name=said, known=False, said=said, span=span))
    for name, fact in list(facts.items()):
        if not fact.known and any(fact.name in other and other != name for other in facts):
            del facts[name]
    return list(facts.values())


def _in(scene: Scene, span: Span, clauses: Sequence[int]) -> bool:
    return any(
        scene.clauses[number].start <= span[0] < scene.clauses[number].end for number in clauses
    )


def _stand(scene: Scene, hits: list[Hit]) -> list[Hit]:
    """Hits that a following correction does not take back: 蝶阀 不对 是球阀."""
    out = []
    for number, hit in enumerate(hits):
        following = hits[number + 1] if number + 1 < len(hits) else None
        between = scene.plain[hit.span[1] : following.span[0]] if following else ""
        if (
            following
            and following.names != hit.names
            and len(between) < 12
            and re.search(
                r"(?:不对|不是|说错|错了|口误)[ ,，。]*(?:应该)?(?:是|要)?[ ,，]*$", between
            )
        ):
            continue
        if (
            following
            and re.search(r"(?:不是|不要)$", scene.plain[max(0, hit.span[0] - 3) : hit.span[0]])
            and re.search(r"(?:是|要|而是)[ ,，]*$", between)
        ):
            continue
        out.append(hit)
    return out


def _unlisted(scene: Scene, clauses: Sequence[int]) -> list[Span]:
    """Things asked for by number that the catalogue lacks: 离心泵要三台."""
    out: list[Span] = []
    for number in clauses:
        clause = scene.clauses[number]
        for pattern in (_ASKED_AFTER, _ASKED_BEFORE):
            for match in pattern.finditer(scene.fixed, clause.start, clause.end):
                span = match.span("name")
                said = scene.plain[span[0] : span[1]]
                masked = scene.masked[span[0] : span[1]]
                if (
                    len(said) >= 2
                    and not _NOT_PRODUCT.search(said)
                    and not any(mark in lex.MARKS for mark in masked)
                ):
                    out.append(span)
    return out


def rival_facts(scene: Scene, clauses: Sequence[int]) -> list[CompetitorFact]:
    """Named rivals: of the list, and by the frames in which an unlisted one is named."""
    facts: dict[str, CompetitorFact] = {}
    for hit in scene.rivals:
        if _in(scene, hit.span, clauses) and len(hit.names) == 1:
            facts.setdefault(
                hit.names[0], CompetitorFact(name=hit.names[0], known=True, span=hit.span)
            )
    for number in clauses:
        clause = scene.clauses[number]
        for match in _RIVAL_FRAMES.finditer(scene.masked, clause.start, clause.end):
            group = next(one for one in "abcdef" if match[one])
            span = match.span(group)
            said = scene.said(span)
            if _NOT_RIVAL.search(said) or any(
                mark in lex.MARKS for mark in scene.masked[span[0] : span[1]]
            ):
                continue
            facts.setdefault(said, CompetitorFact(name=said, known=False, span=span))
    return list(facts.values())


def amount_facts(scene: Scene, clauses: Sequence[int]) -> list[AmountFact]:
    """Sums of money that stand, in yuan, each value once."""
    facts: dict[object, AmountFact] = {}
    for hit in scene.sums:
        if hit.superseded or hit.unit not in ("CNY", "", None) or hit.value is None:
            continue
        if hit.unit is None or not _in(scene, hit.span, clauses):
            continue
        value = hit.value
        key = tuple(value) if isinstance(value, (list, tuple)) else value
        fact = AmountFact(
            value=(float(value[0]), float(value[1])) if isinstance(value, (list, tuple)) else float(value),
            role=_ROLE_WORDS.get(hit.role or "", hit.role or ""), span=hit.span, approx=bool(hit.approx),
        )  # fmt: skip
        facts.setdefault(key, fact)
    return list(facts.values())
