"""Work notices: taken at once, judged silently (protocol sheet, 4.7)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from tests.fakes.dingtalk.errors import OapiError
from tests.fakes.dingtalk.gate import Ask, Route
from tests.fakes.dingtalk.state import ZONE, Json, Message, World

_BASE: Final = "/topapi/message/corpconversation"
_NEEDED: Final[dict[str, tuple[str, ...]]] = {
    "text": ("content",),
    "image": ("media_id",),
    "voice": ("media_id", "duration"),
    "file": ("media_id",),
    "link": ("title", "text", "messageUrl", "picUrl"),
    "markdown": ("title", "text"),
    "action_card": ("title", "markdown"),
    "oa": ("body",),
}


@dataclass(eq=False)
class Task:
    id: int
    agent_id: int
    at: datetime
    reached: list[Message] = field(default_factory=list)
    invalid: list[str] = field(default_factory=list)
    forbidden: list[Json] = field(default_factory=list)


class Notices:
    def __init__(self, world: World, media_ids: dict[str, Any]) -> None:
        self._world = world
        self._media_ids = media_ids
        self.tasks: dict[int, Task] = {}
        self._today: dict[tuple[str, str, str], int] = {}  # day, person, content ('' for any)
        self.per_day = 500
        self.to_all: dict[str, int] = {}

    def routes(self) -> list[Route]:
        return [
            Route("POST", f"{_BASE}/asyncsend_v2", self._send, "oapi", paid=True),
            Route("POST", f"{_BASE}/getsendresult", self._result, "oapi"),
            Route("POST", f"{_BASE}/recall", self._recall, "oapi"),
        ]

    async def _send(self, ask: Ask) -> Json:
        world, body = self._world, ask.body
        if str(body.get("agent_id")) != str(ask.app.agent_id):
            raise OapiError(40056, "不合法的agentid")
        kind, content = self._message(body.get("msg"))
        task = Task(6_000_000 + world.number(), ask.app.agent_id, world.now())
        day = world.now().astimezone(ZONE).date().isoformat()
        for userid in self._receivers(body, day):
            if not world.reachable(ask.app, userid):
                task.invalid.append(userid)
                continue
            code = self._forbidden(day, userid, json.dumps([kind, content], sort_keys=True))
            if code:
                task.forbidden.append({"code": code, "count": 1, "userid": userid})
                continue
            task.reached.append(
                world.post(Message("notice", userid, "", kind, content, world.now()))
            )
        self.tasks[task.id] = task
        return {"errcode": 0, "errmsg": "ok", "task_id": task.id}

    def _message(self, given: Any) -> tuple[str, Json]:
        if isinstance(given, str):  # sent as a form
            given = json.loads(given)
        kind = given.get("msgtype") if isinstance(given, dict) else None
        if kind not in _NEEDED:
            raise OapiError(33001, "无效的消息类型")
        content = given.get(kind)
        if not isinstance(content, dict) or any(not content.get(n) for n in _NEEDED[kind]):
            raise OapiError(40035, f"不合法的参数: {kind}")
        if len(json.dumps(given, ensure_ascii=False).encode()) > 2048:
            raise OapiError(41011, "消息体过大")
        if kind == "markdown" and len(content["text"]) > 5000:
            raise OapiError(41011, "消息体过大")
        if "media_id" in content and content["media_id"] not in self._media_ids:
            raise OapiError(40007, "不合法的media_id")
        single = content.get("single_title") and content.get("single_url")
        if kind == "action_card" and not single and not content.get("btn_json_list"):
            raise OapiError(40035, "不合法的参数: action_card")
        return kind, content

    def _receivers(self, body: Json, day: str) -> list[str]:
        world = self._world
        listed = [one for one in str(body.get("userid_list") or "").split(",") if one]
        depts = [int(one) for one in str(body.get("dept_id_list") or "").split(",") if one]
        if len(listed) > 100 or len(depts) > 20:
            raise OapiError(40035, "userid_list 最多100个, dept_id_list 最多20个")
        if body.get("to_all_user") in (True, "true"):
            self.to_all[day] = self.to_all.get(day, 0) + 1
            if self.to_all[day] > 3:
                raise OapiError(88, "全员消息每天最多3次")
            return list(world.people)
        listed += [p.userid for p in world.people.values() if set(p.depts) & set(depts)]
        if not listed:
            raise OapiError(40035, "没有接收人")
        return list(dict.fromkeys(listed))

    def _forbidden(self, day: str, userid: str, content: str) -> str:
        """The code that getsendresult will tell, '' when it is delivered."""
        for what, most, code in (("", self.per_day, "143105"), (content, 1, "143106")):
            if self._today.get((day, userid, what), 0) >= most:
                return code
        for what in ("", content):
            at = (day, userid, what)
            self._today[at] = self._today.get(at, 0) + 1
        return ""

    async def _result(self, ask: Ask) -> Json:
        task = self._task(ask, "task_id")
        found = {
            "invalid_user_id_list": task.invalid,
            "forbidden_user_id_list": [one["userid"] for one in task.forbidden],
            "forbidden_list": task.forbidden,
            "failed_user_id_list": [],
            "read_user_id_list": [m.user for m in task.reached if m.user in m.read_by],
            "unread_user_id_list": [m.user for m in task.reached if m.user not in m.read_by],
            "invalid_dept_id_list": [],
        }
        return {"errcode": 0, "errmsg": "ok", "send_result": found}

    async def _recall(self, ask: Ask) -> Json:
        for message in self._task(ask, "msg_task_id").reached:
            message.recalled = True
        self._world.tell()
        return {"errcode": 0, "errmsg": "ok"}

    def _task(self, ask: Ask, name: str) -> Task:
        task = self.tasks.get(int(ask.body.get(name) or 0))
        if task is None or task.agent_id != ask.app.agent_id:
            raise OapiError(40035, f"不合法的参数: {name}")
        if task.at <= self._world.now() - timedelta(hours=24):
            raise OapiError(40035, "task 超过24小时")
        return task
