"""What the bot says by itself on this channel, before or instead of a handler's answer."""

from __future__ import annotations

from typing import Final

WELCOME: Final = (
    "你好，我是销售助手。发一段语音或文字说说拜访情况，我来整理成记录；说“帮助”看我会什么。"
)
HEARD: Final = "收到语音，正在整理…"
READ: Final = "收到，正在整理…"
SEE_CARD: Final = "整理好了，请核对下面的卡片。"
DONE: Final = "好了。"
STILL_BUSY: Final = "还在整理，好了会另发一条给你。"
IN_PRIVATE: Final = "收到，结果发到你和我的单聊里。没收到的话，先在单聊里给我发一句话。"
NOT_STORED: Final = "现在存不下新消息，这条没有记下。请过几分钟再发一次。"
TAP_NOT_STORED: Final = "现在存不下新消息，刚才的点击没有记下。请过几分钟再点一次。"
NOT_REDRAWN: Final = "原来的卡片改不了，以这条为准。"
