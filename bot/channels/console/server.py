"""The console as a channel: what it shows is its own small platform, kept in the database."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from bot.channels.base import Accept, ChannelError, Outgoing, Sent
from handlers.messages import Inbound, InboundKind
from sales.clock import Clock
from storage import console as messages
from storage import people
from storage.console import ConsoleMessage
from storage.database import Database, Session
from storage.media import MediaStore, sniff

MAX_UPLOAD: Final = 60 * 1024 * 1024
_SOUND_NAME = re.compile(
    r"\.(wav|mp3|m4a|aac|amr|awb|ogg|oga|opus|webm|spx|speex|silk|slk|flac|wma|mp4|3gp)$", re.I
)


class NotReady(ChannelError):
    """The program is starting or stopping; the browser tries again."""

    code = "console_not_ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file as the browser sent it.  ``recorded``: by the microphone button."""

    data: bytes
    name: str
    recorded: bool = False


class Console:
    """Idempotent by the key of each message, so a second send is not seen."""

    name = "console"
    idempotent = True

    def __init__(self, db: Database, media: MediaStore, clock: Clock) -> None:
        self.db = db
        self._media = media
        self._clock = clock
        self._accept: Accept | None = None

    async def run(self, accept: Accept) -> None:
        self._accept = accept
        try:
            await asyncio.Event().wait()
        finally:
            self._accept = None

    async def send(self, message: Outgoing) -> Sent:
        if message.kind == "group":
            raise ChannelError("the console has no groups", transient=False)
        shown = await asyncio.to_thread(self.db.write, self._show(message))
        return Sent(platform_id=str(shown.id), handle=message.card_id)

    async def download(self, ref: str) -> bytes:
        raise ChannelError(f"the console stores files before it accepts: {ref}", transient=False)

    # --- what the page's requests become --------------------------------------------------------

    async def say(self, *, person_id: int, event_key: str, text: str) -> ConsoleMessage:
        """A typed message.  Stored when this returns; the same key again changes nothing."""
        inbound = self._inbound(person_id, event_key, "text", text=text)
        return await self._receive(inbound, {"text": text})

    async def upload(self, *, person_id: int, event_key: str, file: Upload) -> ConsoleMessage:
        """A recording, a photo or any file."""
        stored = await asyncio.to_thread(self._media.put, file.data, file.name)
        kind: InboundKind = "file"
        if file.recorded or stored.kind.startswith("audio/") or _SOUND_NAME.search(file.name):
            kind = "voice"
        elif stored.kind.startswith("image/"):
            kind = "photo"
        inbound = self._inbound(
            person_id, event_key, kind, media_sha=stored.sha256, media_name=file.name
        )
        shown = {
            "sha": stored.sha256,
            "name": file.name,
            "size": stored.size,
            "type": stored.kind,
            "recorded": file.recorded,
        }
        return await self._receive(inbound, shown)

    async def tap(
        self,
        *,
        person_id: int,
        event_key: str,
        card_id: str,
        action: str,
        arg: str,
        nonce: str,
        values: dict[str, Any],
    ) -> bool:
        """A button, or a form sent.  False for a repeat of the same event."""
        inbound = self._inbound(
            person_id,
            event_key,
            "action",
            card_id=card_id,
            action=action,
            arg=arg,
            nonce=nonce,
            values=values,
        )
        return await self._ready()(inbound)

    def _inbound(self, person_id: int, event_key: str, kind: InboundKind, **given: Any) -> Inbound:
        return Inbound(
            channel=self.name,
            event_key=event_key,
            kind=kind,
            user=str(person_id),
            conversation=f"console:{person_id}",
            at=self._clock.now(),
            **given,
        )

    async def _receive(self, inbound: Inbound, shown: dict[str, Any]) -> ConsoleMessage:
        await self._ready()(inbound)

        def keep(session: Session) -> ConsoleMessage:
            return messages.put(
                session,
                key=f"in:{inbound.event_key}",
                person_id=int(inbound.user),
                direction="in",
                kind=inbound.kind,
                payload=shown,
                at=inbound.at,
            )

        return await asyncio.to_thread(self.db.write, keep)

    def _ready(self) -> Accept:
        if self._accept is None:
            raise NotReady("the program is starting or stopping", transient=True, retry_after_s=1)
        return self._accept

    def _show(self, message: Outgoing) -> Callable[[Session], ConsoleMessage]:
        at: datetime = self._clock.now()
        person_id = int(message.user)

        def text(session: Session) -> ConsoleMessage:
            return messages.put(
                session,
                key=f"out:{message.effect_key}",
                person_id=person_id,
                direction="out",
                kind="text",
                payload={"text": message.text},
                at=at,
            )

        def card(session: Session) -> ConsoleMessage:
            assert message.card is not None
            key = f"card:{message.card_id}"
            version = message.version
            before = messages.get(session, key)
            if before and before.payload["version"] > version:
                return before  # a late sender must not bring an old drawing back
            payload = {
                "card": json.loads(json.dumps(message.card.to_dict(), default=str)),
                "nonce": message.nonce,
                "version": version,
                "drawn_at": before.payload["drawn_at"]
                if before and before.payload["version"] == version
                else at.isoformat(),
            }
            return messages.put(
                session,
                key=key,
                person_id=person_id,
                direction="out",
                kind="card",
                card_id=message.card_id,
                payload=payload,
                at=at,
            )

        def file(session: Session) -> ConsoleMessage:
            data = self._media.get(message.media_sha)
            return messages.put(
                session,
                key=f"out:{message.effect_key}",
                person_id=person_id,
                direction="out",
                kind="photo" if message.kind == "image" else "file",
                payload={
                    "sha": message.media_sha,
                    "name": message.media_name,
                    "size": len(data),
                    "type": sniff(data),
                },
                at=at,
            )

        if message.kind in ("image", "file"):
            return file
        return text if message.kind in ("text", "markdown") else card


def known_people(session: Session) -> list[dict[str, Any]]:
    """Everybody whom a pane can show."""
    return [
        {"id": one.id, "name": one.name, "role": one.role, "manager": one.manager_id}
        for one in people.everyone(session)
    ]
