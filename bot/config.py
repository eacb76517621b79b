"""All settings: read once at start, then handed down.  Nothing else reads ``os.environ``.

Three sources, the later one wins: ``config.toml`` of the data folder, ``secrets.toml`` beside it
(mode 0600, secret keys only), and the environment as ``GENJIN_SECTION__KEY``; a secret may also
come from a file named by ``GENJIN_SECTION__KEY_FILE`` or by ``key_file`` in the TOML.

Errors name keys and never values: a value may be a token in the wrong place.
"""

from __future__ import annotations

import difflib
import os
import stat
import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, Field, ValidationError

from bot import words
from bot.config_channels import Channels, DingTalk, WeCom, WeComBot
from bot.config_section import Secret, Section

PREFIX = "GENJIN_"
CONFIG_NAME, SECRETS_NAME = "config.toml", "secrets.toml"

Port = Annotated[int, Field(ge=0, le=65535)]  # 0: any free port


class ConfigError(Exception):
    """Everything that is wrong with the settings, one Chinese line each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(words.NOT_A_ZONE) from None
    return name


class Company(Section):
    name: str = ""
    zone: Annotated[str, AfterValidator(_zone)] = "Asia/Shanghai"

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.zone)


class Web(Section):
    host: str = "127.0.0.1"
    port: Port = 8710
    public_url: str = ""
    session_key: Secret = ""  # made at set-up; signs the session cookies

    @property
    def is_loopback(self) -> bool:
        return _is_loopback(self.host)


class Callback(Section):
    host: str = "127.0.0.1"
    port: Port = 8711

    @property
    def is_loopback(self) -> bool:
        return _is_loopback(self.host)


def _is_loopback(host: str) -> bool:
    return host in ("127.0.0.1", "::1", "localhost") or host.startswith("127.")


class DatabaseSettings(Section):
    # '' in the file: an SQLite file in the data folder.  After loading it is always an address.
    url: Secret = ""

    @property
    def is_sqlite(self) -> bool:
        return self.url.startswith("sqlite")


class Speech(Section):
    backend: Literal["auto", "platform", "faster-whisper", "whisper", "server"] = "auto"
    model: str = ""
    device: Literal["cpu", "cuda"] = "cpu"
    threads: Annotated[int, Field(ge=0, le=256)] = 0
    url: str = ""
    api_key: Secret = ""
    language: str = "zh"
    max_seconds: Annotated[int, Field(ge=1)] = 600
    max_mb: Annotated[int, Field(ge=1)] = 60


class Llm(Section):
    enabled: bool = False
    base_url: str = ""
    model: str = ""
    api_key: Secret = ""
    timeout_s: Annotated[float, Field(gt=0)] = 20.0


MemoField = Literal["customer", "amount", "close", "decision_maker"]  # sales.drafts.REQUIRABLE


class Memo(Section):
    required: tuple[MemoField, ...] = ("customer",)
    undo_minutes: Annotated[int, Field(ge=0)] = 10
    remind_hours: Annotated[int, Field(ge=1)] = 24
    draft_hours: Annotated[int, Field(ge=1)] = 72


class Retention(Section):
    audio_days: Annotated[int, Field(ge=1)] = 30
    dropped_hours: Annotated[int, Field(ge=1)] = 24
    log_days: Annotated[int, Field(ge=1)] = 210
    backups: Annotated[int, Field(ge=1)] = 14


class Config(Section):
    company: Company = Company()
    web: Web = Web()
    callback: Callback = Callback()
    database: DatabaseSettings = DatabaseSettings()
    speech: Speech = Speech()
    llm: Llm = Llm()
    memo: Memo = Memo()
    retention: Retention = Retention()
    channels: Channels = Channels()

    def half_configured(self) -> dict[str, tuple[str, ...]]:
        """Channels that are switched on but lack keys: channel name to the missing keys.

        Such a channel is not started; everything else runs.
        """
        found: dict[str, tuple[str, ...]] = {}
        for name, channel in self._channels():
            if channel.enabled and (lacking := channel.missing()):
                found[name] = lacking
        return found

    def ready_channels(self) -> tuple[str, ...]:
        """Channels that are switched on and complete, without the console (always there)."""
        return tuple(
            name for name, channel in self._channels() if channel.enabled and not channel.missing()
        )

    def _channels(self) -> Iterator[tuple[str, WeCom | WeComBot | DingTalk]]:
        yield "wecom", self.channels.wecom
        yield "wecom_bot", self.channels.wecom_bot
        yield "dingtalk", self.channels.dingtalk

    @property
    def base_url(self) -> str:
        """What links in cards begin with, no slash at the end."""
        host = f"[{self.web.host}]" if ":" in self.web.host else self.web.host
        return self.web.public_url.rstrip("/") or f"http://{host}:{self.web.port}"

    @property
    def dingtalk_callback_url(self) -> str:
        """Where DingTalk calls us in HTTP mode; '' when nobody said."""
        base = self.web.public_url.rstrip("/")
        return self.channels.dingtalk.callback_url or (f"{base}/callback/dingtalk" if base else "")


# --- the keys -----------------------------------------------------------------------------------


def all_keys(model: type[BaseModel] = Config, path: str = "") -> dict[str, Any]:
    """Every key as ``section.key`` with its pydantic field."""
    found: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found |= all_keys(kind, f"{path}{name}.")
        else:
            found[path + name] = field
    return found


def secret_keys() -> frozenset[str]:
    return frozenset(
        key for key, field in all_keys().items() if (field.json_schema_extra or {}).get("secret")
    )


def value(config: Config, key: str) -> Any:
    found: Any = config
    for part in key.split("."):
        found = getattr(found, part)
    return found


def holds_secret(config: Config, key: str) -> bool:
    """Whether the value of *key* must not be shown; an address without a password may be."""
    if key == "database.url":
        return "@" in config.database.url
    return key in secret_keys() and bool(value(config, key))


# --- loading ------------------------------------------------------------------------------------


def default_text() -> str:
    """The commented ``config.toml`` of a first run: every key with its default."""
    return resources.files("bot").joinpath("config_template.toml").read_text("utf-8")


def load(folder: Path, env: Mapping[str, str] = os.environ) -> Config:
    """The settings of the data folder *folder*.

    Raises:
        ConfigError: with everything that is wrong, not only the first thing.
    """
    return load_with_origins(folder, env)[0]


def load_with_origins(
    folder: Path, env: Mapping[str, str] = os.environ
) -> tuple[Config, dict[str, str]]:
    """The settings, and for every key set by somebody where that was: a file name or a variable."""
    reader = _Reader(folder)
    reader.file(CONFIG_NAME)
    if (folder / SECRETS_NAME).exists():
        reader.secrets()
    reader.environment(env)
    return reader.build()


class _Reader:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._fields = all_keys()
        self._secret = secret_keys()
        self._problems: list[str] = []
        self._values: dict[str, Any] = {}
        self._origins: dict[str, str] = {}

    def file(self, name: str) -> None:
        for key, value in self._toml(name):
            self._set(key, value, origin=name)

    def secrets(self) -> None:
        mode = stat.S_IMODE((self._folder / SECRETS_NAME).stat().st_mode)
        if mode & 0o077:
            self._problems.append(words.SECRETS_MODE.format(mode=f"{mode:04o}"))
            return
        for key, value in self._toml(SECRETS_NAME):
            if key in self._fields and key not in self._secret:
                self._problems.append(words.NOT_A_SECRET.format(key=key))
            else:
                self._set(key, value, origin=SECRETS_NAME)

    def environment(self, env: Mapping[str, str]) -> None:
        for variable, text in sorted(env.items()):
            if not variable.startswith(PREFIX) or "__" not in variable:
                continue  # GENJIN_HOME and the like are no keys
            key = variable.removeprefix(PREFIX).lower().replace("__", ".")
            value: Any = text
            if str(getattr(self._fields.get(key), "annotation", "")).startswith("tuple"):
                value = [part.strip() for part in text.split(",") if part.strip()]
            self._set(key, value, origin=variable)

    def build(self) -> tuple[Config, dict[str, str]]:
        tree: dict[str, Any] = {}
        for key, value in self._values.items():
            *sections, name = key.split(".")
            branch = tree
            for section in sections:
                branch = branch.setdefault(section, {})
            branch[name] = value
        config: Config | None = None
        try:
            config = Config.model_validate(tree)
        except ValidationError as error:
            for one in error.errors(include_input=False, include_url=False):
                key = ".".join(str(part) for part in one["loc"] if isinstance(part, str))
                where = self._origins.get(key, CONFIG_NAME)
                self._problems.append(words.bad_value(where, key, one["type"], one.get("ctx", {})))
        if config is None or self._problems:
            raise ConfigError(self._problems)
        return _with_database(config, self._folder), self._origins

    def _toml(self, name: str) -> Iterator[tuple[str, Any]]:
        path = self._folder / name
        try:
            tree = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
        except FileNotFoundError:
            return
        except UnicodeDecodeError:
            self._problems.append(words.NOT_UTF8.format(file=name))
        except tomllib.TOMLDecodeError as error:
            place = str(error).rpartition("(")[2].rstrip(")")  # the rest may quote a value
            self._problems.append(words.BAD_TOML.format(file=name, place=place))
        except OSError as error:
            self._problems.append(words.UNREADABLE.format(file=name, why=error.strerror))
        else:
            yield from _flatten(tree)

    def _set(self, key: str, value: Any, *, origin: str) -> None:
        if key in self._fields:
            self._values[key], self._origins[key] = value, origin
            return
        secret = key.removesuffix("_file")
        if key.endswith("_file") and secret in self._secret:
            self._secret_file(secret, str(value), origin)
            return
        near = difflib.get_close_matches(key, self._fields, n=1, cutoff=0.6)
        name = key if origin in (CONFIG_NAME, SECRETS_NAME) else origin
        if near and origin not in (CONFIG_NAME, SECRETS_NAME):
            near = [PREFIX + near[0].upper().replace(".", "__")]
        self._problems.append(words.unknown_key(origin, name, near[0] if near else ""))

    def _secret_file(self, key: str, name: str, origin: str) -> None:
        try:
            text = (self._folder / name).read_text("utf-8")  # an absolute name stays absolute
        except (OSError, UnicodeDecodeError):
            self._problems.append(words.SECRET_FILE.format(where=origin, key=key))
            return
        self._values[key], self._origins[key] = text.strip(), origin


def _flatten(tree: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{path}{name}.")
        else:
            yield path + name, value


Settings = TypeVar("Settings", bound=Section)


def _with_database(config: Config, folder: Path) -> Config:
    """The same settings with a full database address."""
    url = config.database.url.strip()
    for short in ("postgres://", "postgresql://"):
        if url.startswith(short):
            url = "postgresql+psycopg://" + url.removeprefix(short)
    if not url:
        url = "sqlite:///genjin.db"
    if url.startswith("sqlite:///"):
        url = f"sqlite:///{folder.absolute() / url.removeprefix('sqlite:///')}"
    if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ConfigError([words.DATABASE_URL])
    return _replaced(config, database=DatabaseSettings(url=url))


def _replaced(section: Settings, **changes: Any) -> Settings:
    return section.model_copy(update=changes)
