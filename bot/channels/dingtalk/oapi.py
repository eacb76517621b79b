"""The old API through dingtalk-sdk: contacts, media, work notices, log-in (protocol sheet 9.1).

The SDK blocks, so every call runs in a thread, with a timeout and with our own token: the SDK's own
renewal has no end.  Its logger writes tokens into the log and is silenced.
"""

from __future__ import annotations

import asyncio
import io
import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from dingtalk.client import DingTalkClient
from dingtalk.core.exceptions import DingTalkClientException

from bot.channels.base import ChannelAway, ChannelError, OutcomeUnknown
from bot.channels.dingtalk import errors
from bot.channels.dingtalk.client import Pace
from bot.channels.dingtalk.errors import DingTalkError, TokenRefused
from bot.channels.dingtalk.findings import Findings
from bot.channels.dingtalk.tokens import Tokens
from bot.channels.dingtalk.usage import Usage

T = TypeVar("T")
Json = dict[str, Any]

_TIMEOUT_S: Final = (6.0, 12.0)  # to connect, to answer
_UPLOAD_S: Final = (6.0, 45.0)
_PER_S: Final = 15

logging.getLogger("dingtalk.client.base").disabled = True
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)  # below, it logs addresses


class Sdk(DingTalkClient):  # type: ignore[misc]  # the SDK has no types
    """The SDK with our token and our address; one HTTP session for each thread."""

    access_token = ""  # set before each call; a property there, which would fetch

    def __init__(self, base: str) -> None:
        super().__init__(corp_id="", timeout=_TIMEOUT_S, auto_retry=False)
        self.API_BASE_URL = base
        self._local = threading.local()

    @property
    def _http(self) -> Any:
        if not hasattr(self._local, "session"):
            self._local.session = type(DingTalkClient._http)()
        return self._local.session


class Oapi:
    def __init__(
        self, base: str, tokens: Tokens, *, findings: Findings, usage: Usage, agent_id: int
    ) -> None:
        self._sdk = Sdk(base.rstrip("/") + "/")
        self._tokens = tokens
        self._findings = findings
        self._usage = usage
        self._agent_id = agent_id
        self._paces: dict[str, Pace] = {}

    async def post(self, path: str, body: Mapping[str, Any], *, paid: bool = False) -> Json:
        """One call; its whole answer.

        Raises:
            OutcomeUnknown: no answer came to a paid call.
            ChannelError: see ``errors``.
        """
        return await self._call(path, lambda: self._sdk.post(path, data=dict(body)), paid=paid)

    async def get(self, path: str) -> Json:
        """The same without a body."""
        return await self._call(path, lambda: self._sdk.get(path), paid=False)

    async def upload(self, kind: str, data: bytes, name: str) -> str:
        """Store a file (*kind*: image voice video file) there; its media id."""
        path = "/media/upload"

        def send() -> Any:
            return self._sdk.post(
                path,
                params={"type": kind},
                files={"media": (name, io.BytesIO(data))},
                timeout=_UPLOAD_S,
            )

        try:
            answer = await self._call(path, send, paid=True)
        except OutcomeUnknown as error:  # a file that is there twice does no harm
            raise ChannelError(str(error), transient=True) from None
        return str(answer["media_id"])

    async def work_notice(self, users: list[str], msg: Mapping[str, Any]) -> int:
        """A 工作通知; its task id.  The platform shows the same content once a day only."""
        body = {"agent_id": self._agent_id, "userid_list": ",".join(users), "msg": dict(msg)}
        path = "/topapi/message/corpconversation/asyncsend_v2"
        return int((await self.post(path, body, paid=True))["task_id"])

    async def user_by_code(self, code: str) -> str:
        """Who opened our page inside DingTalk, by the code of ``dd.requestAuthCode``."""
        answer = await self.post("/topapi/v2/user/getuserinfo", {"code": code})
        return str(answer["result"]["userid"])

    async def user_by_union_id(self, union_id: str) -> str:
        answer = await self.post("/topapi/user/getbyunionid", {"unionid": union_id})
        return str(answer["result"]["userid"])

    async def _call(self, path: str, ask: Callable[[], Any], *, paid: bool) -> Json:
        await self._paces.setdefault(path, Pace(_PER_S)).turn()
        token = await self._tokens.get()
        try:
            return await self._with(token, path, ask, paid)
        except TokenRefused:
            pass
        try:
            token = await self._tokens.get(refused=token)
            return await self._with(token, path, ask, paid)
        except TokenRefused as error:
            raise DingTalkError(str(error), word=error.word, transient=True) from None

    async def _with(self, token: str, path: str, ask: Callable[[], Any], paid: bool) -> Json:
        self._sdk.access_token = token
        try:
            answer = await asyncio.to_thread(_translated, path, ask)
        except (ChannelError, ChannelAway) as error:
            self._findings.note(getattr(error, "finding", None), path=path)
            if isinstance(error, OutcomeUnknown) and not paid:
                raise ChannelError(str(error), transient=True) from None
            raise
        self._findings.well(path)
        if paid:
            self._usage.count("api")
        return answer


def _translated(path: str, ask: Callable[[], Any]) -> Json:
    """Ask, in a thread; the SDK's and its HTTP library's errors as ours, without their addresses:
    those hold the token."""
    try:
        answer = ask()
    except DingTalkClientException as error:
        if error.errcode is None:
            raise _by_status(error.response, path) from None
        sub_code = _sub_code(error.response)
        raise errors.from_oapi(int(error.errcode), str(error.errmsg), path, sub_code) from None
    except OSError as error:  # the HTTP library's errors are that
        name = type(error).__name__
        unsent = name in ("ConnectTimeout", "ProxyError", "SSLError")
        if unsent or "NewConnectionError" in repr(error):
            raise ChannelAway(f"dingtalk: no connection ({name})") from None
        raise OutcomeUnknown(f"dingtalk: no answer at {path} ({name})", transient=True) from None
    if not isinstance(answer, dict) or "punish" in answer:
        raise errors.banned(path)
    return answer


def _sub_code(response: Any) -> str:
    try:
        return str(response.json().get("sub_code") or "")
    except (ValueError, AttributeError):
        return ""


def _by_status(response: Any, path: str) -> ChannelError:
    status = int(getattr(response, "status_code", 0))
    return errors.from_v1(status, {}, path) if status >= 500 else errors.banned(path)
