"""The month's quotas: counted as we go, the admin warned before they end (protocol sheet, 0)."""

from __future__ import annotations

from typing import Final

from bot.channels.dingtalk.findings import CHANNEL, log_failure
from sales.clock import Clock
from storage import channel_states, dingtalk_usage
from storage.database import Database, Session
from storage.dingtalk_usage import What

WARN_AT: Final = 0.8


class Usage:
    """*limits*: what the company's edition allows in a month; 0 switches the warning off.

    The topic ``usage:…`` is our own count; ``quota:…`` is the platform's word that it is spent.
    """

    def __init__(self, db: Database, clock: Clock, limits: dict[What, int]) -> None:
        self._db = db
        self._clock = clock
        self._limits = limits
        self._seen: dict[What, tuple[str, int]] = {}

    def count(self, what: What) -> None:
        """One more; written beside the traffic."""
        self._db.submit(lambda session: self._count(session, what)).add_done_callback(log_failure)

    def nearly_spent(self, what: What) -> bool:
        """As far as this process has seen this month."""
        month, used = self._seen.get(what, ("", 0))
        limit = self._limits[what]
        return bool(limit) and month == self._month() and used >= limit * WARN_AT

    def used(self, session: Session, what: What) -> tuple[int, int]:
        """What is used this month, and the limit."""
        return dingtalk_usage.used(session, what, month=self._month()), self._limits[what]

    def _count(self, session: Session, what: What) -> None:
        now = self._clock.now()
        used = dingtalk_usage.add(session, what, now=now)
        self._seen[what] = (self._month(), used)
        limit, topic = self._limits[what], f"usage:{what}"
        if limit and used >= limit * WARN_AT:
            detail = {"used": used, "limit": limit, "month": self._month()}
            channel_states.note(session, CHANNEL, topic, "quota_low", detail, now=now)
        elif used == 1:
            state = channel_states.get(session, CHANNEL, topic)
            if state and state.detail.get("month") != self._month():  # last month's
                channel_states.clear(session, CHANNEL, topic, now=now)

    def _month(self) -> str:
        return dingtalk_usage.month_of(self._clock.now())
