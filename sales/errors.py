"""What can go wrong, as data.  The wording for people lives in ``handlers/replies.py``."""

from __future__ import annotations


class BotError(Exception):
    """An error on purpose: a code and fields, never display text.

    ``transient`` errors are tried again later with back-off; for the others the person is told
    and the event is done.  Anything that is not a ``BotError`` is a bug: logged and parked.
    """

    code: str = "error"
    transient: bool = False

    def __init__(self, message: str = "", **fields: object) -> None:
        super().__init__(message or self.code)
        self.fields = fields


class BadAudio(BotError):
    """A recording that cannot be heard.

    ``reason`` is one of: ``empty`` (0 bytes), ``too_big``, ``not_audio`` (text, JSON, random
    bytes), ``damaged`` (an audio container with nothing decodable), ``too_short`` (< 0.3 s).
    ``heard_s`` is how many seconds were decoded before it broke.
    """

    code = "bad_audio"

    def __init__(self, reason: str, *, heard_s: float = 0.0) -> None:
        super().__init__(f"bad audio: {reason}", reason=reason, heard_s=heard_s)
        self.reason = reason
        self.heard_s = heard_s


class SpeechUnavailable(BotError):
    """No speech backend can hear now (no model, worker died, server away).

    ``reason`` is ``no_model`` (waits for an admin) or ``busy`` / ``crashed`` / ``timeout`` /
    ``server`` (tried again later).
    """

    code = "speech_unavailable"
    transient = True

    def __init__(self, reason: str, *, retry_after_s: float = 30.0, detail: str = "") -> None:
        super().__init__(f"speech unavailable: {reason} {detail}".strip(), reason=reason)
        self.reason = reason
        self.retry_after_s = retry_after_s
