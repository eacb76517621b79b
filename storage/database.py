"""One database, SQLite or PostgreSQL, behind ``write``, ``submit`` and ``read``.

SQLite has one writer thread.  Whatever waits there shares one commit (group commit): each piece of
work runs in its own savepoint, so one that fails takes only itself along, and nobody is answered
before the commit is on the disk (``synchronous=FULL``).  PostgreSQL commits each piece by itself.
"""

from __future__ import annotations

import json
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Session as Session  # noqa: PLC0414 - handlers take it from here

from sales.errors import BotError

T = TypeVar("T")
Work = Callable[[Session], T]

_GROUP = 64  # pieces of work that may share one commit
_POSTGRES_THREADS = 8


class StorageFull(BotError):
    """The disk is full: nothing of this piece of work was stored."""

    code = "storage_full"
    transient = True


class DatabaseCorrupt(BotError):
    """The file is not a database, or damaged.  ``genjin restore`` brings the last backup back."""

    code = "database_corrupt"


def make_engine(url: str, *, writer: bool = False) -> Engine:
    """An engine with this project's settings.  *url*: ``sqlite:///…`` or ``postgresql+psycopg://…``."""
    dumps = lambda value: json.dumps(value, ensure_ascii=False)  # noqa: E731 - the engine's form
    if not url.startswith("sqlite"):
        return sa.create_engine(
            url, json_serializer=dumps, pool_size=10, max_overflow=10, hide_parameters=True
        )
    engine = sa.create_engine(
        url,
        json_serializer=dumps,
        hide_parameters=True,  # what people said must not stand in a log
        pool_size=1 if writer else 5,
        connect_args={"timeout": 30, "check_same_thread": False},
    )
    begin = "BEGIN IMMEDIATE" if writer else "BEGIN"

    @event.listens_for(engine, "connect")
    def _settings(raw: sqlite3.Connection, _record: object) -> None:
        raw.isolation_level = None  # we begin ourselves: sqlite3 would begin too late
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "busy_timeout=30000",
        ):
            raw.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


class Database:
    """Opened once per process.  Thread safe.

    ``after_commit`` functions run right after each durable commit, before anyone is answered;
    ``on_work`` functions only when the commit brought a job.  They must be quick.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self.engine = make_engine(url)
        self.after_commit: list[Callable[[], None]] = []
        self.on_work: list[Callable[[], None]] = []
        self._closed = False
        if self.is_sqlite:
            self._writer = make_engine(url, writer=True)
            self._waiting: queue.SimpleQueue[tuple[Work[Any], Future[Any]] | None] = (
                queue.SimpleQueue()
            )
            self._thread = threading.Thread(target=self._write_loop, name="writer", daemon=True)
            self._thread.start()
        else:
            self._pool = ThreadPoolExecutor(_POSTGRES_THREADS, thread_name_prefix="writer")

    def write(self, work: Work[T]) -> T:
        """Run *work* in one transaction and return its result once that is committed.

        On SQLite never call it from inside other work: there is one writer.
        """
        if self.is_sqlite:
            return self.submit(work).result()
        return self._write_alone(work)

    def submit(self, work: Work[T]) -> Future[T]:
        """The same, as a future; it resolves after the commit."""
        if not self.is_sqlite:
            return self._pool.submit(self._write_alone, work)
        future: Future[T] = Future()
        if self._closed:
            future.set_exception(RuntimeError("the database is closed"))
            return future
        self._waiting.put((work, future))
        return future

    def read(self, work: Work[T]) -> T:
        """Run *work* on a snapshot; nothing it changes is kept."""
        with _storage_errors(), Session(self.engine) as session:
            return work(session)

    def close(self) -> None:
        """Finish what waits, then let go of the files."""
        if self._closed:
            return
        self._closed = True
        if self.is_sqlite:
            self._waiting.put(None)
            self._thread.join()
            self._writer.dispose()
        else:
            self._pool.shutdown()
        self.engine.dispose()

    def _write_alone(self, work: Work[T]) -> T:
        with _storage_errors(), Session(self.engine) as session, session.begin():
            result = work(session)
        self._committed(bool(session.info))
        return result

    def _committed(self, made_work: bool) -> None:
        for hook in (*self.after_commit, *(self.on_work if made_work else ())):
            hook()

    def _write_loop(self) -> None:
        while (first := self._waiting.get()) is not None:
            batch, last = [first], False
            while len(batch) < _GROUP:
                try:
                    more = self._waiting.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    last = True
                    break
                batch.append(more)
            self._write_batch(batch)
            if last:
                return

    def _write_batch(self, batch: list[tuple[Work[Any], Future[Any]]]) -> None:
        outcomes: list[tuple[Future[Any], Any, BaseException | None]] = []
        made_work = False
        try:
            with _storage_errors(), self._writer.connect() as connection, connection.begin():
                for work, future in batch:
                    # From here on nobody can take it back, nor end the writer by trying.
                    if not future.set_running_or_notify_cancel():
                        continue
                    result, error, wakes = self._in_savepoint(connection, work)
                    made_work = made_work or wakes
                    if isinstance(error, StorageFull):
                        raise error  # SQLite may have rolled everything back
                    outcomes.append((future, result, error))
            self._committed(made_work)
        except BaseException as error:
            outcomes = [(future, None, error) for _, future in batch if not future.cancelled()]
        for future, result, failure in outcomes:
            if failure is None:
                future.set_result(result)
            else:
                future.set_exception(failure)

    @staticmethod
    def _in_savepoint(
        connection: Connection, work: Work[T]
    ) -> tuple[T | None, BaseException | None, bool]:
        try:
            with (
                _storage_errors(),
                Session(connection, join_transaction_mode="create_savepoint") as session,
                session.begin(),
            ):
                return work(session), None, bool(session.info)
        except BaseException as error:
            return None, error, False


class _storage_errors:
    """Turns the driver's words for a full disk or a broken file into our own errors."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, sa.exc.DBAPIError):
            return
        words = str(error.orig).lower()
        if "disk is full" in words or "no space left" in words:
            raise StorageFull(words) from error
        if "malformed" in words or "not a database" in words:
            raise DatabaseCorrupt(words) from error


def sqlite_path(url: str) -> Path | None:
    """The file of an SQLite address; None for other databases."""
    return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None
