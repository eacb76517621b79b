"""The first-use notice: once per person and version, with a tap that is kept in the audit log."""

from __future__ import annotations

from handlers.cards.model import Button, Card

VERSION = 1


def first_use(*, keep_days: int, log_days: int) -> Card:
    body = (
        "你发的语音和文字会在公司自己的服务器上转写、整理成跟进记录，供你和你的上级使用。"
        f"录音在确认后保存 {keep_days} 天，作废的 24 小时内删除；日志保存 {log_days} 天。"
        "不做声纹识别，不把内容发到公司外。"
    )
    return Card(
        kind="notice.first_use",
        layout="buttons",
        source="销售助手",
        title="我是销售助手，先说清楚几件事",
        subtitle="看完点“知道了”，只问这一次",
        body=body,
        buttons=(Button(text="知道了", action="notice.ok"),),
        text=f"【告知】{body}回复“知道了”。",
    )


def accepted(when: str, name: str) -> Card:
    return Card(
        kind="notice.first_use",
        layout="notice",
        source="销售助手",
        title="已知道｜使用说明",
        subtitle=f"{name} {when}",
        tone="done",
        status="done",
        footer=f"{name} {when}",
        text="好的，记下了。",
    )
