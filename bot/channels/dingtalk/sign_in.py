"""Sign-in of our pages through DingTalk's log-in page (protocol sheet 7.3)."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, urlencode

from bot.channels.base import ChannelError
from bot.channels.dingtalk.client import Client
from bot.channels.dingtalk.errors import DingTalkError, PersonUnreachable
from bot.channels.dingtalk.findings import CHANNEL
from bot.channels.dingtalk.oapi import Oapi
from bot.web.deps import CodeOver, Outsider
from storage.people import key_of

LOGIN_BASE: Final = "https://login.dingtalk.com"
_CODE_OVER: Final = "invalidParameter.authCode"


class DingTalkSignIn:
    """The way back has the code as ``authCode``, not as ``code``."""

    channel = CHANNEL

    def __init__(
        self, client: Client, oapi: Oapi, *, client_id: str, secret: str, base: str = LOGIN_BASE
    ) -> None:
        self._client = client
        self._oapi = oapi
        self._client_id = client_id
        self._secret = secret
        self._base = base.rstrip("/")

    def fits(self, user_agent: str) -> bool:
        return "dingtalk" in user_agent.lower()

    def address(self, redirect_uri: str, state: str) -> str:
        """Where to send the browser; *state* is letters and digits."""
        query = urlencode(
            {
                "client_id": self._client_id,
                "response_type": "code",
                "scope": "openid corpid",
                "prompt": "consent",
                "redirect_uri": redirect_uri,
                "state": state,
            },
            quote_via=quote,
        )
        return f"{self._base}/oauth2/auth?{query}"

    async def user(self, code: str) -> str:
        """Whose code it is.  Raises CodeOver, Outsider, ChannelError."""
        body = {
            "clientId": self._client_id,
            "clientSecret": self._secret,
            "code": code,
            "grantType": "authorization_code",
        }
        try:
            answer = await self._client.ask_freely("/v1.0/oauth2/userAccessToken", body)
        except DingTalkError as error:
            if error.word.startswith(_CODE_OVER):
                raise CodeOver from error
            raise
        union_id = await self._client.union_id_of(str(answer.get("accessToken") or ""))
        try:
            return key_of(CHANNEL, await self._oapi.user_by_union_id(union_id))
        except PersonUnreachable as error:
            raise Outsider from error
        except (KeyError, ValueError) as error:
            raise ChannelError(f"dingtalk: log-in: {error!r}", transient=True) from None
