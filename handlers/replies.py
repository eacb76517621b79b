"""What the bot says in words: the message sheet, section 6.  One function a wording."""

from __future__ import annotations

from datetime import datetime

from handlers.cards import words

HEARING_FAILED = "这段没听清（杂音大或太轻）。可以再说一遍，或直接打字。"
NO_SPEECH = "现在没有语音识别，文件已存。请打字补一句，或让管理员看“设置体检”。"
NO_CUSTOMER = "没听出是哪家客户，直接回复客户名就行。"
DONE_UNDO = "已撤回，恢复到原来的样子。"
LATE_UNDO = "超过 {minutes} 分钟，撤不回了，可以在记录里改。"
NOTHING_TO_UNDO = "没有可以撤回的。入库、作废后 {minutes} 分钟内回复“撤销”可撤回。"
NOT_UNDERSTOOD = "没看懂。可以说：“今天拜访了某某客户，…”“查 客户名”“待办”“帮助”。"
STALE_CARD = "这张卡片刚更新过，请看最新的内容再点。"
UNKNOWN_PERSON = (
    "还不认识你。请让管理员把你加进应用的可见范围（或人员名单），过几分钟再发一次就行。"
)
BUG = "这一步出错了，内容已存好，管理员能看到原因并重试。编号 {number}。"
AMOUNT_UNREAD = "没看懂这个金额，请这样写：120万 或 1200000。回复“空着”可跳过。"
NOTHING_OPEN = "现在没有等你确认的纪要。"
HELLO = "你好，{name}。发一段语音或文字说说拜访情况，我来整理成记录；说“帮助”看我会什么。"
PHOTO_KEPT = "图片收到，已存。要记到哪家客户，直接回复客户名和一句说明。"
FILE_KEPT = "文件收到，已存：{name}。要记到哪家客户，直接回复客户名和一句说明。"
TOO_LONG_TEXT = "这段文字有 {count:,} 个字，超过 {limit:,} 个，没法一次整理。原文已存；请分几条发。"
NO_CHANGE = "一项也没改。"
FILED_ALREADY = "这条已入库。{minutes} 分钟内回复“撤销”可撤回再改。"
JOIN_NOTHING = "没有可以合并的语音：要两段挨着的语音（隔 2 分钟以内），都还没入库、没作废。"
JOIN_BY_HAND = "要合并前两段语音，请点卡片上的“合并成一条”，或打字回复“合并”。"
JOIN_WORKING = "好，两段语音合成一条，正在重新整理。"
JOIN_LATE = "有一段已经入库或作废了，合不起来。先回复“撤销”收回，再合并。"
JOIN_FAILED = "两段合起来没读出拜访内容，已还原成两条，原来的卡片可以接着用。"
APART_NOTHING = "没有可以分开的。合并后 {minutes} 分钟内回复“分开”可还原成两条。"
APART_DONE = "已分开，还原成两条。"
APART_LATE = "合并后的那条已经入库或作废了，分不开。先回复“撤销”收回，再分开。"
OTHER_CUSTOMER_NOW = "这条纪要已经换了客户，这个问题不用答了，没有改动。"


def received(duration_ms: int | None, wait_s: int, ahead: int) -> str:
    """收到 1分32秒 语音，正在听，大约 20 秒。"""
    length = f" {words.length(duration_ms)} " if duration_ms else ""
    queue = f"前面还有 {ahead} 条，" if ahead else ""
    return f"收到{length}语音，{queue}正在听，大约 {wait_s} 秒。"


def bad_audio(reason: str, name: str) -> str:
    """Why a recording could not be heard, and what to do.  *reason*: ``BadAudio.reason``."""
    what = {
        "empty": "这个语音是空的（0 字节），多半是没录上。",
        "too_big": "文件太大，最多 60 MB。",
        "not_audio": f"“{name or '这个文件'}”不是录音，读不出声音。",
        "damaged": "录音文件坏了，读不出声音。",
        "too_short": "录音太短，没听到话。",
    }.get(reason, "这段录音读不出来。")
    return f"{what}文件已存；请再说一遍，或直接打字。"


def other_kind(kind: str, about: str) -> str:
    """What came, by the platform's name for it, and what the bot can take."""
    what = {"location": "位置", "link": "链接", "scan": "扫码结果", "image": "图片"}.get(
        kind, "消息"
    )
    shown = about if len(about) <= 60 else about[:59] + "…"
    return (
        f"{what}收到{f'：{shown}' if shown else ''}，已存。"
        "我能整理的是语音和文字，图片和文件会存着；要记拜访，说一段或打几个字就行。"
    )


def many_waiting(count: int) -> str:
    """Once an hour, when the platform's limit holds back what is meant for one person."""
    return f"消息有点多，剩下的 {count} 条稍后陆续发给你。"


def not_fetched(kind: str, reason: str) -> str:
    """Why what somebody sent did not come, and what to do.  *reason*: ``MediaGone.reason``."""
    what = {"voice": "语音", "photo": "图片"}.get(kind, "文件")
    if reason == "too_big":
        return f"这个{what}太大了，最多 60 MB，没有收下。请压缩或分几次再发。"
    why = "平台那边已经过期" if reason == "expired" else "从平台那边取了几次都没取到"
    or_type = "，或直接打字" if kind == "voice" else ""
    return f"你发的{what}没能收下：{why}。请再发一次{or_type}。"


def cut_short(minutes: int) -> str:
    return f"超过 {minutes} 分钟，只处理前 {minutes} 分钟。要整段请分几条发。"


def handled_already(who: str, at: datetime | None, verdict: str) -> str:
    when = f" {words.clock(at)}" if at else ""
    return f"这张已经处理过：{who}{when} {verdict}。"


def not_yours(owner: str) -> str:
    return f"这张是发给{owner}的，你点不会生效。"


def who_sees(owner: str) -> str:
    return f"这家客户由{owner}负责，你没有查看权限。"


def no_such_customer(said: str) -> str:
    return f"名单里没有“{said}”。换个叫法再查，或让管理员导入这家客户。"


def which_customer(said: str, names: list[str]) -> str:
    listed = "、".join(names)
    return f"“{said}”有 {len(names)} 家：{listed}。说全一点再查。"


def which_field(options: list[str]) -> str:
    listed = "；".join(f"{number} {text}" for number, text in enumerate(options, 1))
    return f"改哪一项？回复数字：{listed}"


def nothing_to_correct(field: str) -> str:
    what = {"due": "日期", "amount": "金额", "contact": "联系人", "product": "产品"}.get(
        field, "这一项"
    )
    return f"这条纪要里没有{what}可改。可以点“修改”，或重新说一遍。"


def reminder(customer: str, hours: int) -> str:
    return (
        f"{customer} 的纪要放了 {hours} 小时还没确认，点一下上面的卡片，"
        "或回复 1 入库 2 修改 3 作废。"
    )
