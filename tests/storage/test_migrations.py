from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from storage import tables  # noqa: F401 - all of them
from storage.database import DatabaseCorrupt, make_engine
from storage.migrations import runner
from storage.table_base import Base
from tests.support.versions import old_database, set_version


def test_the_migrations_give_exactly_the_tables(database_url: str) -> None:
    engine = make_engine(database_url)

    def ours(item: object, name: str | None, kind: str, reflected: bool, other: object) -> bool:
        return not (kind == "table" and (name or "").startswith(("procrastinate_", "alembic_")))

    with engine.connect() as connection:
        options = {"include_object": ours, "compare_type": True, "render_as_batch": True}
        context = MigrationContext.configure(connection, opts=options)
        different = compare_metadata(context, Base.metadata)
        queue = sa.inspect(connection).has_table("procrastinate_jobs")
    engine.dispose()

    assert different == [], "run: python -m storage.migrations.new 'words about it'"
    assert queue == (not database_url.startswith("sqlite"))


def test_versions_are_one_chain_in_the_order_of_their_names() -> None:
    scripts = ScriptDirectory(str(runner.HERE))

    assert [one.revision for one in scripts.walk_revisions()][::-1] == runner.versions()
    assert scripts.get_current_head() == runner.head()


def test_a_second_time_changes_nothing_and_makes_no_backup(database_url: str) -> None:
    again = runner.migrate(database_url, back_up=lambda: pytest.fail("a backup for nothing"))

    assert not again.changed


def test_an_empty_database_needs_no_backup(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"

    made = runner.migrate(url, back_up=lambda: pytest.fail("a backup of nothing"))

    assert (made.before, made.after) == ("", runner.head())


def test_an_old_database_is_backed_up_before_it_is_changed(tmp_path: Path) -> None:
    sqlite_url = f"sqlite:///{tmp_path / 'old.db'}"
    old_database(tmp_path / "old.db", runner.versions()[0])
    seen = []

    def back_up() -> str:
        seen.append(runner.database_version(sqlite_url))
        return "auto-1"

    made = runner.migrate(sqlite_url, back_up=back_up)

    assert seen == [runner.versions()[0]]
    assert (made.backup, made.after) == ("auto-1", runner.head())
    assert runner.database_version(sqlite_url) == runner.head()


def test_a_newer_database_is_refused_and_left_alone(database_url: str) -> None:
    set_version(database_url, "9999")

    with pytest.raises(runner.DatabaseNewer) as refusal:
        runner.migrate(database_url, back_up=lambda: pytest.fail("nothing is to be changed"))

    assert (refusal.value.found, refusal.value.known) == ("9999", runner.head())
    assert runner.database_version(database_url) == "9999"


def test_a_file_that_is_no_database_is_named_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "genjin.db"
    file.write_bytes(b"not a database at all" * 200)

    with pytest.raises(DatabaseCorrupt):
        runner.migrate(f"sqlite:///{file}")

    assert file.read_bytes() == b"not a database at all" * 200


def test_a_server_that_is_away_is_told_without_its_password() -> None:
    url = "postgresql+psycopg://somebody:geheim@127.0.0.1:9/none"

    with pytest.raises(runner.DatabaseAway) as away:
        runner.migrate(url)

    assert "geheim" not in away.value.why


def test_a_failed_upgrade_leaves_the_old_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One transaction: half an upgrade never stays."""
    file = tmp_path / "new.db"
    monkeypatch.setattr(runner, "_upgrade", _create_then_fail)

    with pytest.raises(ZeroDivisionError):
        runner.migrate(f"sqlite:///{file}")

    with sqlite3.connect(file) as raw:
        assert raw.execute("SELECT name FROM sqlite_master").fetchall() == []
    raw.close()


def _create_then_fail(connection: sa.Connection) -> None:
    connection.execute(sa.text("CREATE TABLE half (id INTEGER)"))
    raise ZeroDivisionError


def test_rows_of_an_old_database_are_kept(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'old.db'}"
    old_database(tmp_path / "old.db", "0002")
    with sqlite3.connect(tmp_path / "old.db") as old:
        old.execute(
            "INSERT INTO person (id, name, role, team, region, channel, conversation, active,"
            " notice_version, created_at)"
            " VALUES (1, '李娜', 'rep', '', '', '', '', 1, 0, '2026-11-01 00:00:00.000000')"
        )

    runner.migrate(url)

    with sqlite3.connect(tmp_path / "old.db") as new:
        assert new.execute("SELECT name, manager_fixed FROM person").fetchall() == [("李娜", 0)]
