"""Any OpenAI-compatible ``/v1/audio/transcriptions``: vLLM, speaches, LocalAI, a cloud.

Runs in the speech process like the others: what is sent was decoded by us, so the server gets
plain WAV and never a phone's AMR, and silence is not sent at all.
"""

from __future__ import annotations

import io
import json
import secrets
import urllib.error
import urllib.request
import wave
from typing import Any, Final

import numpy as np

from nlp.audio import Samples
from nlp.ports import SAMPLE_RATE, Hints
from nlp.transcribe.engine import Heard
from nlp.transcribe.prompt import prompt
from nlp.transcribe.settings import WorkerSpec
from nlp.transcribe.vad import pieces
from sales.errors import SpeechUnavailable

LATER: Final = {408, 425, 429, 500, 502, 503, 504}
MOST_ANSWER_BYTES: Final = 8 * 1024 * 1024
FORMATS: Final = ("verbose_json", "json")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The key and the recording go to the address that was set, nowhere else."""

    def redirect_request(self, *_args: Any, **_kw: Any) -> None:
        return None


class Server:
    def __init__(self, spec: WorkerSpec) -> None:
        self.spec = spec
        base = spec.settings.url.rstrip("/")
        if not base.startswith(("http://", "https://")):
            raise ValueError("speech url must begin with http:// or https://")
        if not base.endswith("/audio/transcriptions"):
            base += "/audio/transcriptions" if base.endswith("/v1") else "/v1/audio/transcriptions"
        self.url = base
        self.formats = list(FORMATS)
        self.opener = urllib.request.build_opener(_NoRedirect)

    def hear(self, samples: Samples, hints: Hints) -> list[Heard]:
        """Segments as the server gives them; one without times where it only gives text."""
        if not pieces(samples, longest_s=600):
            return []
        sound = wav(samples)
        duration_s = len(samples) / SAMPLE_RATE
        answer = self._ask(sound, hints, timeout_s=10 * duration_s + 20)
        found = answer.get("segments")
        if isinstance(found, list) and found:
            return [_segment(item, duration_s) for item in found if isinstance(item, dict)]
        text = answer.get("text")
        if not isinstance(text, str):
            raise SpeechUnavailable("server", detail="the answer has no text")
        return [Heard(start_s=0.0, end_s=duration_s, text=text.strip())]

    def _ask(self, sound: bytes, hints: Hints, *, timeout_s: float) -> dict[str, Any]:
        while True:
            fields = {
                "model": self.spec.settings.model or "whisper-1",
                "language": hints.language or self.spec.settings.language,
                "response_format": self.formats[0],
                "temperature": "0",
            }
            if self.spec.takes_prompt and (shown := prompt(hints.names)):
                fields["prompt"] = shown
            body, kind = multipart(fields, sound)
            headers = {"Content-Type": kind, "Accept": "application/json"}
            if self.spec.settings.api_key:
                headers["Authorization"] = f"Bearer {self.spec.settings.api_key}"
            request = urllib.request.Request(self.url, data=body, headers=headers, method="POST")
            try:
                with self.opener.open(request, timeout=timeout_s) as response:
                    return _json(response.read(MOST_ANSWER_BYTES))
            except urllib.error.HTTPError as error:
                with error:
                    status, wait_s = error.code, _retry_after(error)
                if status in {400, 415, 422} and len(self.formats) > 1:
                    self.formats.pop(0)  # it does not know verbose_json; remembered
                    continue
                reason = "busy" if status in LATER else "server"
                raise SpeechUnavailable(
                    reason, retry_after_s=wait_s, detail=f"HTTP {status}"
                ) from None
            except TimeoutError as error:
                raise SpeechUnavailable("timeout", detail="no answer in time") from error
            except OSError as error:  # URLError is one
                detail = str(getattr(error, "reason", error))
                raise SpeechUnavailable("server", detail=detail) from error


def wav(samples: Samples) -> bytes:
    """16-bit mono WAV."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes((samples * 32767).astype(np.dtype("<i2")).tobytes())
    return out.getvalue()


def multipart(fields: dict[str, str], sound: bytes) -> tuple[bytes, str]:
    """Body and content type of a form with one file (RFC 7578)."""
    edge = secrets.token_hex(16)
    parts = [
        f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = (
        f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="memo.wav"\r\n'
        "Content-Type: audio/wav\r\n\r\n"
    ).encode()
    return b"".join([*parts, head, sound, f"\r\n--{edge}--\r\n".encode()]), (
        f"multipart/form-data; boundary={edge}"
    )


def _json(data: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(data)
    except ValueError as error:
        raise SpeechUnavailable("server", detail="the answer is not JSON") from error
    if not isinstance(answer, dict):
        raise SpeechUnavailable("server", detail="the answer is not an object")
    return answer


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _segment(item: dict[str, Any], duration_s: float) -> Heard:
    end = _number(item.get("end"))
    return Heard(
        start_s=_number(item.get("start")) or 0.0,
        end_s=duration_s if end is None else end,
        text=str(item.get("text", "")).strip(),
        avg_logprob=_number(item.get("avg_logprob")),
        no_speech=_number(item.get("no_speech_prob")),
        compression=_number(item.get("compression_ratio")),
    )


def _retry_after(error: urllib.error.HTTPError) -> float:
    text = error.headers.get("Retry-After", "") if error.headers else ""
    return min(float(text), 600.0) if text.isdigit() else 30.0
