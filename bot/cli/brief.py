"""Commands that need nothing, and are there at once."""

from __future__ import annotations

import platform

import click

from bot.cli import texts


@click.command()
def version() -> None:
    from importlib import metadata

    try:
        number = metadata.version("genjin")
    except metadata.PackageNotFoundError:  # run from a checkout that is not installed
        number = "0"
    click.echo(f"genjin {number} (Python {platform.python_version()})")


@click.command()
@click.argument("command", required=False, metavar="[命令]")
@click.pass_context
def help_(ctx: click.Context, command: str | None) -> None:
    if command is None:
        click.echo(texts.overview())
        return
    group = ctx.parent.command if ctx.parent else None
    assert isinstance(group, click.Group)
    _, found, _ = group.resolve_command(ctx, [command])
    assert found is not None
    with click.Context(found, info_name=command, parent=ctx.parent) as inner:
        click.echo(found.get_help(inner))
