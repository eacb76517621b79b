"""What people do in WeCom, as callbacks to the app.  Protocol sheet, section 2."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from tests.fakes.wecom import events, tapping
from tests.fakes.wecom.envelope import xml_of
from tests.fakes.wecom.pushing import Delivery, Pusher
from tests.fakes.wecom.state import App, Copy, Media, State
from tests.fakes.wecom.tapping import CannotTap, Selected


class Talking(ABC):
    state: State
    pusher: Pusher

    @property
    @abstractmethod
    def app(self) -> App: ...

    @abstractmethod
    def add_media(
        self, data: bytes, kind: str = "file", *, filename: str = "", content_type: str = ""
    ) -> Media: ...

    @abstractmethod
    def card(self, user: str, task_id: str) -> Copy: ...

    # --- messages -------------------------------------------------------------------------------

    def push(
        self,
        user: str,
        fields: Mapping[str, Any],
        *,
        with_id: bool = False,
        app: App | None = None,
        created: int | None = None,
    ) -> Delivery:
        """Any message: common fields, then *fields* (they win).  *created* in seconds."""
        app = app or self.app
        known = self.state.members.get(user.lower())
        made: dict[str, Any] = {
            "ToUserName": self.state.corp_id,
            "FromUserName": known.userid if known else user,  # as the company spells it
            "CreateTime": self.state.seconds() if created is None else created,
            **fields,
        }
        msg_id = ""
        if with_id:
            msg_id = str(made.setdefault("MsgId", self.state.inbound_id()))
        made.setdefault("AgentID", app.agent_id)
        code = str(fields.get("ResponseCode", ""))
        one = Delivery(app, str(made["FromUserName"]), xml_of(made), msg_id, code)
        return self.pusher.push(one)

    def message_of(self, user: str, kind: str, **fields: Any) -> Delivery:
        return self.push(user, {"MsgType": kind, **fields}, with_id=True)

    def text_xml(self, user: str, content: str) -> str:
        return xml_of(
            {
                "ToUserName": self.state.corp_id,
                "FromUserName": user,
                "CreateTime": self.state.seconds(),
                "MsgType": "text",
                "Content": content,
                "MsgId": self.state.inbound_id(),
                "AgentID": self.app.agent_id,
            }
        )

    def text(self, user: str, content: str) -> Delivery:
        return self.message_of(user, "text", Content=content)

    def image(self, user: str, data: bytes, *, media: Media | None = None) -> Delivery:
        kept = media or self.add_media(data, "image")
        url = f"https://img.example.com/{kept.media_id}"
        return self.message_of(user, "image", PicUrl=url, MediaId=kept.media_id)

    def voice(
        self, user: str, data: bytes, *, format: str = "amr", media: Media | None = None
    ) -> Delivery:
        """*data* is what the download gives, whatever it is; *media* for one that is broken."""
        kept = media or self.add_media(data, "voice", content_type=f"audio/{format}")
        return self.message_of(user, "voice", MediaId=kept.media_id, Format=format)

    def video(self, user: str, data: bytes) -> Delivery:
        kept, thumb = self.add_media(data, "video"), self.add_media(b"\xff\xd8\xff" * 4, "image")
        ids = {"MediaId": kept.media_id, "ThumbMediaId": thumb.media_id}
        return self.message_of(user, "video", **ids)

    def location(self, user: str, lat: float, lng: float, label: str) -> Delivery:
        place = {"Location_X": f"{lat:.6f}", "Location_Y": f"{lng:.6f}", "Scale": 15}
        return self.message_of(user, "location", **place, Label=label, AppType="wxwork")

    def link(self, user: str, title: str, url: str, description: str = "") -> Delivery:
        shown = {"Title": title, "Description": description, "Url": url}
        return self.message_of(user, "link", **shown, PicUrl="https://img.example.com/l")

    def file(self, user: str, data: bytes, filename: str) -> Delivery:
        """Whether files reach an app at all is unconfirmed (sheet 2)."""
        kept = self.add_media(data, "file", filename=filename)
        return self.message_of(user, "file", MediaId=kept.media_id, FileName=filename)

    # --- events -----------------------------------------------------------------------------------

    def event(self, user: str, event: str, fields: Mapping[str, Any] | None = None) -> Delivery:
        return self.push(user, {"MsgType": "event", "Event": event, **(fields or {})})

    def enter(self, user: str) -> Delivery:
        return self.event(user, "enter_agent", {"EventKey": ""})

    def sys_event(self, event: str, **fields: Any) -> Delivery:
        """An event that no person caused."""
        return self.event("sys", event, fields)

    def every_event(self, user: str) -> list[Delivery]:
        """One of each, but those of cards."""
        return [self.event(user, name, fields) for name, fields in events.all_events(user)]

    # --- cards --------------------------------------------------------------------------------------

    def tap(
        self,
        user: str,
        task: str | Copy,
        key: str = "",
        selected: Selected | None = None,
        *,
        as_sent: bool = False,
    ) -> Delivery:
        """*user* taps the button *key* (its key or its words; '' for the only one).

        Raises ``CannotTap`` for what that person does not see.  *as_sent*: on a client that still
        shows the card as it was sent first.
        """
        with self.state.lock:
            seen = self._seen(user, task)
            card = seen.was[0] if as_sent and seen.was else seen.body
            shown = tapping.buttons_of(card) if as_sent else seen.buttons
            found = tapping.pick(seen, shown, key)
            chosen = tapping.choices(seen, card, selected or {})
        return self.card_event(user, seen, found, card_type=card["card_type"], selected=chosen)

    def menu(self, user: str, task: str | Copy, key: str) -> Delivery:
        """An entry of the card's menu, top right."""
        with self.state.lock:
            seen = self._seen(user, task)
            found = tapping.menu_key(seen, key)
        return self.card_event(
            user, seen, found, card_type=seen.card_type, event="template_card_menu_event"
        )

    def card_event(
        self,
        user: str,
        seen: Copy,
        key: str,
        *,
        card_type: str = "button_interaction",
        selected: Mapping[str, list[str]] | None = None,
        event: str = "template_card_event",
        created: int | None = None,
    ) -> Delivery:
        """The event as such, with a fresh response code; nothing is checked."""
        with self.state.lock:
            code = self.state.new_code(seen.message)
            app = self.state.app(seen.message.agent_id)
        fields = {
            "MsgType": "event",
            "Event": event,
            "EventKey": key,
            "TaskId": seen.task_id,
            "CardType": card_type,
            "ResponseCode": code,
            **events.selected_items(selected or {}),
        }
        return self.push(user, fields, app=app, created=created)

    def _seen(self, user: str, task: str | Copy) -> Copy:
        try:
            seen = self.card(user, task.task_id if isinstance(task, Copy) else task)
        except AssertionError as error:
            raise CannotTap(str(error)) from None
        return seen
