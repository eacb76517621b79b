"""How a platform's channel is, as the database knows it; for doctor and the set-up page."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from bot import dingtalk_health
from bot.config import Config
from bot.dingtalk_health import DingTalkHealth
from storage import (
    callback_attempts,
    channel_states,
    directory,
    leases,
    platform_tokens,
)
from storage.callback_attempts import Attempt
from storage.channel_states import State
from storage.database import Session
from storage.directory import Lacks, Status

_ALL = 2 * callback_attempts.KEPT
_ARRIVED = ("accepted", "repeat", "ignored", "verified")


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """``attempts``: the newest first.  ``connected``: the platform let us in.

    ``dingtalk``: what only that one has.
    """

    problems: tuple[State, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    connected: bool = False
    directory: Status = field(default_factory=Status)
    lacks: Lacks = field(default_factory=Lacks)
    dingtalk: DingTalkHealth | None = None

    @property
    def last_call(self) -> Attempt | None:
        """The last one that came from the platform for certain."""
        return next((one for one in self.attempts if one.outcome in _ARRIVED), None)

    @property
    def last_refused(self) -> Attempt | None:
        return next((one for one in self.attempts if one.outcome not in _ARRIVED), None)

    def problem(self, topic: str) -> State | None:
        return next((one for one in self.problems if one.topic == topic), None)


def look(session: Session, config: Config, channel: str, *, now: datetime) -> Health:
    people = channel.removesuffix("_bot")  # whose user ids it uses
    mine = dingtalk_health.look(session, config, now=now) if channel == "dingtalk" else None
    return Health(
        problems=tuple(channel_states.problems(session, channel)),
        attempts=tuple(callback_attempts.latest(session, channel, limit=_ALL)),
        connected=mine.connected if mine else _connected(session, config, channel, now),
        directory=directory.status(session, people),
        lacks=directory.lacks(session, people),
        dingtalk=mine,
    )


def token_app(config: Config) -> str:
    """The name under which the token of WeCom's app is kept."""
    wecom = config.channels.wecom
    return f"wecom:{wecom.corp_id}:{wecom.agent_id}"


def _connected(session: Session, config: Config, channel: str, now: datetime) -> bool:
    if channel == "wecom_bot":
        name = f"wecom_bot:{config.channels.wecom_bot.bot_id}"
        return bool(leases.holder(session, name, now=now))
    return bool(platform_tokens.get(session, token_app(config)).token)
