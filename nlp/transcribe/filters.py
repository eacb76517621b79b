"""Segments that were not said: loops, subtitle credits, the prompt, and silence put into words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from nlp.transcribe.engine import Heard
from nlp.transcribe.prompt import LEAD
from nlp.transcribe.settings import FilterSettings

# Whisper learnt Chinese from subtitled films and says this into silence.  Never said in a memo.
CREDITS: Final = (
    "请不吝点赞", "明镜与点点", "打赏支持", "字幕由", "字幕by", "字幕提供", "字幕制作",
    "字幕志愿者", "字幕组", "amara.org", "优优独播", "yoyotelevision", "中文字幕",
    "词曲李宗盛", "作词李宗盛", "独播剧场",
)  # fmt: skip
# May be said, so only dropped when the model was unsure too.
POLITE: Final = (
    "谢谢观看", "感谢观看", "谢谢大家", "谢谢收看", "感谢收看", "感谢您的观看", "请订阅",
    "订阅我的频道", "我们下期再见", "下期再见", "点赞订阅转发",
)  # fmt: skip
UNSURE_NO_SPEECH: Final = 0.3
UNSURE_LOGPROB: Final = -0.7
ECHOED_NAMES: Final = 3  # that many names of the prompt and nothing else is the prompt

_NOT_WORDS = re.compile(r"[\W_]+")


def bare(text: str) -> str:
    """Letters, digits and characters only, in lower case."""
    return _NOT_WORDS.sub("", text).lower()


def believed(
    segments: Iterable[Heard], settings: FilterSettings, *, names: Sequence[str] = ()
) -> list[Heard]:
    """The segments that pass every check.  Short replies pass: no rule looks at length alone."""
    kept: list[Heard] = []
    same = 0
    for segment in segments:
        words = bare(segment.text)
        if not words or doubt(segment, settings, names=names):
            continue
        same = same + 1 if kept and bare(kept[-1].text) == words else 1
        if same <= settings.same_lines:
            kept.append(segment)
    return kept


def doubt(segment: Heard, settings: FilterSettings, *, names: Sequence[str] = ()) -> str:
    """Why *segment* is not believed: no_speech | unsure | loop | credits | prompt; '' is fine."""
    words = bare(segment.text)
    logprob, no_speech = segment.avg_logprob, segment.no_speech
    if logprob is not None:
        if (no_speech or 0) > settings.no_speech and logprob < settings.no_speech_logprob:
            return "no_speech"
        if logprob < settings.min_logprob:
            return "unsure"
    if (segment.compression or 0) > settings.max_compression or loops(words, settings.repeats):
        return "loop"
    if settings.credits:
        if any(phrase in words for phrase in map(bare, CREDITS)):
            return "credits"
        unsure = (no_speech or 0) > UNSURE_NO_SPEECH or (logprob or 0) < UNSURE_LOGPROB
        if unsure and any(words == phrase or words == phrase * 2 for phrase in POLITE):
            return "credits"
    if echoes(words, names):
        return "prompt"
    return ""


def loops(words: str, repeats: int) -> bool:
    """The same 2 to 10 characters *repeats* times in a row, and most of the text at that."""
    if len(words) < 12:
        return False
    pattern = rf"(.{{2,10}}?)\1{{{repeats - 1},}}"
    looped = sum(len(match.group()) for match in re.finditer(pattern, words))
    return looped > len(words) / 2


def echoes(words: str, names: Sequence[str]) -> bool:
    """Only the prompt came back."""
    if bare(LEAD) in words:
        return True
    rest, found = words, 0
    for name in sorted({bare(n) for n in names if n}, key=len, reverse=True):
        if name and name in rest:
            rest, found = rest.replace(name, ""), found + 1
    return found >= ECHOED_NAMES and not rest
