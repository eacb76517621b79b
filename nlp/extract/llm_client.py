"""One question to an OpenAI-compatible ``chat/completions``; an answer that is JSON, or a reason.

The server is not trusted: no redirects, a limit of time and size, and every fault has a name.
"""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from threading import Lock
from typing import Any, Final

from nlp.ports import LlmSettings

MOST_BYTES: Final = 1024 * 1024
_LATER: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_UNKNOWN_FORM: Final = frozenset({400, 422})
_PROBE_S: Final = 5.0
_RETRY_WAIT_S: Final = 0.3


class LlmError(Exception):
    """No usable answer; ``reason`` is one word for the counter, never the words of the server."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The key and the memo go to the address that was set, nowhere else."""

    def redirect_request(self, *_args: Any, **_kw: Any) -> None:
        return None


class LlmClient:
    """Thread-safe.  ``base_url`` with or without its ``/v1``; another ending is taken as it is."""

    def __init__(self, settings: LlmSettings) -> None:
        base = settings.base_url.strip().rstrip("/").removesuffix("/chat/completions")
        if not base.startswith(("http://", "https://")):
            raise ValueError("llm.base_url must begin with http:// or https://")
        self._base = base if re.search(r"/v\d+\w*$", base) else base + "/v1"
        self._settings = settings
        self._opener = urllib.request.build_opener(_NoRedirect)
        self._lock = Lock()
        self._forms = ["json_schema", "json_object", "text"]

    def ask(self, system: str, user: str, schema: Mapping[str, Any]) -> object:
        """The JSON value that the model answered with.

        Raises:
            LlmError: with reason ``timeout``, ``unreachable``, ``http_<status>``, ``too_big``,
                ``not_json`` or ``empty``.
        """
        deadline = time.monotonic() + self._settings.timeout_s
        messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
        body: dict[str, Any] = {
            "model": self._settings.model,
            "temperature": 0,
            "messages": messages,
        }
        retried = False
        while True:
            form = self._forms[0]
            try:
                return _content(
                    self._send("/chat/completions", body | _response_format(form, schema), deadline)
                )
            except LlmError as error:
                if error.reason in {f"http_{code}" for code in _UNKNOWN_FORM} and form != "text":
                    self._forget(form)
                    continue
                passing = error.reason in {f"http_{code}" for code in _LATER} | {"unreachable"}
                if retried or not passing or time.monotonic() + _RETRY_WAIT_S >= deadline:
                    raise
                retried = True
                time.sleep(_RETRY_WAIT_S)

    def reach(self) -> str:
        """'' when the server lists its models to us, else the reason (see ``ask``)."""
        try:
            self._send("/models", None, time.monotonic() + _PROBE_S)
        except LlmError as error:  # a server without such a list answers all the same
            return "" if error.reason in ("http_404", "http_405") else error.reason
        return ""

    def _forget(self, form: str) -> None:
        """The server does not know *form*; the next question need not find that out again."""
        with self._lock:
            if self._forms[0] == form and len(self._forms) > 1:
                self._forms = self._forms[1:]

    def _send(self, path: str, body: Mapping[str, Any] | None, deadline: float) -> bytes:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._settings.api_key:
            headers["Authorization"] = f"Bearer {self._settings.api_key}"
        data = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        try:
            request = urllib.request.Request(self._base + path, data=data, headers=headers)
            left_s = max(0.05, deadline - time.monotonic())
            with self._opener.open(request, timeout=left_s) as response:
                return _read(response, deadline)
        except urllib.error.HTTPError as error:
            with error:
                raise LlmError(f"http_{error.code}") from None
        except TimeoutError:
            raise LlmError("timeout") from None
        except urllib.error.URLError as error:
            late = isinstance(error.reason, TimeoutError)
            raise LlmError("timeout" if late else "unreachable") from None
        except (OSError, HTTPException, ValueError):
            raise LlmError("unreachable") from None


def _response_format(form: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    if form == "text":
        return {}
    if form == "json_object":
        return {"response_format": {"type": "json_object"}}
    named = {"name": "sales_memo", "strict": True, "schema": schema}
    return {"response_format": {"type": "json_schema", "json_schema": named}}


def _read(response: Any, deadline: float) -> bytes:
    """The body, unless it is too big or comes too slowly."""
    got = bytearray()
    while part := response.read1(65536):
        got += part
        if len(got) > MOST_BYTES:
            raise LlmError("too_big")
        if time.monotonic() > deadline:
            raise LlmError("timeout")
    return bytes(got)


def _content(data: bytes) -> object:
    try:
        message = json.loads(data)["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise LlmError("not_json") from None
    if not isinstance(message, str) or not message.strip():
        raise LlmError("empty")
    return _first_object(message)


def _first_object(text: str) -> object:
    """The first JSON object of an answer that may stand in a fence or behind thoughts."""
    decoder = json.JSONDecoder()
    text = text.rpartition("</think>")[2]
    for match in re.finditer(r"\{", text):
        try:
            return decoder.raw_decode(text, match.start())[0]
        except (ValueError, RecursionError):
            continue
    raise LlmError("not_json")
