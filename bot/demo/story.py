"""What was said in half a year of visits: made up, from a fixed seed, relative to the load date."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

_SEED: Final = 20260302
_DAYS: Final = 180

# How many days lie between two contacts, and how long ago the last one was.
_RHYTHM: Final[Mapping[str, tuple[tuple[int, int], tuple[int, int]]]] = {
    "busy": ((5, 13), (1, 3)),
    "normal": ((9, 22), (3, 6)),
    "slow": ((16, 32), (9, 16)),
    "silent": ((14, 30), (33, 75)),
    "lost": ((9, 20), (15, 26)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    who: str  # us customer
    what: str
    after: int  # days until it is due


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """``{c}`` is the contact, ``{p}`` the product, ``{n}`` a number of pieces."""

    kind: str  # memo visit call message
    summary: str
    text: str
    objection: tuple[str, str] | None = None  # category, words
    promise: Promise | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    at: datetime
    scene: Scene
    summary: str
    text: str
    promised: str  # '' when nothing was
    objection: tuple[str, str] | None


_SCENES: Final = (
    Scene(
        kind="visit",
        summary="首次拜访，了解{p}的使用情况",
        text="第一次去见{c}，看了现场，{p}用了七八年，密封面磨损，每年换一批。",
        promise=Promise(who="us", what="发{p}样本和业绩表", after=3),
    ),
    Scene(
        kind="memo",
        summary="{c}要{n}台{p}的参数表",
        text="跟{c}碰了一下，要{n}台{p}，先看参数表和密封等级，温度压力他发给我们。",
        promise=Promise(who="us", what="发{p}参数表", after=2),
    ),
    Scene(
        kind="call",
        summary="电话确认介质和口径",
        text="{c}电话里说介质带一点颗粒，口径大多是两百，{p}要能在线检修。",
        promise=Promise(who="customer", what="发来管道图纸", after=5),
    ),
    Scene(
        kind="memo",
        summary="嫌{p}交期长",
        text="{c}说检修窗口只有十天，我们{p}的交期太长了，问能不能分批发。",
        objection=("交期", "{p}的交期太长"),
        promise=Promise(who="us", what="问生产能否分批发货", after=2),
    ),
    Scene(
        kind="memo",
        summary="对比国泰的价格",
        text="{c}说国泰的{p}便宜百分之八，问我们贵在哪里，我讲了阀座材质和质保。",
        objection=("价格", "国泰的{p}便宜百分之八"),
        promise=Promise(who="us", what="发两家材质对比表", after=3),
    ),
    Scene(
        kind="visit",
        summary="带冯工做技术交流",
        text="带冯工去做了技术交流，{c}和车间的人都在，{p}的扭矩和行程确认了。",
        promise=Promise(who="us", what="出技术交流纪要", after=2),
    ),
    Scene(
        kind="message",
        summary="发了报价，等评审",
        text="报价发给{c}了，{n}台{p}，他说下周上评审会。",
        promise=Promise(who="customer", what="回复评审结果", after=8),
    ),
    Scene(
        kind="call",
        summary="付款方式要谈",
        text="{c}说他们一般是三六一付款，预付款三成到不了，要走特批。",
        objection=("付款账期", "预付款三成到不了"),
        promise=Promise(who="us", what="跟财务确认付款方式", after=4),
    ),
    Scene(
        kind="memo",
        summary="质保期要求两年",
        text="{c}提出{p}质保要两年，宏胜答应了两年，我们标准是十八个月。",
        objection=("质量", "质保要两年"),
        promise=Promise(who="us", what="申请两年质保", after=5),
    ),
    Scene(
        kind="memo",
        summary="预算还没批下来",
        text="{c}说预算报上去了，还在等集团批，月底会有消息。",
        objection=("预算", "预算还在等集团批"),
        promise=Promise(who="customer", what="告知预算批复结果", after=10),
    ),
    Scene(
        kind="visit",
        summary="看了同行的使用现场",
        text="陪{c}看了同行的现场，{p}用了三年没有外漏，他比较满意。",
    ),
    Scene(
        kind="message",
        summary="发了资质和业绩",
        text="{c}要供应商入库资料，资质、业绩、三体系证书都发过去了。",
        promise=Promise(who="customer", what="办好供应商入库", after=12),
    ),
    Scene(
        kind="call",
        summary="例行联系，暂无新需求",
        text="给{c}打了电话，这个月检修推迟，没有新的采购，约了下个月再看。",
    ),
    Scene(
        kind="memo",
        summary="{c}催样品",
        text="{c}催{p}的样品，车间想先装一台试试，试好了再定{n}台。",
        promise=Promise(who="us", what="寄一台{p}样品", after=4),
    ),
)


_TITLES: Final = (
    "总工",
    "经理",
    "主管",
    "部长",
    "处长",
    "科长",
    "厂长",
    "站长",
    "店长",
    "主任",
    "总监",
)


def _address(name: str, role: str) -> str:
    """How a salesman calls somebody: 赵经理, 黄工, 顾总."""
    if role == "工程师":
        return f"{name[0]}工"
    title = next((one for one in _TITLES if role.endswith(one)), "总")
    return name[0] + title


class Teller:
    """One made-up history; the same seed tells the same story."""

    def __init__(self, *, now: datetime, zone: ZoneInfo) -> None:
        self._random = random.Random(_SEED)
        self._now = now
        self._zone = zone
        self.today = now.astimezone(zone).date()

    def history(self, customer: Mapping[str, Any]) -> list[Event]:
        """The contacts with one customer, oldest first, all on working days before today."""
        gaps, last = _RHYTHM[customer["rhythm"]]
        contact = customer["contacts"][0]
        name = _address(contact["name"], contact["role"])
        product = customer.get("deal", {}).get("product", "球阀")
        days = list(self._days(gaps, last))[::-1]
        later = self._random.sample(_SCENES[1:], len(_SCENES) - 1)
        events = []
        for index, day in enumerate(days):
            scene = later[index % len(later)] if index else _SCENES[0]
            words = {"c": name, "p": product, "n": self._random.choice((2, 4, 6, 10, 15, 20))}
            events.append(
                Event(
                    at=self._moment(day),
                    scene=scene,
                    summary=scene.summary.format(**words),
                    text=scene.text.format(**words),
                    promised=scene.promise.what.format(**words) if scene.promise else "",
                    objection=(scene.objection[0], scene.objection[1].format(**words))
                    if scene.objection
                    else None,
                )
            )
        return events

    def due(self, days: int) -> date:
        return self.today + timedelta(days=days)

    def past(self, days: int) -> datetime:
        """That many days ago, in the middle of the working day."""
        return self._at(self.today - timedelta(days=days), time(10, 30))

    def _days(self, gaps: tuple[int, int], last: tuple[int, int]) -> Iterator[date]:
        ago = self._random.randint(*last)
        while ago < _DAYS:
            day = self.today - timedelta(days=ago)
            weekend = max(0, day.weekday() - 4)  # Saturday and Sunday go back to Friday
            yield day - timedelta(days=weekend)
            ago += max(self._random.randint(*gaps), weekend + 1)

    def _moment(self, day: date) -> datetime:
        minute = self._random.randint(9 * 60, 17 * 60 + 30)
        return self._at(day, time(minute // 60, minute % 60))

    def _at(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, self._zone)
