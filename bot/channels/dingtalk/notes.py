"""One message in both of its forms: for the API, and for a session webhook (sheet 4.3 and 4.5)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from bot.rendering.dingtalk_words import InWords
from bot.rendering.fit import cut, split_text

PART_BYTES: Final = 9_000  # about 3,000 Chinese characters; longer ones are shown badly
FILE_TYPES: Final = frozenset(("xlsx", "pdf", "zip", "rar", "doc", "docx"))
_TITLE: Final = 60
_SINGLE_BREAK = re.compile(r"(?<!\n)\n(?![\n\s]|[-*+] |\d+\. |#|>)")
_MARKS = re.compile(r"[#>*_`\[\]]")

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """``webhook`` is None where a webhook cannot carry it."""

    key: str  # msgKey
    param: dict[str, str]
    webhook: Json | None = None


def texts(text: str) -> list[Note]:
    """Plain words as messages that are not too long; the last says how many they are."""
    return [
        Note(
            key="sampleText",
            param={"content": part},
            webhook={"msgtype": "text", "text": {"content": part}},
        )
        for part in split_text(text, PART_BYTES)
        if part
    ]


def markdowns(text: str) -> list[Note]:
    return [_markdown(_title(part), _with_breaks(part)) for part in split_text(text, PART_BYTES)]


def card(words: InWords) -> Note:
    """An action card; a plain message where there is nothing to tap."""
    count = len(words.buttons)
    if not count:
        return _markdown(words.title, words.text)
    param = {"title": words.title, "text": words.text}
    if count == 1:
        [(label, url)] = words.buttons
        key, param = "sampleActionCard", {**param, "singleTitle": label, "singleURL": url}
    else:
        key = f"sampleActionCard{count}"
        for number, (label, url) in enumerate(words.buttons, 1):
            param |= {f"actionTitle{number}": label, f"actionURL{number}": url}
    buttons = [{"title": label, "actionURL": url} for label, url in words.buttons]
    shown = {"title": words.title, "text": words.text, "btnOrientation": "0", "btns": buttons}
    return Note(key=key, param=param, webhook={"msgtype": "actionCard", "actionCard": shown})


def picture(media_id: str) -> Note:
    return Note(key="sampleImageMsg", param={"photoURL": media_id})


def file(media_id: str, name: str) -> Note:
    kind = name.rpartition(".")[2].lower()
    param = {"mediaId": media_id, "fileName": name, "fileType": kind}
    return Note(key="sampleFile", param=param)


def _markdown(title: str, text: str) -> Note:
    return Note(
        key="sampleMarkdown",
        param={"title": title, "text": text},
        webhook={"msgtype": "markdown", "markdown": {"title": title, "text": text}},
    )


def _title(text: str) -> str:
    """What the list of conversations shows."""
    first = next((line for line in text.split("\n") if _MARKS.sub("", line).strip()), text)
    return cut(_MARKS.sub("", first).strip(), _TITLE) or "…"


def _with_breaks(text: str) -> str:
    """A single line break is none in this markdown, unless spaces stand around it."""
    return _SINGLE_BREAK.sub("  \n  ", text)
