"""Starting the program, and the link that lets one in."""

from __future__ import annotations

from collections.abc import Callable

import click

from bot import words
from bot.cli import support
from bot.config import Config
from bot.home import Home

PARTS = ("web", "worker", "speech", "scheduler")


@click.command()
@click.option("--demo", is_flag=True, help="空数据库里载入演示公司")
@click.option("--port", type=click.IntRange(0, 65535), help="页面的端口，默认 config.toml 里的")
@click.option("--no-browser", is_flag=True, help="不自动打开浏览器")
def up(demo: bool, port: int | None, no_browser: bool) -> int:
    home, config = support.set_up()

    def prepare() -> None:
        support.migrate(home, config)
        if demo:
            _load_demo(config)

    return _run(config, home, prepare=prepare, demo=demo, port=port, open_browser=not no_browser)


@click.command()
@click.option("--only", default="", help=f"只启动这几部分，逗号分隔：{','.join(PARTS)}")
@click.option("--port", type=click.IntRange(0, 65535), help="页面的端口")
def serve(only: str, port: int | None) -> int:
    parts = tuple(part.strip() for part in only.split(",") if part.strip())
    if wrong := [part for part in parts if part not in PARTS]:
        raise click.BadParameter(
            words.NO_PART.format(part=wrong[0], parts="、".join(PARTS)), param_hint="--only"
        )
    home, config = support.set_up()
    if parts and config.database.is_sqlite:
        raise click.UsageError(words.PARTS_NEED_POSTGRES)
    return _run(config, home, prepare=lambda: support.migrate(home, config), port=port, only=parts)


@click.command()
@click.option("--person", default="", help="以谁的身份登录；不写则是这台机器的管理者")
@click.option("--page", default="/console", show_default=True, help="打开哪一页")
def link(person: str, page: str) -> None:
    from storage import links, people

    home, config = support.set_up()
    with support.database() as database:
        who = database.read(lambda session: people.by_name(session, person)) if person else None
        if person and who is None:
            raise click.ClickException(words.NO_USER.format(name=person))
        person_id = who.id if who else None
        code = database.write(
            lambda session: links.add_login(
                session, now=support.now(), person_id=person_id, target=page
            )
        )
    address = home.address() or config.base_url
    click.echo(words.LINK.format(url=f"{address}/login?code={code}"))


def _load_demo(config: Config) -> None:
    from bot.demo import loader
    from storage.database import Database

    database = Database(config.database.url)
    try:
        counts = loader.load(database, now=support.now())
    finally:
        database.close()
    if counts:
        click.echo(words.DEMO_LOADED.format(**counts))


def _run(
    config: Config,
    home: Home,
    *,
    prepare: Callable[[], object],
    port: int | None,
    demo: bool = False,
    open_browser: bool = False,
    only: tuple[str, ...] = (),
) -> int:
    """*prepare* runs once the data folder is held by this process."""
    for channel, keys in config.half_configured().items():
        click.echo(words.half_configured(channel, keys), err=True)
    from bot import app

    return app.run(
        config,
        home,
        prepare=prepare,
        demo=demo,
        port=port,
        open_browser=open_browser,
        only=only,
    )
