"""Lists in, everything out, and what may be forgotten."""

from __future__ import annotations

from pathlib import Path

import click

from bot import importing, sheets, words
from bot.cli import support


@click.command()
@click.argument("kind", metavar="种类", type=click.Choice(list(importing.KINDS)))
@click.argument("file", metavar="文件", type=click.Path(path_type=Path))
def import_(kind: str, file: Path) -> int:
    """The kinds and their headings are in ``importing.KINDS``."""
    with support.database() as database:
        try:
            outcome = importing.run(database, kind, file, now=support.now())
        except sheets.SheetError as error:
            raise click.ClickException(str(error)) from None
    click.echo(outcome.summary())
    if outcome.ignored:
        click.echo(words.IMPORT_IGNORED.format(columns="、".join(outcome.ignored)))
    if not outcome.refused:
        return 0
    report = file.with_name(f"{file.stem}{words.REPORT_SUFFIX}.csv")
    try:
        importing.write_report(outcome, report)
    except OSError:  # beside the file nothing may be written: then in the data folder
        home, _ = support.set_up()
        home.exports.mkdir(exist_ok=True)
        report = home.exports / report.name
        importing.write_report(outcome, report)
    click.echo(words.IMPORT_REPORT.format(file=report))
    return 1


@click.command()
@click.argument("file", metavar="[文件]", required=False, type=click.Path(path_type=Path))
def export(file: Path | None) -> None:
    from bot import exporting

    home, _ = support.set_up()
    if file is None:
        home.exports.mkdir(exist_ok=True)
        file = home.exports / f"genjin-{support.stamp()}.zip"
    with support.database() as database:
        tables, rows = exporting.write(database, file, media=home.media)
    click.echo(words.EXPORTED.format(tables=tables, rows=rows, path=file))


@click.command()
def purge() -> None:
    from storage import retention
    from storage.media import MediaStore

    home, config = support.set_up()
    keep = config.retention
    with support.database() as database:
        removed = database.write(
            lambda session: retention.sweep(
                session,
                MediaStore(home.media),
                now=support.now(),
                dropped_hours=keep.dropped_hours,
                audio_days=keep.audio_days,
                log_days=keep.log_days,
            )
        )
    click.echo(words.PURGED.format(files=removed.recordings, log=removed.log_lines))


@click.group()
def demo() -> None:
    pass


@demo.command()
def load() -> None:
    """载入演示公司。例：genjin demo load"""
    from bot.demo import loader

    with support.database() as database:
        counts = loader.load(database, now=support.now())
    click.echo(words.DEMO_LOADED.format(**counts) if counts else words.DEMO_THERE)


@demo.command()
@click.option("--yes", is_flag=True, help="不再询问")
def reset(yes: bool) -> None:
    """清空演示公司，重新载入。例：genjin demo reset --yes"""
    from bot.demo import loader

    home, config = support.set_up()
    if not yes:
        click.confirm(words.DEMO_SURE, abort=True)
    with home.lock(shared=not config.database.is_sqlite), support.database() as database:
        counts = loader.reset(database, now=support.now())
    click.echo(words.DEMO_LOADED.format(**counts))
