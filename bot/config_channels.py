"""The settings of the platforms."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import Field

from bot.config_section import SECRET, Secret, Section

_AES_KEY: Final = re.compile(r"[A-Za-z0-9+/]{43}")


class WeCom(Section):
    enabled: bool = False
    corp_id: str = ""
    agent_id: int = 0
    secret: Secret = ""
    token: Secret = ""
    aes_key: Secret = ""
    api_base: str = "https://qyapi.weixin.qq.com"
    oauth_base: str = "https://open.weixin.qq.com"
    max_skew_s: Annotated[int, Field(ge=30)] = 600  # a callback's time against ours
    # "name=key" of each group's webhook; who knows a key can write there.
    webhooks: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[^=\s]+=\S+$")], ...],
        Field(repr=False, json_schema_extra=SECRET),
    ] = ()

    def webhook_keys(self) -> dict[str, str]:
        """A group's name, as ours call it, to its key."""
        return dict(one.split("=", 1) for one in self.webhooks)

    def missing(self) -> tuple[str, ...]:
        needed = ("corp_id", "agent_id", "secret", "token", "aes_key")
        lacking = [key for key in needed if not getattr(self, key)]
        if self.aes_key and not _AES_KEY.fullmatch(self.aes_key.strip()):
            lacking.append("aes_key")
        return tuple(lacking)


class WeComBot(Section):
    enabled: bool = False
    bot_id: str = ""
    secret: Secret = ""
    ws_url: str = "wss://openws.work.weixin.qq.com"

    def missing(self) -> tuple[str, ...]:
        return tuple(key for key in ("bot_id", "secret") if not getattr(self, key))


class DingTalk(Section):
    enabled: bool = False
    client_id: str = ""
    client_secret: Secret = ""
    robot_code: str = ""  # '' : the client id, as the platform does for new apps
    api_base: str = "https://api.dingtalk.com"
    oapi_base: str = "https://oapi.dingtalk.com"
    login_base: str = "https://login.dingtalk.com"
    stream: bool = True
    token: Secret = ""
    aes_key: Secret = ""
    # One template for everything, or up to three with commas: action, form, notice.
    card_template_id: str = ""
    form_template_id: str = ""
    notice_template_id: str = ""
    agent_id: int = 0  # for work notices only
    connections: Annotated[int, Field(ge=1, le=20)] = 1
    callback_url: str = ""  # HTTP mode: as DingTalk calls it, for the taps on cards
    # What the company's edition allows in a month; 0: no warning.
    api_quota: Annotated[int, Field(ge=0)] = 5_000
    push_quota: Annotated[int, Field(ge=0)] = 3_000

    def missing(self) -> tuple[str, ...]:
        needed = ["client_id", "client_secret"]
        if not self.stream:  # then events arrive by HTTP callback, signed and encrypted
            needed += ["token", "aes_key"]
        return tuple(key for key in needed if not getattr(self, key))


class Channels(Section):
    wecom: WeCom = WeCom()
    wecom_bot: WeComBot = WeComBot()
    dingtalk: DingTalk = DingTalk()
