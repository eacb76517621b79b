"""The words of the command line: one line and one example for each command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import click


@dataclass(frozen=True, slots=True)
class Entry:
    group: str
    module: str
    text: str
    example: str
    function: str = ""  # when it is not called like the command


_RUN, _PEOPLE, _LANGUAGE, _KEEP, _LOOK = "运行", "名单与数据", "语音与文字", "保管", "查看"

COMMANDS: Final[Mapping[str, Entry]] = {
    "up": Entry(_RUN, "run", "首次自动设置，然后全部启动", "genjin up --demo"),
    "serve": Entry(_RUN, "run", "只启动，或只启动一部分", "genjin serve --only worker,speech"),
    "link": Entry(_RUN, "run", "打印一次性登录链接", "genjin link --person 李娜"),
    "demo": Entry(_RUN, "data", "演示公司：载入、清空重来", "genjin demo load"),
    "send-test": Entry(
        _RUN,
        "channels",
        "发一条测试消息",
        "genjin send-test --channel wecom --to 李娜",
        "send_test",
    ),
    "user": Entry(
        _PEOPLE, "people", "人员：添加、列出、修改、同步", "genjin user add 李娜 --role rep"
    ),
    "import": Entry(
        _PEOPLE, "data", "从 xlsx、csv 导入名单", "genjin import customers 客户.xlsx", "import_"
    ),
    "export": Entry(_PEOPLE, "data", "全部数据导出为 csv 压缩包", "genjin export 导出.zip"),
    "purge": Entry(_PEOPLE, "data", "删除到期的录音和日志", "genjin purge"),
    "extract": Entry(_LANGUAGE, "language", "纪要文字变成字段", "genjin extract memos.jsonl"),
    "dates": Entry(_LANGUAGE, "language", "读出文字里的日期", "genjin dates -"),
    "amounts": Entry(_LANGUAGE, "language", "读出文字里的金额", "genjin amounts --numbers -"),
    "match": Entry(_LANGUAGE, "language", "在识别文字里找客户名", "genjin match names.jsonl"),
    "eval": Entry(
        _LANGUAGE, "language", "用标注好的样本打分", "genjin eval memos memos.jsonl", "evaluate"
    ),
    "transcribe": Entry(_LANGUAGE, "language", "录音变成文字", "genjin transcribe 录音.amr"),
    "models": Entry(_LANGUAGE, "language", "列出语音模型", "genjin models"),
    "backup": Entry(_KEEP, "keep", "备份数据库和设置", "genjin backup --media"),
    "restore": Entry(_KEEP, "keep", "恢复一份备份", "genjin restore auto-20260302-013000"),
    "migrate": Entry(_KEEP, "keep", "把数据库升级到这个版本", "genjin migrate"),
    "config": Entry(_LOOK, "look", "检查、显示设置", "genjin config check"),
    "doctor": Entry(_LOOK, "look", "全面体检", "genjin doctor"),
    "jobs": Entry(_LOOK, "jobs", "任务队列：列出、查看、重试、搁置", "genjin jobs list --parked"),
    "audit": Entry(_LOOK, "look", "谁在什么时候改了什么", "genjin audit --who 李娜"),
    "version": Entry(_LOOK, "brief", "版本", "genjin version"),
    "help": Entry(_LOOK, "brief", "帮助", "genjin help import", "help_"),
}

NO_COMMAND = "没有 {name} 这个命令，{hint}"
DID_YOU_MEAN = "是不是 {near}？"
SEE_HELP = "genjin help 列出全部命令"
STOPPED = "已停止"


def overview() -> str:
    """The help of ``genjin``: every command with an example."""
    lines = ["跟进（genjin）：在企业微信和钉钉里帮销售记、提醒、推进的机器人", ""]
    lines += ["用法：genjin 命令 [选项]；genjin help 命令 看细节"]
    group = ""
    for name, entry in COMMANDS.items():
        if entry.group != group:
            group = entry.group
            lines += ["", group]
        lines.append(f"  {name:<11}{entry.text}")
        lines.append(f"  {'':<11}例：{entry.example}")
    lines += ["", "数据都在一个文件夹里（环境变量 GENJIN_HOME），设置是其中的 config.toml。"]
    return "\n".join(lines)


def usage_error(error: click.UsageError) -> str:
    """What was typed wrongly, and where to look."""
    name = error.ctx.command_path.removeprefix("genjin").strip() if error.ctx else ""
    hint = f"（genjin help {name}）" if name else ""
    if isinstance(error, click.NoSuchOption):
        near = error.possibilities or []
        also = DID_YOU_MEAN.format(near=sorted(near)[0]) if near else ""
        text = f"没有 {error.option_name} 这个选项" + (f"，{also}" if also else "")
    elif isinstance(error, click.exceptions.NoSuchCommand):
        near = sorted(error.possibilities or [])
        hint = DID_YOU_MEAN.format(near=near[0]) if near else SEE_HELP
        return NO_COMMAND.format(name=error.command_name, hint=hint)
    elif isinstance(error, click.exceptions.NoArgsIsHelpError):
        return error.format_message()
    elif isinstance(error, click.MissingParameter):
        text = f"缺少 {_parameter(error)}"
    elif isinstance(error, click.BadParameter):
        text = f"{_parameter(error)} 不对：{error.message}"
    else:
        text = error.format_message()
    return text + hint


def _parameter(error: click.BadParameter) -> str:
    if error.param is None:
        return str(error.param_hint or "")
    if isinstance(error.param, click.Option):
        return error.param.opts[0]
    return error.param.make_metavar(error.ctx) if error.ctx else error.param.name or ""
