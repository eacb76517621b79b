"""People by hand; the directory of a platform does the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from bot import importing, words
from bot.cli import support
from sales.people import ROLES
from storage import audit, lists, office
from storage.database import Database, Session
from storage.lists import ListRefused, Stored

_FIELDS = (
    click.option("--manager", help="直属上级的姓名"),
    click.option("--team", help="团队"),
    click.option("--region", help="区域"),
    click.option("--wecom", help="企业微信的 UserID"),
    click.option("--dingtalk", help="钉钉的 userId"),
)


def _fields(command: Any) -> Any:
    for option in reversed(_FIELDS):
        command = option(command)
    return command


@click.group()
def user() -> None:
    pass


@user.command()
@click.argument("name", metavar="姓名")
@click.option("--role", type=click.Choice(ROLES), required=True, help="角色")
@_fields
def add(name: str, role: str, **fields: str | None) -> None:
    """添加一个人。例：genjin user add 李娜 --role rep --manager 王磊 --wecom lina"""
    with support.database() as database:
        if _exists(database, name):
            raise click.ClickException(words.USER_THERE.format(name=name))
        _put(database, "user.add", {"name": name.strip(), "role": role, **fields})
    click.echo(words.USER_ADDED.format(name=name.strip(), role=words.ROLE_NAMES[role]))


@user.command()
@click.argument("name", metavar="姓名")
@click.option("--role", type=click.Choice(ROLES), help="角色")
@_fields
@click.option("--left/--back", "left", default=None, help="离职 / 复职")
@click.option("--follow", is_flag=True, help="上级重新跟着通讯录走")
def edit(
    name: str, role: str | None, left: bool | None, follow: bool, **fields: str | None
) -> None:
    """修改一个人，只改写了的项；写了上级，通讯录同步就不再改它。

    例：genjin user edit 李娜 --team 二组
    """
    active = None if left is None else not left
    # A manager named here is meant to stay, whatever the directory says.
    fixed = True if fields["manager"] is not None else (False if follow else None)
    with support.database() as database:
        if not _exists(database, name):
            raise click.ClickException(words.NO_USER.format(name=name))
        given = {"name": name, "role": role, "active": active, "manager_fixed": fixed, **fields}
        stored = _put(database, "user.edit", given)
    if not stored.changes:
        click.echo(words.USER_SAME.format(name=name))
        return
    changes = "，".join(f"{key} {old} → {new}" for key, (old, new) in stored.changes.items())
    click.echo(words.USER_UPDATED.format(name=name, changes=changes))


@user.command()
@click.option("--channel", type=click.Choice(("wecom", "dingtalk")), help="只同步这个通道")
@click.option("--same-names", is_flag=True, help="两个平台上名字一样的，都是同一个人")
def sync(channel: str | None, same_names: bool) -> int:
    """现在同步通讯录。例：genjin user sync"""
    from bot.cli import channels  # clients of the platforms, which nobody else here needs

    return channels.sync_directory(channel or "", same_names=same_names)


@user.command("list")
def list_() -> None:
    """列出所有人。例：genjin user list"""
    with support.database() as database:
        people = database.read(office.people)
    if not people:
        click.echo(words.NO_USERS)
        return
    rows = [
        (
            one.name,
            words.ROLE_NAMES.get(one.role, one.role),
            one.manager,
            one.team,
            one.region,
            one.wecom,
            one.dingtalk,
            words.YES if one.active else words.NO,
        )
        for one in people
    ]
    click.echo(support.table(words.USER_TABLE, rows))


def _exists(database: Database, name: str) -> bool:
    return any(one.name == name.strip() for one in database.read(office.people))


def _put(database: Database, action: str, fields: Mapping[str, Any]) -> Stored:
    def work(session: Session) -> Stored:
        stored = lists.put_person(session, now=support.now(), **fields)
        changes = stored.changes
        if stored.how == "same":
            return stored
        audit.note(
            session,
            at=support.now(),
            who="cli",
            action=action,
            subject=f"person:{stored.id}",
            old={key: old for key, (old, _) in changes.items()} or None,
            new={key: new for key, (_, new) in changes.items()}
            or {key: value for key, value in fields.items() if value is not None},
        )
        return stored

    try:
        return database.write(work)
    except ListRefused as refusal:
        raise click.ClickException(importing.reason(refusal)) from None
