"""New texts from old ones: sentences of the training data and fragments, cut and joined."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Final

_DATA: Final = Path(__file__).resolve().parents[1] / "language" / "data"
_LONGEST: Final = 2000  # characters; a spoken memo of five minutes has fewer

_WORDS: Final = """
    今天 明天 后天 大后天 昨天 下周三 这周五 下下周 礼拜天 周末 月底 年底 月初 下个月 上个月
    二十号 31号 三十一号 二月三十号 2月29日 二月二十九 13月45日 闰六月初八 闰月 腊月二十九
    正月十五 除夕 国庆节前 中秋 春节后 元旦 清明 2026-11-23 2026/2/30 2026.1.1 99999年 零年一月
    9999年12月31日 0001年1月1日 二零二六年 一百年后 三万天以后 Q3 三季度 上半年 下午三点半
    25点61分 半夜十二点 48小时内 两个工作日 一个半月 三到五天 三五天内 十天半个月 周一到周五
    1号到3号到5号 会后两天内 到货后 春节前 之前 以后 内 左右 之间 到 至 - ~ — 前 后 三十五万
    35万 三十五万八 两千三 一千零五 十几 几十万 五六十万 三十 百 万 亿 兆 零 点 半 一点五 0.5 .5
    1,600 1，600 1.2.3 10-15万 10~15k 二十到三十万到四十万 6w5 3k 百分之十 百分之 万分之四
    五分之一 八五折 打对折 三成半 10% ‰ 5个点 块 元 毛 分 角 五块三 两毛五 美元 USD 日元 ¥ $ €
    HK$ 人民币 欧 刀 每台 一台 单价 总价 报价 预算 首付 台 套 个 吨 公斤 DN80 BS600 PLC X5
    一三八零零一三八零零零 13800138000 恒基 恒基水泥 横鸡 汇通 驰远 致远 国泰 国太 球阀 求发
    闸板阀 王经理 王磊 陈科长 欧阳主任 老张 小李 李娜 周凯 客户 他 她 他们 我 我们 说 要求 答应
    承诺 让我们 嫌 太贵 交期太长 担心 拍板 签合同 给他方案 发报价 回话 不对 不是 是 说错了
    应该是 改成 客户是 金额 交期 联系人 产品 下一步 把 而是 如果 就 但是 然后 另外 对了 第一家
    去了 拜访了 谢谢观看 查 待办 订阅日报 你好 呃 嗯 ， 。 、 ； ！ ？ : … “ ” （ ） ( ) 【 ， ,
    . ; ! ? / \\ | _ # @ & * + = % " ' 下週三 禮拜 三點 兩萬塊 壹仟贰佰 〇 ○ ㊀ ② ⅷ ½ ² ٣ ３５
    Ａ ＤＮ８０ ￥ ～ ß ﬁ İ ı ŉ ǰ ΐ 😀 👨‍👩‍👧 🇨🇳 é e\u0301 \u0301\u0302 \u200b \u200d \u2060
    \ufeff \u202e \ufffd \uffff \U0010ffff \x00 \x07 \x1b[0m \x7f \x85 \u2028 𠮷 𝟛
    https://a.b/c?d=1 a.b@c.cn Ⓟ Ⓓ null <b> {x} %s
"""
FRAGMENTS: Final = (
    *_WORDS.split(),
    " ", "  ", "\u3000", "\n", "\r\n", "\t", "\u00a0", "\u2003", "9" * 60, "0" * 40, "1." * 20,
    "1,000" * 12, "一" * 50, "零" * 50, "十百千万亿" * 8, "一二三四五六七八九" * 6, "点五" * 20,
    "万亿" * 20, "１２３" * 15, "的" * 40, " 的" * 30,
    "不对" * 20, "到" * 30, "下" * 30, "分之" * 20,
)  # fmt: skip


@cache
def seeds() -> tuple[str, ...]:
    """The sentences of the training data."""
    lines = [
        line
        for path in sorted(_DATA.glob("*.jsonl"))
        for line in path.read_text("utf-8").splitlines()
    ]
    return tuple(
        row["text"] for line in lines if line.strip() and "text" in (row := json.loads(line))
    )


Mutation = Callable[[random.Random, str, str], str]  # a text and another one to take from
_FULL_WIDTH: Final = {code: code + 0xFEE0 for code in range(0x21, 0x7F)} | {ord(" "): 0x3000}
_CHANGES: Final[tuple[Callable[[str], str], ...]] = (
    str.upper, str.lower, str.title, str.swapcase,
    lambda text: text.translate(_FULL_WIDTH),
    lambda text: "".join(char for char in text if char.isalnum()),
    " ".join,
    lambda text: "".join(text.split()),
    lambda text: text[::-1],
)  # fmt: skip


def _cut(rng: random.Random, text: str) -> tuple[int, int]:
    """A short stretch of *text*, maybe empty."""
    start = rng.randint(0, len(text))
    return start, min(len(text), start + rng.choice((0, 1, 1, 2, 3, 5, 8, 13)))


def _splice(rng: random.Random, text: str, other: str) -> str:
    return text[: rng.randint(0, len(text))] + other[rng.randint(0, len(other)) :]


def _drop(rng: random.Random, text: str, other: str) -> str:
    start, end = _cut(rng, text)
    return text[:start] + text[end:]


def _double(rng: random.Random, text: str, other: str) -> str:
    start, end = _cut(rng, text)
    return text[:end] + text[start:end] * rng.choice((1, 1, 1, 2, 4)) + text[end:]


def _swap(rng: random.Random, text: str, other: str) -> str:
    a, b, c, d = sorted((*_cut(rng, text), *_cut(rng, text)))
    return text[:a] + text[c:d] + text[b:c] + text[a:b] + text[d:]


def _fragment(rng: random.Random, text: str, other: str) -> str:
    start, end = _cut(rng, text)
    end = rng.choice((start, end))
    return text[:start] + rng.choice(FRAGMENTS) + text[end:]


def _code_point(rng: random.Random, text: str, other: str) -> str:
    limit = rng.choice((0x80, 0x3000, 0xA000, 0x110000))
    code = rng.randrange(limit)
    place = rng.randint(0, len(text))
    letter = "" if 0xD800 <= code < 0xE000 else chr(code)  # a lone surrogate is no text
    return text[:place] + letter + text[place + rng.randint(0, 1) :]


def _change(rng: random.Random, text: str, other: str) -> str:
    start, end = (0, len(text)) if rng.random() < 0.5 else _cut(rng, text)
    return text[:start] + rng.choice(_CHANGES)(text[start:end]) + text[end:]


_MUTATIONS: Final[tuple[Mutation, ...]] = (
    _fragment, _fragment, _fragment, _splice, _drop, _double, _swap, _code_point, _change,
)  # fmt: skip


def mutated(rng: random.Random, kept: Sequence[str]) -> str:
    """A new text: mostly 5 to 60 characters, one in some hundreds a long repetition."""

    def piece() -> str:
        drawn = rng.random()
        if drawn < 0.3:
            return "".join(rng.choices(FRAGMENTS, k=rng.randint(1, 8)))
        text = rng.choice(kept) if kept and drawn < 0.6 else rng.choice(seeds())
        start = rng.randint(0, max(0, len(text) - 5))
        return text[start : start + rng.randint(5, 60)] if drawn < 0.98 else text

    text = piece()
    for _ in range(rng.choice((1, 1, 2, 2, 3, 5))):
        text = rng.choice(_MUTATIONS)(rng, text, piece())
    if text and rng.random() < 0.003:
        start, end = _cut(rng, text)
        unit = text[start:end] or text
        text = text[:start] + unit * (rng.randint(200, _LONGEST) // len(unit)) + text[end:]
    return text[:_LONGEST]
