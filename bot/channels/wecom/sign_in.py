"""Silent sign-in of our pages inside WeCom (protocol sheet section 7: ``snsapi_base``)."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, urlencode

from bot.channels.base import ChannelError
from bot.channels.wecom.directory import Api
from bot.web.deps import CodeOver, Outsider, UntrustedDomain
from storage.people import key_of

_CODE_OVER: Final = frozenset((40029, 42022, 42003))  # invalid, used already, expired
_UNTRUSTED: Final = 50001


class WeComSignIn:
    channel = "wecom"

    def __init__(self, api: Api, *, corp_id: str, agent_id: int, base: str) -> None:
        self._api = api
        self._corp_id, self._agent_id = corp_id, agent_id
        self._base = base.rstrip("/")

    def fits(self, user_agent: str) -> bool:
        return "wxwork" in user_agent.lower()

    def address(self, redirect_uri: str, state: str) -> str:
        """Where to send the browser; *state* is letters and digits, at most 128."""
        query = urlencode(
            {
                "appid": self._corp_id,
                "redirect_uri": redirect_uri,
                "response_type": "code",
                "scope": "snsapi_base",
                "state": state,
                "agentid": self._agent_id,
            },
            quote_via=quote,
        )
        return f"{self._base}/connect/oauth2/authorize?{query}#wechat_redirect"

    async def user(self, code: str) -> str:
        try:
            said = await self._api.call("GET", "auth/getuserinfo", params={"code": code})
        except ChannelError as error:
            errcode = getattr(error, "errcode", 0)
            if errcode in _CODE_OVER:
                raise CodeOver from error
            if errcode == _UNTRUSTED:
                raise UntrustedDomain from error
            raise
        user = said.get("userid") or said.get("UserId")  # the old endpoint's spelling
        if not user:
            raise Outsider
        return key_of(self.channel, str(user))
