"""Messages that the robot sends by itself (protocol sheet, 4.1 to 4.4 and 4.8)."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any, Final

from tests.fakes.dingtalk.errors import bad, invalid
from tests.fakes.dingtalk.gate import Ask, Route, need_json
from tests.fakes.dingtalk.state import App, Json, Message, World

_SEND: Final = "qyapi_robot_sendmsg"
_RECALL_H: Final = 24
_CARD_MORE: Final = {
    number: (
        "title",
        "text",
        *(f"actionTitle{n}" for n in range(1, number + 1)),
        *(f"actionURL{n}" for n in range(1, number + 1)),
    )
    for number in range(2, 6)
}
# msgKey: needed keys, further keys
KEYS: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "sampleText": (("content",), ()),
    "sampleMarkdown": (("title", "text"), ()),
    "sampleImageMsg": (("photoURL",), ()),
    "sampleLink": (("title", "text", "messageUrl"), ("picUrl",)),
    "sampleActionCard": (("title", "text", "singleTitle", "singleURL"), ()),
    **{f"sampleActionCard{number}": (names, ()) for number, names in _CARD_MORE.items()},
    "sampleActionCard6": (
        ("title", "text", "buttonTitle1", "buttonUrl1", "buttonTitle2", "buttonUrl2"),
        (),
    ),
    "sampleAudio": (("mediaId", "duration"), ()),
    "sampleFile": (("mediaId", "fileName", "fileType"), ()),
    "sampleVideo": (
        ("duration", "videoMediaId", "videoType", "picMediaId"),
        ("width", "height"),
    ),
}
_MEDIA_KEYS: Final = ("mediaId", "videoMediaId", "picMediaId")
_FILE_TYPES: Final = ("xlsx", "pdf", "zip", "rar", "doc", "docx")


class Sending:
    def __init__(self, world: World, media_ids: dict[str, Any]) -> None:
        self._world = world
        self._media_ids = media_ids
        self.flow_controlled: dict[str, int] = {}  # userid -> how many sends it still misses

    def routes(self) -> list[Route]:
        listed = [
            ("POST", "/v1.0/robot/oToMessages/batchSend", self._batch, True),
            ("POST", "/v1.0/robot/groupMessages/send", self._group, True),
            ("POST", "/v1.0/robot/otoMessages/batchRecall", self._recall_private, False),
            ("POST", "/v1.0/robot/groupMessages/recall", self._recall_group, False),
            ("GET", "/v1.0/robot/oToMessages/readStatus", self._read_status, False),
        ]
        made = [
            Route(method, path, handler, "v1", scope=_SEND, paid=paid)
            for method, path, handler, paid in listed
        ]
        ding = Route(
            "POST", "/v1.0/robot/ding/send", self._ding, "v1", scope="Premium.Ding.Write", paid=True
        )
        return [*made, ding]

    async def _batch(self, ask: Ask) -> Json:
        world, body = self._world, need_json(ask)
        app = self._robot(ask, body)
        users = body.get("userIds")
        if not isinstance(users, list) or not users:
            raise invalid("userIds.empty")
        if not all(isinstance(one, str) for one in users):
            raise invalid("param.invalid", "userIds")
        if len(users) > world.rules.batch_users:
            raise invalid("userIds.overMax", f"{len(users)} > {world.rules.batch_users}")
        if len(set(users)) < len(users):
            world.complain(f"batchSend names somebody twice: {users}")
        key, content = self._content(body)
        number = world.draw("pqk", 20)
        unknown = [one for one in users if not world.reachable(app, one)]
        held = [one for one in users if one not in unknown and self._held(one)]
        for userid in users:
            if userid not in unknown and userid not in held:
                world.post(
                    Message(
                        "batch", userid, "", key, content, world.now(), process_query_key=number
                    )
                )
        return {
            "processQueryKey": number,
            "invalidStaffIdList": unknown,
            "flowControlledStaffIdList": held,
        }

    async def _group(self, ask: Ask) -> Json:
        world, body = self._world, need_json(ask)
        app = self._robot(ask, body)
        chat = body.get("openConversationId")
        if not chat:
            raise bad("miss.openConversationId")
        group = world.groups.get(str(chat))
        if group is None or app.robot_code not in group.robots:
            raise bad("invalid.openConversationId")
        if group.disbanded:
            raise bad("group.disbanded")
        key, content = self._content(body)
        number = world.draw("pqk", 20)
        world.post(
            Message("group", "", group.id, key, content, world.now(), process_query_key=number)
        )
        return {"processQueryKey": number}

    def _robot(self, ask: Ask, body: Json) -> App:
        code = body.get("robotCode")
        if not code:
            raise invalid("robotCode.empty")
        if self._world.by_robot(str(code)) is None:
            raise bad("resource.not.found", "robot 不存在")
        if code != ask.app.robot_code:
            raise invalid("robotCode.auth")
        if ask.app.stopped:
            raise bad("bot.stopped")
        return ask.app

    def _held(self, userid: str) -> bool:
        left = self.flow_controlled.get(userid, 0)
        if left > 0:
            self.flow_controlled[userid] = left - 1
        return left > 0

    def _content(self, body: Json) -> tuple[str, Json]:
        """``msgKey`` and ``msgParam`` as they must be."""
        key, text = body.get("msgKey"), body.get("msgParam")
        if not key:
            raise invalid("msgKey.empty")
        if key not in KEYS:
            raise invalid("msgKey.invalid", str(key))
        if not isinstance(text, str):
            raise invalid("msgParam.invalid", "msgParam is a JSON string")
        if len(text.encode()) > self._world.rules.msg_param_bytes:
            raise invalid("msgParam.tooLong")
        try:
            content = json.loads(text)
        except ValueError:
            raise invalid("msgParam.invalid", "not JSON") from None
        if not isinstance(content, dict):
            raise invalid("msgParam.invalid", "no object")
        needed, more = KEYS[key]
        for name, value in content.items():
            if not isinstance(value, str):
                raise invalid("msgParam.invalid", f"{name} is no string")
            if name not in needed and name not in more:
                self._world.complain(f"{key} knows no {name}")
            if name in _MEDIA_KEYS and value not in self._media_ids:
                raise invalid("msgParam.invalid", f"unknown media id {value}")
        for name in needed:
            if not content.get(name):
                raise invalid("msgParam.invalid", f"{name} is missing")
        if key == "sampleFile" and content["fileType"] not in _FILE_TYPES:
            raise invalid("msgParam.invalid", f"fileType {content['fileType']}")
        photo = content.get("photoURL", "")
        if photo and not photo.startswith("http") and photo not in self._media_ids:
            raise invalid("msgParam.invalid", "photoURL")
        return key, content

    # Afterwards

    async def _recall_private(self, ask: Ask) -> Json:
        body = need_json(ask)
        self._robot(ask, body)
        return self._recall(body, lambda one: one.via in ("batch", "card") and not one.group)

    async def _recall_group(self, ask: Ask) -> Json:
        body = need_json(ask)
        self._robot(ask, body)
        chat = body.get("openConversationId")
        if not chat:
            raise bad("miss.openConversationId")
        return self._recall(body, lambda one: one.via in ("group", "card") and one.group == chat)

    def _recall(self, body: Json, fits: Any) -> Json:
        keys = body.get("processQueryKeys")
        if not isinstance(keys, list) or not 1 <= len(keys) <= 20:
            raise invalid("param.invalid", "processQueryKeys")
        done, failed = [], {}
        for key in keys:
            found = [m for m in self._world.messages if m.process_query_key == key and fits(m)]
            if not found:
                failed[key] = "processQueryKey invalid"
            elif not _fresh(found[0], self._world.now()):
                failed[key] = "the message is older than 24 hours"
            else:
                for message in found:
                    message.recalled = True
                done.append(key)
        self._world.tell()
        return {"successResult": done, "failedResult": failed}

    async def _read_status(self, ask: Ask) -> Json:
        query = ask.request.query
        self._robot(ask, dict(query))
        key = query.get("processQueryKey", "")
        found = [one for one in self._world.messages if key and one.process_query_key == key]
        if not found or not _fresh(found[0], self._world.now()):
            raise invalid("param.invalid", "processQueryKey")
        people = [
            {
                "userId": one.user,
                "name": self._world.people[one.user].name,
                "readStatus": "READ" if one.user in one.read_by else "UNREAD",
            }
            for one in found
        ]
        status = "RECALLED" if found[0].recalled else "SUCCESS"
        return {"sendStatus": status, "messageReadInfoList": people}

    async def _ding(self, ask: Ask) -> Json:
        world, body = self._world, need_json(ask)
        app = self._robot(ask, body)
        users, kind = body.get("receiverUserIdList"), body.get("remindType")
        limit = 200 if kind == 1 else 20
        if kind not in (1, 2, 3) or not isinstance(users, list) or not 1 <= len(users) <= limit:
            raise invalid("param.invalid")
        if not isinstance(body.get("content"), str) or not body["content"]:
            raise invalid("param.invalid", "content")
        failed = {one: "invalid" for one in users if not world.reachable(app, one)}
        for userid in users:
            if userid not in failed:
                content = {"content": body["content"], "remindType": kind}
                world.post(Message("ding", userid, "", "ding", content, world.now()))
        return {"openDingId": world.draw("ding", 16), "failedList": failed}


def _fresh(message: Message, now: datetime) -> bool:
    return message.at > now - timedelta(hours=_RECALL_H)
