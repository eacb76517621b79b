"""WeCom's REST interface (protocol sheet, sections 3 to 5) over aiohttp.

Every answer is HTTP 200; ``errcode`` says what came of it.  No token and no secret gets into a log
or an exception: they stand in the query, so nothing here tells a whole address.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, TypeVar

import aiohttp
import structlog

from bot.channels.base import ChannelError, OutcomeUnknown
from bot.channels.wecom.errors import (
    Finding,
    TokenRefused,
    WeComAway,
    WeComError,
    cleaned,
    error_of,
)
from bot.channels.wecom.health import Health
from bot.channels.wecom.tokens import Tokens
from bot.channels.wecom.wire import Raw, encoded, form
from sales.clock import Clock
from storage.database import Database

log = structlog.get_logger()
T = TypeVar("T")

CHANNEL: Final = "wecom"
_TIMEOUT: Final = aiohttp.ClientTimeout(total=15, connect=5)
_FILE_TIMEOUT: Final = aiohttp.ClientTimeout(total=50, connect=5, sock_read=20)
_JSON: Final = {"Content-Type": "application/json; charset=utf-8"}
_TOKEN: Final = "gettoken"
_TOO_MANY: Final = 45009
_WRONG_JSON: Final = "warning: wrong json format"
_ANSWER_BYTES: Final = 4 * 1024 * 1024
_IDLE_S: Final = 5.0
_NO_CONNECTION_S: Final = 10.0
# No connection, so nothing was sent.
_UNSENT: Final = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
)


class Settings(Protocol):
    """``bot.config.WeCom``."""

    @property
    def corp_id(self) -> str: ...
    @property
    def agent_id(self) -> int: ...
    @property
    def secret(self) -> str: ...
    @property
    def api_base(self) -> str: ...


class WeComClient:
    """``call`` is enough for most; sending and files have their own ways to fail."""

    def __init__(self, settings: Settings, db: Database, clock: Clock) -> None:
        self._settings = settings
        self._base = settings.api_base.rstrip("/")
        self._clock = clock
        self._http: aiohttp.ClientSession | None = None
        self._held: dict[str, tuple[datetime, WeComAway]] = {}
        self.agent_id = settings.agent_id
        self.app = f"{CHANNEL}:{settings.corp_id}:{settings.agent_id}"
        self.health = Health(db, clock, CHANNEL)
        self.tokens = Tokens(db, clock, self._fetch_token, app=self.app, secret=settings.secret)

    async def ask_again(self) -> None:
        """An admin has mended something: what is held back may try at once."""
        self._held.clear()
        await self.tokens.ask_again()

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()

    async def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """One call with our token, which may be made twice without harm.

        Raises:
            ChannelError: with ``errcode`` where WeCom gave one.
        """
        return await self._call(method, path, params=params, body=json)

    async def send(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A call that a person notices.

        Raises:
            OutcomeUnknown: no answer came, so it may have been done.
            ChannelError: it was not done.
        """
        return await self._call("POST", path, body=body, sends=True)

    async def recall(self, message_id: str) -> None:
        """Take a message back, within 24 hours of its sending."""
        await self.call("POST", "message/recall", json={"msgid": message_id})

    async def create_chat(
        self, name: str, owner: str, members: list[str], *, chat_id: str = ""
    ) -> str:
        """A group of 2 to 2,000 members; only for an app that the whole company may see.

        With *chat_id* a second call finds the group there (86215) and changes nothing.
        """
        body: dict[str, Any] = {"name": name[:50], "owner": owner, "userlist": members}
        if chat_id:
            body["chatid"] = chat_id
        try:
            answer = await self.call("POST", "appchat/create", json=body)
        except WeComError as error:
            if error.errcode == 86215 and chat_id:
                return chat_id
            raise
        return str(answer["chatid"])

    async def to_webhook(self, key: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """To a group by its webhook.  *key* is a secret: whoever has it may write there."""
        path = "webhook/send"
        raw = await self._raw(
            "POST", path, params={"key": key}, data=encoded(body), headers=_JSON, sends=True
        )
        return await self._answer(raw, path, sends=True)

    async def upload(self, kind: str, name: str, data: bytes) -> str:
        """The platform's id of the file, good for three days.  *name* is what the person sees."""
        answer = await self._call(
            "POST",
            "media/upload",
            params={"type": kind},
            upload=form(name, data),
            timeout=_FILE_TIMEOUT,
        )
        return str(answer["media_id"])

    async def file(self, media_id: str, *, headers: Mapping[str, str], most: int) -> Raw:
        """What ``media/get`` answers, errors as errors; *most* bytes of it and one more."""
        path, params = "media/get", {"media_id": media_id}

        async def once(token: str) -> Raw:
            raw = await self._raw(
                "GET",
                path,
                params={**params, "access_token": token},
                headers=headers,
                timeout=_FILE_TIMEOUT,
                most=most,
            )
            if raw.status not in (200, 206) or raw.is_error():
                await self._answer(raw, path, file=True)
                raise ChannelError(f"wecom: no file at {path}", transient=True)
            return raw

        return await self._with_token(path, once)

    # --- one call -------------------------------------------------------------------------------

    async def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        upload: tuple[bytes, dict[str, str]] | None = None,
        sends: bool = False,
        timeout: aiohttp.ClientTimeout = _TIMEOUT,
    ) -> dict[str, Any]:
        data, headers = upload or ((encoded(body), _JSON) if body is not None else (None, {}))

        async def once(token: str) -> dict[str, Any]:
            raw = await self._raw(
                method,
                path,
                params={**(params or {}), "access_token": token},
                data=data,
                headers=headers,
                sends=sends,
                timeout=timeout,
            )
            return await self._answer(raw, path, sends=sends)

        return await self._with_token(path, once)

    async def _with_token(self, path: str, once: Callable[[str], Awaitable[T]]) -> T:
        """*once* with our token; a token that is over is replaced once, and no loop follows."""
        self._check_held(path)
        token = await self.tokens.get()
        try:
            return await once(token)
        except TokenRefused:
            token = await self.tokens.get(refused=token)
        try:
            return await once(token)
        except TokenRefused as again:
            away = WeComAway(
                str(again),
                errcode=again.errcode,
                finding=Finding(
                    topic="token", problem="token_refused", detail={"errcode": again.errcode}
                ),
                whole_app=True,
            )
            await self._trouble(away, path)
            raise away from again

    async def _fetch_token(self) -> tuple[str, float]:
        self._check_held(_TOKEN)
        params = {"corpid": self._settings.corp_id, "corpsecret": self._settings.secret}
        answer = await self._answer(await self._raw("GET", _TOKEN, params=params), _TOKEN)
        return str(answer["access_token"]), float(answer["expires_in"])

    async def _raw(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any],
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        sends: bool = False,
        timeout: aiohttp.ClientTimeout = _TIMEOUT,
        most: int = _ANSWER_BYTES,
    ) -> Raw:
        if self._http is None or self._http.closed:
            # An idle connection is let go before the other side does so: a sending that meets a
            # closed one looks as if it might have arrived.
            connector = aiohttp.TCPConnector(keepalive_timeout=_IDLE_S)
            self._http = aiohttp.ClientSession(connector=connector)
        try:
            async with self._http.request(
                method,
                f"{self._base}/cgi-bin/{path}",
                params=params,
                data=data,
                headers=headers,
                timeout=timeout,
                allow_redirects=False,  # a token must not follow to another house
            ) as response:
                return await Raw.of(response, most)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            # Only its kind: the words of some of them hold the address, and that the token.
            why = f"wecom: {type(error).__name__} at {path}"
            unsent = isinstance(error, _UNSENT)
        await self.health.note(Finding(topic="connection", problem="unreachable"))
        if unsent:
            raise WeComAway(why, retry_after_s=_NO_CONNECTION_S)
        raise (OutcomeUnknown if sends else ChannelError)(why, transient=True)

    async def _answer(
        self, raw: Raw, path: str, *, sends: bool = False, file: bool = False
    ) -> dict[str, Any]:
        """The answer with ``errcode`` 0.  Raises whatever another code means.

        *file*: it stands where a file should, which may be this file's fault, so tries count.
        """
        answer = raw.parsed()
        if raw.status != 200 or answer is None:
            # Somebody between us and WeCom: a proxy, a page for logging in to the network.
            detail = {"status": raw.status, "type": raw.content_type}
            await self.health.note(Finding(topic="connection", problem="proxy", detail=detail))
            why = f"wecom: status {raw.status} {raw.content_type} at {path}"
            if sends and (raw.status >= 500 or raw.status == 200):
                raise OutcomeUnknown(why, transient=True)
            if file:
                raise ChannelError(why, transient=True)
            raise WeComAway(why, retry_after_s=_NO_CONNECTION_S)
        errcode, errmsg = answer.get("errcode") or 0, str(answer.get("errmsg") or "")
        if _WRONG_JSON in errmsg.lower():
            log.error("wecom: our JSON was wrong", path=path, words=cleaned(errmsg))
        if errcode == 0:
            await self.health.well(path)
            return answer
        error = error_of(errcode, errmsg, path, now=self._clock.now())
        log.warning("wecom refused", errcode=errcode, path=path, words=cleaned(errmsg))
        if isinstance(error, WeComAway):
            await self._trouble(error, path, only_if_sent=not sends)
        raise error

    async def _trouble(self, away: WeComAway, path: str, *, only_if_sent: bool = False) -> None:
        """Tell the admin, and leave the platform alone for a while.

        A list that the app may not read is the affair of whoever asked for it.
        """
        if not away.whole_app and only_if_sent and away.errcode != _TOO_MANY:
            return
        if away.finding is not None:
            detail = {**away.finding.detail, "path": path}
            await self.health.note(replace(away.finding, detail=detail))
        until = self._clock.now() + timedelta(seconds=away.retry_after_s)
        self._held["" if away.whole_app else path] = (until, away)

    def _check_held(self, path: str) -> None:
        for key in ("", path):
            until, away = self._held.get(key, (None, None))
            if until is None or away is None:
                continue
            left_s = (until - self._clock.now()).total_seconds()
            if left_s > 0:
                raise WeComAway(str(away), errcode=away.errcode, retry_after_s=left_s)
            del self._held[key]
