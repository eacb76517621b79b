"""The words of the set-up page's part about DingTalk, in its console's own menu words."""

from __future__ import annotations

from typing import Final

from bot.dingtalk_words import APP, CREDENTIALS, EVENTS, PUBLISH, RIGHTS, ROBOT, SECURITY

CREATE: Final = (
    "建应用，填两样",
    "钉钉开发者后台（open-dev.dingtalk.com）→ 应用开发 → 企业内部应用 → 创建应用。"
    f"{CREDENTIALS}，复制 Client ID 和 Client Secret；不是 AgentId，也不是 CorpId。",
)
ROBOT_STREAM: Final = (
    "机器人，Stream 模式",
    f"{APP} → 应用能力 → 添加应用能力 → 机器人：打开，消息接收模式选“Stream 模式”。"
    "机器人的编号（robotCode）和 Client ID 一样，不用填。收到第一条消息，这一步就好了。",
)
ROBOT_HTTP: Final = (
    "机器人，HTTP 模式",
    f"{ROBOT}：打开，消息接收模式选“HTTP 模式”，消息接收地址贴下面的值。"
    "收到第一条消息，这一步就好了。",
)
RIGHTS_ASKED: Final = (
    "权限",
    f"{RIGHTS}，搜下面的名字，逐个申请：{{scopes}}。一共六项，都要。",
)
RIGHTS_MISSING: Final = (
    "权限",
    f"还缺 {{scopes}}：{RIGHTS}，申请；再发一个新版本才生效。",
)
IP: Final = (
    "服务器出口IP",
    f"{SECURITY} → 服务器出口IP：空着就行；填过的话，要有本机的公网出口地址。",
)
IP_WANTED: Final = (
    "服务器出口IP",
    f"钉钉说本机的地址 {{ip}} 不在名单里：{SECURITY} → 服务器出口IP，加上它，或者清空。",
)
PUBLISHED: Final = (
    "可见范围，发布版本",
    f"{PUBLISH} → 创建新版本：可见范围选用它的部门，保存，发布。"
    "以后每改一项（权限、机器人、可见范围），都要再发一个新版本才生效。",
)
CONNECTED: Final = (
    "连接",
    "不需要公网网址和证书，本机能上网就行。同一个 Client ID 只给这一个程序用："
    "别的程序也连着，消息会被它收走一部分。",
)
DIRECTORY: Final = (
    "通讯录",
    "可见范围里的人就是这里的人员，每 4 小时自动同步一次。要让变动马上同步："
    f"{EVENTS}，推送方式选“{{mode}}”，勾上通讯录的用户、部门变更事件（不占推送量）。",
)
LOGIN: Final = (
    "在钉钉里打开页面（可不做）",
    f"{SECURITY} → 重定向URL（回调域名），填 {{url}}。点卡片上的链接时靠它认出是谁；"
    "不填，登录完会报回调地址错，别的不受影响。",
)
LOGIN_NO_ADDRESS: Final = (
    "在钉钉里打开页面（可不做）",
    "要先填上面的公网网址：手机打不开本机的地址。不填，卡片上就没有链接，别的不受影响。",
)
CARDS: Final = (
    "卡片模板（建议做）",
    "卡片平台（open-dev.dingtalk.com/fe/card）→ 新建模板 → 卡片类型选“消息卡片”，关联这个应用 → "
    "右上角 更多 → 导入下面的文件 → 保存 → 发布 → 复制模板 ID，填到下面。"
    "只想做一个：导入 card_form.json，ID 填到“按钮模板 ID”，另外两个空着。"
    "一个也不做：卡片改用普通消息，点按钮是替你发一句话，不能填表。",
)
CARDS_NEWER: Final = (
    "卡片模板有新版本",
    "程序带的模板文件在你填 ID 之后改过（现在是 {version}）：下载，重新导入，发布；"
    "ID 变了就改下面的，没变就点一次保存。",
)
CARDS_WRONG: Final = ("卡片模板", "{text}。{todo}。")
EDITION: Final = (
    "额度",
    "标准版（免费）每家公司每月 5000 次接口调用、3000 次推送，所有应用一起算。"
    "大约够 10 到 15 个人每天用；人多请买专业版（20 万次、5 万次）或加量包，再改下面的两个数。",
)
GROUP: Final = (
    "进群（可不做）",
    "群设置 → 机器人 → 添加机器人，选这个应用的。群里要 @它，只能发文字和图片；语音请发到单聊。"
    "结果一律发到单聊。",
)
TEST: Final = (
    "发一条测试消息",
    "在下面填上你的姓名，点“发一条测试消息”，再回它一句话。不用先跟机器人说过话。",
)

PASTE: Final = {
    "message_url": "消息接收地址（机器人）",
    "event_url": "请求网址（事件订阅）",
    "aes_key": "加密 aes_key（事件订阅）",
    "token": "签名 token（事件订阅）",
    "login": "重定向URL（安全设置）",
}
EVENT_MODES: Final = {True: "Stream模式推送", False: "HTTP推送"}
LABELS: Final = {
    "channels.dingtalk.enabled": "打开钉钉应用",
    "channels.dingtalk.client_id": "Client ID",
    "channels.dingtalk.client_secret": "Client Secret",
    "channels.dingtalk.stream": "Stream 模式（不需要公网网址；关掉就是 HTTP 模式）",
    "channels.dingtalk.card_template_id": "按钮模板 ID（card_action）",
    "channels.dingtalk.form_template_id": "表单模板 ID（card_form）",
    "channels.dingtalk.notice_template_id": "通知模板 ID（card_notice）",
    "channels.dingtalk.api_quota": "每月接口调用额度",
    "channels.dingtalk.push_quota": "每月推送额度",
    "channels.dingtalk.callback_url": "回调网址（空着就是公网网址加 /callback/dingtalk）",
}
QUOTAS: Final = {"api": "接口调用", "push": "推送（收到的消息、点击、聊天里的直接回复）"}
TEMPLATES: Final = {
    "card_action": "带按钮的卡片：纪要确认、审批、阶段门槛",
    "card_form": "卡片里的表单，别的它也能画（电脑 7.6.0、手机 7.6.6 以上）",
    "card_notice": "只看不点的：结果、日报、周报",
}
SAID: Final = {
    "bad_template": "模板 ID 是一串字母数字，以 .schema 结尾；多个之间用英文逗号。",
    "checked": "检查完了，结果在下面。",
    "check_failed": "没有检查成：平台迟迟不答，过一会儿再试。",
}
