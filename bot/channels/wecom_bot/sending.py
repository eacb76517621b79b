"""Which way an answer takes: in place where the platform still lets us, else as a new message."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal
from weakref import WeakValueDictionary

import structlog

from bot.channels.base import ChannelError, Outgoing, Sent
from bot.channels.wecom_bot import cards
from bot.channels.wecom_bot import chat_words as words
from bot.channels.wecom_bot.drawing import Drawing
from bot.channels.wecom_bot.frames import Refused
from bot.channels.wecom_bot.inbound import chat_of, conversation_of
from bot.channels.wecom_bot.keeping import read
from bot.channels.wecom_bot.link import Link
from bot.channels.wecom_bot.live import STREAM_FOR, Live, Request
from bot.channels.wecom_bot.origin import busy, origin
from bot.channels.wecom_bot.uploads import Uploads
from bot.channels.wecom_bot.ways import TASK_EXISTS, Ways
from bot.rendering.fit import split_text
from sales.clock import Clock
from storage import outbox
from storage.database import Database

log = structlog.get_logger()

TEXT_BYTES: Final = 20480


class Sender:
    """One message after another in each chat."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        live: Live,
        *,
        ways: Ways,
        drawing: Drawing,
        uploads: Uploads,
        link: Callable[[], Awaitable[Link]],
    ) -> None:
        self._db = db
        self._clock = clock
        self._live = live
        self._ways = ways
        self._drawing = drawing
        self._uploads = uploads
        self._link = link
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def send(self, message: Outgoing) -> Sent:
        """Raises ChannelError."""
        group = message.kind == "group"
        chat = message.user if group else chat_of(message.conversation, message.user)
        async with self._turn(chat):
            link = await self._link()
            match message.kind:
                case "card":
                    reply = await self._request(link, message.effect_key)
                    await self._card(link, chat, message, reply)
                case "rewrite":
                    await self._redraw(link, chat, message)
                case "image" | "file":
                    await self._file(link, chat, message, message.kind)
                case "group":
                    await self._text(link, chat, message, cards.plain(message.text), None)
                case "markdown":
                    reply = await self._request(link, message.effect_key)
                    await self._text(link, chat, message, message.text, reply)
                case _:
                    reply = await self._request(link, message.effect_key)
                    await self._text(link, chat, message, cards.plain(message.text), reply)
        return Sent()

    # --- before an answer, and without one ------------------------------------------------------

    async def interim(self, request: Request, text: str) -> None:
        """Say that it is being worked on, unless the answer is there already, or none will come."""
        async with self._turn(request.chat):
            if request.said or request.carded or not request.link.alive:
                return
            if not await self._busy(request):
                return
            try:
                await self._ways.stream(request.link, request, text, finish=False)
            except ChannelError as error:
                log.info("aibot: no interim answer", why=str(error))

    async def tidy(self) -> None:
        """Close streams whose answer went another way, and those that grow too old."""
        for request in self._live.streaming():
            working = await self._busy(request)
            if request.at <= self._clock.now() - STREAM_FOR:
                await self._close_stream(request, words.STILL_BUSY if working else words.DONE)
            elif not working and not await self._waits(request):
                await self._close_stream(request, words.DONE)

    async def _close_stream(self, request: Request, text: str) -> None:
        async with self._turn(request.chat):
            if request.said or not request.link.alive:
                return
            try:
                await self._ways.stream(request.link, request, text, finish=True)
            except ChannelError as error:
                log.info("aibot: a stream could not be closed", why=str(error))
                if not error.transient:
                    request.said = True

    async def _busy(self, request: Request) -> bool:
        return await read(self._db, lambda s: busy(s, request.msgid))

    async def _waits(self, request: Request) -> bool:
        """Whether something for that chat is still to be sent: perhaps the answer itself."""
        conversation = conversation_of(request.chat)
        return await read(self._db, lambda s: outbox.waiting(s, conversation) > 0)

    # --- the kinds of messages ------------------------------------------------------------------

    async def _text(
        self, link: Link, chat: str, message: Outgoing, text: str, reply: Request | None
    ) -> None:
        key, parts = message.effect_key, split_text(text, TEXT_BYTES)
        kind: Literal[1, 2] = 2 if message.kind == "group" else 1
        # What has arrived is noted before the next part goes, so that none is said twice.
        done = 0
        if len(parts) > 1:
            done = len(await read(self._db, lambda s: outbox.parts_sent(s, key)))
        for number, part in enumerate(parts[done:], done + 1):
            if number > 1 or not reply or reply.said or not await self._finish(link, reply, part):
                await self._ways.push(link, chat, "markdown", {"content": part}, chat_type=kind)
            if len(parts) > 1:
                await self._note_parts(key, number)

    async def _note_parts(self, key: str, count: int) -> None:
        ids = [str(number + 1) for number in range(count)]
        await self._ways.write(lambda s: outbox.keep_parts_sent(s, key, ids))

    async def _card(self, link: Link, chat: str, message: Outgoing, reply: Request | None) -> None:
        drawn = await self._drawing.draw(message)
        if reply and reply.stream_id and not reply.said:
            await self._finish(link, reply, words.SEE_CARD)
        if reply and not reply.carded:
            shown = await self._ways.card_in_place(link, reply, drawn)
            reply.carded = True  # one card for each message of theirs
            if shown:
                return
        await self._push_card(link, chat, drawn)

    async def _redraw(self, link: Link, chat: str, message: Outgoing) -> None:
        """In place within seconds of a tap; later the person is told, or gets a card to go on."""
        assert message.card is not None
        tap = self._live.take_tap(message.handle, now=self._clock.now())
        if tap and tap.link is link:
            drawn = await self._drawing.draw(message, task_id=tap.task_id)
            if await self._ways.update(link, chat, tap.req_id, drawn):
                return
        # Perhaps it was words of theirs that changed the card, and they wait for an answer.
        reply = await self._waiting_request(link, chat)
        if message.card.status in cards.OPEN:
            # The card that the person has is of an older drawing: its buttons count no more.
            await self._card(link, chat, message, reply)
        else:
            said = cards.plain(cards.in_words(message.card))
            await self._text(link, chat, message, said, reply)

    async def _file(
        self, link: Link, chat: str, message: Outgoing, wanted: Literal["image", "file"]
    ) -> None:
        async def send(kind: str, media_id: str) -> None:
            await self._ways.push(link, chat, kind, {"media_id": media_id})

        await self._uploads.use(link, message.media_sha, wanted, message.media_name, send)

    async def _push_card(self, link: Link, chat: str, drawn: dict[str, Any]) -> None:
        try:
            await self._ways.push(link, chat, "template_card", drawn)
        except Refused as refused:
            if refused.errcode != TASK_EXISTS:
                raise
            # Only we know its name: it arrived, and the acknowledgement got lost.
            log.info("aibot: the card was there already")

    async def _finish(self, link: Link, reply: Request, text: str) -> bool:
        """Say *text* in place; False when that is not possible any more."""
        try:
            await self._ways.stream(link, reply, text, finish=True)
        except Refused as refused:
            if refused.transient:
                raise
            self._live.drop(reply.req_id)
            reply.said = reply.carded = True
            return False
        return True

    # --- which message of theirs ----------------------------------------------------------------

    async def _request(self, link: Link, effect_key: str) -> Request | None:
        """The message that this effect answers, while it can be answered in place."""
        req_id = await read(self._db, lambda s: origin(s, effect_key))
        found = self._live.request(req_id, now=self._clock.now())
        return found if found and found.link is link else None

    async def _waiting_request(self, link: Link, chat: str) -> Request | None:
        """The newest message of that chat that is dealt with and was not answered."""
        for one in self._live.unanswered(chat, link):
            if not await self._busy(one):
                return one
        return None

    def _turn(self, chat: str) -> asyncio.Lock:
        return self._turns.setdefault(chat, asyncio.Lock())
