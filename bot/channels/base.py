"""What a channel is to the rest of the program."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from handlers.cards.model import Card
from handlers.messages import Inbound
from sales.errors import BotError

# Stored durably when it returns: True for a new event, False for a repeat.  Only then may the
# channel acknowledge to its platform.
Accept = Callable[[Inbound], Awaitable[bool]]


OutgoingKind = Literal["text", "markdown", "card", "rewrite", "image", "file", "group"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One effect for one person.  ``rewrite`` redraws the card that ``handle`` points to.

    ``group`` is a text to a group: ``user`` then names the group as its channel knows it.
    ``image`` and ``file`` are bytes of the media store, called ``media_name``.
    """

    effect_key: str
    kind: OutgoingKind
    conversation: str
    user: str  # the person's id on this platform
    text: str = ""
    card: Card | None = None
    card_id: str = ""
    nonce: str = ""
    version: int = 1  # of the card's drawing
    handle: str = ""
    media_sha: str = ""
    media_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    platform_id: str = ""
    handle: str = ""  # to update the card later; '' where the platform needs none


class ChannelError(BotError):
    """A platform refused or did not answer.

    ``transient``: try again after ``retry_after_s``.  Otherwise the row is parked with the reason.
    """

    code = "channel"

    def __init__(self, message: str, *, transient: bool, retry_after_s: float = 5.0) -> None:
        super().__init__(message)
        self.transient = transient
        self.retry_after_s = retry_after_s


class OutcomeUnknown(ChannelError):
    """No answer came: the platform may have taken it or not."""


class ChannelAway(ChannelError):
    """Nothing can be sent now, and the message is not at fault: no connection, or a used-up quota.

    Tried again however often it takes, unlike other transient errors.
    """

    code = "channel_away"

    def __init__(self, message: str, *, retry_after_s: float = 1.0) -> None:
        super().__init__(message, transient=True, retry_after_s=retry_after_s)


class MediaGone(BotError):
    """What a person sent cannot be fetched, now or later; they are asked to send it again.

    ``reason`` is one of: ``expired`` (the platform does not have it any more), ``too_big``,
    ``refused``, ``gave_up`` (every try failed).
    """

    code = "media_gone"

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"media gone: {reason} {detail}".strip(), reason=reason)
        self.reason = reason


class Channel(Protocol):
    name: str
    # True where a second send with the same effect key is not seen by the person.
    idempotent: bool

    async def run(self, accept: Accept) -> None:
        """Receive until cancelled."""

    def send(self, message: Outgoing) -> Coroutine[Any, Any, Sent]:
        """Raises ChannelError."""

    def download(self, ref: str) -> Coroutine[Any, Any, bytes]:
        """The bytes behind ``Inbound.media_ref``.

        Raises:
            MediaGone: trying again is of no use.
            ChannelError: not now.
        """
