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


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One effect for one person.  ``rewrite`` redraws the card that ``handle`` points to."""

    effect_key: str
    kind: Literal["text", "card", "rewrite"]
    conversation: str
    user: str  # the person's id on this platform
    text: str = ""
    card: Card | None = None
    card_id: str = ""
    nonce: str = ""
    handle: str = ""


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


class Channel(Protocol):
    name: str
    # True where a second send with the same effect key is not seen by the person.
    idempotent: bool

    async def run(self, accept: Accept) -> None:
        """Receive until cancelled."""

    def send(self, message: Outgoing) -> Coroutine[Any, Any, Sent]:
        """Raises ChannelError."""

    def download(self, ref: str) -> Coroutine[Any, Any, bytes]:
        """The bytes behind ``Inbound.media_ref``."""
