"""What people see in their WeCom, what the program asked for, and the files that were sent."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from tests.fakes.wecom.media import CONTENT_TYPES
from tests.fakes.wecom.state import Call, Chat, Copy, Media, Message, State


class Looking:
    state: State

    @property
    def calls(self) -> list[Call]:
        with self.state.lock:
            return list(self.state.calls)

    def calls_to(self, path: str) -> list[Call]:
        return [one for one in self.calls if one.path == path]

    @property
    def messages(self) -> list[Message]:
        with self.state.lock:
            return list(self.state.messages)

    def message(self, msgid: str) -> Message:
        with self.state.lock:
            return self.state.by_msgid[msgid]

    def inbox(self, user: str) -> list[Copy]:
        """What *user* sees, oldest first; recalled ones are gone."""
        key = user.lower()
        with self.state.lock:
            shown = [one.copies[key] for one in self.state.messages if key in one.copies]
        return [one for one in shown if not one.recalled]

    def texts(self, user: str) -> list[str]:
        return [one.text for one in self.inbox(user) if one.type in ("text", "markdown")]

    def cards(self, user: str) -> list[Copy]:
        return [one for one in self.inbox(user) if one.type == "template_card"]

    def last_card(self, user: str) -> Copy:
        found = self.cards(user)
        assert found, f"{user} sees no card, only {[one.type for one in self.inbox(user)]}"
        return found[-1]

    def card(self, user: str, task_id: str) -> Copy:
        found = [one for one in self.cards(user) if one.task_id == task_id]
        assert found, f"{user} sees no card {task_id}, only {[c.task_id for c in self.cards(user)]}"
        return found[-1]

    @property
    def dropped(self) -> list[tuple[str, Message]]:
        """(member, message) lost above the member's rate."""
        return [(user, one) for one in self.messages for user in one.dropped]

    @property
    def warnings(self) -> list[str]:
        """Texts of cards that a reader would see cut off."""
        with self.state.lock:
            return list(self.state.warnings)

    def chat(self, chat_id: str) -> Chat:
        return self.state.chats[chat_id]

    # --- media --------------------------------------------------------------------------------------

    def add_media(
        self, data: bytes, kind: str = "file", *, filename: str = "", content_type: str = ""
    ) -> Media:
        endings = {"image": "jpg", "voice": "amr", "video": "mp4", "file": "bin"}
        with self.state.lock:
            return self.state.add_media(
                kind,
                data,
                filename or f"{kind}.{endings[kind]}",
                content_type or CONTENT_TYPES[kind],
            )

    def break_media(
        self, media_id: str, fault: Literal["", "slow", "cut", "empty", "huge", "html"]
    ) -> None:
        self.state.media[media_id].fault = fault

    def expire_media(self, media_id: str) -> None:
        with self.state.lock:
            self.state.media[media_id].at -= timedelta(hours=self.state.rules.media_life_h)
