"""Start-up checks: what is wrong here, and what to do about it."""

from __future__ import annotations

import importlib.util
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from bot import config as settings
from bot import speech, words
from bot.config import Config, ConfigError
from bot.home import MIN_FREE_MB, Home
from sales.errors import BotError
from storage import backup, jobs, office, seeding
from storage.database import Database, DatabaseCorrupt, sqlite_path
from storage.migrations import runner

Level = Literal["ok", "warn", "bad"]

OUR_NAMES: Final = ("bot", "handlers", "nlp", "sales", "scheduler", "storage")
OLDEST_PYTHON: Final = (3, 11)
_TIGHT_MB: Final = 2048
_BACKUP_AGE: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """``check`` is for programs; ``text`` and ``todo`` are for the admin, in Chinese."""

    check: str
    level: Level
    text: str
    todo: str = ""

    @property
    def title(self) -> str:
        return words.TITLES[self.check]

    def to_dict(self) -> dict[str, str]:
        return {**asdict(self), "title": self.title}


def examine(home: Home, env: Mapping[str, str], *, quick: bool = False) -> list[Finding]:
    """Run every check that can be run; nothing is changed.

    *quick* leaves out what reads the whole database.
    """
    from bot import doctor_channels  # it needs what stands here

    found = [*_python(), *_packages()]
    config, wrong = _config(home, env)
    found += wrong
    found += _disk(home)
    if config is not None:
        found += _database(home, config, quick=quick)
        found += _backup(home, config)
        found += _speech(home, config)
        found += _llm(config)
        found += doctor_channels.examine(config)
        found += _web(home, config)
    found += _calendar()
    return found


def _told(check: str, level: Level, said: tuple[str, str], **facts: object) -> Finding:
    text, todo = (part.format(**facts) for part in said)
    return Finding(check=check, level=level, text=text, todo=todo)


def _fine(check: str, text: str, **facts: object) -> Finding:
    return Finding(check=check, level="ok", text=text.format(**facts))


def _python() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST_PYTHON:
        yield _told("python", "bad", words.PYTHON_OLD, version=version)
    else:
        yield _fine("python", "{version}", version=version)


def _packages(
    owners: Callable[[], Mapping[str, list[str]]] = metadata.packages_distributions,
) -> Iterator[Finding]:
    """Our packages have common names; another distribution may own one of them."""
    owned = owners()
    here = Path(__file__).resolve().parent.parent
    clean = True
    for name in OUR_NAMES:
        others = sorted({one for one in owned.get(name, []) if one.lower() != "genjin"})
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin and Path(spec.origin).resolve().parent.parent != here:
            others.append(str(Path(spec.origin).parent))
        if others:
            clean = False
            yield _told("packages", "bad", words.PACKAGES_CLASH, name=name, owner="、".join(others))
    if clean:
        yield _fine("packages", words.PACKAGES_FINE)


def _config(home: Home, env: Mapping[str, str]) -> tuple[Config | None, list[Finding]]:
    if home.is_new:
        missing = _told("config", "warn", words.CONFIG_NONE, path=home.config_file)
        return None, [missing]
    try:
        config, origins = settings.load_with_origins(home.path, env)
    except ConfigError as error:
        return None, [_problem(one) for one in error.problems]
    found = [_fine("config", words.CONFIG_OK, path=home.config_file)]
    in_the_open = [
        key
        for key, origin in sorted(origins.items())
        if origin == settings.CONFIG_NAME and settings.holds_secret(config, key)
    ]
    if in_the_open:
        found.append(_told("secrets", "warn", words.SECRETS_OPEN, keys="、".join(in_the_open)))
    elif not home.secrets_file.exists():
        found.append(_told("secrets", "warn", words.SECRETS_NONE))
    else:
        found.append(_fine("secrets", words.SECRETS_OK))
    return config, found


def _problem(text: str) -> Finding:
    if text.startswith(settings.SECRETS_NAME):
        return Finding(check="secrets", level="bad", text=text, todo=words.SECRETS_FIX)
    return Finding(check="config", level="bad", text=text, todo=words.CONFIG_FIX)


def _disk(home: Home) -> Iterator[Finding]:
    free = home.free_mb()
    level: Level = "bad" if free < MIN_FREE_MB else "warn"
    if free < _TIGHT_MB:
        yield _told("disk", level, words.DISK_TIGHT, gb=free / 1024)
    else:
        yield _fine("disk", words.DISK_OK, gb=free / 1024)


def _database(home: Home, config: Config, *, quick: bool) -> Iterator[Finding]:
    url = config.database.url
    path = sqlite_path(url)
    if path is not None and not path.exists():
        yield _told("database", "warn", words.DATABASE_NONE)
        return
    try:
        if path is not None and not quick and not backup.is_sound(path):
            raise DatabaseCorrupt("quick_check")
        version, known = runner.database_version(url), runner.head()
        if version != known:
            yield _version(version, known)
            return
        yield from _contents(url, version)
    except runner.DatabaseAway as away:
        text = words.DATABASE_AWAY.format(why=away.why)
        yield Finding(check="database", level="bad", text=text, todo=words.DATABASE_FIX)
    except DatabaseCorrupt:
        sound = backup.newest_sound(home.backups)
        yield Finding(
            check="database",
            level="bad",
            text=words.DATABASE_CORRUPT.format(path=path),
            todo=words.RESTORE_THIS.format(name=sound.name, at=_local(sound.at))
            if sound
            else words.RESTORE_NONE,
        )
    except BotError as error:
        yield Finding(check="database", level="bad", text=str(error), todo=words.DATABASE_FIX)


def _version(version: str, known: str) -> Finding:
    if not version:
        return _told("database", "warn", words.DATABASE_NONE)
    if version in runner.versions():
        return _told("database", "warn", words.DATABASE_OLD, found=version, known=known)
    text = words.DATABASE_NEWER.format(found=version, known=known)
    return Finding(check="database", level="bad", text=text)


def _contents(url: str, version: str) -> Iterator[Finding]:
    database = Database(url)
    try:
        counts = database.read(office.counts)
        parked = database.read(
            lambda session: jobs.queue_of(session).listing(session, states=("parked",), limit=1000)
        )
    finally:
        database.close()
    kind = "SQLite" if database.is_sqlite else "PostgreSQL"
    yield _fine("database", words.DATABASE_OK, kind=kind, version=version, **counts)
    if parked:
        yield _told("jobs", "warn", words.JOBS_PARKED, count=len(parked))
    else:
        yield _fine("jobs", words.JOBS_OK)


def _backup(home: Home, config: Config) -> Iterator[Finding]:
    newest = next(iter(backup.listing(home.backups)), None)
    if newest is None:
        if not _is_demo(config):  # nobody misses made-up data
            yield _told("backup", "warn", words.BACKUP_NONE)
    elif datetime.now(UTC) - newest.at > _BACKUP_AGE:
        yield _told("backup", "warn", words.BACKUP_OLD, at=_local(newest.at))
    else:
        yield _fine("backup", words.BACKUP_OK, name=newest.name, at=_local(newest.at))


def _speech(home: Home, config: Config) -> Iterator[Finding]:
    from nlp.transcribe import build_transcriber

    if config.speech.backend == "platform":
        yield _fine("speech", words.SPEECH_PLATFORM)
        return
    chosen = speech.settings_of(config, home.models, demo=_is_demo(config))
    try:
        transcriber = build_transcriber(chosen, models_dir=home.models)
    except (ValueError, OSError) as error:
        yield _told("speech", "warn", words.SPEECH_NONE, why=error, path=home.models)
        return
    heard = transcriber.describe()
    if heard["backend"] == "platform":
        why = heard["detail"]
        yield _told("speech", "warn", words.SPEECH_NONE, why=why, path=home.models)
    else:
        yield _fine("speech", words.SPEECH_OK, backend=heard["backend"], model=heard["model"])


def _llm(config: Config) -> Iterator[Finding]:
    """On or off, complete, and whether the server answers; no memo is sent and no key shown."""
    from nlp.extract.llm_client import LlmClient
    from nlp.ports import LlmSettings

    chosen = LlmSettings(**config.llm.model_dump())
    if not chosen.enabled:
        yield _fine("llm", words.LLM_OFF)
        return
    if lacking := chosen.problem():
        yield _told("llm", "warn", words.LLM_HALF, key=words.LLM_LACKS[lacking])
        return
    host = urlsplit(chosen.base_url.strip()).hostname  # the whole address may hold a password
    if why := LlmClient(chosen).reach():
        said = words.LLM_WHY.get(why, words.LLM_WHY_ELSE.format(why=why))
        yield _told("llm", "warn", words.LLM_AWAY, host=host, why=said)
    else:
        yield _fine("llm", words.LLM_OK, model=chosen.model, host=host)


def _is_demo(config: Config) -> bool:
    path = sqlite_path(config.database.url)
    if path is not None and not path.exists():
        return False
    try:
        if runner.database_version(config.database.url) != runner.head():
            return False
        database = Database(config.database.url)
        try:
            return database.read(seeding.is_demo)
        finally:
            database.close()
    except BotError:  # told by the database's own check
        return False


def _calendar() -> Iterator[Finding]:
    from nlp.dates.legal import seeded_calendar

    calendar = seeded_calendar()
    year = datetime.now(UTC).year
    # Next year's list comes out in November; before December nobody can have it.
    wanted = [year, year + 1] if datetime.now(UTC).month == 12 else [year]
    lacking = [one for one in wanted if not calendar.published(one)]
    if lacking:
        yield _told("calendar", "warn", words.CALENDAR_OLD, year=lacking[0])
    else:
        yield _fine("calendar", words.CALENDAR_OK, years="、".join(map(str, wanted)))


def _web(home: Home, config: Config) -> Iterator[Finding]:
    web = config.web
    if not web.is_loopback and not web.public_url.startswith("https://"):
        yield _told("web", "warn", words.WEB_OPEN, host=web.host)
    pid = home.holder()
    if pid is not None:
        yield _fine("web", words.WEB_RUNNING, pid=pid or words.UNKNOWN_PID)
        return
    where = {"host": web.host, "port": web.port}
    try:
        family = socket.getaddrinfo(web.host, web.port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((web.host, web.port))
    except socket.gaierror:
        yield _told("web", "bad", words.WEB_HOST, **where)
    except OSError as error:
        taken = error.errno in (13, 98)  # EACCES, EADDRINUSE
        yield _told("web", "bad", words.WEB_TAKEN if taken else words.WEB_HOST, **where)
    else:
        yield _fine("web", words.WEB_FREE, **where)


def _local(at: datetime) -> str:
    return at.astimezone().strftime("%Y-%m-%d %H:%M")
