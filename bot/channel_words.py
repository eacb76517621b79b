"""Chinese for the admin who connects a platform: what is wrong, what arrived, what to do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from bot import dingtalk_words
from sales.clock import COMPANY_ZONE

PLATFORMS: Final = {"wecom": "企业微信", "wecom_bot": "企业微信", "dingtalk": "钉钉"}
TITLES: Final = {
    "wecom": "企业微信应用",
    "wecom_bot": "企业微信智能机器人",
    "dingtalk": "钉钉",
}
LOOKED_AT: Final = ("wecom", "wecom_bot", "dingtalk")  # by doctor and the set-up page
CONSOLE: Final = "企业微信管理后台（work.weixin.qq.com）"
_APP: Final = "应用管理 → 应用 → 自建 → 点开这个应用"

# --- what is wrong now: the codes of storage.channel_states --------------------------------------

# code: (what is wrong, what to do); {braces} come from the finding's detail.
_PROBLEMS: Final[Mapping[str, tuple[str, str]]] = {
    "bad_secret": (
        "企业微信不认这个 Secret，已停止取凭证，免得本机地址被封",
        f"{_APP}，重新查看 Secret，填到设置页，然后重启",
    ),
    "bad_corp_id": (
        "企业微信不认这个企业 ID，已停止取凭证",
        "我的企业 → 企业信息，最下面有企业 ID；填到设置页，然后重启",
    ),
    "token_refused": (
        "刚取到的凭证也被拒绝（错误码 {errcode}）",
        "多半有别的程序用同一个应用的 Secret 在取凭证；给它另建一个应用，或停掉它",
    ),
    "untrusted_ip": (
        "本机地址 {ip} 不在企业可信IP名单里，什么都发不出去",
        f"{_APP} → 企业可信IP → 配置，加上 {{ip}}，约一分钟后生效"
        "（那里要先配好可信域名或接收消息的网址）",
    ),
    "wrong_agent": (
        "AgentId 和 Secret 不是同一个应用的",
        f"{_APP}，核对 AgentId，填到设置页，然后重启",
    ),
    "app_disabled": ("应用被停用了", f"{_APP}，启用它"),
    "api_forbidden": (
        "应用没有这个接口的权限（错误码 {errcode}）",
        f"{_APP}，看接口权限；通讯录要在可见范围里",
    ),
    "no_callback_url": (
        "应用没有接收消息的网址，带按钮的卡片发不出去",
        f"{_APP} → 接收消息 → 设置API接收",
    ),
    "contact_secret": (
        "填的是“通讯录同步”的 Secret，读不了成员",
        f"换成应用自己的 Secret：{_APP}",
    ),
    "redirect_domain": (
        "网页登录的域名没有登记",
        f"{_APP} → 网页授权及JS-SDK → 设置可信域名",
    ),
    "untrusted_domain": (
        "网页登录的域名 {domain} 没有登记，在企业微信里点开链接登录不了",
        f"{_APP} → 网页授权及JS-SDK → 设置可信域名，填 {{domain}}",
    ),
    "approval": ("审批接口不能用（错误码 {errcode}）", "审批 → 可调用接口的应用，加上这个应用"),
    "unreachable": (
        "连不上企业微信的服务器",
        "检查本机能不能上网、域名解析、代理（channels.wecom.api_base）",
    ),
    "proxy": (
        "答话的不是企业微信（状态 {status}），中间有代理或上网登录页",
        "检查 channels.wecom.api_base 和出网的代理",
    ),
    "wecom_bot.unreachable": (
        "智能机器人的长连接连不上",
        "检查本机能不能上网；私有部署要改 channels.wecom_bot.ws_url",
    ),
    "wecom_bot.refused": (
        "企业微信不认这个智能机器人（错误码 {errcode}）",
        f"{CONSOLE} → 智能机器人，重新查看 Bot ID 和长连接的 Secret，填到设置页，然后重启",
    ),
    "wecom_bot.evicted": (
        "智能机器人的连接被另一个程序顶掉了",
        "同一个机器人只能有一个程序连着：找到并停掉另一个",
    ),
    "tls_version": ("企业微信不接受本机的 TLS 版本", "升级系统的 OpenSSL，或检查中间的代理"),
    "too_many_calls": (
        "调用太频繁，企业微信让等一等",
        "会自动再试；经常出现，看有没有别的程序在用",
    ),
    "unknown_member": (
        "通讯录里没有这些账号，收不到消息：{users}",
        "genjin user list 核对企业微信账号；同步一次通讯录",
    ),
    "out_of_range": (
        "这些人不在应用的可见范围里，收不到消息：{users}",
        f"{_APP} → 可见范围，把人或部门加进去",
    ),
    "unlicensed": (
        "这些人没有接口许可，收不到消息：{users}",
        "企业微信要求的接口许可没有买够或没有分给他们：应用详情 → 接口许可",
    ),
    "inactive_soon": (
        "企业微信提示：应用长期没人用，将被停用",
        f"{CONSOLE}里按提示处理，并让大家用起来",
    ),
    "inactive": ("应用因为长期没人用，被企业微信停用了", f"{_APP}，按提示重新启用"),
    "closed": ("应用被企业微信停用了", f"{_APP}，按提示重新启用"),
    "nobody_visible": (
        "应用的可见范围里一个人也没有",
        f"{_APP} → 可见范围，加上用它的部门，再同步一次通讯录",
    ),
    "directory_failed": ("通讯录没有同步成功：{why}", "过一会儿自动再试；也可以点“现在同步”"),
}
REFUSED: Final = "企业微信不收（错误码 {errcode}）：{words}"
SENTENCE: Final = "{}。{}"
_UNKNOWN: Final = ("出了问题（{problem}）", "看日志，或把这个代号告诉技术支持")


class _Facts(dict[str, object]):
    """Facts for a sentence; one that is missing leaves a gap instead of an error."""

    def __missing__(self, key: str) -> str:
        return "？"


def problem(
    channel: str, code: str, detail: Mapping[str, Any], *, topic: str = ""
) -> tuple[str, str]:
    """What is wrong, and what to do about it."""
    if channel == "dingtalk":
        known = dingtalk_words.PROBLEMS
        text, todo = known.get(f"{topic} {code}") or known.get(code, _UNKNOWN)
        scopes = detail.get("scopes") or [detail.get("words") or detail.get("code") or "？"]
        detail = {**detail, "scopes": [dingtalk_words.scope(str(one)) for one in scopes]}
    else:
        text, todo = _PROBLEMS.get(f"{channel}.{code}") or _PROBLEMS.get(code, _UNKNOWN)
    shown = {
        key: names(tuple(map(str, value))) if isinstance(value, list) else value
        for key, value in detail.items()
    }
    facts = _Facts(shown, problem=code)
    return text.format_map(facts), todo.format_map(facts)


# --- attempts on the callback: the codes of storage.callback_attempts ----------------------------

OUTCOMES: Final = {
    "accepted": "收下",
    "repeat": "重复，没再处理",
    "ignored": "不用处理",
    "verified": "网址验证通过",
    "refused": "拒绝",
}
_REFUSED: Final = {
    "missing": "网址里缺签名参数：多半不是企业微信发的，或者代理丢掉了“?”后面的部分",
    "signature": "签名不对：后台填的 Token 和这里的不一样，或不是企业微信发的",
    "cipher": "解不开：后台填的 EncodingAESKey 和这里的不一样",
    "corp": "不是这家企业的：核对企业 ID",
    "timestamp": "时间戳不是数字：不是企业微信发的",
    "stale": "时间差太多：把本机的时钟对准；也可能是有人重放旧请求",
    "not_xml": "内容不是 XML：不是企业微信发的，或代理改了内容",
    "no_cipher": "没有加密内容：接收消息要用“安全模式”，或不是企业微信发的",
    "too_big": "内容太大：不是企业微信发的",
    "slow_body": "内容迟迟没传完：检查网络和代理",
    "cut_off": "传到一半断了：检查网络和代理",
    "slow_storage": "本机存盘太慢，没来得及应答：检查磁盘",
    "storage_full": "磁盘满了，没有存下：腾出空间，企业微信会再发",
}
_ACCEPTED: Final = {
    "text": "文字",
    "voice": "语音",
    "photo": "图片",
    "file": "文件",
    "action": "点了卡片上的按钮",
    "event": "进入应用或点了菜单",
    "other": "别的消息",
    "app": "应用状态的通知",
    "directory": "通讯录有变化",
}
_IGNORED: Final = {
    "position": "位置上报",
    "menu_link": "点了菜单里的链接",
    "menu_scan": "菜单扫码",
    "menu_picture": "菜单发图",
    "approval": "审批应用的通知",
    "sharing": "上下游共享的变化",
    "nobody": "没写是谁发的",
    "unreadable": "看不懂的内容",
    "system": "系统通知",
    "unknown": "没见过的事件",
}


def attempt(outcome: str, reason: str, channel: str = "wecom") -> str:
    """What became of a call, in a few words."""
    kinds: Mapping[str, str] = {"refused": _REFUSED, "ignored": _IGNORED}.get(outcome, _ACCEPTED)
    if channel == "dingtalk":
        mine = dingtalk_words.REFUSALS if outcome == "refused" else dingtalk_words.ACCEPTED
        kinds = {**kinds, **mine}
    code, _, more = reason.partition(":")
    said = kinds.get(code, reason)
    return f"{said}（{more}）" if more and code in kinds else said


# --- doctor -------------------------------------------------------------------------------------

SEE_SETUP: Final = "打开页面“设置 → 通道”（/setup），那里有要填的值和步骤"
HALF: Final = "已打开，但缺 {keys}，没有启动"
WRONG: Final = "{text}（从 {since} 起）"
FINE: Final = "没有发现问题"
NO_PUBLIC_URL: Final = (
    "没有写 web.public_url：卡片里的链接别人打不开，在企业微信、钉钉里也登录不了",
    "写成员工能打开的网址，例如 https://genjin.example.com，然后重启",
)
NO_HTTPS: Final = ("web.public_url 不是 https", "在反向代理上配好证书，改成 https:// 开头")
LOOPBACK: Final = (
    "回调只在本机监听（{host}:{port}）：没有反向代理的话，企业微信连不进来",
    "在同一台机器上放反向代理，把 /callback/ 转到这里；已经放了就不用管",
)
NEVER_CALLED: Final = (
    "还没有收到过企业微信的回调",
    f"{CONSOLE}：{_APP} → 接收消息 → 设置API接收，按设置页填好再点保存",
)
QUIET: Final = (
    "{hours} 小时没有收到回调（最近一次 {at}）",
    "发一条消息给应用试试；收不到就看设置页“最近的回调”和反向代理的日志",
)
ONLY_REFUSED: Final = (
    "最近的回调都被拒绝：{why}",
    "按设置页“最近的回调”里的原因处理",
)
CALLED: Final = "最近一次回调 {at}"
WITHOUT_ID: Final = (
    "{count} 人没有账号，收不到消息：{names}",
    "genjin user edit 姓名 --{option} 账号；或把人加进可见范围，再同步通讯录",
)
UNKNOWN_ID: Final = (
    "{count} 人的账号不在应用的可见范围里：{names}",
    "核对账号，或到可见范围里加上，再同步通讯录",
)
HELD: Final = (
    "{count} 个名字对不上是谁：{names}（同名，名单里是管理员、总监，或另一个平台上已有这个名字）",
    "用 genjin user edit 姓名 --{option} 账号 写明；两个平台上同名的都是同一个人，就执行"
    " genjin user sync --channel {channel} --same-names",
)
NOT_SYNCED: Final = ("通讯录还没有同步过", "程序运行时会自动同步；也可以 genjin user sync")
SYNC_OLD: Final = ("通讯录最近一次同步是 {at}", "genjin user sync 看原因")
SYNCED: Final = "通讯录 {at} 同步过，{members} 人"
MORE: Final = "等"


# --- directory and test messages ----------------------------------------------------------------

SYNC_DONE: Final = (
    "{title}通讯录已同步：{members} 人，新增 {added}，更新 {updated}，停用 {left}，恢复 {back}"
)
SYNC_HELD: Final = (
    "这些名字对不上是谁，没有动：{names}。用 genjin user edit 姓名 --{option} 账号 写明；"
    "两个平台上同名的都是同一个人，就加上 --same-names 再来一次"
)
SYNC_NONE: Final = "没有打开并填全的通道可以同步通讯录（现在支持：{names}）"
SYNC_FAILED: Final = "{title}通讯录没有同步：{why}"

TEST_TEXT: Final = (
    "这是一条测试消息（{at}）。看到它，说明跟进能发消息给你了；直接回一句话，试试能不能收到。"
)
TEST_SENT: Final = "已发给{name}，{title}收下了；请看手机上有没有"
TEST_WAITING: Final = "还没发出去，会接着试：{why}"
TEST_FAILED: Final = "没有发出去：{why}"
TEST_QUEUED: Final = "已放进发件箱，程序还没有发；过一会儿看 genjin jobs list"
TEST_NO_ID: Final = "{name} 没有{title}的账号。用 genjin user edit {name} --{option} 账号 写上"
TEST_NO_CHANNEL: Final = "{title}没有打开或没有填全，不能发"
TEST_NEEDS_PROGRAM: Final = "{title}只能由运行中的程序发：先 genjin up，再试"
NOT_A_CHANNEL: Final = "没有 {channel} 这个通道，可以写：{names}"


def local(at: datetime) -> str:
    return at.astimezone(COMPANY_ZONE).strftime("%Y-%m-%d %H:%M")


def names(listed: tuple[str, ...], most: int = 5) -> str:
    shown = "、".join(listed[:most])
    return shown + MORE if len(listed) > most else shown


def option(channel: str) -> str:
    """The option of ``genjin user edit`` that holds a platform's user id."""
    return "dingtalk" if channel == "dingtalk" else "wecom"
