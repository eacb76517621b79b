"""Stream mode: keeps connections to the gateway, and answers what comes (protocol sheet 1.2).

A ticket works once, so every attempt registers anew.  ``disconnect`` is routine: the next socket is
opened while the old one still answers, so that nothing falls between them.  Attempts never end.
"""

from __future__ import annotations

import asyncio
import json
import random
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote, urlsplit

import aiohttp
import structlog

from bot.channels.base import Accept, ChannelError
from bot.channels.dingtalk import errors
from bot.channels.dingtalk.client import Client
from bot.channels.dingtalk.errors import DingTalkAway, Finding, Reaction
from bot.channels.dingtalk.link import BAD_DATA, NO_HANDLER, Answer, Frame, Link, Pace
from bot.channels.dingtalk.receiving import Receiving
from bot.config_channels import DingTalk
from sales.clock import SystemClock

log = structlog.get_logger()

BOT_TOPIC: Final = "/v1.0/im/bot/messages/get"
CARD_TOPIC: Final = "/v1.0/card/instances/callback"
_OPEN: Final = "/v1.0/gateway/connections/open"
_SUBSCRIPTIONS: Final = (
    {"type": "EVENT", "topic": "*"},
    {"type": "CALLBACK", "topic": BOT_TOPIC},
    {"type": "CALLBACK", "topic": CARD_TOPIC},
)
_NOTHING: Final = {"response": None}


class Stream:
    """*accept* stores an event durably; only then is its frame acknowledged."""

    def __init__(
        self,
        client: Client,
        settings: DingTalk,
        receiving: Receiving,
        accept: Accept,
        *,
        pace: Pace,
    ) -> None:
        self._client = client
        self._settings = settings
        self._receiving = receiving
        self._accept = accept
        self._pace = pace
        self._up = 0
        self._down_since = 0.0
        self.heard_at: datetime | None = None  # the last frame that was no ping

    async def run(self) -> None:
        """Until cancelled."""
        self._down_since = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as group:
            for _ in range(self._settings.connections):
                group.create_task(self._keep())

    def status(self) -> dict[str, Any]:
        """For the set-up page and doctor."""
        return {"connections": self._up, "heard_at": self.heard_at}

    async def try_register(self) -> None:
        """Ask for a ticket that nobody uses.  Raises ChannelError."""
        try:
            await self._register()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise ChannelError(f"dingtalk: no gateway: {error!r}", transient=True) from None

    # --- one of the connections -----------------------------------------------------------------

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        served: set[asyncio.Task[None]] = set()  # those that are leaving among them
        waits = Waits(self._pace)
        try:
            while True:
                link = await self._opened(waits)
                began = loop.time()
                serving = asyncio.create_task(self._serve(link))
                served.add(serving)
                serving.add_done_callback(served.discard)
                told = asyncio.create_task(link.leaving.wait())
                try:
                    await asyncio.wait({serving, told}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    told.cancel()
                lived_s = loop.time() - began
                if lived_s >= self._pace.steady_s:
                    waits.reset()
                if link.leaving.is_set():
                    await asyncio.sleep(self._pace.least_life_s - lived_s)
                else:
                    await asyncio.sleep(waits.next())
        finally:
            for task in served:
                task.cancel()
            await asyncio.gather(*served, return_exceptions=True)

    async def _serve(self, link: Link) -> None:
        self._up += 1
        try:
            why = await link.serve()
        except (aiohttp.ClientError, OSError, RuntimeError) as error:
            why = repr(error)
        except Exception as error:
            log.exception("dingtalk: connection")
            why = repr(error)
        finally:
            self._up -= 1
            if not self._up:
                self._down_since = asyncio.get_running_loop().time()
        log.debug("dingtalk: a connection ended", why=why)

    async def _opened(self, waits: Waits) -> Link:
        """The next connection, however long it takes."""
        while True:
            try:
                link = await self._open()
            except DingTalkAway as away:
                self._client.findings.note(away.finding)
                mendable = away.reaction in (Reaction.SECRET, Reaction.ADMIN, Reaction.QUOTA)
                wait_s = waits.slow() if mendable else max(away.retry_after_s, waits.next())
                why = str(away)
            except (ChannelError, aiohttp.ClientError, OSError, TimeoutError) as error:
                wait_s, why = waits.next(), str(error) or repr(error)
            except Exception as error:  # whatever it is, the next attempt may be better
                log.exception("dingtalk: connecting")
                wait_s, why = waits.next(), repr(error)
            else:
                for topic in ("connection", "token", "ip"):
                    self._client.findings.clear(topic)
                return link
            log.info("dingtalk: no connection", why=why, again_in_s=round(wait_s, 1))
            self._tell(why)
            await asyncio.sleep(wait_s)

    async def _open(self) -> Link:
        endpoint, ticket = await self._register()
        joint = "&" if "?" in endpoint else "?"
        async with asyncio.timeout(self._pace.open_s):
            socket = await self._client.http.ws_connect(
                f"{endpoint}{joint}ticket={quote(ticket, safe='')}",
                autoping=False,
                timeout=aiohttp.ClientWSTimeout(ws_close=2.0),
                max_msg_size=0,
            )
        return Link(socket, self._on_frame, self._pace)

    async def _register(self) -> tuple[str, str]:
        """Where to connect, and with which ticket.

        Raises:
            DingTalkAway: only an admin can mend it, or we must wait.
            ChannelError, aiohttp.ClientError, TimeoutError: not now.
        """
        body = {
            "clientId": self._settings.client_id,
            "clientSecret": self._settings.client_secret,
            "subscriptions": list(_SUBSCRIPTIONS),
            "ua": "genjin/1.0",
        }
        status, answer = await self._client.ask_openly(_OPEN, body, timeout_s=self._pace.open_s)
        if status != 200:
            error = errors.from_v1(status, answer, _OPEN)
            if status in (400, 401) and not isinstance(error, DingTalkAway):
                error = errors.bad_secret(status, answer)
            raise error
        endpoint, ticket = str(answer.get("endpoint") or ""), str(answer.get("ticket") or "")
        secure = self._settings.api_base.startswith("https")
        scheme = urlsplit(endpoint).scheme
        if not ticket or scheme not in (("wss",) if secure else ("wss", "ws")):
            raise errors.DingTalkError("dingtalk: no address to connect to", transient=True)
        return endpoint, ticket

    def _tell(self, why: str) -> None:
        if self._up:
            return
        down_s = asyncio.get_running_loop().time() - self._down_since
        if down_s >= self._pace.tell_s:
            detail = {"words": errors.cleaned(why)}
            self._client.findings.note(
                Finding(topic="connection", problem="no_connection", detail=detail)
            )

    # --- frames ---------------------------------------------------------------------------------

    async def _on_frame(self, frame: Frame) -> Answer:
        """Raises BotError when nothing was stored."""
        self.heard_at = SystemClock().now()
        try:
            data = json.loads(frame.data or "{}")
        except (ValueError, RecursionError):
            data = None
        if not isinstance(data, dict):
            log.warning("dingtalk: data that cannot be read", topic=frame.topic)
            return Answer(code=BAD_DATA, message="bad data", data=_NOTHING)
        if frame.type == "EVENT":
            await self._receiving.event(str(frame.headers.get("eventType") or ""))
            return Answer(data={"status": "SUCCESS", "message": "success"})
        if frame.topic == BOT_TOPIC:
            await self._receiving.message(data, self._accept)
            return Answer(data=_NOTHING)
        if frame.topic == CARD_TOPIC:
            # The card is changed later, through the outbox: what it shows then is decided.
            await self._receiving.tap(data, self._accept)
            return Answer(data=_NOTHING)
        log.warning("dingtalk: a topic that nobody asked for", topic=frame.topic)
        return Answer(code=NO_HANDLER, message="no handler", data=_NOTHING)


class Waits:
    """How long until the next attempt: doubling, with jitter, so that many do not come at once."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self.reset()

    def reset(self) -> None:
        self._fast_s, self._slow_s = self._pace.first_wait_s, self._pace.slow_wait_s

    def next(self) -> float:
        wait_s, self._fast_s = self._fast_s, min(self._pace.most_wait_s, self._fast_s * 2)
        return wait_s * random.uniform(0.7, 1.3)

    def slow(self) -> float:
        wait_s, self._slow_s = self._slow_s, min(self._pace.most_slow_s, self._slow_s * 2)
        return wait_s * random.uniform(0.9, 1.1)
