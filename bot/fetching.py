"""The bytes of what somebody sent, here and by content hash before anything else happens."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any

from bot.channels.base import Channel, ChannelAway, ChannelError, MediaGone
from handlers.messages import Inbound
from storage import media
from storage.media import MediaStore

Ask = Callable[[Coroutine[Any, Any, bytes]], bytes]


def fetch_media(
    event: Inbound,
    *,
    channels: Mapping[str, Channel],
    store: MediaStore,
    ask: Ask,
    duration_s: Callable[[bytes], float | None],
    last_try: bool,
) -> tuple[Inbound, media.Stored | None, int | None]:
    """The event with its bytes stored, what they are, and milliseconds of sound.

    Raises:
        MediaGone: the person must send it again.
        ChannelError: not now.
    """
    if event.kind not in ("voice", "photo", "file"):
        return event, None, None
    if not event.media_sha and not event.media_ref:  # the platform's words without the sound
        return event, None, None
    if event.media_sha:
        data = store.get(event.media_sha)
        stored = media.Stored(
            sha256=event.media_sha,
            kind=media.sniff(data),
            size=len(data),
            name=event.media_name,
        )
    else:
        try:
            data = _download(event, channels, ask, last_try=last_try)
        except MediaGone:
            if event.kind == "voice" and event.platform_text.strip():
                return replace(event, media_ref=""), None, None  # its words are left: go on
            raise
        stored = store.put(data, event.media_name)
        event = replace(event, media_sha=stored.sha256)
    seconds = duration_s(data) if event.kind == "voice" else None
    return event, stored, round(seconds * 1000) if seconds else None


def _download(
    event: Inbound, channels: Mapping[str, Channel], ask: Ask, *, last_try: bool
) -> bytes:
    channel = channels.get(event.channel)
    if channel is None:
        raise ChannelAway(f"channel {event.channel} is off", retry_after_s=60)
    try:
        return ask(channel.download(event.media_ref))
    except ChannelAway:
        raise
    except ChannelError as error:
        if error.transient and not last_try:
            raise
        raise MediaGone("gave_up", str(error)) from error
