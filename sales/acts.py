"""Whether two wordings tell one act: 发报价 and 把报价发过去 do, 发货 and 开发票 do not.

Only clear cases: the thing of one must be in the other, and what is done with it must not differ.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

# Words in which a verb's letter is none; they stay part of the thing.
_THINGS: Final = (
    "发票|回执|回单|开关|交期|出库单|签收单|发货单|送货单|结算单|转换器|补丁|装机|出厂|开工|开会"
)
# What says nothing about the act itself: how, to whom, which way, how many.
_IDLE: Final = (
    "过去|过来|出来|出去|上来|上去|下来|下去|回来|回去|起来|一下|尽快|抓紧|马上|重新|正式|最新|"
    "最终|详细|安排|准备|整理|一定|之前|以前|他们|她们|我们|客户|对方|"
    r"[的了把他她我你您咱就再先都也还会要能让叫请帮那这些个份版本次新单表书和及\d零一二两三四五六七八九十百千万来去好]"
)
_VERBS: Final[Mapping[str, str]] = {
    "hand": "提供|提交|补发|发|寄|送|给|交|带|拿|递|传|补|出",
    "pay": "付|打|汇|转|结|缴",
    "sign": "签|盖",
    "open": "开",
    "answer": "回复|答复|回话|回音|回|答",
    "arrive": "到",
    "mend": "修|换",
    "install": "安装|装",
}
_WORD: Final = re.compile(
    "|".join(
        (
            f"(?P<thing>{_THINGS})",
            f"(?P<idle>{_IDLE})",
            *(f"(?P<{kind}>{words})" for kind, words in _VERBS.items()),
            r"(?P<letter>\w)",
        )
    )
)


def same_act(one: str, other: str) -> bool:
    """Whether both wordings tell the same act."""
    if one == other:
        return True
    (verbs, thing), (other_verbs, other_thing) = _read(one), _read(other)
    if thing and other_thing:
        alike = not verbs or not other_verbs or bool(verbs & other_verbs)
        return alike and (thing <= other_thing or other_thing <= thing)
    # 答复他 and 给他回复 name no thing and need none; 发他 and 送 could be of anything.
    return not thing and not other_thing and bool((verbs & other_verbs) - {"hand"})


def _read(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """What is done, by kind, and the letters of what it is done with."""
    verbs: set[str] = set()
    thing: set[str] = set()
    for match in _WORD.finditer(text):
        kind = match.lastgroup or ""
        if kind in _VERBS:
            verbs.add(kind)
        elif kind != "idle":
            thing.update(match[0])
    return frozenset(verbs), frozenset(thing)
