"""Fixtures for everybody: a data folder, a migrated database on both engines, a browser."""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.home import Home
from storage.database import Database
from storage.migrations import runner
from tests.support.require import left_out, require

POSTGRES = os.environ.get(
    "GENJIN_TEST_POSTGRES", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"
)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for what, tests in left_out.items():
        terminalreporter.write_line(f"LEFT OUT ({tests} tests): {what}")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name == "GENJIN_HOME" or (name.startswith("GENJIN_") and "__" in name):
            monkeypatch.delenv(name)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A data folder of its own, set up; ``GENJIN_HOME`` points to it."""
    made = Home(tmp_path / "home")
    monkeypatch.setenv("GENJIN_HOME", str(made.path))
    made.set_up()
    return made


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of a fresh, migrated database: the test runs once on each engine."""
    name: str = request.getfixturevalue(f"{request.param}_url")
    yield name


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_url(tmp_path: Path, _sqlite_template: Path) -> str:
    path = tmp_path / "test.db"
    shutil.copy2(_sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(request: pytest.FixtureRequest) -> Iterator[str]:
    why = _postgres_away()
    require("PostgreSQL", not why, why)
    template: str = request.getfixturevalue("_postgres_template")
    name = f"{template}_{next(_numbers)}"
    _postgres(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield _postgres_address(name)
    _postgres(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """A Chromium that playwright can drive: ``executable_path=chromium_path``."""
    named = os.environ.get("GENJIN_TEST_CHROMIUM", "")
    names = (named, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = next((path for name in names if name and (path := shutil.which(name))), "")
    require("browser", found, "no Chromium found; install one or set GENJIN_TEST_CHROMIUM")
    return found


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrated once; each test gets a copy."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    runner.migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def _postgres_template() -> Iterator[str]:
    name = f"genjin_test_{os.getpid()}"
    _postgres(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", f"CREATE DATABASE {name}")
    runner.migrate(_postgres_address(name))
    yield name
    _postgres(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


_numbers = iter(range(10**9))


def _postgres_address(name: str) -> str:
    return sa.make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)


def _postgres(*statements: str) -> None:
    engine = sa.create_engine(POSTGRES, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))
    engine.dispose()


@functools.cache
def _postgres_away() -> str:
    """Why the tests' PostgreSQL cannot be used; '' when it can."""
    address = sa.make_url(POSTGRES).set(query={"connect_timeout": "3"})
    engine = sa.create_engine(address, poolclass=sa.NullPool)
    try:
        with engine.connect():
            return ""
    except sa.exc.OperationalError:
        where = f"{address.host}:{address.port or 5432}"
        return f"none reachable at {where} (GENJIN_TEST_POSTGRES)"
    finally:
        engine.dispose()
