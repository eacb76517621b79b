"""Kills the program at every commit and at random moments, and compares what is left.

A run is right when its database says exactly what an undisturbed run's says: nothing lost (every
acknowledged event has its effects), nothing doubled (memos, records, cards, texts, promises).
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
import signal
import socket
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bot import config as settings
from bot.home import Home
from nlp.extract import build_extractor
from nlp.ports import World
from storage import lists
from storage.database import make_engine
from storage.migrations import runner
from storage.table_base import Base
from storage.tables import PersonRow
from tests.crash.journey import TWO_CUSTOMERS, Client, GaveUp, Journey
from tests.crash.victim import NOW, CommitCounter, start

Snapshot = dict[str, Any]


@dataclass(slots=True)
class Report:
    runs: int = 0
    kills: int = 0
    kill_points: set[int] = field(default_factory=set)
    commits: int = 0  # of the undisturbed run
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        return not (self.lost or self.doubled or self.stuck)

    def __str__(self) -> str:
        return (
            f"{self.runs} runs, {self.kills} kills (at {len(self.kill_points)} of "
            f"{self.commits} commits and at random moments): {len(self.lost)} lost, "
            f"{len(self.doubled)} doubled, {len(self.stuck)} stuck"
        )


class Ground:
    """Where runs happen: a template database, and a fresh copy for each run."""

    def __init__(self, folder: Path, postgres: str = "", sabotage: str = "") -> None:
        self.folder = folder
        self.postgres = postgres
        self.template = folder / "template.db"
        folder.mkdir(exist_ok=True)
        url = f"sqlite:///{self.template}"
        if postgres:
            self._on_server("DROP DATABASE IF EXISTS genjin_crash_template WITH (FORCE)")
            self._on_server("CREATE DATABASE genjin_crash_template")
            url = self._address("genjin_crash_template")
        runner.migrate(url)
        engine = make_engine(url, writer=not postgres)
        with sa.orm.Session(engine) as session, session.begin():
            self.person_id = _company(session)
            if sabotage:
                _drop_unique(session, sabotage)
        engine.dispose()
        _warm_up()

    @contextlib.contextmanager
    def fresh(self, name: str) -> Iterator[tuple[Path, str]]:
        home = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))
        made = Home(home)
        made.set_up()
        if self.postgres:
            database = f"genjin_crash_{os.getpid()}"
            self._on_server(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
            self._on_server(f"CREATE DATABASE {database} TEMPLATE genjin_crash_template")
            url = self._address(database)
        else:
            shutil.copyfile(self.template, home / "genjin.db")
            url = f"sqlite:///{home / 'genjin.db'}"
        try:
            yield home, url
        finally:
            if self.postgres:
                self._on_server(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
            shutil.rmtree(home, ignore_errors=True)

    def close(self) -> None:
        if self.postgres:
            self._on_server("DROP DATABASE IF EXISTS genjin_crash_template WITH (FORCE)")

    def _address(self, name: str) -> str:
        url = sa.make_url(self.postgres).set(database=name)
        return url.render_as_string(hide_password=False)

    def _on_server(self, statement: str) -> None:
        engine = sa.create_engine(
            self.postgres, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
        )
        with engine.connect() as link:
            link.execute(sa.text(statement))
        engine.dispose()


class Run:
    """One journey, with the program dying as the plan says and brought back each time."""

    def __init__(
        self, ground: Ground, home: Path, url: str, plan: list[int], die_after_s: float | None
    ) -> None:
        self.counter = CommitCounter()
        self.kills = 0
        self._plan = plan  # commits at which the first, second, … process dies
        self._home, self._url = home, url
        self._port = _free_port()
        self._pid = 0
        self._deadline = time.monotonic() + die_after_s if die_after_s is not None else None
        self._engine = sa.create_engine(url, poolclass=sa.NullPool)
        key = settings.load(home).web.session_key.encode()
        client = Client(self._port, key, ground.person_id, self.alive)
        self._journey = Journey(client, self._engine, ground.person_id, home.name)

    def walk(self) -> Snapshot:
        try:
            self.alive()
            self._journey.walk()
            self._journey.wait(lambda: _settled(self._engine))
            return snapshot(self._engine)
        finally:
            self._stop()

    def alive(self) -> None:
        """Kill when it is time, notice a death, start again."""
        if self._deadline is not None and time.monotonic() >= self._deadline:
            self._deadline = None
            if self._pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self._pid, signal.SIGKILL)
        if self._pid:
            gone, _ = os.waitpid(self._pid, os.WNOHANG)
            if not gone:
                return
            self.kills += 1
        die_at = self._plan.pop(0) if self._plan else 0
        self._pid = start(self._home, self._url, self._port, self.counter, die_at)

    def _stop(self) -> None:
        if self._pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self._pid, 0)
            self._pid = 0


def crash(
    runs: int,
    *,
    seed: int = 1,
    postgres: str = "",
    sabotage: str = "",
    say: Callable[[str], None] = lambda _: None,
) -> Report:
    """Undisturbed once, then *runs* times with deaths: first at each commit in turn, then random.

    Every third run dies a second time, soon after it came back.
    """
    report = Report()
    dice = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="genjin-crash-") as folder:
        ground = Ground(Path(folder), postgres)
        try:
            with ground.fresh("calm") as (home, url):
                began = time.monotonic()
                calm = Run(ground, home, url, [], None)
                expected = calm.walk()
                took, report.commits = time.monotonic() - began, calm.counter.value
            if sabotage:  # only now: what is right comes from the intact program
                ground = Ground(Path(folder) / sabotage, postgres, sabotage)
            say(f"undisturbed: {report.commits} commits in {took:.2f} s")
            for number in range(runs):
                plan, after_s = _plan(number, runs, report, took, dice)
                _one(ground, report, expected, f"run {number}", (plan, after_s))
                if number % 50 == 49:
                    say(str(report))
        finally:
            ground.close()
    return report


def _plan(
    number: int, runs: int, report: Report, took: float, dice: random.Random
) -> tuple[list[int], float | None]:
    again = [dice.randint(1, 12)] if number % 3 == 0 else []
    # When the runs do not reach every commit in turn, those that are tried are spread evenly.
    step = max(1, -(-report.commits // max(1, runs // 2)))
    point = 1 + number * step
    if point <= report.commits:
        report.kill_points.add(point)
        return [point, *again], None
    return ([0, *again], dice.uniform(0, took * 0.8))


def _one(
    ground: Ground,
    report: Report,
    expected: Snapshot,
    name: str,
    death: tuple[list[int], float | None],
) -> None:
    plan, after_s = death
    named = f"{name}, dies at {plan if after_s is None else f'{after_s:.3f} s'}"
    with ground.fresh(name.replace(" ", "")) as (home, url):
        run = Run(ground, home, url, list(plan), after_s)
        try:
            found = run.walk()
        except GaveUp as stuck:
            log = (home / "log").read_text("utf-8", "replace")[-600:]
            report.stuck.append(f"{named}: {stuck}\n{log}")
        else:
            for what, wanted in expected.items():
                missing, extra = (
                    Counter(wanted) - Counter(found[what]),
                    Counter(found[what]) - Counter(wanted),
                )
                if missing:
                    report.lost.append(f"{named}: {what}: {dict(missing)}")
                if extra:
                    report.doubled.append(f"{named}: {what}: {dict(extra)}")
        report.runs += 1
        report.kills += run.kills


def snapshot(engine: sa.Engine) -> Snapshot:
    """What the database says, without ids and times, each list sorted."""
    wanted = {
        "events": "SELECT event_key || ' ' || state FROM inbox",
        "memos": "SELECT source || ' ' || state FROM memo",
        "records": "SELECT person_id || ' ' || ordinal || ' ' || state FROM memo_record",
        "interactions": "SELECT customer_id || ' ' || kind FROM interaction",
        "promises": "SELECT who || ' ' || what || ' ' || coalesce(cast(due AS text), '') || ' ' "
        "|| state FROM commitment",
        "objections": "SELECT category || ' ' || text || ' ' || state FROM objection",
        "contacts": "SELECT customer_id || ' ' || name FROM contact",
        "audit": "SELECT action FROM audit",
        "cards": "SELECT kind || ' ' || subject_kind FROM card",
    }
    found: Snapshot = {}
    with engine.connect() as link:
        for what, query in wanted.items():
            found[what] = sorted(link.execute(sa.text(query)).scalars())
        # what the person's pane shows
        rows = link.execute(sa.text("SELECT direction, kind, payload FROM console_message")).all()
    shown = []
    for direction, kind, payload in rows:
        words = payload if isinstance(payload, str) else repr(payload)
        title = re.search(r"title['\"]: ['\"]([^'\"]+)", words)
        text = re.search(r"text['\"]: ['\"]([^'\"]{0,40})", words)
        shown.append(f"{direction} {kind} {(title or text)[1] if title or text else ''}")  # type: ignore[index]
    found["pane"] = sorted(shown)
    found["events"] = [re.sub(r"crash-.*-(\w+) ", r"\1 ", one) for one in found["events"]]
    found["events"].sort()
    return found


def _settled(engine: sa.Engine) -> bool:
    """Nothing waits to be handled or sent."""
    with engine.connect() as link:
        waiting = (
            "SELECT (SELECT count(*) FROM inbox WHERE state <> 'done') + "
            "(SELECT count(*) FROM outbox WHERE state NOT IN ('sent', 'superseded')) + "
            "(SELECT count(*) FROM memo WHERE state <> 'drafted')"
        )
        return link.execute(sa.text(waiting)).scalar_one() == 0


def _company(session: Any) -> int:
    lists.put_person(session, now=NOW, name="王磊", role="manager", region="华东")
    lists.put_person(session, now=NOW, name="李娜", role="rep", manager="王磊", region="华东")
    session.execute(sa.update(PersonRow).values(notice_version=1))
    for name in ("恒基水泥有限公司", "宝丰钢铁集团", "山泉饮料有限公司"):
        lists.put_customer(session, now=NOW, name=name, owner="李娜", region="华东")
    for name in ("电动闸板阀", "安全阀", "蝶阀"):
        lists.put_product(session, name=name)
    person_id = session.scalar(sa.select(PersonRow.id).where(PersonRow.name == "李娜"))
    return int(person_id)


def _drop_unique(session: Any, table: str) -> None:
    """Rebuild one (empty) table of an SQLite template without its unique keys."""
    link = session.connection()
    made = link.exec_driver_sql(
        "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)
    ).scalar_one()
    kept = [line for line in made.splitlines() if "UNIQUE" not in line.upper()]
    text = re.sub(r",\s*\)\s*$", "\n)", "\n".join(kept))
    link.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
    link.exec_driver_sql(f"DROP TABLE {table}")
    link.exec_driver_sql(text)
    assert table in Base.metadata.tables


def _warm_up() -> None:
    """Load the readers' tables here, so that every forked program has them at once."""
    reader, world = build_extractor(), World(customers={"宝丰钢铁集团": ()})
    reader.extract(TWO_CUSTOMERS, now=NOW, world=world)
    reader.correction("不对 是下周三", now=NOW, world=world)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
