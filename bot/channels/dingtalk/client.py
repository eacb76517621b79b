"""A thin client of the v1.0 API (protocol sheet, sections 3, 4, 5 and 6)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp

from bot.channels.base import ChannelAway, ChannelError, OutcomeUnknown
from bot.channels.dingtalk import errors
from bot.channels.dingtalk.errors import DingTalkAway, DingTalkError, MediaRefused, TokenRefused
from bot.channels.dingtalk.findings import Findings
from bot.channels.dingtalk.tokens import Tokens
from bot.channels.dingtalk.usage import Usage
from bot.config_channels import DingTalk
from sales.clock import Clock
from storage.database import Database

_TOKEN_HEADER: Final = "x-acs-dingtalk-access-token"
_CALL: Final = aiohttp.ClientTimeout(total=12, connect=6)
_FILE: Final = aiohttp.ClientTimeout(total=60, connect=10)
_PER_S: Final = 15  # of one API; the platform allows 20
_RECALLS: Final = 20
_BATCH: Final = 20

Json = dict[str, Any]


class Client:
    """One for each process.  ``close`` when the loop ends; it opens again when it is needed."""

    def __init__(
        self,
        settings: DingTalk,
        db: Database,
        clock: Clock,
        *,
        findings: Findings,
        usage: Usage,
        max_file_bytes: int,
    ) -> None:
        self._settings = settings
        self._base = settings.api_base.rstrip("/")
        self.robot_code = settings.robot_code or settings.client_id
        self.findings = findings
        self.usage = usage
        self._max_file_bytes = max_file_bytes
        self._session: aiohttp.ClientSession | None = None
        self._paces: dict[str, Pace] = {}
        self.tokens = Tokens(
            db,
            clock,
            self._fetch_token,
            client_id=settings.client_id,
            secret=settings.client_secret,
        )

    @property
    def http(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            # Companies behind a proxy name it in the environment, as for every other program.
            self._session = aiohttp.ClientSession(trust_env=True)
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    # --- sending --------------------------------------------------------------------------------

    async def send_to_people(self, users: Sequence[str], key: str, param: Json) -> Json:
        """``batchSend``: at most 20 people; who did not get it stands in the answer's lists."""
        if len(users) > _BATCH:
            raise ValueError("too many people for one call")
        body = {
            "robotCode": self.robot_code,
            "userIds": list(users),
            "msgKey": key,
            "msgParam": _json(param),
        }
        return await self.call("POST", "/v1.0/robot/oToMessages/batchSend", body)

    async def send_to_group(self, group: str, key: str, param: Json) -> Json:
        body = {
            "robotCode": self.robot_code,
            "openConversationId": group,
            "msgKey": key,
            "msgParam": _json(param),
        }
        return await self.call("POST", "/v1.0/robot/groupMessages/send", body)

    async def recall(self, keys: Sequence[str], *, group: str = "") -> Json:
        """Take messages back, silently, within a day; the answer says which could not be."""
        body: Json = {"robotCode": self.robot_code, "processQueryKeys": list(keys[:_RECALLS])}
        path = "/v1.0/robot/otoMessages/batchRecall"
        if group:
            path, body = "/v1.0/robot/groupMessages/recall", body | {"openConversationId": group}
        return await self.call("POST", path, body, idempotent=True)

    # --- media ----------------------------------------------------------------------------------

    async def download(self, code: str, robot_code: str = "") -> bytes:
        """The bytes behind a ``downloadCode`` that *robot_code* received.

        Raises:
            MediaRefused: the code or the file is over, or the file is too big.
        """
        body = {"downloadCode": code, "robotCode": robot_code or self.robot_code}
        answer = await self.call("POST", "/v1.0/robot/messageFiles/download", body, idempotent=True)
        url = str(answer.get("downloadUrl") or "")
        if urlsplit(url).scheme not in ("http", "https"):
            raise MediaRefused("dingtalk: no address of the file")
        return await self._get_file(url)

    async def _get_file(self, url: str) -> bytes:
        try:
            # No token: the address is signed, and a second authorisation breaks that.
            async with self.http.get(url, timeout=_FILE) as response:
                if response.status in (403, 404, 410):
                    raise MediaRefused(f"dingtalk: the file is gone ({response.status})")
                if response.status != 200:
                    why = f"dingtalk: the file's host answers {response.status}"
                    raise ChannelError(why, transient=True)
                data = bytearray()
                async for chunk in response.content.iter_chunked(64 * 1024):
                    data += chunk
                    if len(data) > self._max_file_bytes:
                        raise MediaRefused("dingtalk: the file is too big", word="too_big")
                return bytes(data)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ChannelError(f"dingtalk: file not read: {error!r}", transient=True) from None

    # --- one call -------------------------------------------------------------------------------

    async def call(
        self,
        method: str,
        path: str,
        body: Json,
        *,
        idempotent: bool = False,
    ) -> Json:
        """One paid call with our token; a refused token is renewed once.

        Raises:
            OutcomeUnknown: no answer came to something that must not be done twice.
            ChannelError: see ``errors``.
        """
        await self._paces.setdefault(f"{method} {path}", Pace(_PER_S)).turn()
        token = await self.tokens.get()
        try:
            return await self._call(method, path, body, token, idempotent)
        except TokenRefused:
            pass
        try:
            token = await self.tokens.get(refused=token)
            return await self._call(method, path, body, token, idempotent)
        except TokenRefused as error:
            raise DingTalkError(str(error), word=error.word, transient=True) from None

    async def _call(self, method: str, path: str, body: Json, token: str, idempotent: bool) -> Json:
        headers = {_TOKEN_HEADER: token, "Accept": "application/json"}
        try:
            status, answer = await self._ask(method, path, body, headers)
        except OutcomeUnknown as error:
            if idempotent:
                raise ChannelError(str(error), transient=True) from None
            raise
        if status not in (401, 403, 429):  # throttled and refused calls are not counted
            self.usage.count("api")
        if 200 <= status < 300:
            self.findings.well(path)
            return answer
        refusal = errors.from_v1(status, answer, path)
        self.findings.note(getattr(refusal, "finding", None), path=path)
        if isinstance(refusal, OutcomeUnknown) and idempotent:
            raise ChannelError(str(refusal), transient=True)
        raise refusal

    async def ask_freely(self, path: str, body: Json) -> Json:
        """A POST that holds its own credentials and is not counted.  Raises ChannelError."""
        try:
            status, answer = await self._ask("POST", path, body, {"Accept": "application/json"})
        except OutcomeUnknown as error:
            raise ChannelError(str(error), transient=True) from None
        if status == 200:
            return answer
        raise errors.from_v1(status, answer, path)

    async def union_id_of(self, person_token: str) -> str:
        """Whose log-in token it is.  Raises ChannelError."""
        path = "/v1.0/contact/users/me"
        headers = {_TOKEN_HEADER: person_token, "Accept": "application/json"}
        try:
            status, answer = await self._ask("GET", path, None, headers)
        except OutcomeUnknown as error:
            raise ChannelError(str(error), transient=True) from None
        if status != 200 or not answer.get("unionId"):
            raise errors.from_v1(status, answer, path)
        return str(answer["unionId"])

    async def ask_openly(self, path: str, body: Json, *, timeout_s: float) -> tuple[int, Json]:
        """A POST that needs no token and is not counted: its status and answer.

        Without ``Accept`` the gateway answers in XML.
        """
        limit = aiohttp.ClientTimeout(total=timeout_s)
        headers = {"Accept": "application/json"}
        async with self.http.post(
            self._base + path, json=body, headers=headers, timeout=limit
        ) as response:
            return response.status, _parsed(await response.read(), response.status, path)

    async def _ask(
        self, method: str, path: str, body: Json | None, headers: Mapping[str, str]
    ) -> tuple[int, Json]:
        """Status and JSON of an answer."""
        try:
            async with self.http.request(
                method, self._base + path, json=body, headers=headers, timeout=_CALL
            ) as response:
                return response.status, _parsed(await response.read(), response.status, path)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise ChannelAway(f"dingtalk: no connection: {error}") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            why = f"dingtalk: no answer at {path}: {error!r}"
            raise OutcomeUnknown(why, transient=True) from None
        except DingTalkAway as error:
            self.findings.note(error.finding)
            raise

    async def _fetch_token(self) -> tuple[str, float]:
        path = "/v1.0/oauth2/accessToken"
        body = {"appKey": self._settings.client_id, "appSecret": self._settings.client_secret}
        try:
            status, answer = await self._ask("POST", path, body, {"Accept": "application/json"})
        except OutcomeUnknown as error:
            raise ChannelError(str(error), transient=True) from None
        if status == 200 and answer.get("accessToken"):
            self.findings.clear("token")
            return str(answer["accessToken"]), float(answer.get("expireIn") or 7200)
        refusal = errors.from_v1(status, answer, path)
        if status in (400, 401) and not isinstance(refusal, ChannelAway):
            refusal = errors.bad_secret(status, answer)
        self.findings.note(getattr(refusal, "finding", None))
        raise refusal


class Pace:
    """Turns, at most *per_s* of them in a second, in the order of asking."""

    def __init__(self, per_s: float) -> None:
        self._gap_s = 1 / per_s
        self._next = 0.0

    async def turn(self) -> None:
        now = asyncio.get_running_loop().time()
        at = max(now, self._next)
        self._next = at + self._gap_s
        if at > now:
            await asyncio.sleep(at - now)


def _parsed(data: bytes, status: int, path: str) -> Json:
    """Raises DingTalkAway when it is the firewall that answers."""
    try:
        found = json.loads(data or b"{}")
    except ValueError:
        found = None
    if isinstance(found, dict) and "punish" not in found:
        return found
    if status >= 500:  # some gateway's own page
        return {}
    raise errors.banned(path)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
