"""The data folder: everything that changes lives here, so that people copy one folder.

``GENJIN_HOME`` names it; otherwise it is ``data`` beside the program's own checkout, or ``data``
in the current folder for an installed program.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot import config as settings
from bot import words

MIN_FREE_MB = 200


class HomeError(Exception):
    """The data folder cannot be used; the message is Chinese and complete."""


class HomeTaken(HomeError):
    """Another process works in this folder; ``pid`` is 0 when it did not say."""

    def __init__(self, path: Path, pid: int) -> None:
        shown = pid or words.UNKNOWN_PID
        super().__init__(words.FOLDER_TAKEN.format(path=path, pid=shown))
        self.pid = pid


@dataclass(frozen=True, slots=True)
class Home:
    path: Path

    @classmethod
    def find(cls, env: Mapping[str, str] = os.environ) -> Home:
        if named := env.get("GENJIN_HOME", "").strip():
            return cls(Path(named).expanduser().absolute())
        checkout = Path(__file__).resolve().parent.parent
        base = checkout if (checkout / "pyproject.toml").exists() else Path.cwd()
        return cls(base / "data")

    @property
    def config_file(self) -> Path:
        return self.path / settings.CONFIG_NAME

    @property
    def secrets_file(self) -> Path:
        return self.path / settings.SECRETS_NAME

    @property
    def media(self) -> Path:
        return self.path / "media"

    @property
    def models(self) -> Path:
        return self.path / "models"

    @property
    def backups(self) -> Path:
        return self.path / "backups"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def cache(self) -> Path:
        return self.path / "cache"

    @property
    def exports(self) -> Path:
        return self.path / "exports"

    @property
    def is_new(self) -> bool:
        return not self.config_file.exists()

    def set_up(self) -> bool:
        """Make folders, ``config.toml`` and keys where they are missing; True for a first run."""
        first = self.is_new
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            for folder in (self.media, self.models, self.backups, self.logs, self.cache):
                folder.mkdir(exist_ok=True)
            # Created exclusively: two first runs at once must not mix their keys.
            if first:
                _create(self.config_file, settings.default_text(), mode=0o600)
            if not self.secrets_file.exists():
                key = secrets.token_urlsafe(32)
                _create(self.secrets_file, f'[web]\nsession_key = "{key}"\n', mode=0o600)
        except OSError as error:
            raise self._unusable(error) from error
        return first

    def free_mb(self) -> int:
        """Free space where the folder is, or will be."""
        place = self.path
        while not place.exists():
            place = place.parent
        return shutil.disk_usage(place).free // 2**20

    def check_space(self, need_mb: int = MIN_FREE_MB) -> None:
        if (free := self.free_mb()) < need_mb:
            raise HomeError(words.DISK_LOW.format(free_mb=free, path=self.path, need_mb=need_mb))

    @contextlib.contextmanager
    def lock(self, *, shared: bool = False) -> Iterator[None]:
        """Hold the folder; it is let go when the process ends, however it ends.

        *shared* is for the parts of a program spread over several processes on PostgreSQL: they
        may be there together, but a restore may not.

        Raises:
            HomeTaken: somebody else holds it.
        """
        path = self.path / "lock"
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._unusable(error) from error
        try:
            try:
                fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno not in (errno.EAGAIN, errno.EACCES):
                    raise self._unusable(error) from error
                raise HomeTaken(self.path, _read_pid(path)) from None
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
            yield
        finally:
            os.close(handle)

    def note_address(self, url: str) -> None:
        """Remember where the pages of the running program are; ``genjin link`` asks for it."""
        (self.path / "address").write_text(url.rstrip("/") + "\n", "utf-8")

    def address(self) -> str:
        """Where the pages of the running program are; '' when none runs here."""
        try:
            text = (self.path / "address").read_text("utf-8").strip()
        except OSError:
            return ""
        return text if self.holder() is not None else ""

    def holder(self) -> int | None:
        """The process that holds the folder: None for nobody, 0 when it did not say."""
        if not (self.path / "lock").exists():
            return None
        try:
            with self.lock():
                return None
        except HomeTaken as taken:
            return taken.pid

    def _unusable(self, error: OSError) -> HomeError:
        why = error.strerror or type(error).__name__
        return HomeError(words.FOLDER_UNUSABLE.format(path=self.path, why=why))


def _create(path: Path, text: str, *, mode: int) -> None:
    """Write a new file that appears whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink()


def _read_pid(path: Path) -> int:
    try:
        return int(path.read_text("utf-8").strip() or 0)
    except (OSError, ValueError):
        return 0
