"""One event of a person: which handler, and what every event has in common."""

from __future__ import annotations

from handlers import actions, memo, replies, routes
from handlers.cards import notice
from handlers.context import Context
from handlers.messages import Inbound, Outbound, Say
from storage import cards, people


def handle(
    event: Inbound, ctx: Context, *, inbox_id: int, duration_ms: int | None
) -> list[Outbound]:
    """What follows from *event*.  Runs inside one transaction; returns what to say."""
    # A button on a page says nothing about where the person chats; looking in says little.
    looked_in = event.kind == "event" and event.action != "menu"
    if event.kind != "action" and not (looked_in and ctx.person.channel):
        people.wrote_from(
            ctx.session, ctx.person, channel=event.channel, conversation=event.conversation
        )
    first: list[Outbound] = []
    if ctx.person.notice_version < notice.VERSION and event.action != "notice.ok":
        first = _notice_once(ctx)
    return first + _by_kind(event, ctx, inbox_id=inbox_id, duration_ms=duration_ms)


def _by_kind(
    event: Inbound, ctx: Context, *, inbox_id: int, duration_ms: int | None
) -> list[Outbound]:
    if event.kind == "action":
        return actions.tap(event, ctx)
    if event.kind == "voice":
        return memo.receive_voice(event, ctx, inbox_id=inbox_id, duration_ms=duration_ms)
    if event.kind == "photo":
        return [ctx.reply(replies.PHOTO_KEPT)]
    if event.kind == "file":
        return [ctx.reply(replies.FILE_KEPT.format(name=event.media_name or "未命名"))]
    if event.kind == "other":
        return [ctx.reply(replies.other_kind(event.arg, event.text))]
    if event.kind == "event":
        return _menu(event.arg, ctx) if event.action == "menu" else [_hello(ctx)]
    if not any(ch.isalnum() for ch in event.text):
        return [ctx.reply(replies.NOT_UNDERSTOOD)]  # only signs or pictures
    answered = routes.answer(event.text, ctx)
    if answered is not None:
        return answered
    return memo.receive_text(event, ctx, inbox_id=inbox_id)


def _hello(ctx: Context) -> Outbound:
    """Who comes in is greeted once a day, however often they look in."""
    return Say(
        effect_key=f"hello:{ctx.person.id}:{ctx.today}",
        person_id=ctx.person.id,
        text=replies.HELLO.format(name=ctx.person.name),
    )


def _menu(key: str, ctx: Context) -> list[Outbound]:
    """A menu's key is the name of a route, or simply words that one could type."""
    words = next((one.example for one in routes.ROUTES if one.name == key), key)
    answered = routes.answer(words, ctx) if words else None
    return [ctx.reply(replies.NOT_UNDERSTOOD)] if answered is None else answered


def _notice_once(ctx: Context) -> list[Outbound]:
    key = actions.notice_card(ctx).card_key
    return [] if cards.exists(ctx.session, key) else [actions.notice_card(ctx)]
