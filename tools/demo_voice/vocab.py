"""The few rows of Whisper's vocabulary that demo-voice uses."""

from __future__ import annotations

import functools

from whisper.tokenizer import Tokenizer, get_tokenizer

from tools.demo_voice.corpus import Sentence, characters, written

N_VOCAB = 51_865  # fewer, and the library takes the checkpoint for an English-only one
WINDOW_S = 12.4  # no longer clip was ever heard in training
STEP_S = 0.2  # grid of the time marks that were trained


@functools.cache
def tokenizer() -> Tokenizer:
    return get_tokenizer(multilingual=True, language="zh", task="transcribe")


@functools.cache
def char_tokens() -> dict[str, tuple[int, ...]]:
    """Each character alone: closed under recombination, unlike merged pairs."""
    return {c: tuple(tokenizer().encoding.encode(c)) for c in characters()}


def time_token(seconds: float) -> int:
    marks = round(seconds / STEP_S) * round(STEP_S / 0.02)
    first: int = tokenizer().timestamp_begin
    return first + int(marks)


@functools.cache
def used_ids() -> tuple[int, ...]:
    """Sorted token ids with a trained row; row *i* of the small model is ``used_ids()[i]``."""
    t = tokenizer()
    ids = {t.sot, t.eot, t.transcribe, t.no_timestamps, t.no_speech, *t.sot_sequence}
    ids.update(token for tokens in char_tokens().values() for token in tokens)
    ids.update(time_token(i * STEP_S) for i in range(int(14 / STEP_S) + 1))
    return tuple(sorted(ids))


@functools.cache
def rows() -> dict[int, int]:
    return {token: row for row, token in enumerate(used_ids())}


def rows_of(sentence: Sentence, end_s: float, *, timed: bool, speech: bool) -> list[list[int]]:
    """Decoder input and target rows (-100: not trained), one shifted against the other."""
    t = tokenizer()
    text = [token for c in written(sentence) for token in char_tokens()[c]]
    body = [time_token(0), *text, time_token(end_s)] if timed else [t.no_timestamps, *text]
    whole = [*t.sot_sequence, *body, t.eot]
    row = [rows()[token] for token in whole]
    target = row[1:]
    if not speech:
        target[0] = rows()[t.no_speech]
    target[1] = -100
    if not timed:
        target[2] = -100
    return [row[:-1], target]
