"""The channel ``wecom_bot``: the 智能机器人 of WeCom over its long connection.

Wiring (``bot/channels/build.py``), when ``wecom_bot`` is among ``config.ready_channels()``::

    WeComBot(config.channels.wecom_bot, db, media, clock, base_url=config.base_url,
             link_key=<as for the app>,
             resolve=<the app client's batch/openuserid_to_userid, or None>)

What is wrong with it stands in ``channel_state`` under ("wecom_bot", "connection"):
``refused`` (wrong bot id or secret; detail ``errcode``), ``evicted`` (another program connected
with the same bot), ``unreachable`` (detail ``error``).  ``wake()`` makes it try again at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any, Final
from weakref import WeakValueDictionary

import aiohttp
import structlog

from bot.channels.base import Accept, Outgoing, Sent
from bot.channels.wecom_bot import chat_words as words
from bot.channels.wecom_bot import frames, inbound
from bot.channels.wecom_bot.drawing import Drawing
from bot.channels.wecom_bot.frames import Frame
from bot.channels.wecom_bot.inbound import CHANNEL
from bot.channels.wecom_bot.keeping import write
from bot.channels.wecom_bot.lease import Lease
from bot.channels.wecom_bot.link import Link, Pace, event_type
from bot.channels.wecom_bot.live import Live, Request, Tap
from bot.channels.wecom_bot.media import Files
from bot.channels.wecom_bot.names import Names, Resolve
from bot.channels.wecom_bot.sending import Sender
from bot.channels.wecom_bot.supervisor import Supervisor
from bot.channels.wecom_bot.uploads import Uploads
from bot.channels.wecom_bot.ways import Ways
from bot.config_channels import WeComBot as BotSettings
from handlers.messages import Inbound
from sales.clock import COMPANY_ZONE, Clock
from storage import audit, channel_states, send_windows
from storage.database import Database, Session
from storage.media import MediaStore

log = structlog.get_logger()

TOPIC: Final = "connection"
_LAST_WORDS_S: Final = 5.0  # at the end: for what was received but is not stored yet


class WeComBot:
    """Every process runs it; the one that holds the lease has the connection.

    The others' ``send`` raises ``ChannelAway``, until that one's worker gets the job.
    """

    name = CHANNEL
    idempotent = False

    def __init__(
        self,
        settings: BotSettings,
        db: Database,
        media: MediaStore,
        clock: Clock,
        *,
        base_url: str = "",
        link_key: bytes = b"",
        resolve: Resolve | None = None,
        pace: Pace | None = None,
        alone: bool | None = None,
    ) -> None:
        """*alone*: no other process can be alive; so it is on SQLite, where one holds the folder.

        *link_key*: see :class:`bot.channels.wecom_bot.drawing.Drawing`.
        *resolve*: see :data:`bot.channels.wecom_bot.names.Resolve`.
        """
        self._db = db
        self._clock = clock
        self._pace = pace or Pace()
        self._session: aiohttp.ClientSession | None = None
        self._accept: Accept | None = None
        self._live = Live()
        self._names = Names(db, resolve)
        self._files = Files(media, self._http)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._taking: set[asyncio.Task[None]] = set()  # received, perhaps not stored yet
        self._behind: set[asyncio.Task[None]] = set()  # may be dropped at the end
        self._lease = Lease(
            db,
            clock,
            name=f"{CHANNEL}:{settings.bot_id}",
            for_s=self._pace.lease_s,
            alone=db.is_sqlite if alone is None else alone,
        )
        self._supervisor = Supervisor(
            url=settings.ws_url,
            bot_id=settings.bot_id,
            secret=settings.secret,
            pace=self._pace,
            lease=self._lease,
            http=self._http,
            on_callback=self._callback,
            on_end=self._live.forget,
            find=self._find,
        )
        self._lease.on_lost = self._supervisor.drop
        self._ways = Ways(db, clock, self._live)
        self._sender = Sender(
            db,
            clock,
            self._live,
            ways=self._ways,
            drawing=Drawing(db, clock, base_url=base_url, link_key=link_key),
            uploads=Uploads(db, media, clock, bot_id=settings.bot_id),
            link=self._supervisor.link,
        )

    async def run(self, accept: Accept) -> None:
        self._accept = accept
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._lease.run())
                group.create_task(self._supervisor.run())
                group.create_task(self._close_streams())
        finally:
            if self._taking:
                await asyncio.wait(self._taking, timeout=_LAST_WORDS_S)
            left = [*self._taking, *self._behind]
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
            await self._files.close()
            if self._session:
                await self._session.close()

    def wake(self) -> None:
        """Try to connect now, whatever it waits for."""
        self._supervisor.wake()

    def send(self, message: Outgoing) -> Coroutine[Any, Any, Sent]:
        return self._sender.send(message)

    def download(self, ref: str) -> Coroutine[Any, Any, bytes]:
        return self._files.download(ref)

    # --- what comes in --------------------------------------------------------------------------

    def _callback(self, frame: Frame, link: Link) -> None:
        """Called in the order of arrival; the reader must not wait for the database."""
        self._later(self._take(frame, link), self._taking)

    async def _take(self, frame: Frame, link: Link) -> None:
        try:
            match event_type(frame.body) if frame.cmd == frames.EVENT else frame.cmd:
                case frames.MESSAGE:
                    await self._said(frame, link)
                case "template_card_event":
                    await self._tapped(frame, link)
                case "enter_chat":
                    await self._entered(frame, link)
                case "feedback_event":
                    await self._rated(frame)
                case other:
                    log.info("aibot: nothing follows from it", what=other[:40])
        except Exception:
            log.exception("aibot: a callback was not taken", cmd=frame.cmd)

    async def _said(self, frame: Frame, link: Link) -> None:
        who, now = inbound.sender(frame.body), self._clock.now()
        msgid = str(frame.body.get("msgid") or "")
        request = Request(req_id=frame.req_id, msgid=msgid, chat=who, link=link, at=now)
        async with self._turn(who):
            user = await self._names.of(who)
            events = inbound.read(frame.body, user=user, at=now, req_id=frame.req_id)
            group = inbound.in_group(frame.body)
            if not group:
                self._live.opened(request)  # before accept: the answer may be that quick
            try:
                fresh = [await self._stored(event) for event in events]
            except Exception as error:
                self._live.drop(frame.req_id)
                log.error("aibot: a message could not be stored", error=type(error).__name__)
                await self._answer(frame, link, words.NOT_STORED)
                return
        if not any(fresh):
            self._live.drop(frame.req_id)
            return
        for event in events:
            if event.media_ref:
                self._files.begin(event.media_ref)
        if group:
            await self._answer(frame, link, words.IN_PRIVATE)
        elif events[-1].kind in ("voice", "text"):
            said = words.HEARD if events[-1].kind == "voice" else words.READ
            self._later(self._interim(request, said), self._behind)

    async def _stored(self, event: Inbound) -> bool:
        assert self._accept is not None
        return await self._accept(event)

    async def _interim(self, request: Request, said: str) -> None:
        await asyncio.sleep(self._pace.interim_s)
        await self._sender.interim(request, said)

    async def _answer(self, frame: Frame, link: Link, text: str) -> None:
        """One whole answer in place, to the chat that the message came from."""
        chat = str(frame.body.get("chatid") or inbound.sender(frame.body))
        stream = {"id": frames.new_id("stream"), "finish": True, "content": text}
        body = {"msgtype": "stream", "stream": stream}
        await self._ways.respond(link, chat, frames.RESPOND, frame.req_id, body)

    async def _tapped(self, frame: Frame, link: Link) -> None:
        who, now = inbound.sender(frame.body), self._clock.now()
        tap = Tap(req_id=frame.req_id, task_id=inbound.task_of(frame.body), link=link, at=now)
        async with self._turn(who):
            user = await self._names.of(who)
            event = inbound.read_tap(frame.body, user=user, at=now, req_id=frame.req_id)
            if event is not None:
                self._live.tapped(tap)
                try:
                    await self._stored(event)
                except Exception as error:
                    log.error("aibot: a tap could not be stored", error=type(error).__name__)
                    content = {"content": words.TAP_NOT_STORED}
                    body = {"chatid": who, "chat_type": 1, "msgtype": "markdown"}
                    await self._ways.respond(
                        link, who, frames.SEND, "", {**body, "markdown": content}
                    )

    async def _entered(self, frame: Frame, link: Link) -> None:
        """A welcome, once a day; the platform waits five seconds for it."""
        who, now = inbound.sender(frame.body), self._clock.now()
        first = await write(self._db, lambda s: _first_today(s, who, now))
        if first:
            body = {"msgtype": "text", "text": {"content": words.WELCOME}}
            await self._ways.respond(link, who, frames.WELCOME, frame.req_id, body)

    async def _rated(self, frame: Frame) -> None:
        """What somebody thinks of an answer is kept for the admin."""
        who, now = inbound.sender(frame.body), self._clock.now()
        user = await self._names.of(who)
        await write(self._db, lambda s: _keep_rating(s, frame.body, user, now))

    # --- the rest -------------------------------------------------------------------------------

    async def _close_streams(self) -> None:
        while True:
            await asyncio.sleep(self._pace.look_s)
            try:
                await self._sender.tidy()
            except Exception as error:  # the database is away: the next look may do
                log.error("aibot: streams were not looked at", error=type(error).__name__)

    async def _find(self, problem: str, detail: dict[str, Any]) -> None:
        now = self._clock.now()

        def keep(session: Session) -> None:
            if problem:
                channel_states.note(session, CHANNEL, TOPIC, problem, detail, now=now)
            else:
                channel_states.clear(session, CHANNEL, TOPIC, now=now)

        await write(self._db, keep)

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession()
        return self._session

    def _turn(self, who: str) -> asyncio.Lock:
        return self._turns.setdefault(who, asyncio.Lock())

    @staticmethod
    def _later(work: Coroutine[Any, Any, None], among: set[asyncio.Task[None]]) -> None:
        task = asyncio.create_task(work)
        among.add(task)
        task.add_done_callback(among.discard)


def _first_today(session: Session, who: str, now: datetime) -> bool:
    day = now.astimezone(COMPANY_ZONE).date()
    until = now + timedelta(days=2)
    return send_windows.first_time(
        session, f"{CHANNEL}:welcome:{who}", day.isoformat(), until=until
    )


def _keep_rating(session: Session, body: dict[str, Any], user: str, now: datetime) -> None:
    msgid = str(body.get("msgid") or "")
    until = now + timedelta(days=2)
    if not send_windows.first_time(session, f"{CHANNEL}:feedback", msgid, until=until):
        return
    event = body.get("event") or {}
    said = event.get("feedback_event") or {}
    audit.note(
        session,
        at=now,
        who=user,
        action="wecom_bot.feedback",
        subject=f"answer:{str(said.get('id') or '')[:80]}",
        new={
            "type": said.get("type"),
            "content": str(said.get("content") or "")[:500],
            "reasons": said.get("inaccurate_reason_list") or [],
        },
    )
