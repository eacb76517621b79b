"""Cards as handlers make them, for tests of what a channel does with one."""

from __future__ import annotations

from handlers.cards.model import Button, Card, Row

CARD = Card(
    kind="memo.confirm",
    layout="buttons",
    source="销售助手·语音纪要",
    title="恒基水泥｜这样记对吗？",
    subtitle="语音 1分32秒 · 11-23 10:00",
    text="【纪要】恒基水泥。回复 1 入库 2 修改 3 作废",
    rows=(Row(key="金额", value="1.2 万"), Row(key="客户", value="恒基水泥", url="/c/1")),
    buttons=(
        Button(text="确认入库", action="memo.ok"),
        Button(text="作废", action="memo.drop"),
    ),
    url="/m/1",
)
DONE = Card(
    kind="memo.confirm",
    layout="notice",
    source="销售助手·语音纪要",
    title="已入库｜恒基水泥",
    text="已入库：恒基水泥",
    status="done",
    tone="done",
    url="/c/1",
    footer="李娜 11-23 10:09",
)
