"""DingTalk's error codes, and what each one means for us (protocol sheet, sections 4.4, 5.2, 6).

Two families of addresses: v1.0 answers with an HTTP status and a code in words, oapi with HTTP 200
and a number.  Only codes decide; the platform's words tell a person more.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

import structlog

from bot.channels.base import ChannelAway, ChannelError, OutcomeUnknown

log = structlog.get_logger()


class Reaction(Enum):
    RETRY = "retry"  # busy, or we were too fast
    SLOW = "slow"  # refused for a minute or more
    UNKNOWN = "unknown"  # it may have been done
    TOKEN = "token"  # a fresh token, then once more
    SECRET = "secret"  # the app's key or secret is wrong
    ADMIN = "admin"  # waits until an admin has done something in the console
    QUOTA = "quota"  # the month's calls are used up
    PERSON = "person"  # this person cannot be reached; the admin sees who
    MEDIA = "media"  # of no use with this file
    CARD = "card"  # no card can be drawn, so words must do
    CARD_EXISTS = "card exists"
    CARD_GONE = "card gone"
    REFUSED = "refused"  # our mistake, or nothing that waiting would mend


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What the admin must know; ``detail`` is what its words need."""

    topic: str
    problem: str
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rule:
    reaction: Reaction
    topic: str = ""
    problem: str = ""


class DingTalkError(ChannelError):
    """DingTalk said no.  ``word`` is its word or number for it."""

    code = "dingtalk"

    def __init__(
        self,
        message: str,
        *,
        word: str = "",
        transient: bool = False,
        retry_after_s: float = 5.0,
        finding: Finding | None = None,
    ) -> None:
        super().__init__(message, transient=transient, retry_after_s=retry_after_s)
        self.word = word
        self.finding = finding

    @property
    def errcode(self) -> int:
        """The old API's number; 0 for words."""
        return int(self.word) if self.word.lstrip("-").isdigit() else 0


class DingTalkAway(ChannelAway):
    """Nothing can be done until the wait is over or an admin acted."""

    code = "dingtalk_away"

    def __init__(
        self,
        message: str,
        *,
        word: str = "",
        reaction: Reaction = Reaction.SLOW,
        retry_after_s: float = 60.0,
        finding: Finding | None = None,
    ) -> None:
        super().__init__(message, retry_after_s=retry_after_s)
        self.word = word
        self.errcode = int(word) if word.lstrip("-").isdigit() else 0
        self.reaction = reaction
        self.finding = finding


class TokenRefused(DingTalkError):
    """The token is over, whatever its time says."""


class PersonUnreachable(DingTalkError):
    """Unknown, or outside the app's visible range."""


class MediaRefused(DingTalkError):
    """The platform cannot do anything with this file or its code."""


class CardRefused(DingTalkError):
    """No card: the template is missing or not published, or what it should hold is refused."""


class CardExists(DingTalkError):
    """A card with this ``outTrackId`` is there already."""


class CardGone(DingTalkError):
    """There is no card with this ``outTrackId``."""


_PERMISSION: Final = "permission"
_DENIED: Final = "Forbidden.AccessDenied."


def _each(codes: Iterable[str], rule: Rule) -> dict[str, Rule]:
    return dict.fromkeys(codes, rule)


_V1: Final[dict[str, Rule]] = {
    "InvalidAuthentication": Rule(Reaction.TOKEN),
    **_each(
        ("invalidClientIdOrSecret", "invalidClientId", "invalidClientSecret"),
        Rule(Reaction.SECRET, "token", "bad_secret"),
    ),
    f"{_DENIED}AccessTokenPermissionDenied": Rule(Reaction.ADMIN, _PERMISSION, "no_permission"),
    f"{_DENIED}IpNotInWhiteList": Rule(Reaction.ADMIN, "ip", "untrusted_ip"),
    **_each(
        (
            f"{_DENIED}QpsLimitForAppkeyAndApi",
            f"{_DENIED}QpsLimitForApi",
            "system.busy",
            "system.error",
        ),
        Rule(Reaction.RETRY),
    ),
    **_each((f"{_DENIED}QpmLimitForAppkeyAndApi", "send.too.fast"), Rule(Reaction.SLOW)),
    f"{_DENIED}ApiCountLimitForOrg": Rule(Reaction.QUOTA, "quota:api", "quota_spent"),
    "unknown.send.result": Rule(Reaction.UNKNOWN),
    **_each(
        (
            "staffId.notExisted",
            "robot.oto.notExist",
            "chatbotId.notAllow.sendOTO",
            "param.userIdNotExist",
            "invalidParameter.userIds.empty",
        ),
        Rule(Reaction.PERSON),
    ),
    **_each(
        (
            "invalidParameter.robotCode.empty",
            "invalidParameter.robotCode.invalid",
            "invalidParameter.robotCode.notExsit",  # as the platform spells it
            "invalidParameter.robotCode.auth",
            "resource.not.found",
        ),
        Rule(Reaction.ADMIN, "robot", "wrong_robot_code"),
    ),
    "bot.stopped": Rule(Reaction.ADMIN, "robot", "robot_stopped"),
    "invalidParameter.robotCode.downloadCode": Rule(Reaction.MEDIA),
    **_each(
        ("param.templateNotExist", "template.not.existed"),
        Rule(Reaction.CARD, "card", "template_missing"),
    ),
    **_each(
        ("param.templateUnpublished", "template.stopped"),
        Rule(Reaction.CARD, "card", "template_unpublished"),
    ),
    "param.cardAlreadyExist": Rule(Reaction.CARD_EXISTS),
    "param.cardNotExist": Rule(Reaction.CARD_GONE),
}
_OAPI: Final[dict[int, Rule]] = {
    **dict.fromkeys((40014, 42001, 40001, 33001), Rule(Reaction.TOKEN)),
    40089: Rule(Reaction.SECRET, "token", "bad_secret"),
    60011: Rule(Reaction.ADMIN, _PERMISSION, "no_permission"),
    60020: Rule(Reaction.ADMIN, "ip", "untrusted_ip"),
    **dict.fromkeys((90018, 90002, -1, 15, 88), Rule(Reaction.RETRY)),
    **dict.fromkeys((90003, 90004, 90005, 90006), Rule(Reaction.SLOW)),
    90020: Rule(Reaction.QUOTA, "quota:api", "quota_spent"),
    **dict.fromkeys((33012, 60121, 50002), Rule(Reaction.PERSON)),
    **dict.fromkeys((40004, 40005, 40006), Rule(Reaction.MEDIA)),
}
_BUSY: Final = frozenset((429, 500, 503))
_DOWNLOAD: Final = "/v1.0/robot/messageFiles/download"
_SECRETS = re.compile(r"(access_token|appsecret|appkey|ticket|session)=[^&\s,]+", re.I)
_IP = re.compile(r"(?:request )?ip\s*[=:：]\s*([0-9a-fA-F.:]*[0-9a-fA-F])")
_SCOPE = re.compile(r"[\[：:]\s*([A-Za-z_]+(?:[._][A-Za-z_]+)+)")

LOOK_AGAIN_S: Final = 60.0  # how often one message tries whether the admin has mended it
SECRET_WAIT_S: Final = 600.0
QUOTA_WAIT_S: Final = 3600.0
BAN_WAIT_S: Final = 300.0
_BUSY_S: Final = (1.0, 3.0)


def from_v1(status: int, answer: Mapping[str, Any], path: str) -> ChannelError:
    """The error to raise for an answer of ``api.dingtalk.com`` that is not 2xx."""
    errcode = str(answer.get("code") or "")
    rule = _V1.get(errcode) or _by_status(status, errcode)
    if path == _DOWNLOAD and errcode.startswith("invalidParameter.robotCode."):
        rule = Rule(Reaction.MEDIA)  # says something about this file's code, not about the app
    message = f"dingtalk {status} {errcode} at {path}: {cleaned(answer.get('message'))}"
    detail = _detail(answer.get("message"))
    wanted = answer.get("accessdenieddetail")
    if isinstance(wanted, Mapping) and wanted.get("requiredScopes"):
        detail["scopes"] = [str(one) for one in wanted["requiredScopes"]]
    return _error(rule, errcode, message, detail)


def from_oapi(errcode: int, errmsg: str, path: str, sub_code: str = "") -> ChannelError:
    """The error to raise for an answer of ``oapi.dingtalk.com`` with *errcode*."""
    number = int(sub_code) if errcode == 88 and sub_code.isdigit() else errcode
    if errcode == 88 and not sub_code and "subcode=60011" in errmsg:
        number = 60011
    rule = _OAPI.get(number, Rule(Reaction.REFUSED))
    message = f"dingtalk {errcode} at {path}: {cleaned(errmsg)}"
    return _error(rule, str(number), message, _detail(errmsg))


def bad_secret(status: int, answer: Mapping[str, Any]) -> ChannelError:
    """Whatever the platform calls it: asked for a token, it does not take our key and secret."""
    errcode = str(answer.get("code") or "")
    words = answer.get("message")
    message = f"dingtalk {status} {errcode}: {cleaned(words)}"
    return _error(_V1["invalidClientIdOrSecret"], errcode, message, _detail(words))


def banned(path: str) -> DingTalkAway:
    """The firewall answered instead of the platform, with a page or in its own JSON."""
    finding = Finding(topic="ip", problem="ip_banned")
    return DingTalkAway(
        f"dingtalk: our address is blocked for a while, at {path}",
        word="banned",
        retry_after_s=BAN_WAIT_S,
        finding=finding,
    )


def cleaned(words: Any) -> str:
    """The platform's words for logs and reasons, never a secret."""
    return _SECRETS.sub(r"\1=…", " ".join(str(words or "").split()))[:300]


def _by_status(status: int, errcode: str) -> Rule:
    if status in _BUSY:
        return Rule(Reaction.RETRY)
    if status == 504:
        return Rule(Reaction.UNKNOWN)
    if status == 401:
        return Rule(Reaction.TOKEN)
    if errcode.startswith("param."):
        return Rule(Reaction.CARD, "card", "card_refused")
    return Rule(Reaction.REFUSED)


def _error(rule: Rule, errcode: str, message: str, detail: dict[str, Any]) -> ChannelError:
    finding = None
    if rule.problem:
        topic = rule.topic
        if rule.topic == _PERMISSION and detail.get("scopes"):
            topic = f"{_PERMISSION}:{detail['scopes'][0]}"
        finding = Finding(topic=topic, problem=rule.problem, detail={"code": errcode, **detail})
    match rule.reaction:
        case Reaction.RETRY:
            wait_s = random.uniform(*_BUSY_S)  # whoever collided must not meet again
            return DingTalkError(message, word=errcode, transient=True, retry_after_s=wait_s)
        case Reaction.UNKNOWN:
            return OutcomeUnknown(message, transient=True)
        case Reaction.SLOW | Reaction.SECRET | Reaction.ADMIN | Reaction.QUOTA:
            wait_s = {Reaction.SECRET: SECRET_WAIT_S, Reaction.QUOTA: QUOTA_WAIT_S}.get(
                rule.reaction, LOOK_AGAIN_S
            )
            return DingTalkAway(
                message,
                word=errcode,
                reaction=rule.reaction,
                retry_after_s=wait_s,
                finding=finding,
            )
    kind = _KINDS.get(rule.reaction, DingTalkError)
    return kind(message, word=errcode, finding=finding)


_KINDS: Final[dict[Reaction, type[DingTalkError]]] = {
    Reaction.TOKEN: TokenRefused,
    Reaction.PERSON: PersonUnreachable,
    Reaction.MEDIA: MediaRefused,
    Reaction.CARD: CardRefused,
    Reaction.CARD_EXISTS: CardExists,
    Reaction.CARD_GONE: CardGone,
}


def _detail(words: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"words": cleaned(words)}
    if found := _IP.search(str(words or "")):
        made["ip"] = found[1]
    if scopes := _SCOPE.findall(str(words or "")):
        made["scopes"] = scopes
    return made
