"""The neutral card: what a message says, before any platform draws it.

Builders in this folder make it; ``bot/rendering`` turns it into WeCom and DingTalk payloads within
the limits of the message sheet, section 1.  It is stored as JSON, so it holds plain values only.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

Tone = Literal["plain", "alarm", "done"]  # grey, red, green
Status = Literal["pending", "working", "done", "rejected", "dropped", "expired", "other"]
Layout = Literal["buttons", "notice", "form", "checklist", "news"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line, ``key`` at most 5 characters.

    ``old`` is the value that a correction replaced (G1).
    ``source`` is the words of the memo that the value came from (G2), 6 to 12 characters.
    """

    key: str
    value: str
    old: str = ""
    source: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """``action`` such as ``memo.ok``; ``arg`` a short id.  The nonce is added when it is stored."""

    text: str
    action: str = ""
    arg: str = ""
    url: str = ""  # a link button instead of an action


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A drop-down of a form (``choices``), or a free entry (``entry``: text number date)."""

    id: str
    title: str
    choices: tuple[Choice, ...] = ()
    selected: str = ""
    entry: Literal["", "text", "number", "date"] = ""
    value: str = ""
    multiple: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    text: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One card.  ``text`` is the version in words; the whole journey must work with it alone.

    ``layout``: buttons = button_interaction, notice = text_notice, form = multiple_interaction,
    checklist = vote_interaction, news = news_notice.  ``lead`` with more than one item is the body
    split over lines.  ``footer`` is who and when, once decided.
    """

    kind: str  # memo.confirm, memo.ask, ...
    layout: Layout
    source: str
    title: str
    text: str
    subtitle: str = ""
    quote_title: str = ""
    quote: str = ""
    rows: tuple[Row, ...] = ()
    body: str = ""
    big: str = ""
    big_note: str = ""
    buttons: tuple[Button, ...] = ()
    questions: tuple[Question, ...] = ()
    submit: Button | None = None  # for form and checklist
    links: tuple[Link, ...] = ()
    url: str = ""  # the whole card opens this page
    image_url: str = ""  # of the news layout: an address that the platform itself can fetch
    tone: Tone = "plain"
    status: Status = "pending"
    footer: str = ""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        made = dict(data)
        made["rows"] = tuple(Row(**row) for row in data.get("rows", ()))
        made["buttons"] = tuple(Button(**button) for button in data.get("buttons", ()))
        made["links"] = tuple(Link(**link) for link in data.get("links", ()))
        made["questions"] = tuple(
            Question(
                **{**one, "choices": tuple(Choice(**choice) for choice in one.get("choices", ()))}
            )
            for one in data.get("questions", ())
        )
        made["submit"] = Button(**data["submit"]) if data.get("submit") else None
        return cls(**made)
