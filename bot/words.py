"""Chinese for the people who run the program: settings, set-up, doctor, import.

What the bot says in the chat lives in ``handlers``; this is for the terminal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# --- settings -----------------------------------------------------------------------------------

NOT_A_ZONE = "not a zone"
SECRETS_MODE = (
    "secrets.toml 的权限是 {mode}，别的用户可能读到密钥，不能启动；请执行：chmod 600 secrets.toml"
)
NOT_A_SECRET = "secrets.toml：{key} 不是密钥，请写到 config.toml"
NOT_UTF8 = "{file}：不是 UTF-8 编码，请另存为 UTF-8"
BAD_TOML = "{file}：格式不对（{place}）"
UNREADABLE = "{file}：读不了（{why}）"
SECRET_FILE = "{where}：{key} 所指的文件读不了"
DATABASE_URL = "database.url：只认 sqlite:///文件 或 postgresql://用户:密码@主机/库名"

_WRONG = {
    "bool_parsing": "应为 true 或 false",
    "bool_type": "应为 true 或 false",
    "int_parsing": "应为整数",
    "int_type": "应为整数",
    "int_from_float": "应为整数",
    "float_parsing": "应为数字",
    "float_type": "应为数字",
    "string_type": "应为文字（加引号）",
    "tuple_type": '应为列表，例如 ["customer"]',
    "model_type": "应为一节，例如 [web]",
    "model_attributes_type": "应为一节，例如 [web]",
    "value_error": "不认识的值",
}


def bad_value(where: str, key: str, kind: str, facts: Mapping[str, Any]) -> str:
    """What is wrong with the value of *key*, without the value."""
    if kind == "literal_error":
        wrong = f"只能是 {str(facts['expected']).replace(' or ', '、').replace(', ', '、')}"
    elif kind == "greater_than_equal":
        wrong = f"不能小于 {facts['ge']}"
    elif kind == "greater_than":
        wrong = f"要大于 {facts['gt']}"
    elif kind == "less_than_equal":
        wrong = f"不能大于 {facts['le']}"
    else:
        wrong = _WRONG.get(kind, "值不对")
    return f"{where}：{key} {wrong}"


def unknown_key(where: str, key: str, near: str) -> str:
    hint = f"，是不是 {near}？" if near else ""
    return f"{where}：没有 {key} 这个键{hint}" if where != key else f"环境变量 {key} 不认识{hint}"


def half_configured(channel: str, keys: tuple[str, ...]) -> str:
    names = "、".join(f"channels.{channel}.{key}" for key in keys)
    return f"通道 {channel} 已打开但缺 {names}，这个通道不启动；网页对话照常可用"


# --- the data folder ----------------------------------------------------------------------------

FOLDER_UNUSABLE = "数据文件夹 {path} 用不了：{why}"
FOLDER_TAKEN = (
    "数据文件夹 {path} 正被另一个 genjin 使用（进程号 {pid}）。"
    "先停掉它，或者用 GENJIN_HOME 换一个文件夹"
)
UNKNOWN_PID = "未知"
DISK_LOW = "磁盘只剩 {free_mb} MB（{path}），请先腾出空间，至少 {need_mb} MB"

# --- the database -------------------------------------------------------------------------------

DATABASE_NEWER = (
    "数据库（版本 {found}）比这个程序（版本 {known}）新。请升级 genjin，"
    "或用 genjin restore 恢复旧版本的备份"
)
DATABASE_AWAY = "连不上数据库：{why}"
DATABASE_CORRUPT = "数据库文件 {path} 损坏，没有改动它。"
RESTORE_THIS = "最近一份完好的备份是 {name}（{at}）。停掉程序后执行：genjin restore {name}"
RESTORE_NONE = "没有找到完好的备份；请把这个文件留好再求助，换个文件夹（GENJIN_HOME）可以先用起来"

# --- tables from files --------------------------------------------------------------------------

SHEET_MISSING = "{file}：打不开（{why}）"
SHEET_TOO_BIG = "{file}：超过 {mb} MB，请分成几个文件"
SHEET_TOO_LONG = "{file}：超过 {rows} 行，请分成几个文件"
SHEET_EMPTY = "{file}：是空文件"
SHEET_XLS = "{file}：是旧的 xls 格式，请在 Excel 里另存为 xlsx 再导入"
SHEET_NO_TEXT = "{file}：既不是 xlsx 也不是文本表格（csv），认不出内容"
SHEET_BROKEN = "{file}：第 {why} 行附近格式坏了，读不下去"
SHEET_BROKEN_XLSX = "{file}：xlsx 文件已损坏或有密码，打不开"
FORMULA = "{cell} 是公式，但文件里没有算好的值；用 Excel 打开、保存一次再导入"
FORMULA_ERROR = "{cell} 的公式算出了错误值"
NO_HEADING = "{file}：没找到表头。{kind}表至少要有这些列：{needed}"
MISSING_HEADING = "{file}：缺列 {columns}"
REPEATED = "与第 {line} 行重复"

REFUSED = {
    "no_name": "没有名称",
    "role": "不认识的角色“{value}”，可以写：销售、经理、财务、总监、工程师、培训、订阅、管理员",
    "manager": "名单里没有上级“{value}”",
    "manager_loop": "上级“{value}”又归这个人管，成了圈",
    "platform_id": "平台账号“{value}”已属于{holder}",
    "owner": "名单里没有负责人“{value}”",
    "code_taken": "编号“{value}”已属于{holder}",
    "short_taken": "简称“{value}”是另一家客户（{holder}）的全名",
    "customer": "没有这家客户，或有几家同名：“{value}”",
    "product": "产品表里没有“{value}”",
    "price": "价格不能是负数",
    "floor": "底价高于标准价",
    "not_money": "“{value}”不是金额",
    "not_yes_no": "“{value}”看不出是还是否",
}

IMPORTED = "{kind}：新增 {added}，更新 {updated}，未变 {same}，退回 {refused}"
IMPORT_REPORT = "退回的行和原因写在：{file}"
IMPORT_IGNORED = "没用到的列：{columns}"
REPORT_HEADER = ("行号", "原因")

# --- commands -----------------------------------------------------------------------------------

SET_UP = "首次运行：数据文件夹 {path} 已建好，设置在其中的 config.toml"
MIGRATED = "数据库已从版本 {before} 升级到 {after}，升级前的备份：{name}"
MIGRATED_ALREADY = "数据库已是最新版本 {version}"
DISK_FULL = "磁盘满了（{path}，剩 {free_mb} MB），没有写入；腾出空间后再试，已收下的内容都在"
BACKUP_FAILED = {
    "exists": "已有名为 {detail} 的备份",
    "nothing": "还没有数据库（{detail}），没有东西可备份",
    "no_tool": "没有找到 {detail}：PostgreSQL 的备份要用它，请安装 postgresql-client",
    "tool": "备份工具没有成功：{detail}",
}
BAD_BACKUP = "这份备份不能用（{detail}），数据库没有改动"
NO_BACKUP = "没有名为 {name} 的备份。现有：{names}"
NOTHING = "无"
BACKED_UP = "备份好了：{path}（{mb:.1f} MB）"
NO_SECRETS = "密钥（secrets.toml）不在备份里，请另外保管"
RESTORED = "已恢复 {name}（{at}）"
KEPT = "原来的文件留在：{files}"
EXPORTED = "导出了 {tables} 张表、{rows} 行：{path}"
PURGED = "删除了 {files} 个到期录音、{log} 条到期日志"

BACKUP_NAME = "名字只能用文字、数字、点、横线和下划线"
RESTORE_SURE = "用 {at} 的备份替换现在的数据库？现在的文件会留着"
MIGRATED_NEW = "新数据库已建好，版本 {version}"
REPORT_SUFFIX = "-退回"
NO_PART = "没有 {part} 这一部分，可以写 {parts}"
PARTS_NEED_POSTGRES = "SQLite 只能由一个进程使用；要分开运行，请把 database.url 设为 PostgreSQL"
USER_THERE = "名单里已有 {name}，要改用 genjin user edit"
USER_ADDED = "已添加 {name}（{role}）"
USER_UPDATED = "已更新 {name}：{changes}"
USER_SAME = "{name} 没有变化"
NO_USER = "名单里没有 {name}"
NO_USERS = "还没有人员。添加一个：genjin user add 姓名 --role rep"
USER_TABLE = ("姓名", "角色", "上级", "团队", "区域", "企业微信", "钉钉", "在职")
ROLE_NAMES = {
    "rep": "销售",
    "manager": "经理",
    "finance": "财务",
    "director": "总监",
    "engineer": "工程师",
    "trainer": "培训",
    "subscriber": "订阅",
    "admin": "管理员",
}
YES, NO = "是", "否"

LINK = "一次性登录链接（30 分钟内有效，只能用一次）：\n{url}"

DEMO_LOADED = "演示公司已载入：{people} 人、{customers} 家客户、{opportunities} 个商机"
DEMO_THERE = "演示公司已经在了"
DEMO_REAL = "数据库里有真实的人员，不能载入演示公司。要看演示，用 GENJIN_HOME 换一个文件夹"
DEMO_SURE = "清空并重新载入演示公司？里面改过的内容都会消失"
DEMO_NONE = "这里没有演示公司"

JOB_STATES = {"queued": "排队", "running": "进行中", "done": "完成", "parked": "搁置"}
JOB_TABLE = ("编号", "种类", "对象", "通道", "状态", "次数", "时间", "原因")
NO_JOBS = "没有任务"
NO_JOB = "没有编号 {id} 的任务"
JOB_AGAIN = "任务 {ids} 将重新执行"
JOB_WHICH = "写明任务编号，或者用 --parked"
JOB_BUSY = "任务 {id} 正在执行，不能重试"
JOB_PARKED = "任务 {id} 已搁置"
BY_HAND = "手工搁置"

AUDIT_NONE = "还没有记录"
CONFIG_FINE = "设置没有问题（{path}）"
HIDDEN = "（已设置，不显示）"
DEFAULT = "默认"

NOTHING_CONFIRMED = "最近 {weeks} 周还没有确认入库的纪要；有人点“确认入库”后再来看"
NOT_LABELLED = "{file}：不是标注好的样本（{why}）"

# --- speech -------------------------------------------------------------------------------------

FINE = "正常"
NO_MODELS = "{path} 里没有语音模型。把模型文件夹放进去即可；演示自带只懂演示录音的 demo-voice"
MODEL_IN_USE = "现在用：{backend} {model} {detail}"

# --- doctor -------------------------------------------------------------------------------------

MARKS = {"ok": "✓", "warn": "!", "bad": "×"}
DOCTOR_FINE = "体检通过"
DOCTOR_BAD = "有问题要处理，见标 × 的几项"

TITLES = {
    "python": "Python",
    "packages": "程序包",
    "config": "设置",
    "secrets": "密钥",
    "database": "数据库",
    "backup": "备份",
    "disk": "磁盘",
    "speech": "语音识别",
    "llm": "大模型",
    "calendar": "节假日",
    "channels": "通道",
    "wecom": "企业微信应用",
    "wecom_bot": "智能机器人",
    "dingtalk": "钉钉",
    "web": "页面",
    "jobs": "任务队列",
}
PYTHON_OLD = ("{version} 太旧", "换用 Python 3.11 或更新的版本")
PACKAGES_FINE = "没有重名"
PACKAGES_CLASH = (
    "顶层包 {name} 也属于 {owner}，会互相覆盖",
    "给 genjin 单独建一个虚拟环境再安装",
)
CONFIG_NONE = ("还没有设置（{path}）", "执行 genjin up，会自动写好")
CONFIG_FIX = "改好后执行 genjin config check"
CONFIG_OK = "{path}"
SECRETS_FIX = "在数据文件夹里执行：chmod 600 secrets.toml"
SECRETS_OPEN = ("{keys} 写在 config.toml 里", "移到同一文件夹的 secrets.toml（权限 0600）")
SECRETS_OK = "权限正确"
SECRETS_NONE = ("还没有 secrets.toml", "执行 genjin up，会自动写好")
DATABASE_NONE = ("还没有数据库", "执行 genjin up，会自动建好")
DATABASE_OLD = ("版本 {found}，程序要 {known}", "执行 genjin migrate（会先自动备份）")
DATABASE_OK = "{kind}，版本 {version}，{people} 人、{customers} 家客户、{memos} 条纪要"
DATABASE_FIX = "检查 database.url 和数据库服务"
BACKUP_OLD = ("最近一份备份是 {at}", "执行 genjin backup，并把备份拷到别的机器")
BACKUP_NONE = ("还没有备份", "执行 genjin backup，并把备份拷到别的机器")
BACKUP_OK = "最近一份 {name}（{at}）"
DISK_OK = "剩 {gb:.1f} GB"
DISK_TIGHT = ("只剩 {gb:.1f} GB", "腾出空间：录音和备份在数据文件夹的 media、backups 里")
SPEECH_OK = "{backend}，模型 {model}"
SPEECH_PLATFORM = "只用平台给的文字"
SPEECH_NONE = (
    "现在听不了录音：{why}",
    "把模型文件夹放进 {path}，或设置 speech.url；在这之前录音会存着，人可以打字",
)
LLM_OFF = "没有打开（可选，不用也完整可用）"
LLM_OK = "已打开：{model}（{host}）"
LLM_HALF = (
    "已打开，但 {key}，现在不会去问",
    "补上，或把 llm.enabled 改成 false；在这之前纪要照常由规则来读",
)
LLM_LACKS = {"no_url": "llm.base_url 不是 http(s) 地址", "no_model": "llm.model 没写"}
LLM_AWAY = (
    "已打开，但问不了 {host}：{why}",
    "检查 llm.base_url、密钥和那边的服务；在这之前纪要照常由规则来读",
)
LLM_WHY = {
    "timeout": "没有按时回答",
    "unreachable": "连不上",
    "http_401": "不认这个密钥",
    "http_403": "这个密钥没有权限",
}
LLM_WHY_ELSE = "对方出错（{why}）"
CALENDAR_OK = "{years} 年的放假安排都有"
CALENDAR_OLD = ("没有 {year} 年的放假安排，只按法定节日推算", "国务院公布后升级 genjin")
CHANNELS_NONE = "没有打开的平台通道，只有网页对话"
CHANNELS_OK = "已打开：{names}"
CHANNELS_FIX = "补上这些键，或把 enabled 改成 false"
WEB_RUNNING = "正在运行（进程号 {pid}）"
WEB_FREE = "{host}:{port} 可用"
WEB_TAKEN = ("{host}:{port} 已被别的程序占用", "换一个端口：web.port，或 genjin up --port")
WEB_HOST = ("{host} 不是这台机器的地址", "改 web.host")
WEB_OPEN = (
    "页面对外开放（{host}），但没有 https 的 web.public_url",
    "在前面放一个带 https 的反向代理，并写好 web.public_url",
)
JOBS_OK = "没有搁置的任务"
JOBS_PARKED = (
    "有 {count} 个任务搁置",
    "genjin jobs list --parked 看原因，修好后 genjin jobs retry",
)

# --- errors by their code -----------------------------------------------------------------------

ERRORS = {"real_people": DEMO_REAL, "no_demo": DEMO_NONE}
