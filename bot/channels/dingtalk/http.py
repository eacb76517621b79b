"""HTTP mode: messages, events and taps at one address (protocol sheet 1.1, 5.4, 7.1).

The signatures of messages and taps cover a time and nothing of the body, so a body is trusted no
further than that: a repeat is known by the message's number or by the button's own nonce.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import structlog
from aiohttp import web
from dingtalk.crypto import DingTalkCrypto

from bot.callback_site import Attempts
from bot.channels.base import Accept
from bot.channels.dingtalk.findings import CHANNEL
from bot.channels.dingtalk.receiving import Receiving
from sales.clock import Clock
from sales.errors import BotError
from storage.callback_attempts import REFUSED

log = structlog.get_logger()

PATH: Final = "/callback/dingtalk"
WINDOW_S: Final = 3600
MOST_BYTES: Final = 256 * 1024
MESSAGE_S: Final = 2.3  # the platform waits 2.5 for a message or an event
TAP_S: Final = 1.8  # and 2 for a tap
_SILENT: Final = {"msgtype": "empty"}


class Refused(BotError):
    """Not from DingTalk, or not now.  ``reason`` is a code, ``status`` what the caller is told."""

    code = "callback_refused"

    def __init__(self, reason: str, *, status: int = 403) -> None:
        super().__init__(reason, reason=reason)
        self.reason = reason
        self.status = status


class DingTalkCallback:
    """*clock* is the wall clock.  *token* and *aes_key* are those of the event subscription."""

    path = PATH

    def __init__(
        self,
        receiving: Receiving,
        accept: Accept,
        attempts: Attempts,
        clock: Clock,
        *,
        client_id: str,
        client_secret: str,
        token: str,
        aes_key: str,
    ) -> None:
        self._receiving = receiving
        self._accept = accept
        self._attempts = attempts
        self._clock = clock
        self._secret = client_secret
        self._seal = Seal(client_id=client_id, token=token, aes_key=aes_key)

    async def verify(self, request: web.Request) -> web.Response:
        """The platform only posts."""
        self._attempts.note(CHANNEL, request, REFUSED, "method")
        return web.Response(status=405, headers={"Allow": "POST"})

    async def receive(self, request: web.Request) -> web.Response:
        kind, limit_s = _kind(request)
        try:
            async with asyncio.timeout(limit_s):
                response, word = await self._answered(request, kind)
        except TimeoutError:
            # It may still be stored; then the platform's second try finds it there.
            return self._refuse(request, Refused("slow", status=503))
        except Refused as refused:
            return self._refuse(request, refused)
        except BotError as error:
            log.warning("dingtalk: callback not stored", why=str(error))
            return self._refuse(request, Refused(error.code, status=503))
        outcome = word if word in ("repeat", "verified") else "accepted"
        self._attempts.note(CHANNEL, request, outcome, word)
        return response

    async def _answered(self, request: web.Request, kind: str) -> tuple[web.Response, str]:
        body = await _body(request)
        if kind == "event":
            return await self._event(request.query, body)
        stamp, sign, wanted = _signature(request, kind, self._secret)
        self._check_time(stamp)
        if not hmac.compare_digest(wanted.encode(), sign.encode("utf-8", "replace")):
            raise Refused("signature")
        data = _object(body)
        if kind == "tap":
            word = await self._receiving.tap(data, self._accept)
            return web.json_response({}), word
        return web.json_response(_SILENT), await self._receiving.message(data, self._accept)

    async def _event(self, query: Mapping[str, str], body: bytes) -> tuple[web.Response, str]:
        sealed = _object(body).get("encrypt")
        stamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
        if not isinstance(sealed, str) or not sealed:
            raise Refused("no_cipher", status=400)
        signature = query.get("msg_signature") or query.get("signature", "")
        event = self._seal.open(sealed, signature=signature, timestamp=stamp, nonce=nonce)
        self._check_time(stamp)
        kind = str(event.get("EventType") or event.get("eventType") or "")
        word = "verified" if kind == "check_url" else await self._receiving.event(kind)
        answer = self._seal.success(nonce, self._clock.now())
        return web.json_response(answer), word

    def _check_time(self, stamp: str) -> None:
        """*stamp*: milliseconds, or seconds as some events have."""
        if not stamp.isdecimal() or len(stamp) > 14:
            raise Refused("timestamp", status=400)
        at = int(stamp) / 1000 if len(stamp) > 11 else int(stamp)
        if abs(self._clock.now().timestamp() - at) > WINDOW_S:
            raise Refused("stale")

    def _refuse(self, request: web.Request, refused: Refused) -> web.Response:
        self._attempts.note(CHANNEL, request, REFUSED, refused.reason)
        return web.Response(status=refused.status)


class Seal:
    """The events' cipher: dingtalk-sdk's, whose comparison and errors are not fit for strangers."""

    def __init__(self, *, client_id: str, token: str, aes_key: str) -> None:
        self._token = token
        try:
            self._crypto = DingTalkCrypto(token, aes_key.strip(), client_id)
        except (AssertionError, ValueError):
            raise BadKey("aes_key") from None
        if self._crypto.key is None:
            raise BadKey("aes_key")

    def open(self, sealed: str, *, signature: str, timestamp: str, nonce: str) -> dict[str, Any]:
        """The event inside *sealed*.  Raises Refused: ``signature`` or ``cipher``."""
        parts = sorted((self._token, timestamp, nonce, sealed))
        joined = "".join(parts).encode("utf-8", "replace")
        wanted = hashlib.sha1(joined, usedforsecurity=False).hexdigest()
        if not hmac.compare_digest(wanted.encode(), signature.encode("utf-8", "replace")):
            raise Refused("signature")
        try:
            text = self._crypto.decrypt_encrypt_str(signature, timestamp, nonce, sealed)
            made = json.loads(text)
        except Exception:  # it lets half a dozen kinds out, its own for a wrong owner among them
            raise Refused("cipher") from None
        if not isinstance(made, dict):
            raise Refused("cipher")
        return made

    def success(self, nonce: str, now: datetime) -> dict[str, str]:
        stamp = str(int(now.timestamp() * 1000))
        made: dict[str, str] = self._crypto.encrypt_message("success", nonce or None, stamp)
        return made


class BadKey(BotError):
    """The AES key is not 43 letters and digits."""

    code = "bad_aes_key"


def robot_sign(secret: str, timestamp: str) -> str:
    made = hmac.digest(secret.encode(), f"{timestamp}\n{secret}".encode(), "sha256")
    return base64.b64encode(made).decode()


def card_sign(api_secret: str, timestamp: str) -> str:
    made = hmac.digest(api_secret.encode(), timestamp.encode(), "sha256")
    return base64.b64encode(made).decode()


def card_secret(client_secret: str) -> str:
    """What taps are signed with: ours to choose, so nobody has to write it down."""
    return hmac.new(client_secret.encode(), b"card callback", "sha256").hexdigest()


def _kind(request: web.Request) -> tuple[str, float]:
    if "x-ddpaas-signature" in request.headers:
        return "tap", TAP_S
    if "msg_signature" in request.query or "signature" in request.query:
        return "event", MESSAGE_S
    return "message", MESSAGE_S


def _signature(request: web.Request, kind: str, secret: str) -> tuple[str, str, str]:
    """The time, the signature that came, and the one that is right."""
    names = ("x-ddpaas-signature-timestamp", "x-ddpaas-signature")
    stamp, sign = (request.headers.get(name, "") for name in names)
    if kind == "tap":
        return stamp, sign, card_sign(card_secret(secret), stamp)
    stamp, sign = request.headers.get("timestamp", ""), request.headers.get("sign", "")
    if not stamp or not sign:
        raise Refused("missing", status=400)
    return stamp, sign, robot_sign(secret, stamp)


async def _body(request: web.Request) -> bytes:
    if (request.content_length or 0) > MOST_BYTES:
        raise Refused("too_big", status=413)
    try:
        body = await request.content.readexactly(MOST_BYTES + 1)
    except asyncio.IncompleteReadError as whole:
        return whole.partial
    except (web.RequestPayloadError, ConnectionError):
        raise Refused("cut_off", status=400) from None
    del body
    raise Refused("too_big", status=413)


def _object(body: bytes) -> dict[str, Any]:
    try:
        made = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused("not_json", status=400) from None
    if not isinstance(made, dict):
        raise Refused("not_json", status=400)
    return made
