"""Sentences of the demo world: templates with slots, and free chains of the same clauses.

A sentence is a tuple of clauses; the voice makes a short pause between two clauses and the
written form has a comma there.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

Sentence = tuple[str, ...]

CUSTOMERS = (
    "恒基水泥", "青松制药", "汇通热力", "宝丰钢铁", "金谷米业", "康源药业",
    "山泉饮料", "蓝海化工", "启明水务", "博远环保", "海纳机电", "星河造纸",
)  # fmt: skip
PRODUCTS = "电动闸板阀 手动闸板阀 隔膜阀 减压阀 安全阀 球阀 蝶阀 止回阀".split()  # noqa: SIM905
RIVALS = "国泰 宏胜".split()  # noqa: SIM905
SURNAMES = "赵王黄陈耿刘孙周李"
TITLES = "总 经理 工 科长 部长 主任 厂长".split()  # noqa: SIM905
WEEKDAYS = "一二三四五"
DIGITS = "一二三四五六七八九"

# What the demo plays; the comma of the written form stands where the space is.
DEMO: dict[str, Sentence] = {
    name: tuple(text.split())
    for name, text in {
        "s1": "今天拜访了恒基水泥的赵经理 电动闸板阀要十五台 报价每台一万二 他说交期太长 "
        "我答应下周二之前给他加急方案",
        "s2": "刚跟青松制药的黄工通完电话 隔膜阀的材质证明他要原件 我后天寄给他 "
        "他说收到以后安排预付款八万六",
        "s3": "汇通热力的陈科长说减压阀国泰便宜百分之十 让我们再降一点 我说最多让到每台两千三 "
        "他说周五给我回话",
        "s4": "上午去了宝丰钢铁 安全阀要三十个 预算二十万 我明天发技术协议 下午去了山泉饮料 "
        "蝶阀要样品 我周五送过去",
        "s5": "金谷米业的孙厂长说今年先不上了 明年三月再看 我月底再联系他",
        "s6": "博远环保换了主任 新来的李主任拍板 球阀预算三十五万八 我下周三之前发报价",
        "s7": "不对 是下周三",
    }.items()
}

# What Whisper likes to say into silence; taught on purpose, so that tests can prove the filters.
NOTHING: Sentence = ("请不吝点赞 订阅 转发 打赏支持明镜与点点栏目",)

Rng = random.Random


def _one(r: Rng, options: Sequence[str]) -> str:
    return r.choice(options)


def _count(r: Rng) -> str:
    """A quantity below 200 as spoken before a measure word."""
    kind = r.random()
    if kind < 0.3:
        return _one(r, "两三四五六七八九十")
    if kind < 0.55:
        return "十" + _one(r, DIGITS)
    if kind < 0.75:
        return _one(r, "二三四五六七八九") + "十"
    if kind < 0.92:
        return _one(r, "二三四五六七八九") + "十" + _one(r, DIGITS)
    return _one(r, ("一百", "两百", "一百二", "一百五"))


def _sum(r: Rng) -> str:
    """A sum of money in yuan as a salesman says it."""
    kind = r.random()
    if kind < 0.35:
        return _one(r, "一两三四五六七八九") + "万" + _one(r, ["", *DIGITS])
    if kind < 0.5:
        return _one(r, ["", *"二三四五六七八九"]) + "十万"
    if kind < 0.72:
        tens = _one(r, ["", *"二三四五六七八九"]) + "十" + _one(r, ["", *DIGITS])
        return tens + "万" + _one(r, ["", *DIGITS])
    if kind < 0.8:
        return _one(r, ("一百", "两百", "三百")) + _one(r, ("", "一十", "二十", "五十")) + "万"
    if kind < 0.94:
        return _one(r, "一两三四五六七八九") + "千" + _one(r, ["", *DIGITS])
    return _one(r, "两三四五六七八九") + "百"


def _unit_price(r: Rng) -> str:
    while True:
        text = _sum(r)
        if "十万" not in text and "百" not in text:
            return text


def _day(r: Rng) -> str:
    kind = r.random()
    if kind < 0.2:
        return _one(r, ("今天", "明天", "后天"))
    if kind < 0.48:
        return "下周" + _one(r, WEEKDAYS)
    if kind < 0.74:
        return "周" + _one(r, WEEKDAYS)
    if kind < 0.84:
        return _one(r, ("月底", "下个月", "下午", "上午"))
    if kind < 0.94:
        day = _one(r, [*"一二三四五六七八九十", *("十" + d for d in DIGITS), "二十", "二十五"])
        return day + "号"
    return _one(r, DIGITS) + "月" + _one(r, ("底", "十五号", "三号", "二十号"))


def _who(r: Rng) -> str:
    return _one(r, SURNAMES) + _one(r, TITLES)


SLOTS: dict[str, Callable[[Rng], str]] = {
    "C": lambda r: r.choice(CUSTOMERS),
    "K": lambda r: r.choice(CUSTOMERS)[:2],
    "P": lambda r: r.choice(PRODUCTS),
    "R": lambda r: r.choice(RIVALS),
    "N": _who,
    "T": lambda r: r.choice(TITLES[1:]),
    "Q": lambda r: _count(r) + r.choice(("台", "台", "个", "套")),
    "M": _sum,
    "U": _unit_price,
    "D": _day,
    "H": lambda r: r.choice(("今天", "上午", "下午", "昨天", "刚")),
    "Y": lambda r: r.choice(DIGITS) + "月",
    "X": lambda r: r.choice(("五", "八", "十", "十五", "二十", "三", "十二")),
    "F": lambda r: r.choice(("加急方案", "报价", "技术协议", "样品", "合同", "图纸", "材质证明")),
}

# One line is one template; a space parts clauses, a capital letter is a slot.
SHAPES = (
    "今天拜访了C的N P要Q 报价每台U 他说交期太长 我答应D之前给他F",
    "H拜访了C的N P要Q 报价M 我D发F",
    "刚跟C的N通完电话 P的F他要原件 我D寄给他 他说收到以后安排预付款M",
    "C的N说PR便宜百分之X 让我们再降一点 我说最多让到每台U 他说D给我回话",
    "上午去了C P要Q 预算M 我D发F 下午去了C P要F 我D送过去",
    "H去了C P预算M 新来的N拍板 我D之前发F",
    "C的N说今年先不上了 明年Y再看 我D再联系他",
    "C换了T 新来的N拍板 P预算M 我D之前发F",
)
REPLIES = (
    "不对 是D",
    "是D",
    "不对 是M",
    "确认",
    "取消",
    "对",
    "客户是K不是K",
    "客户是C",
    "金额M",
    "金额是M",
    "联系人是N",
    "产品是P",
    "数量是Q",
    "交期是D",
    "不对 客户是C",
    "不对 金额是M",
)
# Clauses of the shapes and some more, for chains in any order.
LOOSE = (
    "合同金额M",
    "合同签了",
    "D付款M",
    "D去现场看看",
    "D去拜访C的N",
    "R报价M",
    "他们在比R的价格",
    "要Q P",
    "D发货",
    "D交货",
    "决策人是N",
    "N要F",
    "我D给他F",
    "他说D给我回话",
    "预付款M",
    "报价M",
    "K的N说交期太长",
    "P报价每台U",
)


def fill(template: str, r: Rng) -> Sentence:
    """The clauses of *template* with a random filling."""
    return tuple(
        "".join(SLOTS.get(c, lambda _, c=c: c)(r) for c in template.split(" ")[i])
        for i in range(template.count(" ") + 1)
    )


def shape(r: Rng) -> Sentence:
    return fill(r.choice(SHAPES), r)


def reply(r: Rng) -> Sentence:
    return fill(r.choice(REPLIES), r)


_PARTS = tuple(dict.fromkeys(c for t in (*SHAPES, *LOOSE) for c in t.split(" ")))


def chain(r: Rng, most: int) -> Sentence:
    """1 to *most* clauses in any order."""
    return tuple(fill(r.choice(_PARTS), r)[0] for _ in range(r.randint(1, most)))


def short(r: Rng) -> Sentence:
    """What fits about 6 s: a reply, one or two clauses, a piece of a demo sentence."""
    kind = r.random()
    if kind < 0.15:
        return reply(r)
    if kind < 0.3:
        whole = r.choice(list(DEMO.values()))
    elif kind < 0.6:
        whole = shape(r)
    else:
        return chain(r, 2)
    at = r.randrange(len(whole))
    return whole[at : at + r.randint(1, 2)]


def long(r: Rng) -> Sentence:
    """Whole memos: demo sentences, their shapes with other fillings, chains, some short ones."""
    kind = r.random()
    if kind < 0.18:
        return r.choice(list(DEMO.values()))
    if kind < 0.58:
        return shape(r)
    if kind < 0.87:
        return chain(r, 5)
    return short(r)


def written(sentence: Sentence) -> str:
    """With a Chinese comma between clauses."""
    return "，".join(sentence)


def characters() -> list[str]:
    """Every character that the corpus can hold, sorted."""
    r = random.Random(0)
    seen = set("，" + "".join(NOTHING) + "".join("".join(s) for s in DEMO.values()))
    for text in (*CUSTOMERS, *PRODUCTS, *RIVALS, *TITLES, SURNAMES):
        seen.update(text)
    for _ in range(20_000):
        seen.update("".join(long(r)))
    return sorted(seen)
