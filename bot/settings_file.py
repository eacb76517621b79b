"""Changes settings in the data folder's own files, comments and all, for the set-up page."""

from __future__ import annotations

import os
import secrets
import string
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import tomlkit
from tomlkit.items import Table

from bot import config as settings
from bot.config import Config
from bot.home import Home

# How the platforms want them: a token of at most 32, a key of exactly 43 letters and digits.
_TOKEN_LENGTH: Final = 32
_KEY_LENGTH: Final = 43
_LETTERS: Final = string.ascii_letters + string.digits

_one = threading.Lock()  # two forms sent at once must not lose each other's values


def change(home: Home, values: Mapping[str, str | int | bool]) -> None:
    """Write *values*, keys as in ``config.toml``; secrets go to ``secrets.toml``.

    Each file is replaced whole, and keeps its mode 0600.

    Raises:
        ConfigError: the files are wrong as they are; nothing was changed.
        OSError: a file cannot be written.
    """
    secret = settings.secret_keys()
    with _one:
        settings.load(home.path, {})
        kinds = ((home.config_file, False), (home.secrets_file, True))
        for path, holds_secrets in kinds:
            mine = {key: new for key, new in values.items() if (key in secret) == holds_secrets}
            if mine:
                _write(path, mine)


def make_missing(home: Home, env: Mapping[str, str], channel: str) -> Config:
    """The settings as they are in the files now, with a token and a key for *channel*'s callback.

    Both are made up here once: whoever sets the platform up pastes them there.
    """
    found = settings.load(home.path, env)
    made = {"token": _TOKEN_LENGTH, "aes_key": _KEY_LENGTH}
    lacking = {
        f"channels.{channel}.{name}": _random(length)
        for name, length in made.items()
        if not settings.value(found, f"channels.{channel}.{name}")
    }
    if not lacking:
        return found
    change(home, lacking)
    return settings.load(home.path, env)


def _random(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def _write(path: Path, values: Mapping[str, Any]) -> None:
    text = path.read_bytes().decode("utf-8-sig") if path.exists() else ""
    tree = tomlkit.parse(text)
    for key, new in values.items():
        *sections, name = key.split(".")
        _section(tree, sections)[name] = new
    _replace(path, tomlkit.dumps(tree))


def _section(tree: Any, names: list[str]) -> Any:
    found = tree
    for depth, name in enumerate(names):
        if name not in found:
            made: Table = tomlkit.table(is_super_table=depth < len(names) - 1)
            found[name] = made
        found = found[name]
    return found


def _replace(path: Path, text: str) -> None:
    """The file is the old one or the new one, whatever happens."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
