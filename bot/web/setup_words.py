"""The words of the set-up page: what to do in the platforms' consoles, in their own menu words."""

from __future__ import annotations

from typing import Final

from bot.channel_words import PLATFORMS, option
from bot.web import setup_dingtalk_words as dingtalk

# --- WeCom: the company's own app ----------------------------------------------------------------

APP: Final = "应用管理 → 应用 → 自建 → 点开这个应用"

ADDRESS: Final = (
    "公网网址",
    "员工的手机和企业微信都要能打开，https 开头；在反向代理上把它转到本机"
    "（页面 {pages}，/callback/ 转到 {callback}）。",
)
CREATE: Final = (
    "建应用，填三样",
    "应用管理 → 应用 → 自建 → 创建应用。企业 ID 在 我的企业 → 企业信息 的最下面；"
    "AgentId 和 Secret 在应用详情里，Secret 要在手机上的企业微信里看。",
)
RESTART: Final = (
    "重启",
    "这里存下的设置重启后才生效。停掉再执行 genjin up（或重启服务）。",
)
RECEIVE: Final = (
    "接收消息",
    f"{APP} → 接收消息 → 设置API接收：把下面的 URL、Token、EncodingAESKey 贴进去，点保存。"
    "保存时企业微信会马上来验证，程序要已经在运行。",
)
TRUSTED_IP: Final = (
    "企业可信IP",
    f"{APP} → 企业可信IP → 配置，填本机的公网出口地址。不填就发不出消息。",
)
TRUSTED_IP_WANTED: Final = (
    "企业可信IP",
    f"企业微信说本机的地址是 {{ip}}，还不在名单里：{APP} → 企业可信IP → 配置，加上它。",
)
TRUSTED_DOMAIN: Final = (
    "可信域名",
    f"{APP} → 网页授权及JS-SDK → 设置可信域名，填 {{domain}}。在企业微信里点开卡片的链接靠它登录。"
    "要校验域名归属时，把给的文件名和内容填到下面，再点校验。",
)
TRUSTED_DOMAIN_OTHER: Final = (
    "可信域名",
    f"现在填的是 {{found}}，要改成 {{domain}}：{APP} → 网页授权及JS-SDK → 设置可信域名。",
)
VISIBLE: Final = (
    "可见范围和通讯录",
    f"{APP} → 可见范围，加上用它的部门。范围里的人就是这里的人员，每 4 小时自动同步一次。",
)
MENU: Final = (
    "菜单（可不做）",
    f"{APP} → 自定义菜单：加“待办”“帮助”两项，类型选“发送消息”，或跳转到 {{today}}。",
)
TEST: Final = ("发一条测试消息", "在下面填上你的姓名，点“发一条测试消息”，再回它一句话。")

# --- WeCom: the robot ----------------------------------------------------------------------------

BOT_CREATE: Final = (
    "建机器人，填两样",
    "企业微信管理后台 → 安全与管理 → 管理工具 → 智能机器人 → 创建机器人 → API 模式，"
    "连接方式选“长连接”，把 Bot ID 和 Secret 填到下面。不需要公网网址，也不需要可信IP。"
    "创建人最好是超级管理员，否则企业微信只给加密的账号。",
)
BOT_CONNECT: Final = ("连接", "同一个机器人只能有一个程序连着。")
BOT_WRITE_FIRST: Final = (
    "先跟机器人说一句话",
    "机器人只能给跟它说过话的人发消息：每个人先发一句“你好”。",
)

# --- fields --------------------------------------------------------------------------------------

LABELS: Final = {
    "web.public_url": "公网网址",
    "channels.wecom.enabled": "打开企业微信应用",
    "channels.wecom.corp_id": "企业 ID",
    "channels.wecom.agent_id": "AgentId",
    "channels.wecom.secret": "Secret",
    "channels.wecom.token": "Token",
    "channels.wecom.aes_key": "EncodingAESKey",
    "channels.wecom_bot.enabled": "打开智能机器人",
    "channels.wecom_bot.bot_id": "Bot ID",
    "channels.wecom_bot.secret": "Secret",
    **dingtalk.LABELS,
}
KEPT_SECRET: Final = "已填，不显示；要换就填新的"
FROM_ENV: Final = "由环境变量 {name} 设定，不能在这里改"

STATES: Final = {
    "off": ("没有打开", ""),
    "half": ("还缺 {keys}", "is-wait"),
    "restart": ("已存下，等重启", "is-wait"),
    "trouble": ("有问题", "is-alarm"),
    "todo": ("还有几步", "is-wait"),
    "fine": ("正常", "is-done"),
}

SAID: Final = {
    "saved": "已存下，重启后生效。",
    "same": "没有变化。",
    "synced": "通讯录已同步，结果见下面的“通讯录”。",
    "resumed": "会马上再试一次。",
    **dingtalk.SAID,
    "verify": "校验文件已放好，现在可以到企业微信里点校验。",
    "no_person": "名单里没有这个人。",
    "no_id": "这个人没有{platform}账号：先同步通讯录，或 genjin user edit 姓名 --{option} 账号。",
    "bad_number": "AgentId 是一串数字，额度也要填数字。",
    "bad_url": "公网网址要以 https:// 开头（试用时 http:// 也行），后面不带路径。",
    "bad_verify": "文件名形如 WW_verify_xxxx.txt，内容是一串字母数字。",
    "unwritable": "设置文件写不进去，或里面有写错的地方：执行 genjin config check 看看。",
    "sync_failed": "通讯录没有同步成功，原因见下面的“问题”。",
    "not_running": "这个通道现在没有在运行。",
}


def said(code: str, at: str) -> str:
    """What the page says after something was done to the channel *at*."""
    facts = {"platform": PLATFORMS.get(at, ""), "option": option(at)}
    return SAID.get(code, "").format(**facts)
