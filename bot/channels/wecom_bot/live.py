"""What can still be answered in place.  In memory only: it dies with its connection."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.channels.wecom_bot.link import Link

ANSWERABLE_FOR: Final = timedelta(hours=24)
# The sheet says six minutes, a newer page ten; the answer must not meet a closed stream.
STREAM_FOR: Final = timedelta(minutes=5)
TAP_FOR: Final = timedelta(seconds=4.5)  # the platform says five seconds, the way there included


@dataclass(slots=True, kw_only=True)
class Request:
    """A message of a person that is answered under its own ``req_id``: one text, one card."""

    req_id: str
    msgid: str
    chat: str
    link: Link
    at: datetime
    stream_id: str = ""  # of the word that it is being worked on; '' until there is one
    said: bool = False
    carded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tap:
    """A click: for some seconds the clicked card can be redrawn where it stands."""

    req_id: str
    task_id: str
    link: Link
    at: datetime


class Live:
    def __init__(self) -> None:
        self._requests: dict[str, Request] = {}
        self._taps: dict[str, Tap] = {}

    def opened(self, request: Request) -> None:
        for old in [*self._requests.values()]:  # insertion order is age
            if old.at > request.at - ANSWERABLE_FOR:
                break
            del self._requests[old.req_id]
        self._requests[request.req_id] = request

    def tapped(self, tap: Tap) -> None:
        for old in [*self._taps.values()]:
            if old.at > tap.at - TAP_FOR:
                break
            del self._taps[old.req_id]
        self._taps[tap.req_id] = tap

    def request(self, req_id: str, *, now: datetime) -> Request | None:
        found = self._requests.get(req_id)
        return found if found and found.at > now - ANSWERABLE_FOR and found.link.alive else None

    def take_tap(self, req_id: str, *, now: datetime) -> Tap | None:
        """The click, if it can still be answered; only once."""
        found = self._taps.pop(req_id, None)
        return found if found and found.at > now - TAP_FOR and found.link.alive else None

    def streaming(self) -> list[Request]:
        """Requests with a word that it is being worked on, and no more yet."""
        return [one for one in self._requests.values() if one.stream_id and not one.said]

    def unanswered(self, chat: str, link: Link) -> list[Request]:
        """Of that chat, the newest first."""
        return [
            one
            for one in reversed(self._requests.values())
            if one.chat == chat and one.link is link and not one.said and not one.carded
        ]

    def drop(self, req_id: str) -> None:
        self._requests.pop(req_id, None)

    def forget(self, link: Link) -> None:
        """The connection ended: none of its ids is taken any more."""
        self._requests = {k: one for k, one in self._requests.items() if one.link is not link}
        self._taps = {k: one for k, one in self._taps.items() if one.link is not link}
