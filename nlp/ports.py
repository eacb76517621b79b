"""The ports of ``nlp``: all that handlers know of speech and language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol
from urllib.parse import urlsplit

from sales.facts import ContactFact, CustomerFact, MemoFacts, ProductFact, Span

SAMPLE_RATE = 16_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """What the recogniser may know beforehand: the rep's own names, most recent first (G3)."""

    language: str = "zh"
    names: tuple[str, ...] = ()
    platform_text: str = ""  # what the platform recognised itself, '' when it sent none


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    start_s: float
    end_s: float
    text: str
    confidence: float | None = None  # exp(average log-probability); None where a backend has none


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """``text`` is simplified Chinese, '' when nothing was said."""

    text: str
    segments: tuple[Segment, ...]
    language: str
    backend: str
    model: str
    duration_s: float  # of the sound
    compute_s: float
    cut: bool = False  # the sound was longer than the limit; only its beginning was heard
    bad_packets: int = 0


class Transcriber(Protocol):
    """Sound to text.  Blocking; called in a thread; safe to call from several threads."""

    def transcribe(self, data: bytes, hints: Hints) -> Transcript:
        """Decode *data* (a whole sound file of any kind) and hear it.

        Raises:
            BadAudio: the recording cannot be heard; tell the person.
            SpeechUnavailable: nothing can hear now; try later.
        """

    def describe(self) -> Mapping[str, object]:
        """For doctor and the console: ``{"backend", "model", "ready": bool, "detail"}``.

        ``model`` is '' when nothing can hear; not ``ready`` with a model means that it is loading.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownContact:
    name: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The company's own lists, as the extractor needs them.

    ``customers`` maps the registered name to its known short names; ``corrections`` maps what was
    heard wrongly before to what it should have been (G3), applied by the matcher, never to text.
    ``colleagues`` are our own people: never contacts.
    """

    customers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    contacts: Mapping[str, Sequence[KnownContact]] = field(default_factory=dict)
    products: Sequence[str] = ()
    competitors: Sequence[str] = ()
    corrections: Mapping[str, str] = field(default_factory=dict)
    colleagues: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LlmSettings:
    """An OpenAI-compatible server that may add phrases to what the rules found.

    ``timeout_s`` is the longest that one memo waits for it.
    """

    enabled: bool = False
    base_url: str = ""
    model: str = ""
    api_key: str = field(default="", repr=False)
    timeout_s: float = 20.0

    def problem(self) -> str:
        """Why it cannot be asked: no_url | no_model; '' when it can."""
        try:
            url = urlsplit(self.base_url.strip())
            usable = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
        except ValueError:  # a port that is none, half an IPv6 address
            usable = False
        if not usable:
            return "no_url"
        return "" if self.model.strip() else "no_model"


class Extractor(Protocol):
    def extract(self, text: str, *, now: datetime, world: World) -> MemoFacts:
        """Text to fields.  *now* is aware; days are of its zone.

        Never raises for any text; a text without a memo gives another ``kind`` and no records.
        By rules alone it is deterministic; a model that is set may be asked and waited for, so
        never call it inside a transaction.
        """

    def customers(self, said: str, *, now: datetime, world: World) -> tuple[str, ...]:
        """Customers of the list that a name in *said* may mean, by rules alone: at once."""

    def correction(self, text: str, *, now: datetime, world: World) -> Correction | None:
        """Read a reply such as 不对 是下周三 or 金额 100万; None when it corrects nothing (G1).

        By rules alone, at once.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What a reply wants changed.  Only what was said is set.

    ``field`` is what the words name (客户 金额 交期...), '' when only the value tells.
    ``wrong`` is the value it replaces when said (客户是驰远不是致远 -> 致远), else ''.
    """

    field: str = ""  # "" | customer | contact | product | amount | due | next_step
    due: date | None = None
    amount: float | None = None
    customer: CustomerFact | None = None
    contact: ContactFact | None = None
    product: ProductFact | None = None
    text: str = ""  # the new value in the words of the reply
    span: Span = (0, 0)
    wrong: str = ""
