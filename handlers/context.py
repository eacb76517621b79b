"""What a handler may use."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from handlers.cards import words
from handlers.messages import Inbound, Outbound, Say
from handlers.world import Worlds
from nlp.ports import Extractor, Transcriber
from sales.clock import Clock
from sales.people import Person
from storage.database import Session
from storage.media import MediaStore


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoSettings:
    """``required``: fields without which a record is not filed (sales.drafts.REQUIRABLE)."""

    required: tuple[str, ...] = ("customer",)
    undo_minutes: int = 10
    remind_hours: int = 24
    draft_hours: int = 72
    keep_days: int = 30  # recordings after confirmation
    dropped_hours: int = 24  # recordings of dropped memos
    log_days: int = 210
    max_text: int = 5_000  # characters of one written memo


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """Made once at start, handed to every handler."""

    transcriber: Transcriber
    extractor: Extractor
    media: MediaStore
    clock: Clock
    worlds: Worlds
    memo: MemoSettings = field(default_factory=MemoSettings)


@dataclass(slots=True, kw_only=True)
class Context:
    """One event of one person inside one transaction."""

    session: Session
    now: datetime
    person: Person
    tools: Tools
    key: str  # what the answers' effect keys begin with, such as in:12
    channel: str
    conversation: str
    event: Inbound | None = None
    said: int = 0

    @property
    def today(self) -> date:
        return words.local_day(self.now)

    def reply(self, text: str) -> Outbound:
        """Say *text* to the person; the first reply of an event has key ``…:1``."""
        self.said += 1
        return Say(effect_key=f"{self.key}:{self.said}", person_id=self.person.id, text=text)
