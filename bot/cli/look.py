"""Looking at settings, health, jobs and the log."""

from __future__ import annotations

import json
import os

import click

from bot import config as settings
from bot import words
from bot.cli import support
from bot.home import Home


@click.group()
def config() -> None:
    pass


@config.command()
def check() -> int:
    """检查设置。例：genjin config check"""
    home = Home.find()
    loaded = settings.load(home.path)
    half = loaded.half_configured()
    for channel, keys in half.items():
        click.echo(words.half_configured(channel, keys))
    if half:
        return 2
    click.echo(words.CONFIG_FINE.format(path=home.config_file))
    return 0


@config.command()
@click.option("--all", "everything", is_flag=True, help="连默认值一起列出")
def show(everything: bool) -> None:
    """显示设置和出处，密钥不显示。例：genjin config show --all"""
    loaded, origins = settings.load_with_origins(Home.find().path)
    for key in settings.all_keys():
        if not everything and key not in origins:
            continue
        shown = words.HIDDEN
        if not settings.holds_secret(loaded, key):
            shown = json.dumps(settings.value(loaded, key), ensure_ascii=False, default=list)
        click.echo(f"{key} = {shown}  # {origins.get(key, words.DEFAULT)}")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="给程序读的 JSON")
@click.option("--quick", is_flag=True, help="不做要读整个数据库的检查")
def doctor(as_json: bool, quick: bool) -> int:
    from bot import doctor as checks

    findings = checks.examine(Home.find(), os.environ, quick=quick)
    bad = any(one.level == "bad" for one in findings)
    if as_json:
        result = {"ok": not bad, "findings": [one.to_dict() for one in findings]}
        click.echo(json.dumps(result, ensure_ascii=False, indent=1))
        return int(bad)
    for one in findings:
        click.echo(f"{words.MARKS[one.level]} {one.title}：{one.text}")
        if one.todo:
            click.echo(f"   → {one.todo}")
    click.echo(words.DOCTOR_BAD if bad else words.DOCTOR_FINE)
    return int(bad)


@click.command()
@click.option("--who", default="", help="只看这个人")
@click.option("--action", default="", help="只看这类动作，例如 import")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 100_000))
def audit(who: str, action: str, limit: int) -> None:
    from storage import office

    with support.database() as database:
        entries = database.read(
            lambda session: office.audit_log(session, who=who, action=action, limit=limit)
        )
    if not entries:
        click.echo(words.AUDIT_NONE)
    for one in entries:
        line = f"{support.local(one.at)}  {one.who}  {one.action}  {one.subject}"
        if one.old:
            line += "  " + json.dumps(one.old, ensure_ascii=False) + " →"
        if one.new:
            line += " " + json.dumps(one.new, ensure_ascii=False)
        click.echo(line)
