"""WeCom's error codes, and what each one means for us (protocol sheet, section 3).

Errors come as HTTP 200 with ``errcode``.  Only the code decides; its words tell a person more.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final

import structlog

from bot.channels.base import ChannelAway, ChannelError
from sales.clock import COMPANY_ZONE

log = structlog.get_logger()


class Reaction(Enum):
    RETRY = "retry"  # the platform is busy
    SLOW = "slow"  # we were too many: wait as long as the words say
    TOKEN = "token"  # a fresh token, then once more
    SECRET = "secret"  # no more asking for tokens until somebody mends the settings
    ADMIN = "admin"  # waits until an admin has done something in the console
    MEMBER = "member"  # this person cannot be reached; the admin sees who
    MEDIA = "media"  # of no use with this file
    CODE = "code"  # a card's code is used up
    LOGIN = "login"  # the log-in must begin anew
    REFUSED = "refused"  # our mistake, or nothing that waiting would mend


@dataclass(frozen=True, slots=True)
class Rule:
    reaction: Reaction
    topic: str = ""  # where the admin's list of problems keeps it
    problem: str = ""
    whole_app: bool = False  # every call would be refused as well


def _each(codes: Iterable[int], rule: Rule) -> dict[int, Rule]:
    return dict.fromkeys(codes, rule)


_PERMISSION: Final = "permission"

RULES: Final[dict[int, Rule]] = {
    **_each((-1, 6000, 45033, 45035), Rule(Reaction.RETRY)),
    45009: Rule(Reaction.SLOW, "quota", "too_many_calls"),
    **_each((40014, 41001, 42001), Rule(Reaction.TOKEN)),
    **_each((40001, 40091), Rule(Reaction.SECRET, "token", "bad_secret", True)),
    40013: Rule(Reaction.SECRET, "token", "bad_corp_id", True),
    **_each((60020, 301042), Rule(Reaction.ADMIN, "ip", "untrusted_ip", True)),
    **_each((40056, 301002), Rule(Reaction.ADMIN, _PERMISSION, "wrong_agent", True)),
    **_each((50003, 60031), Rule(Reaction.ADMIN, _PERMISSION, "app_disabled", True)),
    **_each((48001, 48002, 48006), Rule(Reaction.ADMIN, _PERMISSION, "api_forbidden")),
    43012: Rule(Reaction.ADMIN, _PERMISSION, "no_callback_url"),
    48009: Rule(Reaction.ADMIN, _PERMISSION, "contact_secret"),
    48010: Rule(Reaction.ADMIN, "connection", "tls_version", True),
    # Asked for by a page or by a set-up step, which must know at once: nothing waits.
    50001: Rule(Reaction.REFUSED, _PERMISSION, "redirect_domain"),
    **_each((301025, 301055, 301056), Rule(Reaction.REFUSED, _PERMISSION, "approval")),
    **_each(
        (40003, 46004, 60111),  # nobody has this id
        Rule(Reaction.MEMBER, "people", "unknown_member"),
    ),
    **_each(
        (50002, 60011, 60021, 81013),  # somebody whom the app may not see
        Rule(Reaction.MEMBER, "people", "out_of_range"),
    ),
    **_each(
        (40004, 40005, 40006, 40007, 40145, 41006, 44001, 45001, 45007, 301016, 301017, 830002),
        Rule(Reaction.MEDIA),
    ),
    60140: Rule(Reaction.CODE),
    **_each((40029, 42003, 42022), Rule(Reaction.LOGIN)),
    # Bodies that are wrong: ids, types, lengths, characters.
    **_each(
        (40008, 40032, 40033, 40058, 40063, 40206, 44004, 45002, 82001, 82002, 82003, 82004),
        Rule(Reaction.REFUSED),
    ),
    # Cards: task ids and keys, then every field of them; 42052 is a recall that comes too late.
    **_each((*range(42014, 42021), *range(42027, 42053)), Rule(Reaction.REFUSED)),
    # Groups of the app and groups' webhooks.
    **_each((40050, 86001, 86003, 86008, 86215), Rule(Reaction.REFUSED)),
    **_each(
        (93000, 93001, 93004, 93006, 93008, 93017, 93018, 93019),
        Rule(Reaction.REFUSED),
    ),
    # The long connection's own; it reacts by itself.
    **_each((846605, 846608, 846609), Rule(Reaction.REFUSED)),
}
_UNKNOWN: Final = Rule(Reaction.REFUSED)

LOOK_AGAIN_S: Final = 60.0  # how often one call tries whether the admin has mended it
_BUSY_S: Final = (2.0, 5.0)
_FROM_IP = re.compile(r"from ip:\s*([0-9a-fA-F.:]*[0-9a-fA-F])")
_SECRETS = re.compile(r"(access_token|corpsecret|key)=[^&\s,]+", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What the admin must know; ``detail`` is what its words need."""

    topic: str
    problem: str
    detail: dict[str, Any] = field(default_factory=dict)


class WeComError(ChannelError):
    """WeCom said no.  ``errcode`` is its number; ``finding`` is for the admin."""

    code = "wecom"

    def __init__(
        self,
        message: str,
        *,
        errcode: int = 0,
        transient: bool = False,
        retry_after_s: float = 5.0,
        finding: Finding | None = None,
    ) -> None:
        super().__init__(message, transient=transient, retry_after_s=retry_after_s)
        self.errcode = errcode
        self.finding = finding


class TokenRefused(WeComError):
    """The token is over, whatever its time says."""


class CodeSpent(WeComError):
    """The code of a card is used or too old."""


class MediaRefused(WeComError):
    """The platform cannot do anything with this file or its id."""


class MemberUnreachable(WeComError):
    """``users`` cannot be reached: unknown, out of the app's range, or without a licence."""

    def __init__(self, message: str, *, users: tuple[str, ...] = (), **given: Any) -> None:
        super().__init__(message, **given)
        self.users = users


class LoginRefused(WeComError):
    """The code of a log-in is used, too old or made up."""


class WeComAway(ChannelAway):
    """Nothing can be done until the wait is over or an admin acted."""

    code = "wecom_away"

    def __init__(
        self,
        message: str,
        *,
        errcode: int = 0,
        retry_after_s: float = LOOK_AGAIN_S,
        finding: Finding | None = None,
        whole_app: bool = False,
    ) -> None:
        super().__init__(message, retry_after_s=retry_after_s)
        self.errcode = errcode
        self.finding = finding
        self.whole_app = whole_app


_PLAIN: Final[dict[Reaction, type[WeComError]]] = {
    Reaction.TOKEN: TokenRefused,
    Reaction.CODE: CodeSpent,
    Reaction.MEDIA: MediaRefused,
    Reaction.MEMBER: MemberUnreachable,
    Reaction.LOGIN: LoginRefused,
    Reaction.REFUSED: WeComError,
}


def rule_for(errcode: int) -> Rule:
    return RULES.get(errcode, _UNKNOWN)


def error_of(errcode: int, errmsg: str, path: str, *, now: datetime) -> WeComError | WeComAway:
    """The error to raise for an answer with *errcode*."""
    rule, words = rule_for(errcode), cleaned(errmsg)
    if errcode not in RULES:
        log.error("wecom: unknown error code", errcode=errcode, path=path, words=words)
    message = f"wecom {errcode} at {path}: {words}"
    finding = _finding(rule, errcode, words)
    if rule.reaction is Reaction.RETRY:
        wait_s = random.uniform(*_BUSY_S)  # whoever collided must not meet again
        return WeComError(message, errcode=errcode, transient=True, retry_after_s=wait_s)
    if rule.reaction is Reaction.SLOW:
        wait_s = slow_down_s(words, path, now=now)
        return WeComAway(message, errcode=errcode, retry_after_s=wait_s, finding=finding)
    if rule.reaction in (Reaction.ADMIN, Reaction.SECRET):
        return WeComAway(message, errcode=errcode, finding=finding, whole_app=rule.whole_app)
    return _PLAIN[rule.reaction](message, errcode=errcode, finding=finding)


def slow_down_s(words: str, path: str, *, now: datetime) -> float:
    """How long to stay away after 45009: by the words the next day, an hour, or a minute."""
    words = words.lower()
    if re.search(r"\b(day|daily)\b", words):
        local = now.astimezone(COMPANY_ZONE)
        morning = (local + timedelta(days=1)).replace(hour=0, minute=5, second=0, microsecond=0)
        return (morning - local).total_seconds()
    # Too many wrong calls for a token get the whole address banned for an hour.
    return 3600.0 if re.search(r"\bhour", words) or path == "gettoken" else 60.0


def cleaned(errmsg: str) -> str:
    """The platform's words for logs and reasons: its hint and our address, never a secret."""
    words = " ".join(str(errmsg).split())
    return _SECRETS.sub(r"\1=…", words)[:300]


def _finding(rule: Rule, errcode: int, words: str) -> Finding | None:
    if not rule.problem:
        return None
    detail: dict[str, Any] = {"errcode": errcode, "words": words}
    if found := _FROM_IP.search(words):
        detail["ip"] = found[1]
    return Finding(topic=rule.topic, problem=rule.problem, detail=detail)
