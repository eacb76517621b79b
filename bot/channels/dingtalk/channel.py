"""DingTalk as a channel: an internal app with a robot."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import structlog

from bot.channels.base import Accept, ChannelError, Outgoing, Sent
from bot.channels.dingtalk import media, notes
from bot.channels.dingtalk.batching import Batcher
from bot.channels.dingtalk.cards import ROUTE_KEY, Drawing, Templates
from bot.channels.dingtalk.cardwork import CardWork
from bot.channels.dingtalk.client import Client
from bot.channels.dingtalk.directory import DingTalkDirectory
from bot.channels.dingtalk.errors import DingTalkAway, DingTalkError, PersonUnreachable, Reaction
from bot.channels.dingtalk.events import GROUP, NOBODY, Reader
from bot.channels.dingtalk.findings import CHANNEL, Findings, Unreached
from bot.channels.dingtalk.http import card_secret
from bot.channels.dingtalk.link import Pace
from bot.channels.dingtalk.media import Uploads
from bot.channels.dingtalk.notes import Note
from bot.channels.dingtalk.oapi import Oapi
from bot.channels.dingtalk.receiving import Receiving
from bot.channels.dingtalk.sessions import Sessions
from bot.channels.dingtalk.stream import Stream
from bot.channels.dingtalk.usage import Usage
from bot.channels.short_links import ShortLinks
from bot.config_channels import DingTalk as Settings
from bot.rendering.addresses import absolute, with_urls
from handlers.messages import Inbound
from sales.clock import Clock
from storage import outbox
from storage.database import Database, Session
from storage.media import MediaStore

log = structlog.get_logger()
T = TypeVar("T")

_FLOW_WAIT_S: Final = 60.0
_SETTLE_S: Final = 0.4


class NotReady(ChannelError):
    """The program is starting or stopping; the platform sends it again."""

    code = "dingtalk_not_ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """``base_url``: where our pages are, no slash at the end; '' when phones cannot reach them.
    ``callback_url``: the address of HTTP callbacks as DingTalk sees it, '' when unknown."""

    base_url: str
    link_key: bytes  # makes the codes of links that nobody can guess
    callback_url: str = ""
    max_file_bytes: int = 60 * 1024 * 1024
    pace: Pace = field(default_factory=Pace)
    settle_s: float = _SETTLE_S


class DingTalk:
    """Not idempotent: what a crash leaves open is said at most once more (``Work``)."""

    name = CHANNEL
    idempotent = False

    def __init__(
        self,
        settings: Settings,
        db: Database,
        store: MediaStore,
        clock: Clock,
        options: Options,
    ) -> None:
        """*clock* is the wall clock: the platform's times are real ones."""
        self._settings = settings
        self._db = db
        self._clock = clock
        self._options = options
        self._accept: Accept | None = None
        self._links = ShortLinks(db, clock, channel=CHANNEL, key=options.link_key)
        self.findings = Findings(db, clock)
        self.usage = Usage(db, clock, {"api": settings.api_quota, "push": settings.push_quota})
        self.client = Client(
            settings,
            db,
            clock,
            findings=self.findings,
            usage=self.usage,
            max_file_bytes=options.max_file_bytes,
        )
        self.oapi = Oapi(
            settings.oapi_base,
            self.client.tokens,
            findings=self.findings,
            usage=self.usage,
            agent_id=settings.agent_id,
        )
        self.directory = DingTalkDirectory(self.oapi)
        self.sessions = Sessions(self.client, db, clock)
        self.receiving = Receiving(
            Reader(
                robot_code=self.client.robot_code,
                webhook_hosts=frozenset({urlsplit(settings.oapi_base).netloc}),
            ),
            db,
            clock,
            findings=self.findings,
            usage=self.usage,
            sessions=self.sessions,
        )
        self.stream = Stream(self.client, settings, self.receiving, self.accept, pace=options.pace)
        self._uploads = Uploads(self.oapi, db, store, clock, app=self.client.tokens.app)
        self._batcher = Batcher(
            lambda users, note: self.client.send_to_people(users, note.key, note.param)
        )
        self._unreached = Unreached(self.findings)
        self._cards = CardWork(
            self.client,
            Templates.of(
                settings.card_template_id, settings.form_template_id, settings.notice_template_id
            ),
            draw=self._drawing,
            say=self._say_privately,
            stream=settings.stream,
            settle_s=options.settle_s,
        )

    # --- receiving ------------------------------------------------------------------------------

    async def run(self, accept: Accept) -> None:
        """Receive until cancelled: by Stream, or by the callback's listener."""
        self._accept = accept
        try:
            if self._settings.stream:
                await self.stream.run()
            else:
                await self._run_callback()
        finally:
            self._accept = None
            await self.receiving.close()
            await self.close()

    async def accept(self, event: Inbound) -> bool:
        """Raises NotReady outside of ``run``."""
        if self._accept is None:
            raise NotReady("the program is starting or stopping", transient=True, retry_after_s=1)
        return await self._accept(event)

    async def close(self) -> None:
        await self.client.close()

    async def download(self, ref: str) -> bytes:
        return await media.download(self.client, ref)

    async def _run_callback(self) -> None:
        """The listener receives.  Cards need to know its address first."""
        wait_s = 5.0
        while self._options.callback_url:
            try:
                await self.register_cards(self._options.callback_url)
                break
            except ChannelError as error:
                log.warning("dingtalk: address of card callbacks not set", why=str(error))
                await asyncio.sleep(wait_s)
                wait_s = min(600.0, wait_s * 2)
        await asyncio.Event().wait()

    async def register_cards(self, url: str) -> None:
        """Tell the platform where taps go in HTTP mode, and how it shall sign them."""
        body = {
            "callbackRouteKey": ROUTE_KEY,
            "callbackUrl": url,
            "apiSecret": card_secret(self._settings.client_secret),
            "forceUpdate": True,
        }
        await self.client.call("POST", "/v1.0/card/callbacks/register", body, idempotent=True)

    # --- sending --------------------------------------------------------------------------------

    async def send(self, message: Outgoing) -> Sent:
        match message.kind:
            case "card":
                return await self._cards.show(message)
            case "rewrite":
                return await self._cards.redraw(message)
            case "image" | "file":
                return await self._file(message)
            case "group":
                return await self._each(message, notes.texts(message.text), self._to_group)
            case "markdown":
                return await self._each(message, notes.markdowns(message.text), self._to_person)
            case _:
                return await self._each(message, notes.texts(message.text), self._to_person)

    async def recall(self, platform_id: str, *, group: str = "") -> bool:
        """Take a message back, silently, within a day; False when it could not be.

        An id that several people share (the same words at the same moment) takes back them all.
        """
        keys = [one for one in platform_id.split(" ") if one]
        if not keys:
            return False  # through a webhook: that gives no id
        answer = await self.client.recall(keys, group=group)
        return set(keys) <= set(answer.get("successResult") or ())

    async def _each(
        self,
        message: Outgoing,
        parts: Sequence[Note],
        send: Callable[[Outgoing, Note], Awaitable[str]],
    ) -> Sent:
        """Each part once: what has arrived is noted before the next one goes."""
        if len(parts) == 1:
            return Sent(platform_id=await send(message, parts[0]))
        key = message.effect_key
        done = await self._read(partial(outbox.parts_sent, effect_key=key))
        ids = list(done)
        for part in parts[len(done) :]:
            ids.append(await send(message, part))
            keep = partial(outbox.keep_parts_sent, effect_key=key, ids=tuple(ids))
            await self._write(keep)
        return Sent(platform_id=" ".join(one for one in ids if one))

    async def _file(self, message: Outgoing) -> Sent:
        async def send(media_id: str, name: str, kind: media.Kind) -> str:
            note = notes.picture(media_id) if kind == "image" else notes.file(media_id, name)
            return await self._by_api(message.user, note)

        wanted: media.Kind = "image" if message.kind == "image" else "file"
        sent = await self._uploads.use(message.media_sha, wanted, message.media_name, send)
        return Sent(platform_id=sent)

    async def _to_group(self, message: Outgoing, note: Note) -> str:
        group = message.user.removeprefix(GROUP).removeprefix("chat:")
        answer = await self.client.send_to_group(group, note.key, note.param)
        return str(answer.get("processQueryKey") or "")

    async def _to_person(self, message: Outgoing, note: Note) -> str:
        return await self._say_privately(message, note, False)

    async def _say_privately(self, message: Outgoing, note: Note, recallable: bool) -> str:
        """By the webhook of the chat while it lives, else by the API; the id for a recall or ''."""
        url = await self.sessions.alive(message.conversation) if note.webhook else ""
        nameless = message.conversation.startswith(NOBODY)
        if url and not nameless and (recallable or self._spare_pushes()):
            try:
                return await self._by_api(message.user, note)
            except DingTalkAway as away:
                if away.reaction is not Reaction.QUOTA:
                    raise
        if url and note.webhook and await self.sessions.say(url, note.webhook):
            return ""
        if nameless:
            raise ChannelError("dingtalk: nobody whom an API could reach", transient=False)
        return await self._by_api(message.user, note)

    def _spare_pushes(self) -> bool:
        """Webhooks count as pushes; near their end the calls of the API may be the better ones."""
        return self.usage.nearly_spent("push") and not self.usage.nearly_spent("api")

    async def _by_api(self, user: str, note: Note) -> str:
        try:
            answer = await self._batcher.send(user, note)
        except PersonUnreachable:
            self._unreached.add(user)
            raise
        if user in (answer.get("invalidStaffIdList") or ()):
            self._unreached.add(user)
            raise PersonUnreachable("dingtalk: unknown, or out of the app's visible range")
        if user in (answer.get("flowControlledStaffIdList") or ()):
            raise DingTalkError(
                "dingtalk: too many messages to this person",
                transient=True,
                retry_after_s=_FLOW_WAIT_S,
            )
        self._unreached.discard(user)
        return str(answer.get("processQueryKey") or "")

    # --- cards ----------------------------------------------------------------------------------

    async def _drawing(self, message: Outgoing) -> Drawing:
        """The card for this person: its addresses are short codes, or left out."""
        if message.card is None:
            raise ValueError(f"{message.effect_key} is no card")
        base = self._options.base_url
        if base:
            card = absolute(await self._links.linked(message.card, message), base)
        else:
            card = with_urls(message.card, lambda url: "" if url.startswith("/") else url)
        return Drawing(card=card, card_id=message.card_id, nonce=message.nonce, user=message.user)

    # --- shared ---------------------------------------------------------------------------------

    async def _read(self, work: Callable[[Session], T]) -> T:
        return await asyncio.to_thread(self._db.read, work)

    async def _write(self, work: Callable[[Session], Any]) -> None:
        await asyncio.shield(asyncio.wrap_future(self._db.submit(work)))
