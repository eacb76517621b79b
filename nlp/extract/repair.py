"""Terms of the trade that were written as they sound: 眼收 -> 验收, 帐期 -> 账期."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from nlp.pinyin import exact
from nlp.words import is_common, word_set
from sales.facts import Span

_TERMS = word_set(
    """
    验收 交期 账期 质保 样品 样件 样机 电教馆 售后 预付款 预付 尾款 首付 图纸 合同
    回款 招标 投标 标书 发票 打样 审批 签字 拍板 比价 压价 库存 临期 退货 换货
    动销 保质期 认证 资质 兼容 接口 对接 毛刺 超标 备件 配件 滞销 铺货 促销 返点
    违约金 承兑 月结 供货 交货 发货 送货 到货 报价 单价 总价 预算 定金 订金 货款
    加急 排产 工期 漏水 漏油 噪音 精度 耐温 耐压 检测报告 驻厂 案例 样板 竞品 折扣
    优惠 立项 上会 技术协议 复盘 续费 条款 法务 等保 备案 私有化 部署
    """
)
_RARE = 20  # a word counted more often than this is believed as it stands


@cache
def _by_sound() -> dict[str, str]:
    return {exact(term): term for term in sorted(_TERMS)}


@cache
def _heads() -> frozenset[str]:
    return frozenset(sound[:2] for sound in _by_sound())


def repaired(plain: str, names: Sequence[Span]) -> str:
    """*plain* with such terms set right, letter for letter; names stay as they are."""
    sounds = exact(plain)
    table, heads = _by_sound(), _heads()
    out: list[str] | None = None
    for place in range(len(plain) - 1):
        if sounds[place : place + 2] not in heads:
            continue
        for size in (4, 3, 2):
            term = table.get(sounds[place : place + size])
            if term is None or len(term) != size:
                continue
            said = plain[place : place + size]
            if said == term or " " in said or _believed(plain, place, size):
                continue
            if any(start < place + size and place < end for start, end in names):
                continue
            out = out or list(plain)
            out[place : place + size] = term
            break
    return "".join(out) if out else plain


def _believed(plain: str, place: int, size: int) -> bool:
    """Whether the letters are everyday words as they stand, alone or with a neighbour."""
    said = plain[place : place + size]
    if is_common(said, _RARE):
        return True
    left, right = plain[max(0, place - 1) : place + 1], plain[place + size - 1 : place + size + 1]
    return size == 2 and (
        (len(left) == 2 and is_common(left, _RARE * 5))
        or (len(right) == 2 and is_common(right, _RARE * 5))
    )
