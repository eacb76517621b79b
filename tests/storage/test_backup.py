from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from storage import backup, settings
from storage.database import Database, DatabaseCorrupt, sqlite_path
from tests.support.require import require

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def make(url: str, folder: Path, name: str = "one", **more: object) -> backup.Backup:
    options = {"now": NOW, "version": "0.1.0", **more}
    return backup.make(url, folder=folder, name=name, **options)  # type: ignore[arg-type]


def test_what_was_there_comes_back(database_url: str, tmp_path: Path) -> None:
    if not database_url.startswith("sqlite"):
        require("pg_dump", shutil.which("pg_dump"), "PostgreSQL's pg_dump is not installed")
    database = Database(database_url)
    database.write(lambda s: settings.put(s, "colour", "red"))
    made = make(database_url, tmp_path / "backups")  # while the database is open
    database.write(lambda s: settings.put(s, "colour", "blue"))
    database.close()

    backup.check(made)
    kept = backup.restore(made, database_url, media=tmp_path / "media", now=NOW)

    database = Database(database_url)
    assert database.read(lambda s: settings.get(s, "colour")) == "red"
    database.close()
    if (path := sqlite_path(database_url)) is not None:
        assert path.with_name("test.db.replaced-20260302-010000") in kept
        replaced = Database(f"sqlite:///{kept[-1]}")
        assert replaced.read(lambda s: settings.get(s, "colour")) == "blue"
        replaced.close()


def test_media_and_settings_travel_but_secrets_do_not(tmp_path: Path, sqlite_url: str) -> None:
    media, config = tmp_path / "media" / "ab", tmp_path / "config.toml"
    media.mkdir(parents=True)
    (media / "abcd").write_bytes(b"sound")
    config.write_text("[web]\n")

    made = make(sqlite_url, tmp_path / "backups", media=tmp_path / "media", settings=[config])
    shutil.rmtree(media)
    backup.restore(made, sqlite_url, media=tmp_path / "media", now=NOW)

    assert (media / "abcd").read_bytes() == b"sound"
    manifest = json.loads((made.folder / backup.MANIFEST).read_text())
    assert set(manifest["sha256"]) == {"genjin.db", "config.toml", "media/ab/abcd"}


@pytest.mark.parametrize("harm", ["flip", "remove", "manifest"])
def test_a_damaged_backup_is_refused_and_the_database_stays(
    harm: str, tmp_path: Path, sqlite_url: str
) -> None:
    made = make(sqlite_url, tmp_path / "backups")
    file = made.folder / "genjin.db"
    if harm == "flip":
        file.write_bytes(file.read_bytes()[:-1] + b"x")
    elif harm == "remove":
        file.unlink()
    else:
        (made.folder / backup.MANIFEST).write_text("{}")
    path = sqlite_path(sqlite_url)
    assert path is not None
    before = path.read_bytes()

    with pytest.raises(backup.BadBackup):
        backup.restore(made, sqlite_url, media=tmp_path, now=NOW)

    assert path.read_bytes() == before


def test_the_newest_sound_backup_is_found_past_a_damaged_one(
    tmp_path: Path, sqlite_url: str
) -> None:
    folder = tmp_path / "backups"
    make(sqlite_url, folder, "old")
    damaged = make(sqlite_url, folder, "new", now=NOW + timedelta(days=1))
    (damaged.folder / "genjin.db").write_bytes(b"")

    found = backup.newest_sound(folder)

    assert found is not None
    assert found.name == "old"


def test_a_damaged_database_gives_no_backup(tmp_path: Path, sqlite_url: str) -> None:
    path = sqlite_path(sqlite_url)
    assert path is not None
    path.write_bytes(b"x" * 9000)

    with pytest.raises(DatabaseCorrupt):
        make(sqlite_url, tmp_path / "backups")

    assert backup.listing(tmp_path / "backups") == []
    assert list((tmp_path / "backups").iterdir()) == []


def test_a_name_is_used_once(tmp_path: Path, sqlite_url: str) -> None:
    make(sqlite_url, tmp_path)

    with pytest.raises(backup.BackupFailed) as refusal:
        make(sqlite_url, tmp_path)

    assert refusal.value.code == "exists"


def test_only_old_automatic_backups_are_forgotten(tmp_path: Path, sqlite_url: str) -> None:
    for day in range(4):
        make(sqlite_url, tmp_path, f"auto-{day}", now=NOW + timedelta(days=day))
    make(sqlite_url, tmp_path, "mine")

    gone = backup.forget_old(tmp_path, keep=2)

    assert sorted(gone) == ["auto-0", "auto-1"]
    assert {one.name for one in backup.listing(tmp_path)} == {"auto-2", "auto-3", "mine"}


def test_a_password_is_never_on_a_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "bin" / "pg_dump"
    tool.parent.mkdir()
    tool.write_text(
        f'#!/bin/sh\necho "$@" > {tmp_path}/said\necho "$PGPASSWORD" >> {tmp_path}/env\nexit 3\n'
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:/usr/bin:/bin")
    url = sa.URL.create("postgresql+psycopg", "a", "geheim", "127.0.0.1", 9, "b")

    with pytest.raises(backup.BackupFailed):
        make(url.render_as_string(hide_password=False), tmp_path / "backups")

    assert "geheim" not in (tmp_path / "said").read_text()
    assert (tmp_path / "env").read_text().strip() == "geheim"
