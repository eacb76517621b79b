"""What our own settings and rows tell about DingTalk: the month's quotas, and known traps.

Traps are mistakes that the platform does not answer with an error (protocol sheet 0, 1.2, 5, 10).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from bot.channels.dingtalk.usage import WARN_AT
from bot.config import Config
from bot.config_channels import DingTalk as Settings
from storage import dingtalk_traffic, dingtalk_usage, leases
from storage.database import Session
from storage.dingtalk_traffic import Traffic

_TEMPLATE: Final = r"[0-9A-Za-z-]{8,64}\.schema"
_TEMPLATES: Final = re.compile(rf"{_TEMPLATE}( *, *{_TEMPLATE}){{0,2}}")
_ENOUGH_CARDS: Final = 5
_CARDS_FOR: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trap:
    """``code`` and ``detail`` are for ``bot.dingtalk_words``."""

    code: str
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """What this month has used up; ``limit`` 0: nobody said."""

    used: int = 0
    limit: int = 0

    @property
    def percent(self) -> int:
        return self.used * 100 // self.limit if self.limit else 0

    @property
    def is_low(self) -> bool:
        return bool(self.limit) and self.used >= self.limit * WARN_AT


@dataclass(frozen=True, slots=True, kw_only=True)
class DingTalkHealth:
    """``connected``: a Stream connection of one of our processes stands."""

    connected: bool = False
    traffic: Traffic = field(default_factory=Traffic)
    api: Quota = field(default_factory=Quota)
    push: Quota = field(default_factory=Quota)
    traps: tuple[Trap, ...] = ()


def lease_name(settings: Settings) -> str:
    """What a process holds while it is connected."""
    return f"dingtalk:{settings.client_id}"


def look(session: Session, config: Config, *, now: datetime) -> DingTalkHealth:
    settings = config.channels.dingtalk
    month = dingtalk_usage.month_of(now)
    traffic = dingtalk_traffic.look(session)
    return DingTalkHealth(
        connected=bool(leases.holder(session, lease_name(settings), now=now)),
        traffic=traffic,
        api=Quota(used=dingtalk_usage.used(session, "api", month=month), limit=settings.api_quota),
        push=Quota(
            used=dingtalk_usage.used(session, "push", month=month), limit=settings.push_quota
        ),
        traps=tuple(_traps(config, traffic, now)),
    )


def _traps(config: Config, traffic: Traffic, now: datetime) -> Iterator[Trap]:
    settings = config.channels.dingtalk
    if settings.client_id.isdigit():
        yield Trap(code="agent_id_given")
    elif settings.robot_code and settings.robot_code != settings.client_id:
        detail = {"got": settings.robot_code, "expected": settings.client_id}
        yield Trap(code="odd_robot_code", detail=detail)
    odd = [one for one in template_ids(settings) if not is_template_id(one)]
    if odd:
        yield Trap(code="odd_template_id", detail={"ids": odd})
    if template_ids(settings) and not settings.stream and not config.dingtalk_callback_url:
        yield Trap(code="taps_go_nowhere")
    elif (
        traffic.tap_at is None
        and traffic.message_at is not None
        and traffic.cards >= _ENOUGH_CARDS
        and traffic.first_card_at is not None
        and now - traffic.first_card_at > _CARDS_FOR
    ):
        yield Trap(code="no_tap_yet", detail={"cards": traffic.cards})


def template_ids(settings: Settings) -> tuple[str, ...]:
    """As they are set: one key may hold several."""
    given = (settings.card_template_id, settings.form_template_id, settings.notice_template_id)
    return tuple(one.strip() for text in given for one in text.split(",") if one.strip())


def is_template_id(text: str) -> bool:
    """Whether *text* looks like what the platform gives: one, or up to three with commas."""
    return _TEMPLATES.fullmatch(text) is not None
