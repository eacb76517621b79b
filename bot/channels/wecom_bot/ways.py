"""The commands that say something, each counted against the quota of its chat."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal, TypeVar

import structlog

from bot.channels.base import ChannelAway, ChannelError, OutcomeUnknown
from bot.channels.wecom_bot import frames, keeping
from bot.channels.wecom_bot.frames import Refused
from bot.channels.wecom_bot.inbound import CHANNEL
from bot.channels.wecom_bot.link import Link
from bot.channels.wecom_bot.live import Live, Request
from sales.clock import Clock
from storage import send_windows
from storage.database import Database, Session
from storage.send_windows import Cap, Full

log = structlog.get_logger()
T = TypeVar("T")

A_MINUTE, AN_HOUR = 30, 1000  # answers and messages together, in each conversation
KEPT_FOR_ANSWERS: Final = 10  # of the minute's; the word before an answer must not use them up
TASK_EXISTS: Final = 42014


class Ways:
    def __init__(self, db: Database, clock: Clock, live: Live) -> None:
        self._db = db
        self._clock = clock
        self._live = live

    async def push(
        self,
        link: Link,
        chat: str,
        msgtype: str,
        content: dict[str, Any],
        *,
        chat_type: Literal[1, 2] = 1,
    ) -> None:
        """A new message; *chat_type* 1 is a person, 2 a group."""
        body = {"chatid": chat, "chat_type": chat_type, "msgtype": msgtype, msgtype: content}
        await self._ask(link, chat, frames.SEND, body)

    async def stream(self, link: Link, reply: Request, text: str, *, finish: bool) -> None:
        """Say *text* under the person's own message; said again it takes the place of the last."""
        first = not reply.stream_id
        reply.stream_id = reply.stream_id or frames.new_id("stream")
        stream: dict[str, Any] = {"id": reply.stream_id, "finish": finish, "content": text}
        if first:
            stream["feedback"] = {"id": reply.req_id[:200]}
        body = {"msgtype": "stream", "stream": stream}
        spare = 0 if finish else KEPT_FOR_ANSWERS
        try:
            await self._ask(
                link, reply.chat, frames.RESPOND, body, req_id=reply.req_id, spare=spare
            )
        except OutcomeUnknown:
            # A late acknowledgement would be taken for that of the next frame.
            self._live.drop(reply.req_id)
            reply.said = reply.carded = True
            raise
        except ChannelError:
            if first:
                reply.stream_id = ""
            raise
        reply.said = finish

    async def card_in_place(self, link: Link, reply: Request, drawn: dict[str, Any]) -> bool:
        """False when the message takes no answer any more."""
        body = {"msgtype": "template_card", "template_card": drawn}
        try:
            return await self._in_place(link, reply.chat, frames.RESPOND, body, reply.req_id)
        except OutcomeUnknown:
            self._live.drop(reply.req_id)  # as in stream
            reply.said = reply.carded = True
            raise

    async def update(self, link: Link, chat: str, req_id: str, drawn: dict[str, Any]) -> bool:
        """Redraw the card that was tapped; False when the seconds for it are over."""
        body = {"response_type": "update_template_card", "template_card": drawn}
        return await self._in_place(link, chat, frames.UPDATE, body, req_id)

    async def respond(self, link: Link, chat: str, cmd: str, req_id: str, body: Any) -> None:
        """Answer a callback directly; only a log line when that does not work."""
        try:
            await self._ask(link, chat, cmd, body, req_id=req_id)
        except ChannelError as error:
            log.info("aibot: no direct answer", cmd=cmd, why=str(error))

    async def write(self, work: Callable[[Session], T]) -> T:
        return await keeping.write(self._db, work)

    async def _in_place(
        self, link: Link, chat: str, cmd: str, body: dict[str, Any], req_id: str
    ) -> bool:
        try:
            await self._ask(link, chat, cmd, body, req_id=req_id)
        except Refused as refused:
            if refused.transient:
                raise
            log.info("aibot: not in place", cmd=cmd, errcode=refused.errcode)
            return False
        return True

    async def _ask(
        self,
        link: Link,
        chat: str,
        cmd: str,
        body: dict[str, Any],
        *,
        req_id: str = "",
        spare: int = 0,
    ) -> None:
        try:
            full = await self.write(lambda s: self._count(s, chat, spare))
        except Exception as error:  # nothing can be stored: just that may be what it has to say
            log.error("aibot: sent uncounted", cmd=cmd, error=type(error).__name__)
            full = None
        if full:
            raise ChannelAway(f"quota of {full.cap.scope}", retry_after_s=full.wait_s)
        try:
            await link.ask(cmd, body, req_id=req_id)
        except Refused as refused:
            if refused.errcode == frames.TOO_OFTEN:
                raise ChannelAway(str(refused), retry_after_s=refused.retry_after_s) from refused
            raise

    def _count(self, session: Session, chat: str, spare: int) -> Full | None:
        scope = f"{CHANNEL}:{chat}"
        caps = (
            Cap(scope=f"{scope}:minute", most=A_MINUTE - spare, span_s=60, bucket_s=5),
            Cap(scope=f"{scope}:hour", most=AN_HOUR, span_s=3600, bucket_s=60),
        )
        return send_windows.take(session, caps, now=self._clock.now())
