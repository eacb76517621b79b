"""WeCom as a channel: the company's own app."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, TypeVar

import structlog

from bot.channels.base import Accept, ChannelError, Outgoing, Sent
from bot.channels.short_links import ShortLinks
from bot.channels.wecom import media, sending
from bot.channels.wecom.client import CHANNEL, Settings, WeComClient
from bot.channels.wecom.errors import CodeSpent, MemberUnreachable, WeComError
from bot.channels.wecom.limits import Limiter, Limits, OverLimit
from bot.channels.wecom.media import Uploads
from bot.channels.wecom.sending import MsgType, Receipt
from bot.rendering import wecom
from handlers import replies
from handlers.cards import again
from handlers.cards.model import Card
from handlers.messages import Inbound
from sales.clock import Clock
from storage import card_handles, outbox
from storage.database import Database, Session
from storage.media import MediaStore

log = structlog.get_logger()
T = TypeVar("T")

_CHAT: Final = "chat:"
_HOOK: Final = "hook:"
_MANY: Final = 5  # fewer are not worth a word
_HOUR: Final = timedelta(hours=1)
_TASK_EXISTS: Final = 42014
_UNLICENSED: Final = "unlicensed"
_OUT_OF_RANGE: Final = "out_of_range"


class NotReady(ChannelError):
    """The program is starting or stopping; the platform sends it again."""

    code = "wecom_not_ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class WeComOptions:
    """``webhooks``: a group's name to the key of its webhook, which is a secret."""

    base_url: str  # where our pages are, without a slash at the end
    link_key: bytes  # makes the codes of links that nobody can guess
    limits: Limits = field(default_factory=Limits)
    webhooks: Mapping[str, str] = field(default_factory=dict)


class WeCom:
    """Not idempotent: what a crash leaves open is said at most once more (``Work``)."""

    name = CHANNEL
    idempotent = False

    def __init__(
        self,
        settings: Settings,
        db: Database,
        store: MediaStore,
        clock: Clock,
        options: WeComOptions,
    ) -> None:
        self._db = db
        self._clock = clock
        self._options = options
        self._accept: Accept | None = None
        self.client = WeComClient(settings, db, clock)
        self._limiter = Limiter(db, clock, app=self.client.app, limits=options.limits)
        self._links = ShortLinks(db, clock, channel=CHANNEL, key=options.link_key)
        self._uploads = Uploads(self.client, db, store, clock)

    async def run(self, accept: Accept) -> None:
        """The callback's listener receives; until cancelled, what it brings is accepted here."""
        self._accept = accept
        try:
            await asyncio.Event().wait()
        finally:
            self._accept = None

    async def accept(self, event: Inbound) -> bool:
        """What the callback calls.  Raises NotReady outside of ``run``."""
        if self._accept is None:
            raise NotReady("the program is starting or stopping", transient=True, retry_after_s=1)
        return await self._accept(event)

    async def close(self) -> None:
        """At the end, after whoever sends has stopped."""
        await self.client.close()

    async def download(self, ref: str) -> bytes:
        return await media.download(self.client, ref)

    async def send(self, message: Outgoing) -> Sent:
        try:
            return await self._send(message)
        except OverLimit as full:
            if full.to_member:
                await self._say_that_more_waits(message)
            raise

    async def _send(self, message: Outgoing) -> Sent:
        match message.kind:
            case "card":
                return await self._card(message)
            case "rewrite":
                return await self._rewrite(message)
            case "image" | "file":
                return await self._file(message)
            case "group":
                return await self._group(message)
            case _:
                return await self._text(message)

    # --- words and files ------------------------------------------------------------------------

    async def _text(self, message: Outgoing) -> Sent:
        kind: MsgType = "markdown" if message.kind == "markdown" else "text"
        users, parts = _users(message), sending.parts(message.text)
        once = len(set(parts)) == len(parts) and await self._first_of_its_kind(message)

        async def one(part: str) -> str:
            return (await self._deliver(users, kind, {"content": part}, once=once)).message_id

        return await self._one_by_one(message, parts, one)

    async def _group(self, message: Outgoing) -> Sent:
        """``chat:<id>`` is a group that the app made, ``hook:<name>`` one with a webhook."""
        group = message.user

        async def to_chat(part: str) -> str:
            chat = group.removeprefix(_CHAT)
            await self._limiter.to_chat(chat)
            await self.client.send("appchat/send", sending.to_chat(chat, part))
            return ""

        async def to_webhook(part: str) -> str:
            name = group.removeprefix(_HOOK)
            key = self._options.webhooks.get(name)
            if not key:
                raise ChannelError(f"no webhook is set for {name!r}", transient=False)
            await self._limiter.to_webhook(name)
            await self.client.to_webhook(key, sending.to_webhook(part))
            return ""

        if not group.startswith((_CHAT, _HOOK)):
            raise ChannelError(f"not a group: {group!r}", transient=False)
        one = to_chat if group.startswith(_CHAT) else to_webhook
        return await self._one_by_one(message, sending.parts(message.text), one)

    async def _one_by_one(
        self, message: Outgoing, parts: Sequence[str], send: Callable[[str], Awaitable[str]]
    ) -> Sent:
        """Each part once: what has arrived is noted before the next one goes."""
        if len(parts) == 1:
            return Sent(platform_id=await send(parts[0]))
        key = message.effect_key
        done = await self._read(lambda session: outbox.parts_sent(session, key))
        ids = list(done)
        for part in parts[len(done) :]:
            ids.append(await send(part))
            await self._write(lambda session: outbox.keep_parts_sent(session, key, ids))
        return Sent(platform_id=" ".join(one for one in ids if one))

    async def _file(self, message: Outgoing) -> Sent:
        kind = await self._uploads.kind_of(
            message.media_sha, "image" if message.kind == "image" else "file"
        )
        users, once = _users(message), await self._first_of_its_kind(message)

        async def send(media_id: str) -> Receipt:
            return await self._deliver(users, kind, {"media_id": media_id}, once=once)

        found = await self._uploads.use(message.media_sha, kind, message.media_name, send)
        return Sent(platform_id=found.message_id)

    async def _first_of_its_kind(self, message: Outgoing) -> bool:
        """What is said twice on purpose must not look to the platform like our second try."""
        return not await self._read(
            lambda session: outbox.said_before(
                session, message.effect_key, within=timedelta(seconds=sending.REPEAT_S)
            )
        )

    async def _say_that_more_waits(self, message: Outgoing) -> None:
        """Once an hour, within the margin between our limit and the platform's."""
        waiting = await self._read(lambda session: outbox.waiting(session, message.conversation))
        if waiting < _MANY or not await self._limiter.first_time(f"told:{message.user}", _HOUR):
            return
        users, words = _users(message), {"content": replies.many_waiting(waiting)}
        body = sending.to_members(self.client.agent_id, users, "text", words, once=False)
        with contextlib.suppress(ChannelError):
            await self.client.send("message/send", body)

    # --- cards ----------------------------------------------------------------------------------

    async def _card(self, message: Outgoing) -> Sent:
        """Send the card; where an earlier message shows it too, that one loses its buttons."""
        earlier = await self._read(
            lambda session: card_handles.of_earlier(
                session, message.card_id, message.effect_key, now=self._clock.now()
            )
        )
        sent = await self._send_card(message, _card_of(message))
        if earlier:
            await self._void(message, [one.id for one in earlier], earlier[0].code)
        return sent

    async def _send_card(self, message: Outgoing, card: Card) -> Sent:
        drawn = await self._drawn(message, card)
        try:
            found = await self._deliver(_users(message), "template_card", drawn, once=True)
        except WeComError as error:
            if error.errcode == _TASK_EXISTS:  # only we know its name: it arrived before a crash
                return Sent()
            raise
        if found.code and message.card_id:
            await self._write(
                lambda session: card_handles.add(
                    session, message.card_id, found.code, source="send", now=self._clock.now()
                )
            )
        return Sent(platform_id=found.message_id)

    async def _void(self, message: Outgoing, handle_ids: list[int], code: str) -> None:
        """The older message says that there is a newer one.  Not worth a second try."""
        await self._write(
            lambda session: card_handles.retire(
                session, handle_ids, message.effect_key, now=self._clock.now()
            )
        )
        drawn = await self._drawn(message, again.replaced(_card_of(message)))
        try:
            await self._limiter.update()
            await self.client.send(
                "message/update_template_card",
                sending.change(self.client.agent_id, _users(message), code, drawn),
            )
        except ChannelError as error:
            log.info("an older card keeps its buttons", card=message.card_id, why=str(error))

    async def _rewrite(self, message: Outgoing) -> Sent:
        """Change the card where it is, with the newest code that works; else send it afresh."""
        drawn = await self._drawn(message, _card_of(message))
        effect, users = message.effect_key, _users(message)
        codes = await self._read(
            lambda session: card_handles.usable(
                session, message.card_id, effect, now=self._clock.now()
            )
        )
        for one in codes:
            await self._limiter.update()
            if not await self._spend(one.id, effect):
                continue
            body = sending.change(self.client.agent_id, users, one.code, drawn)
            try:
                answer = await self.client.send("message/update_template_card", body)
            except CodeSpent:
                if one.used_for == effect:
                    return Sent()  # by ourselves: our first try had arrived after all
                continue
            found = sending.receipt(answer, users)
            if len(found.missed) == len(users):  # their message is another one, or gone
                continue
            await self._check(found, users)
            return Sent()
        log.info("no code works, the card is sent afresh", card=message.card_id)
        return await self._send_card(message, again.resent(_card_of(message)))

    async def _spend(self, handle_id: int, effect: str) -> bool:
        # Marked before the call: whoever comes after a crash knows that it may be used up.
        return await self._write(
            lambda session: card_handles.spend(session, handle_id, effect, now=self._clock.now())
        )

    async def _drawn(self, message: Outgoing, card: Card) -> dict[str, Any]:
        """The card as WeCom draws it, its addresses short codes for this person."""
        return wecom.render(
            await self._links.linked(card, message),
            card_id=message.card_id,
            nonce=message.nonce,
            version=message.version,
            base_url=self._options.base_url,
        )

    # --- shared ---------------------------------------------------------------------------------

    async def _deliver(
        self, users: Sequence[str], kind: MsgType, content: dict[str, Any], *, once: bool
    ) -> Receipt:
        await self._limiter.to_members(users)
        body = sending.to_members(self.client.agent_id, users, kind, content, once=once)
        try:
            answer = await self.client.send("message/send", body)
        except MemberUnreachable as error:
            problem = error.finding.problem if error.finding else _OUT_OF_RANGE
            await self.client.health.missed(list(users), problem)
            raise
        found = sending.receipt(answer, users)
        await self._check(found, users)
        return found

    async def _check(self, found: Receipt, users: Sequence[str]) -> None:
        """Whoever got nothing is told to the admin; when nobody got it, it was not sent."""
        if reached := [one for one in users if one not in found.missed]:
            await self.client.health.reached(reached)
        if not found.missed:
            return
        problem = _UNLICENSED if found.unlicensed else _OUT_OF_RANGE
        await self.client.health.missed(list(found.missed), problem)
        if not reached:
            raise MemberUnreachable(f"wecom: {problem}", users=found.missed)

    async def _read(self, work: Callable[[Session], T]) -> T:
        return await asyncio.to_thread(self._db.read, work)

    async def _write(self, work: Callable[[Session], T]) -> T:
        return await asyncio.to_thread(self._db.write, work)


def _users(message: Outgoing) -> list[str]:
    """Several get one message together: their ids with a bar between them."""
    return message.user.split("|")


def _card_of(message: Outgoing) -> Card:
    if message.card is None:
        raise ValueError(f"{message.effect_key} is no card")
    return message.card
