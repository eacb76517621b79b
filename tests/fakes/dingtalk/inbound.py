"""What people write to the robot, as the platform pushes it (protocol sheet, section 2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.fakes.dingtalk.media import FileFault, Media, amr
from tests.fakes.dingtalk.pushes import BOT, Attempt, Push
from tests.fakes.dingtalk.sessions import Sessions
from tests.fakes.dingtalk.state import App, Json, Message, World

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


class Inbound:
    def __init__(self, world: World, media: Media, sessions: Sessions) -> None:
        self._world = world
        self._media = media
        self._sessions = sessions

    def text(self, content: str, quote: Push | Message | None = None) -> Json:
        text: Json = {"content": content}
        body: Json = {"msgtype": "text", "text": text}
        if isinstance(quote, Push):
            text |= {"isReplyMsg": True, "repliedMsg": _quoted(quote.data)}
            body["originalMsgId"] = quote.data["msgId"]
        elif quote is not None:
            text |= {
                "isReplyMsg": True,
                "repliedMsg": {
                    "msgType": "text",
                    "msgId": f"msg{quote.process_query_key}",
                    "createdAt": int(quote.at.timestamp() * 1000),
                    "content": {"text": quote.text},
                },
            }
            body["originalMsgId"] = f"msg{quote.process_query_key}"
            body["originalProcessQueryKey"] = quote.process_query_key
        return body

    def picture(self, app: App, data: bytes | None, fault: FileFault) -> Json:
        return {"msgtype": "picture", "content": self._picture(app, data, fault)}

    def rich(self, app: App, parts: Sequence[str | bytes | Json], fault: FileFault) -> Json:
        """``str`` a text, ``bytes`` a picture, a dict as it is."""
        made: list[Json] = []
        for part in parts:
            if isinstance(part, str):
                made.append({"text": part})
            elif isinstance(part, bytes):
                made.append({"type": "picture"} | self._picture(app, part, fault))
            else:
                made.append(part)
        return {"msgtype": "richText", "content": {"richText": made}}

    def audio(
        self,
        app: App,
        data: bytes | None,
        duration_ms: int | None,
        recognition: str | None,
        fault: FileFault,
    ) -> Json:
        """``recognition``: None leaves it away, '' is sent as it is."""
        sound = amr((duration_ms or 4200) / 1000) if data is None else data
        content: Json = {"downloadCode": self._media.keep(app, sound, fault)}
        if duration_ms is not None:
            content["duration"] = duration_ms
        if recognition is not None:
            content["recognition"] = recognition
        return {"msgtype": "audio", "content": content}

    def video(self, app: App, data: bytes, fault: FileFault) -> Json:
        code = self._media.keep(app, data, fault)
        content = {"duration": 5, "videoType": "mp4", "downloadCode": code}
        return {"msgtype": "video", "content": content}

    def file(self, app: App, name: str, data: bytes, fault: FileFault) -> Json:
        content = {
            "fileName": name,
            "downloadCode": self._media.keep(app, data, fault),
            "spaceId": "2020",
            "fileId": self._world.draw("f", 12),
        }
        return {"msgtype": "file", "content": content}

    def unknown(self, hint: str) -> Json:
        return {"msgtype": "unknownMsgType", "content": {"unknownMsgType": hint}}

    def _picture(self, app: App, data: bytes | None, fault: FileFault) -> Json:
        code = self._media.keep(app, PNG if data is None else data, fault)
        return {"downloadCode": code, "pictureDownloadCode": code}

    def envelope(
        self,
        app: App,
        userid: str,
        body: Json,
        *,
        group: str,
        staff_id: bool,
        outsider: bool,
        msg_id: str,
        at_other: Sequence[str],
    ) -> Push:
        """Everything around the body; counted, and emptied when the month's pushes are used up."""
        world = self._world
        chat = group or world.private_chat(app, userid)
        session = self._sessions.open(app, chat, "" if group else userid)
        data: Json = {
            "msgId": msg_id or world.draw("msg", 20) + "==",
            "createAt": world.now_ms(),
            "conversationType": "2" if group else "1",
            "conversationId": chat,
            "chatbotCorpId": world.corp_id,
            "chatbotUserId": _bot_id(app),
            "robotCode": app.robot_code,
            "sessionWebhook": session.url,
            "sessionWebhookExpiredTime": int(session.ends.timestamp() * 1000),
        }
        data |= self._sender(app, userid, staff_id=staff_id, outsider=outsider)
        if group:
            data |= self._in_group(app, group, at_other)
            if body["msgtype"] == "text":  # where the @ stood
                body["text"]["content"] = " " + body["text"]["content"]
        data |= body
        if world.over("push"):
            data.pop("text", None)
            data.pop("content", None)
            code, message = world.rules.quota_names
            data |= {code: "20001", message: "本月 Webhook 与 Stream 推送量已用完"}
        world.count("push", world.rules.push_units)
        push = Push("message", app, BOT, data, data["msgId"])
        push.user = userid
        push.on_ack = self._reply
        return push

    def _sender(self, app: App, userid: str, *, staff_id: bool, outsider: bool) -> Json:
        if outsider:
            return {
                "senderId": f"$:LWCP_v1:$outside{userid}",
                "senderNick": userid,
                "isAdmin": False,
            }
        person = self._world.people[userid]
        made: Json = {
            "senderId": person.encrypted_id,
            "senderNick": person.name,
            "senderCorpId": self._world.corp_id,
            "senderPlatform": "Android",
            "isAdmin": person.admin,
        }
        if staff_id and app.published:
            made |= {"senderStaffId": userid, "senderUnionId": person.unionid}
        return made

    def _in_group(self, app: App, group: str, at_other: Sequence[str]) -> Json:
        people = [self._world.people[userid] for userid in at_other]
        others: list[Json] = [{"dingtalkId": one.encrypted_id} for one in people]
        return {
            "conversationTitle": self._world.groups[group].title,
            "isInAtList": True,
            "atUsers": [{"dingtalkId": _bot_id(app)}, *others],
        }

    def _reply(self, push: Push, attempt: Attempt) -> None:
        """In HTTP mode the answer's body may be a message of its own."""
        answer: Any = attempt.answer
        if not push.app.message_url or attempt.problem or not isinstance(answer, dict):
            return
        kind = answer.get("msgtype", "empty")
        if kind == "empty":
            return
        group = push.data["conversationId"] if push.data["conversationType"] == "2" else ""
        user = "" if group else push.user
        content = answer.get(kind)
        if kind not in ("text", "markdown", "actionCard") or not isinstance(content, dict):
            self._world.complain(f"an answer that is no message: {answer}")
            return
        self._world.post(Message("reply", user, group, kind, content, self._world.now()))


def _bot_id(app: App) -> str:
    return f"$:LWCP_v1:$bot{app.client_id}"


def _quoted(data: Json) -> Json:
    content = data.get("content", {})
    if data["msgtype"] == "text":
        content = {"text": data["text"]["content"]}
    return {
        "msgType": data["msgtype"],
        "msgId": data["msgId"],
        "senderId": data["senderId"],
        "createdAt": data["createAt"],
        "content": content,
    }
