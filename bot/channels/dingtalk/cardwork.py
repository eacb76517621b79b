"""Shows and redraws cards: as a template draws them, else in words (protocol sheet 5).

A card's handle in the database says how it went out: ``card <name> <template> <track>``,
``msg <key>`` for an action card that can be recalled, ``said`` for one that cannot.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from bot.channels.base import ChannelError, Outgoing, Sent
from bot.channels.dingtalk import cards, chat_words, notes
from bot.channels.dingtalk.cards import Drawing, Made, Templates
from bot.channels.dingtalk.client import Client
from bot.channels.dingtalk.errors import (
    CardExists,
    CardGone,
    CardRefused,
    DingTalkAway,
    DingTalkError,
    PersonUnreachable,
    Reaction,
)
from bot.channels.dingtalk.notes import Note
from bot.rendering import dingtalk_words

log = structlog.get_logger()

_CREATE: Final = "/v1.0/card/instances/createAndDeliver"
_INSTANCES: Final = "/v1.0/card/instances"
_MSG: Final = "msg"
_SAID: Final = "said"
_TRY_AGAIN_S: Final = 600.0  # after cards were refused as such, words are used so long

Draw = Callable[[Outgoing], Awaitable[Drawing]]
# Says it in the person's chat; *recallable*: not through a webhook if it can be helped.
Say = Callable[[Outgoing, Note, bool], Awaitable[str]]


class CardWork:
    """*settle_s*: how long after a tap the card is changed; the answer to the tap goes first."""

    def __init__(
        self,
        client: Client,
        templates: Templates,
        *,
        draw: Draw,
        say: Say,
        stream: bool,
        settle_s: float,
    ) -> None:
        self._client = client
        self._templates = templates
        self._draw = draw
        self._say = say
        self._stream = stream
        self._settle_s = settle_s
        self._no_cards_until = 0.0

    async def show(self, message: Outgoing) -> Sent:
        drawing = await self._draw(message)
        return await self._show(message, drawing, message.card_id)

    async def redraw(self, message: Outgoing) -> Sent:
        """Where it is, if that can be; else afresh, and the older one is closed."""
        drawing = await self._draw(message)
        made = cards.made_of(message.handle)
        if made is None and not message.handle:
            # Nobody knows whether it ever went out; if so, then under its own id.
            made = self._templates.make(drawing.card, message.card_id)
        if made and self._templates.can_redraw(made, drawing.card):
            return await self._redraw_here(message, drawing, made)
        track = f"{message.card_id}~{message.version}" if message.handle else message.card_id
        if made is None:
            await self._recall(message.handle)
            return await self._show(message, drawing, track)
        sent = await self._show(message, drawing, track)
        await self._close(made, drawing.user)
        return sent

    async def _redraw_here(self, message: Outgoing, drawing: Drawing, made: Made) -> Sent:
        await asyncio.sleep(self._settle_s)
        try:
            await self._client.call("PUT", _INSTANCES, cards.update(drawing, made), idempotent=True)
        except CardGone:
            return await self._show(message, drawing, made.track)
        except (DingTalkError, DingTalkAway) as error:
            if not self._words_must_do(error):
                raise
            log.warning("dingtalk: a card could not be redrawn", why=str(error))
            return await self._in_words(message, drawing)
        return Sent(handle=made.handle)

    async def _show(self, message: Outgoing, drawing: Drawing, track: str) -> Sent:
        made = self._templates.make(drawing.card, track)
        if made is not None and time.monotonic() >= self._no_cards_until:
            try:
                return await self._create(drawing, made)
            except PersonUnreachable:
                raise
            except (DingTalkError, DingTalkAway) as error:
                if not self._words_must_do(error):
                    raise
                log.warning("dingtalk: a card goes out in words", why=str(error))
        return await self._in_words(message, drawing)

    async def _create(self, drawing: Drawing, made: Made) -> Sent:
        """The same ``outTrackId`` again makes no second card, so it may be asked twice."""
        body = cards.create(drawing, made, robot_code=self._client.robot_code, stream=self._stream)
        try:
            answer = await self._client.call("POST", _CREATE, body, idempotent=True)
        except CardExists:
            return Sent(handle=made.handle)
        if why := cards.undelivered(answer):
            raise CardRefused(f"dingtalk: card not delivered: {why}")
        self._client.findings.clear("card")
        return Sent(platform_id=cards.carrier(answer), handle=made.handle)

    async def _close(self, made: Made, user: str) -> None:
        """Not worth a second try: a tap on it is answered in words."""
        body = cards.moved(made, user)
        try:
            await self._client.call("PUT", _INSTANCES, body, idempotent=True)
        except ChannelError as error:
            log.info("dingtalk: an older card keeps its buttons", why=str(error))

    async def _in_words(self, message: Outgoing, drawing: Drawing) -> Sent:
        words = dingtalk_words.render(
            drawing.card, nonce=drawing.nonce, open_page=chat_words.OPEN_PAGE
        )
        recallable = any(url.startswith("dtmd:") for _, url in words.buttons)
        key = await self._say(message, notes.card(words), recallable)
        return Sent(platform_id=key, handle=f"{_MSG} {key}" if key else _SAID)

    async def _recall(self, handle: str) -> None:
        """Its buttons would say what is over.  Best effort: it works for a day only."""
        kind, _, key = handle.partition(" ")
        if kind != _MSG or not key:
            return
        try:
            await self._client.recall([key])
        except ChannelError as error:
            log.info("dingtalk: an older message stays", why=str(error))

    def _words_must_do(self, error: DingTalkError | DingTalkAway) -> bool:
        """Whether cards are not to be had, as opposed to nothing at all for a moment."""
        if isinstance(error, DingTalkAway):
            topic = error.finding.topic if error.finding else ""
            if error.reaction is Reaction.QUOTA:
                return True
            if not topic.startswith("permission"):
                return False
        elif error.transient:
            return False
        finding = error.finding
        if finding is not None and finding.problem in ("no_permission", "template_missing"):
            self._no_cards_until = time.monotonic() + _TRY_AGAIN_S
        return True
