"""Chinese for the admin who connects DingTalk, in the words of its developer console."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

CONSOLE: Final = "钉钉开发者后台（open-dev.dingtalk.com）"
APP: Final = "应用开发 → 企业内部应用 → 点开这个应用"
CREDENTIALS: Final = f"{APP} → 基础信息 → 凭证与基础信息"
ROBOT: Final = f"{APP} → 应用能力 → 机器人"
RIGHTS: Final = f"{APP} → 开发配置 → 权限管理"
SECURITY: Final = f"{APP} → 开发配置 → 安全设置"
EVENTS: Final = f"{APP} → 开发配置 → 事件订阅"
PUBLISH: Final = f"{APP} → 应用发布 → 版本管理与发布"
_CARDS: Final = "卡片平台（open-dev.dingtalk.com/fe/card）"

# What the app must be allowed, as the console calls it.
SCOPES: Final[Mapping[str, str]] = {
    "qyapi_robot_sendmsg": "企业内机器人发送消息权限",
    "Card.Instance.Write": "互动卡片实例写权限",
    "qyapi_get_member": "成员信息读权限",
    "qyapi_get_department_member": "通讯录部门成员读权限",
    "qyapi_get_department_list": "通讯录部门信息读权限",
    "Contact.User.Read": "通讯录个人信息读权限",
}

# code, or "topic code" where that says more: (what is wrong, what to do).
PROBLEMS: Final[Mapping[str, tuple[str, str]]] = {
    "bad_secret": (
        "钉钉不认这对 Client ID 和 Client Secret，隔十分钟才再试一次",
        f"{CREDENTIALS}，两样都从同一个应用复制，填到设置页，然后重启",
    ),
    "no_permission": (
        "应用没有权限：{scopes}",
        f"{RIGHTS}，搜这个名字，申请；然后 {PUBLISH}，发一个新版本",
    ),
    "untrusted_ip": (
        "本机地址 {ip} 不在应用的服务器出口IP里，什么都发不出去",
        f"{SECURITY} → 服务器出口IP，加上这个地址，或者清空",
    ),
    "ip_banned": (
        "调用太猛，钉钉把本机的地址封了几分钟",
        "会自动再试；经常出现，看同一个出口地址上有没有别的程序在调钉钉",
    ),
    "wrong_robot_code": (
        "钉钉说没有这个机器人（{code}）",
        f"robot_code 要和 Client ID 一样，留空最好；再看 {ROBOT} 有没有打开并发布",
    ),
    "other_robot": (
        "收到的消息是发给另一个机器人的（{got}），这里填的是 {expected}",
        f"把设置页的 robot_code 清空；还不行，就是 Client ID 填成了另一个应用的：{CREDENTIALS}",
    ),
    "robot_stopped": ("机器人被停用了", f"{ROBOT}，打开它，再发一个新版本"),
    "quota:api quota_spent": (
        "这个月的接口调用量用完了，发不出去，下个月一号恢复",
        "钉钉管理后台升级专业版，或买接口调用的加量包；买好后一小时内自动恢复",
    ),
    "quota:push quota_spent": (
        "这个月的推送量用完了，大家说的话到不了这里，下个月一号恢复",
        "钉钉管理后台升级专业版，或买推送的加量包",
    ),
    "usage:api quota_low": (
        "接口调用量用了 {used} 次，这个月一共 {limit} 次，已过八成",
        "按现在的速度算一下够不够到月底；不够就升级专业版，或在设置页改成你买的额度",
    ),
    "usage:push quota_low": (
        "推送量用了 {used} 次，这个月一共 {limit} 次，已过八成",
        "用完后大家说的话收不到；不够就升级专业版，或在设置页改成你买的额度",
    ),
    "template_missing": (
        "没有这个卡片模板，卡片改用普通消息代替",
        f"{_CARDS}，核对模板 ID；模板要关联这个应用",
    ),
    "template_unpublished": (
        "卡片模板还没有发布，卡片改用普通消息代替",
        f"{_CARDS}，点开模板，发布",
    ),
    "card_refused": (
        "钉钉不收这种卡片（{code}），改用普通消息代替：{words}",
        "核对模板是不是用设置页下载的文件导入的；改过模板就重新导入",
    ),
    "no_connection": (
        "长连接连不上：{words}",
        "检查本机能不能上网；防火墙放行 api.dingtalk.com 和 wss-open-connection 开头的域名",
    ),
    "out_of_range": (
        "这些人不在应用的可见范围里，收不到消息：{users}",
        f"{PUBLISH}，新版本的可见范围加上他们；再同步一次通讯录",
    ),
    "no_staff_id": (
        "有人说话，钉钉没有给出他是谁，只能请他找管理员",
        f"{PUBLISH}，看应用有没有发布、可见范围有没有他；外部群里的人本来就没有",
    ),
    "nobody_visible": (
        "应用的可见范围里一个人也没有",
        f"{PUBLISH}，新版本的可见范围加上用它的部门；再同步一次通讯录",
    ),
    "directory_failed": ("通讯录没有同步成功：{why}", "过一会儿自动再试；也可以点“现在同步”"),
    # Traps: the platform does not complain.
    "agent_id_given": (
        "Client ID 填成了 AgentId：它是一串字母数字，不全是数字",
        f"{CREDENTIALS}，复制 Client ID",
    ),
    "odd_robot_code": (
        "robot_code（{got}）和 Client ID（{expected}）不一样",
        "企业内部应用的两者相同：把 channels.dingtalk.robot_code 清空，然后重启",
    ),
    "odd_template_id": (
        "不像卡片模板 ID：{ids}",
        "模板 ID 是一串字母数字，以 .schema 结尾；多个之间用英文逗号",
    ),
    "taps_go_nowhere": (
        "HTTP 模式下没有公网网址：卡片发得出去，点了没有反应",
        "填公网网址，或写 channels.dingtalk.callback_url；或者改用 Stream 模式",
    ),
    "no_tap_yet": (
        "发过 {cards} 张卡片，一次点击也没有收到过",
        "自己点一张试试。没有反应：看模板的按钮动作是不是“回传请求”、模板关联的是不是这个应用；"
        "再看有没有别的程序用同一个 Client ID 连着，把点击收走了",
    ),
}
REFUSED: Final = "钉钉不收（{code}）：{words}"
# How our own reasons begin that hold no code of the platform's.
REASONS: Final[Mapping[str, str]] = {
    "dingtalk: unknown, or out of": "钉钉不认识这个人，或者他不在应用的可见范围里",
    "dingtalk: too many messages to this person": "钉钉说给这个人发得太多了，一分钟后再试",
    "dingtalk: no connection": "连不上钉钉的服务器：检查本机能不能上网、域名解析、代理",
    "dingtalk: no answer": "钉钉没有应答，不知道收没收到，会再试一次",
    "dingtalk: nobody whom an API could reach": "没有这个人的 userId，主动发不到他",
    "dingtalk: our address is blocked": "本机地址被钉钉封了几分钟，会自动再试",
}

# --- attempts on the callback, HTTP mode ---------------------------------------------------------

REFUSALS: Final[Mapping[str, str]] = {
    "method": "不是 POST：有人用浏览器打开了这个网址",
    "missing": "没有签名：不是钉钉发的，或者代理丢掉了 timestamp、sign 两个请求头",
    "signature": "签名不对：Client Secret、Token 和后台的不一样，或不是钉钉发的",
    "cipher": "解不开：后台填的加密 aes_key 和这里的不一样，或 Client ID 不是这个应用的",
    "timestamp": "时间戳不是数字：不是钉钉发的",
    "stale": "时间差太多：把本机的时钟对准；也可能是有人重放旧请求",
    "not_json": "内容不是 JSON：不是钉钉发的，或代理改了内容",
    "no_cipher": "没有加密内容：不是钉钉发的",
    "too_big": "内容太大：不是钉钉发的",
    "cut_off": "传到一半断了：检查网络和代理",
    "slow": "没来得及应答：网络、代理或本机磁盘太慢；钉钉会再发",
    "storage_full": "磁盘满了，没有存下：腾出空间",
    "dingtalk_not_ready": "程序正在启动或停止，钉钉会再发",
}
ACCEPTED: Final[Mapping[str, str]] = {
    "no_action": "点击里没有内容",
    "nobody": "没写是谁发的",
    "quota": "推送量用完了，内容没有传来",
    "unknown": "用不着的事件",
}

# --- doctor --------------------------------------------------------------------------------------

MODES: Final = {True: "Stream 模式", False: "HTTP 模式"}
NO_MESSAGE_YET: Final = (
    "还没有收到过机器人的消息",
    f"给机器人说一句话试试。收不到：{ROBOT}，消息接收模式选 {{mode}}，再发一个新版本；"
    "确认没有别的程序用同一个 Client ID 连着",
)
QUIET: Final = (
    "{hours} 小时没有收到消息（最近一条 {at}）",
    "给机器人说一句话试试；收不到，看有没有别的程序（别人的试用、旧服务器）用同一个 Client ID"
    " 连着，把消息收走了",
)
HEARD: Final = "最近一条消息 {at}"
NOT_CONNECTED: Final = (
    "长连接没有连上",
    "程序运行时会自动连接；正在运行却没有连上，看日志，检查本机能不能上网",
)
CONNECTED: Final = "长连接已连上"
USED: Final = "{month} 月接口调用 {api} 次{api_of}，推送 {push} 次{push_of}（按这里发出、收到的数）"
OF: Final = "，共 {limit}"
NO_TEMPLATE: Final = (
    "没有填卡片模板（可不填）：带按钮的卡片改用普通消息，点按钮是替你发一句话，不能填表"
)
NEVER_CALLED: Final = (
    "还没有收到过钉钉的回调",
    f"{ROBOT}，消息接收模式选 HTTP，消息接收地址按设置页填，再发一个新版本",
)
LOOPBACK: Final = (
    "回调只在本机监听（{host}:{port}）：没有反向代理的话，钉钉连不进来",
    "在同一台机器上放反向代理，把 /callback/ 转到这里；已经放了就不用管",
)

# --- the set-up page's check ---------------------------------------------------------------------

CHECKS: Final[Mapping[str, str]] = {
    "token": "Client ID 和 Client Secret",
    "stream": "Stream 连接",
    "departments": "读部门",
    "members": "读成员",
    "robot": "机器人发消息",
}


def scope(name: str) -> str:
    """A permission as the console lists it."""
    known = SCOPES.get(name)
    return f"{known}（{name}）" if known else name
