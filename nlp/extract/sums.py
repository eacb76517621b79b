"""Sums of money of a memo: those the reader is sure of, and bare numbers that the talk makes sums.

"网上一千九" names no unit; beside 贵 and a price it is one all the same.
"""

from __future__ import annotations

import re
from dataclasses import replace

from nlp.amounts import AmountHit, find_amounts
from sales.facts import Span

_WORDS = "单价|总价|报价|价格|原价|底价|价|成本|预付款?|尾款|货款|定金|订金|首付|欠款|余款|保证金|质保金|违约金|预算|经费|合同额|合同金额|总金额|金额|费用?|运费"
_BEFORE = re.compile(
    rf"(?:{_WORDS}|(?:一|每)(?:台|套|箱|件|盒|瓶|支|条|米|吨|公斤|斤|个|只|张|包|袋|桶|年|月)|报|卖|要价|开价|降到|压到|砍到|给到|做到|让到|谈到|涨到|花了?|收|付|打款?|汇|欠|才|只要|便宜|贵|少|差)(?:了|是|的|大概|大约|差不多|到|的|在|就|也|按|原来|现在|我们|他们|他|她|客户|给|只有|只要|只|才|还)*[ ,，]?$"
)
_AFTER = re.compile(
    rf"^(?:的|左右|多)?(?:{_WORDS}|款|一(?:台|个|套|只|吨|年|月|件|箱|盒|瓶|支|条|米|公斤|斤)|每|钱|块|打过来|付清|打款)"
)
_TOO_MUCH = re.compile(r"^(?:块|元)?(?:太|有点|偏|还是)(?:贵|高)|^太贵")
_NUMBER = re.compile(r"[一二两三四五六七八九十百千万\d][零一二两三四五六七八九十百千万\d.]+")
_PLACE = re.compile(
    r"(?:^|[ ,，。]|我们|他们|网上|别家|别人|对方|客户|对手|厂家|供应商|隔壁|那家|那边|这边|现在|目前|去年|上次|之前|报|才|只要|能不能|最低|最多|希望|要|说)$"
)
_NOT_AFTER = re.compile(
    r"(?:多|来|几)?(?:台|套|个|件|只|天|年|月(?!底|初|中)|号|日|度|点|楼|层|周|岁|%|人|家|次|吨|米|升|瓶|箱|盒|袋|支|条|张|片|平|公里|小时|分钟|折|成|倍|转|级|寸|斤|公斤|毫|厘|批|组|根|块板|辆|间|栋|床|桶|包|卷|副|双|页|份|位|名|辈|期|季|代|代理|千瓦|伏|安|赫|兆|秒|线|系|[A-Za-z])"
)
_NOT_BEFORE = re.compile(
    r"(?:周|星期|礼拜|第|型号|编号|电话|手机|[A-Za-z\-]|耐温|温度|压力|精度|转速|功率|年用量|用量|产能|数量|订量|一共要|还要|再要|百分之|零点)$"
)
_MONEY_TALK = re.compile(r"贵|便宜|价|报了|报的|预算|钱|款|成本")
_MEASURED = re.compile(
    r"(?:度|公斤|兆帕|毫米|微米|转|千瓦|小时)[^，。]{0,6}$"
)  # 一百八十度 我们现在一百五
_SMALLEST = 10  # a smaller bare number is more likely a count
_NEAR = 24


def find_sums(plain: str, names: tuple[Span, ...], days: tuple[Span, ...]) -> list[AmountHit]:
    """Sums in *plain* in order; *names* and *days* are places of other things."""
    sure = [
        hit for hit in find_amounts(plain) if hit.unit == "CNY" and not _touches(hit.span, names)
    ]
    taken = (*names, *days, *(hit.span for hit in sure))
    if not _has_number(plain, taken):
        return sure
    bare = [
        replace(hit, unit="CNY")
        for hit in find_amounts(plain, numbers=True)
        if hit.unit is None and not _touches(hit.span, taken) and _is_sum(plain, hit, sure)
    ]
    return sorted((*sure, *bare), key=lambda hit: hit.span)


def _has_number(plain: str, taken: tuple[Span, ...]) -> bool:
    """Whether a number is left that might be a sum; most memos have none, and reading costs."""
    return any(
        not _touches(match.span(), taken) and not _NOT_AFTER.match(plain, match.end())
        for match in _NUMBER.finditer(plain)
    )


def _touches(span: Span, others: tuple[Span, ...]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in others)


def _is_sum(plain: str, hit: AmountHit, sure: list[AmountHit]) -> bool:
    """Whether the words around a bare number make it money."""
    if not isinstance(hit.value, (int, float)) or hit.value < _SMALLEST:
        return False
    start, end = hit.span
    before, after = plain[max(0, start - 10) : start], plain[end : end + 6]
    if _NOT_BEFORE.search(before) or _NOT_AFTER.match(after) or (after[:1].isdigit()):
        return False
    if _AFTER.match(after) and not re.match(r"每", after):
        return True
    if _BEFORE.search(before) or _TOO_MUCH.match(after):
        return True
    if _MEASURED.search(before):
        return False
    closed = not after.strip() or after[0] in " ,，。！？;；的吧啊就他她我以" or hit.value >= 1000
    near = any(abs(one.span[0] - start) <= _NEAR for one in sure)
    talk = _MONEY_TALK.search(plain, max(0, start - _NEAR), min(len(plain), end + _NEAR))
    return bool(closed and _PLACE.search(before) and (near or talk) and _is_round(hit))


def _is_round(hit: AmountHit) -> bool:
    """Whether the number looks like a price: 一千九, 七千五; not 2026."""
    value = float(hit.value)  # type: ignore[arg-type]
    return value >= 100 and not (hit.text.isdigit() and 1990 <= value <= 2100)
