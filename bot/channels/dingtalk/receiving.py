"""From what DingTalk says to what is stored, the same for Stream and for the HTTP callback."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

import structlog

from bot.channels.base import Accept
from bot.channels.dingtalk import chat_words, events
from bot.channels.dingtalk.events import Reader, SaidButton
from bot.channels.dingtalk.findings import CHANNEL, Findings
from bot.channels.dingtalk.sessions import Sessions
from bot.channels.dingtalk.usage import Usage
from bot.rendering.dingtalk import button_named
from handlers.cards import words
from handlers.cards.model import Card
from handlers.messages import Inbound
from sales.clock import Clock
from storage import dingtalk_chats, directory, outbox
from storage.database import Database, Session

log = structlog.get_logger()

# What a message proves right: it came, with all in it, to our robot, from somebody with an id.
_PROVEN: Final = frozenset(("quota:push", "addressee", "sender"))
_PEOPLE: Final = ("user_", "org_dept_", "org_admin_", "org_change", "label_")


class Receiving:
    """Each function returns once everything that follows is committed; the word that it returns is
    for the list of attempts.  Raises BotError when nothing was stored."""

    def __init__(
        self,
        reader: Reader,
        db: Database,
        clock: Clock,
        *,
        findings: Findings,
        usage: Usage,
        sessions: Sessions,
    ) -> None:
        self._reader = reader
        self._db = db
        self._clock = clock
        self._findings = findings
        self._usage = usage
        self._sessions = sessions
        self._beside: set[asyncio.Task[object]] = set()

    async def message(self, data: Mapping[str, Any], accept: Accept) -> str:
        now = self._clock.now()
        heard = self._reader.message(data, now=now)
        self._usage.count("push")
        for finding in heard.findings:
            self._findings.note(finding)
        if heard.inbounds:
            wrong = {one.topic for one in heard.findings}
            if heard.inbounds[0].conversation.startswith(events.NOBODY):
                wrong.add("sender")
            for topic in _PROVEN.difference(wrong):
                self._findings.clear(topic)
        if heard.lost_by:
            await self._write(partial(_tell_lost, user=heard.lost_by, now=now))
        if not heard.inbounds:
            return heard.reason
        made = [await self._with_button(one) for one in heard.inbounds]
        for one in made:
            self._sessions.remember(one.conversation, one.handle)
        fresh = await asyncio.gather(*(accept(one) for one in made))
        if heard.group_session and any(fresh):
            self._soon(self._say_in_group(heard.group_session, made[0].user))
        return made[0].kind if any(fresh) else "repeat"

    async def tap(self, data: Mapping[str, Any], accept: Accept) -> str:
        self._usage.count("push")
        inbound = self._reader.tap(data, now=self._clock.now())
        if inbound is None:
            # Over the quota the platform leaves out what was tapped.
            for finding in self._reader.message(data, now=self._clock.now()).findings:
                self._findings.note(finding)
            return "no_action"
        return "action" if await accept(inbound) else "repeat"

    async def event(self, kind: str) -> str:
        """An event of the company; those about people ask for the directory to be read again."""
        if not kind.startswith(_PEOPLE):
            self._usage.count("push")
            return f"unknown:{kind[:40]}"
        await self._write(partial(directory.want, channel=CHANNEL, now=self._clock.now()))
        return f"directory:{kind[:40]}"

    async def close(self) -> None:
        """Wait a moment for what runs beside."""
        if self._beside:
            _, late = await asyncio.wait(self._beside, timeout=2)
            for task in late:
                task.cancel()

    async def _with_button(self, inbound: Inbound) -> Inbound:
        """A text that a link button made the person send is a tap on that button."""
        said = events.said_button(inbound.text) if inbound.kind == "text" else None
        if said is None:
            return inbound
        find = partial(_tapped, inbound=inbound, said=said)
        return await asyncio.to_thread(self._db.read, find)

    async def _say_in_group(self, url: str, user: str) -> None:
        """Best effort, once: in the group nothing else tells that it was heard."""
        body = {
            "msgtype": "text",
            "text": {"content": f"@{user} {chat_words.IN_PRIVATE}"},
            "at": {"atUserIds": [user]},
        }
        try:
            await self._sessions.say(url, body)
        except Exception as error:
            log.info("dingtalk: nothing said in the group", why=str(error))

    def _soon(self, work: Awaitable[object]) -> None:
        task = asyncio.ensure_future(work)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    async def _write(self, work: Callable[[Session], object]) -> None:
        await asyncio.shield(asyncio.wrap_future(self._db.submit(work)))


def _tapped(session: Session, inbound: Inbound, said: SaidButton) -> Inbound:
    """The tap that *said* stands for; on a drawing that is over it is a tap on nothing."""
    tap = replace(inbound, kind="action", text="", handle="", nonce=said.nonce)
    found = dingtalk_chats.card_by_nonce(session, said.nonce)
    if found is None:
        return tap
    view, payload = found
    button = button_named(Card.from_dict(dict(payload)), said.label)
    if button is None:
        return tap
    return replace(tap, card_id=view.id, action=button.action, arg=button.arg)


def _tell_lost(session: Session, user: str, now: Any) -> None:
    """Once a day: the words did not come, and nobody but us knows."""
    outbox.put(
        session,
        effect_key=f"{CHANNEL}.lost:{user}:{words.local_day(now)}",
        channel=CHANNEL,
        conversation=f"{CHANNEL}:{user}",
        person_id=None,
        user=user,
        kind="text",
        payload={"text": chat_words.LOST_BY_QUOTA},
        now=now,
    )
