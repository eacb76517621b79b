"""What the channel says by itself, and what it adds to a card that is told in words."""

from __future__ import annotations

from typing import Final

IN_PRIVATE: Final = "收到，结果发到你和我的单聊里。"
LOST_BY_QUOTA: Final = (
    "公司这个月的钉钉消息额度用完了，你刚才发的内容没有传到我这里。请告诉管理员；恢复后再发一次。"
)
MOVED: Final = "已换成新卡片，见下方"
OPEN_PAGE: Final = "看详情"
CONFIRM_THERE: Final = "请点开后确认。"
