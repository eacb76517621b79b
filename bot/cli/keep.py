"""Backups and versions of the database."""

from __future__ import annotations

import re

import click

from bot import words
from bot.cli import support
from storage import backup as backups
from storage.migrations import runner


@click.command()
@click.argument("name", metavar="[名字]", required=False)
@click.option("--media/--no-media", default=False, help="连录音、图片一起备份")
def backup(name: str | None, media: bool) -> None:
    home, config = support.set_up()
    name = name or f"backup-{support.stamp()}"
    if not re.fullmatch(r"[\w][\w.-]*", name):
        raise click.BadParameter(words.BACKUP_NAME, param_hint="名字")
    done = backups.make(
        config.database.url,
        folder=home.backups,
        name=name,
        now=support.now(),
        version=support.version(),
        settings=[home.config_file],
        media=home.media if media else None,
    )
    click.echo(words.BACKED_UP.format(path=done.folder, mb=done.size / 2**20))
    click.echo(words.NO_SECRETS)


@click.command()
@click.argument("name", metavar="名字")
@click.option("--yes", is_flag=True, help="不再询问")
def restore(name: str, yes: bool) -> None:
    home, config = support.set_up()
    known = {one.name: one for one in backups.listing(home.backups)}
    if name not in known:
        names = "、".join(known) or words.NOTHING
        raise click.ClickException(words.NO_BACKUP.format(name=name, names=names))
    chosen = known[name]
    with home.lock():  # refuses while the program runs
        if not yes:
            click.confirm(words.RESTORE_SURE.format(at=support.local(chosen.at)), abort=True)
        kept = backups.restore(chosen, config.database.url, media=home.media, now=support.now())
        support.migrate(home, config)
    click.echo(words.RESTORED.format(name=name, at=support.local(chosen.at)))
    if kept:
        click.echo(words.KEPT.format(files="、".join(path.name for path in kept)))


@click.command()
def migrate() -> None:
    home, config = support.set_up()
    with home.lock(shared=not config.database.is_sqlite):
        done = support.migrate(home, config)
    if not done.changed:
        click.echo(words.MIGRATED_ALREADY.format(version=runner.head()))
    elif not done.backup:
        click.echo(words.MIGRATED_NEW.format(version=done.after))
