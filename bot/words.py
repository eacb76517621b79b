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
