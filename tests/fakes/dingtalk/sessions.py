"""Webhooks that need no token: of a conversation for a while, and of a custom robot
(protocol sheet, 4.5 and 4.6)."""

from __future__ import annotations

import hmac
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from tests.fakes.dingtalk import crypto
from tests.fakes.dingtalk.errors import OapiError
from tests.fakes.dingtalk.gate import Ask, Route
from tests.fakes.dingtalk.state import App, Json, Message, World

_NEEDED: Final[dict[str, tuple[str, ...]]] = {
    "text": ("content",),
    "markdown": ("title", "text"),
    "actionCard": ("title", "text"),
    "link": ("title", "text", "messageUrl"),
    "feedCard": ("links",),
}
_AT_ABLE: Final = ("text", "markdown", "actionCard")


@dataclass(eq=False)
class Session:
    url: str
    app: App
    chat: str
    user: str  # '' in a group
    ends: datetime
    sent: deque[datetime] = field(default_factory=deque)


@dataclass(eq=False)
class CustomRobot:
    token: str
    secret: str  # '' when it is guarded by a keyword
    keyword: str
    group: str
    sent: deque[datetime] = field(default_factory=deque)
    blocked_until: datetime | None = None
    seen: dict[str, Json] = field(default_factory=dict)  # msgUuid -> answer
    disabled: bool = False

    def url(self, base: str) -> str:
        return f"{base}/robot/send?access_token={self.token}"


class Sessions:
    def __init__(self, world: World) -> None:
        self._world = world
        self.sessions: dict[str, Session] = {}
        self.robots: dict[str, CustomRobot] = {}

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/robot/sendBySession", self._by_session, "oapi", "none"),
            Route("POST", "/robot/send", self._custom, "oapi", "none"),
        ]

    def open(self, app: App, chat: str, user: str) -> Session:
        number = self._world.draw("", 32)
        url = f"{self._world.bases['oapi']}/robot/sendBySession?session={number}"
        ends = self._world.after(self._world.rules.session_life_s)
        session = Session(url, app, chat, user, ends)
        self.sessions[number] = session
        return session

    async def _by_session(self, ask: Ask) -> Json:
        world = self._world
        session = self.sessions.get(ask.request.query.get("session", ""))
        if session is None or session.ends <= world.now():
            raise OapiError(300001, "session 不存在")
        ask.call.app = session.app
        kind, content, at = self._message(ask)
        if world.over("push"):
            raise OapiError(90020, "本月 Webhook 与 Stream 推送量已用完")
        self._in_time(session.sent)
        world.count("push")
        group = "" if session.user else session.chat
        world.post(Message("session", session.user, group, kind, content, world.now(), at_users=at))
        return {"errcode": 0, "errmsg": "ok"}

    async def _custom(self, ask: Ask) -> Json:
        world = self._world
        robot = self.robots.get(ask.request.query.get("access_token", ""))
        if not ask.request.query.get("access_token"):
            raise OapiError(400101, "access_token 缺失")
        if robot is None:
            raise OapiError(300001, "token is not exist")
        if robot.disabled:
            raise OapiError(400102, "机器人已停用")
        if world.groups[robot.group].disbanded:
            raise OapiError(400013, "群已被解散")
        self._guarded(robot, ask)
        kind, content, at = self._message(ask)
        if robot.keyword and robot.keyword not in ask.call.raw.decode():
            raise OapiError(310000, "keywords not in content")
        number = ask.body.get("msgUuid")
        if number in robot.seen:
            return robot.seen[number]
        if robot.blocked_until is not None and robot.blocked_until > world.now():
            raise OapiError(410100, "发送速度太快而限流")
        try:
            self._in_time(robot.sent)
        except OapiError:
            robot.blocked_until = world.after(world.rules.webhook_block_s)
            raise
        world.count("push")
        world.post(Message("custom", "", robot.group, kind, content, world.now(), at_users=at))
        answer: Json = {"errcode": 0, "errmsg": "ok"}
        if number:
            robot.seen[str(number)] = answer
        return answer

    def _guarded(self, robot: CustomRobot, ask: Ask) -> None:
        if not robot.secret:
            return
        stamp, sign = ask.request.query.get("timestamp", ""), ask.request.query.get("sign", "")
        if not stamp.isdigit() or abs(self._world.now_ms() - int(stamp)) > 3_600_000:
            raise OapiError(310000, "invalid timestamp")
        wanted = crypto.robot_sign(robot.secret, stamp)
        if not hmac.compare_digest(wanted.encode(), sign.encode()):
            raise OapiError(310000, "sign not match")

    def _in_time(self, sent: deque[datetime]) -> None:
        now = self._world.now()
        while sent and sent[0] <= now - timedelta(seconds=60):
            sent.popleft()
        if len(sent) >= self._world.rules.webhook_per_min:
            raise OapiError(130101, "send too fast, exceed 20 times per minute")
        sent.append(now)

    def _message(self, ask: Ask) -> tuple[str, Json, list[str]]:
        """Kind, content and the people who are named with an @ in it."""
        if ask.request.content_type != "application/json":
            raise OapiError(43004, "无效的HTTP HEADER Content-Type")
        if not ask.body:
            raise OapiError(40035, "不合法的参数")
        if len(ask.call.raw) > self._world.rules.webhook_bytes:
            raise OapiError(460101, "message too long, exceed 20000 bytes")
        kind = ask.body.get("msgtype")
        if kind not in _NEEDED:
            raise OapiError(400105, "不支持的消息类型")
        content = ask.body.get(kind)
        if not isinstance(content, dict):
            raise OapiError(40035, f"缺少参数 {kind}")
        for name in _NEEDED[kind]:
            if not content.get(name):
                raise OapiError(40035, f"缺少参数 {kind}.{name}")
        if kind == "actionCard":
            _check_action_card(content)
        return kind, content, self._named(kind, content, ask.body.get("at"))

    def _named(self, kind: str, content: Json, at: Any) -> list[str]:
        if not isinstance(at, dict):
            return []
        listed = [str(one) for one in at.get("atUserIds", [])]
        if len(listed) > 50:
            raise OapiError(40035, "at most 50 people")
        words = str(content.get("text", content.get("content", "")))
        for userid in listed:
            if kind not in _AT_ABLE or f"@{userid}" not in words:
                self._world.complain(f"@ of {userid} without effect: not in the words of a {kind}")
        return [one for one in listed if kind in _AT_ABLE and f"@{one}" in words]


def _check_action_card(content: Json) -> None:
    single = content.get("singleTitle") and content.get("singleURL")
    buttons = content.get("btns")
    if not single and not buttons:
        raise OapiError(40035, "缺少参数 actionCard.singleTitle")
    for button in buttons or []:
        if not button.get("title") or not button.get("actionURL"):
            raise OapiError(40035, "缺少参数 actionCard.btns")


def link_buttons(message: Message) -> dict[str, str]:
    """The buttons of any action card: their words and addresses."""
    content = message.content
    found = {one["title"]: one["actionURL"] for one in content.get("btns") or []}
    for title, url in (("singleTitle", "singleURL"), ("single_title", "single_url")):
        if content.get(title):
            found[content[title]] = content[url]
    for number in range(1, 6):
        for title, url in (("actionTitle", "actionURL"), ("buttonTitle", "buttonUrl")):
            if content.get(f"{title}{number}"):
                found[content[f"{title}{number}"]] = content[f"{url}{number}"]
    return found
