"""Builds and wires every part, and runs them in one process until a signal."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
import webbrowser
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import click
import structlog
from aiohttp import web

from bot import app_words as words
from bot import callback_site, speech
from bot.callback_site import Attempts
from bot.channels.base import Channel
from bot.channels.build import (
    build_channels,
    build_check,
    build_directory,
    build_receivers,
    build_sign_ins,
    build_watches,
)
from bot.channels.console.server import Console
from bot.config import Config
from bot.directory import Directory
from bot.home import Home
from bot.intake import Intake
from bot.samples import spoken_memos
from bot.web.app import build_web
from bot.web.deps import Sample, Setup, WebDeps
from bot.work import Work
from bot.worker import SLOTS, EmbeddedWorker
from handlers.context import MemoSettings, Tools
from handlers.world import Worlds
from nlp.audio import duration_s
from nlp.extract import build_extractor
from nlp.ports import LlmSettings, Transcriber
from nlp.transcribe import LateModel, build_transcriber
from sales.clock import ShiftedClock, SystemClock
from scheduler.jobs import Scheduler
from storage import jobs, links, settings
from storage.database import Database
from storage.jobs import LANES
from storage.media import MediaStore

log = structlog.get_logger()

PARTS: Final = ("web", "worker", "speech", "scheduler")
_SWITCH_S: Final = 0.001
CLOCK_SHIFT: Final = "demo_clock_seconds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Everything that is built once."""

    config: Config
    home: Home
    db: Database
    tools: Tools
    console: Console
    channels: Mapping[str, Channel]
    directory: Directory
    demo: bool


def run(
    config: Config,
    home: Home,
    *,
    prepare: Callable[[], object],
    demo: bool = False,
    port: int | None = None,
    open_browser: bool = False,
    only: tuple[str, ...] = (),
) -> int:
    """Hold the data folder, *prepare* it (migrations, demo), serve until SIGINT or SIGTERM.

    Raises:
        HomeTaken: another process holds the folder.
    """
    configure_logs()
    # The embedded queue has one process; parts on PostgreSQL may share a folder.
    shared = not config.database.url.startswith("sqlite")
    with home.lock(shared=shared):
        prepare()
        parts = build(config, home, demo=demo)
        try:
            return asyncio.run(serve(parts, port=port, open_browser=open_browser, only=only))
        finally:
            close = getattr(parts.tools.transcriber, "close", None)
            if close:
                close()
            parts.db.close()


def build(config: Config, home: Home, *, demo: bool) -> Parts:
    """Wire the parts; nothing runs yet."""
    db = Database(config.database.url)
    if demo or db.read(lambda s: settings.get(s, "demo")):
        demo = True
        seconds = float(db.read(lambda s: settings.get(s, CLOCK_SHIFT, "0")))
        clock: SystemClock | ShiftedClock = ShiftedClock(timedelta(seconds=seconds))
    else:
        clock = SystemClock()
    media = MediaStore(home.media)
    tools = Tools(
        transcriber=_transcriber(config, home, demo=demo),
        extractor=build_extractor(LlmSettings(**config.llm.model_dump())),
        media=media,
        clock=clock,
        worlds=Worlds(),
        memo=MemoSettings(
            required=config.memo.required,
            undo_minutes=config.memo.undo_minutes,
            remind_hours=config.memo.remind_hours,
            draft_hours=config.memo.draft_hours,
            keep_days=config.retention.audio_days,
            dropped_hours=config.retention.dropped_hours,
            log_days=config.retention.log_days,
        ),
    )
    console = Console(db, media, clock)
    # The platforms live in real time, whatever the demo's clock says.
    wall = SystemClock()
    platforms = build_channels(config, db, media, wall)
    return Parts(
        config=config,
        home=home,
        db=db,
        tools=tools,
        console=console,
        channels={console.name: console, **platforms},
        directory=build_directory(config, platforms, db, wall),
        demo=demo,
    )


def _transcriber(config: Config, home: Home, *, demo: bool) -> Transcriber:
    return LateModel(
        lambda: build_transcriber(
            speech.settings_of(config, home.models, demo=demo), models_dir=home.models
        )
    )


async def serve(
    parts: Parts, *, port: int | None, open_browser: bool, only: tuple[str, ...] = ()
) -> int:
    """Run the chosen parts (all when *only* is empty) until a signal asks to stop."""
    chosen = only or PARTS
    # A callback must not wait 5 ms for each thread that reads a memo.
    sys.setswitchinterval(_SWITCH_S)
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    intake = Intake(parts.db, parts.tools.clock)
    tasks = [
        asyncio.create_task(channel.run(intake.accept), name=name)
        for name, channel in parts.channels.items()
    ]
    watches = build_watches(parts.config, parts.channels, parts.db, SystemClock())
    tasks += [asyncio.create_task(watch.run(), name="watch") for watch in watches]
    scheduler = Scheduler(parts.db, parts.tools)
    slots = _slots(chosen)
    if slots:
        work = Work(parts.db, parts.tools, parts.channels, loop, duration_s)
        tasks.append(asyncio.create_task(_worker(parts, work, slots, intake), name="worker"))
    site = callbacks = None
    if "web" in chosen:
        site = await _start_web(parts, scheduler, port)
        callbacks = await _start_callbacks(parts)
        _announce(parts, site, open_browser=open_browser)
    if "scheduler" in chosen:
        await loop.run_in_executor(None, scheduler.catch_up)
        scheduler.start()
        tasks.append(asyncio.create_task(parts.directory.run(), name="directory"))
    if "speech" in chosen:
        warm = getattr(parts.tools.transcriber, "start", None)
        if warm:
            warm()  # loads in its own process; the first memo finds it ready
    waiting = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    crashed = [task for task in done if task is not waiting]
    if callbacks is not None:
        await callbacks()  # first: what comes in now could not be answered
    if "scheduler" in chosen:
        await loop.run_in_executor(None, scheduler.stop)
    for task in tasks:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    if site is not None:
        await site.cleanup()
    for result in results:
        if isinstance(result, Exception):
            log.error("a part of the program ended", error=repr(result))
    return 1 if crashed else 0


def _slots(chosen: tuple[str, ...]) -> dict[str, int]:
    lanes = {lane for lane in LANES if lane != "speech"} if "worker" in chosen else set()
    if "speech" in chosen:
        lanes.add("speech")
    return {lane: SLOTS[lane] for lane in lanes}


async def _worker(parts: Parts, work: Work, slots: Mapping[str, int], intake: Intake) -> None:
    if parts.db.is_sqlite:
        await EmbeddedWorker(parts.db, work, slots, give_way=intake.is_pressed).run()
    else:
        from bot.worker_postgres import PostgresWorker

        await PostgresWorker(parts.db, work, slots).run()


async def _start_web(parts: Parts, scheduler: Scheduler, port: int | None) -> web.AppRunner:
    config = parts.config
    deps = WebDeps(
        db=parts.db,
        media=parts.tools.media,
        clock=parts.tools.clock,
        console=parts.console,
        key=config.web.session_key.encode(),
        demo=parts.demo,
        public_url=config.web.public_url,
        samples=_samples() if parts.demo else (),
        undo_minutes=config.memo.undo_minutes,
        status=lambda: status(parts),
        unready=lambda: unready(parts),
        sign_ins=build_sign_ins(config, parts.channels),
        setup=Setup(
            home=parts.home,
            config=config,
            sync=parts.directory.sync,
            check=build_check(parts.channels),
        ),
        move_clock=(lambda by: move_clock(parts, scheduler, by)) if parts.demo else None,
    )
    runner = web.AppRunner(build_web(deps), access_log=None, handle_signals=False)
    await runner.setup()
    wanted = config.web.port if port is None else port
    try:
        await web.TCPSite(runner, config.web.host, wanted).start()
    except OSError as error:
        await runner.cleanup()
        raise click.ClickException(
            words.PORT_TAKEN.format(port=wanted, other=wanted + 1)
        ) from error
    return runner


async def _start_callbacks(parts: Parts) -> Callable[[], Awaitable[None]] | None:
    """The platforms' listener, when one of them calls us; what ends it."""
    clock = SystemClock()
    attempts = Attempts(parts.db, clock)
    receivers = build_receivers(parts.config, parts.channels, parts.db, clock, attempts)
    if not receivers:
        return None
    where = parts.config.callback
    try:
        runner = await callback_site.start(receivers, host=where.host, port=where.port)
    except OSError as error:
        raise click.ClickException(
            words.CALLBACK_TAKEN.format(host=where.host, port=where.port)
        ) from error
    host, port = runner.addresses[0][:2]
    log.info("callbacks", host=host, port=port, paths=[one.path for one in receivers])

    async def stop() -> None:
        await runner.cleanup()
        await attempts.close()

    return stop


def _samples() -> tuple[Sample, ...]:
    return tuple(Sample(title=one.title, path=one.path, text=one.text) for one in spoken_memos())


def _announce(parts: Parts, runner: web.AppRunner, *, open_browser: bool) -> None:
    address = runner.addresses[0]
    code = parts.db.write(lambda s: links.add_login(s, now=SystemClock().now()))
    base = parts.config.web.public_url.rstrip("/") or f"http://{address[0]}:{address[1]}"
    parts.home.note_address(base)
    url = f"{base}/login?code={code}"
    click.echo(words.READY.format(url=url))
    if open_browser:
        with contextlib.suppress(webbrowser.Error):
            webbrowser.open(url)


def status(parts: Parts) -> dict[str, Any]:
    """For the console: can it hear, what waits, what is parked."""
    heard = parts.tools.transcriber.describe()

    def counts(session: Any) -> tuple[dict[str, int], int]:
        queue = jobs.queue_of(session)
        waiting = {lane: queue.waiting(session, lane) for lane in LANES}
        return waiting, len(queue.listing(session, states=("parked",)))

    waiting, parked = parts.db.read(counts)
    ready = bool(heard.get("ready"))
    return {
        "speech": {"ready": ready, "words": words.speech_state(heard)},
        "queues": waiting,
        "parked": parked,
    }


def unready(parts: Parts) -> list[str]:
    """What keeps the program from answering people; speech may be away, text still works."""
    parts.db.read(lambda session: settings.get(session, settings.WORLD_VERSION))
    return []


def move_clock(parts: Parts, scheduler: Scheduler, by: timedelta) -> None:
    """The demo's clock goes forward; whatever became due runs at once."""
    clock = parts.tools.clock
    if not isinstance(clock, ShiftedClock) or by < timedelta(0):
        return
    clock.offset += by
    seconds = clock.offset.total_seconds()
    parts.db.write(lambda session: settings.put(session, CLOCK_SHIFT, f"{seconds:.0f}"))
    scheduler.catch_up()


def configure_logs() -> None:
    """JSON lines on standard error; no personal data, no tokens."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        # Asked for each time: whoever replaces standard error gets the lines too.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
