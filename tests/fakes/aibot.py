"""A 智能机器人 service on loopback, as strict as the protocol sheet, sections 6 and 11.

Written from the sheet alone: nothing of the product is imported.  It keeps what each person sees
(``shown``), what it refused (``refused``) and every frame that reached it (``frames``).
"""

from __future__ import annotations

import base64
import os
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.fakes.aibot_service import MEDIA_S, Bubble, Service


class FakeAibot(Service):
    """What people do with the bot, and what goes wrong with it."""

    # --- what people do -------------------------------------------------------------------------

    async def say(self, user: str, text: str, **given: Any) -> str:
        return await self.message(user, "text", {"content": text}, **given)

    async def speak(self, user: str, text: str, **given: Any) -> str:
        return await self.message(user, "voice", {"content": text}, **given)

    async def message(
        self, user: str, msgtype: str, part: Any, *, msgid: str = "", group: str = "", **more: Any
    ) -> str:
        """Tell the bot; the message's id, '' when no bot is there (the message is lost then)."""
        msgid = msgid or f"MSG{next(self._numbers)}"
        body = {
            "msgid": msgid,
            "aibotid": self.bot_id,
            "chattype": "group" if group else "single",
            "from": {"userid": user},
            "msgtype": msgtype,
            msgtype: part,
            **({"chatid": group} if group else {}),
            **more,
        }
        chat = group or user
        self._wrote.add(chat)
        self._groups |= {group} - {""}
        told = await self._tell("aibot_msg_callback", body, chat=chat, kind="message")
        return msgid if told else ""

    async def event(self, user: str, name: str, detail: Any = None, **given: Any) -> str:
        """An event; its req_id, '' when no bot is there."""
        msgid = given.pop("msgid", "") or f"EVT{next(self._numbers)}"
        body = {
            "msgid": msgid,
            "create_time": 1_700_000_000,
            "aibotid": self.bot_id,
            "chattype": "single",
            "from": {"userid": user},
            "msgtype": "event",
            "event": {"eventtype": name, name: detail or {}},
        }
        return await self._tell("aibot_event_callback", body, chat=user, kind=name, **given)

    async def tap(
        self, user: str, bubble: Bubble, text: str, *, selected: Any = None, msgid: str = ""
    ) -> str:
        """Click the button, menu entry or submit of *bubble* that says *text*."""
        card = bubble.card
        buttons = [
            *card.get("button_list", ()),
            *card.get("action_menu", {}).get("action_list", ()),
            *([card["submit_button"]] if "submit_button" in card else ()),
        ]
        [button] = [one for one in buttons if one["text"] == text]
        detail: dict[str, Any] = {
            "card_type": card["card_type"],
            "event_key": button["key"],
            "task_id": card["task_id"],
        }
        if selected:
            items = [
                {"question_key": key, "option_ids": {"option_id": list(ids)}}
                for key, ids in selected.items()
            ]
            detail["selected_items"] = {"selected_item": items}
        return await self.event(user, "template_card_event", detail, bubble=bubble, msgid=msgid)

    def attach(self, data: bytes) -> dict[str, str]:
        """The part of an image, file or video message: an address and a key of its own."""
        key = os.urandom(32)
        pad = 32 - len(data) % 32
        locked = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
        secret = locked.update(data + bytes([pad]) * pad) + locked.finalize()
        name = f"f{next(self._numbers)}"
        self._files[name] = (secret, self.now() + MEDIA_S)
        address = f"http://127.0.0.1:{self.port}/file/{name}"
        return {"url": address, "aeskey": base64.b64encode(key).decode().rstrip("=")}

    def texts(self, chat: str) -> list[str]:
        return [one.content for one in self.shown.get(chat, ()) if one.kind != "card"]

    def cards(self, chat: str) -> list[Bubble]:
        return [one for one in self.shown.get(chat, ()) if one.kind == "card"]

    # --- what goes wrong ------------------------------------------------------------------------

    async def kick(self, code: int = 1000) -> None:
        if self._live:
            await self._live.close(code=code)

    def cut(self) -> None:
        """The line is dead at once, without a closing frame."""
        if self._live and self._live._req and self._live._req.transport:
            self._live._req.transport.abort()

    async def evict(self) -> None:
        """Somebody else subscribes with the same bot."""
        if self._live:
            await self._evict(self._live)

    def forget_subscription(self) -> None:
        """The connection stays, the platform does not know it any more."""
        self._live = None
