"""What comes in and what goes out, the same for every channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Literal, Self

from handlers.cards.model import Card

# action: a button; event: came in, chose from the menu (``Inbound.action`` says which); other: a
# message of a kind that the bot cannot use (``arg`` is the platform's name of it).
InboundKind = Literal["voice", "text", "photo", "file", "action", "event", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """One event of a platform, verified and decrypted.

    ``event_key`` is the platform's own id of the event (protocol sheets); with ``channel`` it is
    unique.  ``media_sha`` is set when the bytes are here already; else ``media_ref`` is what the
    channel's ``download`` needs.  ``values`` holds a form's answers.
    """

    channel: str
    event_key: str
    kind: InboundKind
    user: str  # the platform's user id
    conversation: str
    at: datetime
    text: str = ""
    media_sha: str = ""
    media_ref: str = ""
    media_name: str = ""
    platform_text: str = ""
    action: str = ""
    arg: str = ""
    card_id: str = ""
    nonce: str = ""
    handle: str = ""  # a fresh handle to update the tapped card with, where the platform gives one
    values: Mapping[str, Any] = field(default_factory=dict)

    def to_payload(self) -> dict[str, Any]:
        # Not asdict: that copies in depth, and this runs for every event that arrives.
        made = {one.name: getattr(self, one.name) for one in fields(self)}
        return {**made, "values": dict(self.values), "at": self.at.isoformat()}

    @classmethod
    def from_payload(cls, data: dict[str, Any]) -> Self:
        return cls(**{**data, "at": datetime.fromisoformat(data["at"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """A plain text to one person.  ``markdown``: headings, bold, links and quotes, no more."""

    effect_key: str
    person_id: int
    text: str
    markdown: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSay:
    """A plain text to a group of ``channel``, such as ``chat:<id>`` or ``hook:<name>`` on WeCom."""

    effect_key: str
    channel: str
    group: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture of the media store (PNG or JPEG) to one person."""

    effect_key: str
    person_id: int
    media_sha: str
    name: str = "picture.png"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file of the media store to one person; some platforms show names in ASCII only."""

    effect_key: str
    person_id: int
    media_sha: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """A card to one person.  Shown again with the same ``card_key`` it is redrawn in place.

    ``card_key`` such as ``memo.confirm:12`` names the card for good; every drawing is one effect
    ``<card_key>:v<number>``.
    """

    card_key: str
    person_id: int
    card: Card
    subject_kind: str
    subject_id: int


Outbound = Say | Show | GroupSay | Picture | Attachment
