"""The program as its admin runs it: a process of its own, on a data folder of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

import sqlalchemy as sa

ROOT = Path(__file__).resolve().parents[2]
START_S = 60.0
T = TypeVar("T")

PEOPLE = (
    ("王磊", "manager", "", "WangLei"),
    ("李娜", "rep", "王磊", "LiNa"),
    ("周凯", "rep", "王磊", "ZhouKai"),
)
CUSTOMERS = ("恒基水泥有限公司", "宝丰钢铁集团", "山泉饮料有限公司")
PRODUCTS = ("电动闸板阀", "安全阀", "蝶阀")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(find: Callable[[], T], *, within_s: float = 30.0, what: str = "") -> T:
    """The first true answer of *find*; its last answer or failure is told when there is none."""
    until = time.monotonic() + within_s
    last: object = None
    while time.monotonic() < until:
        try:
            last = find()
            if last:
                return last  # type: ignore[return-value]  # it is a T
        except AssertionError as error:
            last = error
        time.sleep(0.05)
    raise AssertionError(f"{what or 'it'} did not come about: {last!r}")


class Program:
    """``env`` holds settings, such as ``GENJIN_CHANNELS__WECOM__ENABLED``."""

    def __init__(self, folder: Path, env: Mapping[str, str], *, url: str = "") -> None:
        self.home = folder / "home"
        self.web_port, self.callback_port = free_port(), free_port()
        self.url = url or f"sqlite:///{self.home / 'genjin.db'}"
        self._env = {
            **os.environ,
            "GENJIN_HOME": str(self.home),
            "GENJIN_DATABASE__URL": self.url,
            "GENJIN_WEB__PORT": str(self.web_port),
            "GENJIN_CALLBACK__PORT": str(self.callback_port),
            "PYTHONUNBUFFERED": "1",
            **env,
        }
        self._log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None
        self._engine = sa.create_engine(self.url, poolclass=sa.NullPool)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._engine.dispose()

    # --- what the admin does --------------------------------------------------------------------

    def genjin(self, *words: str) -> str:
        """One command; its output.  Fails with it when the status is not 0."""
        done = subprocess.run(
            [sys.executable, "-m", "bot.cli", *words],
            cwd=ROOT,
            env=self._env,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, f"genjin {' '.join(words)}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def set_up(self, channel: str, people: Sequence[tuple[str, str, str, str]] = PEOPLE) -> None:
        """A few people with ids on *channel* ('' for none), customers and products."""
        self.genjin("migrate")
        for name, role, manager, user in people:
            above = ["--manager", manager] if manager else []
            there = [f"--{channel}", user] if channel else []
            self.genjin("user", "add", name, "--role", role, *there, *above)
        for kind, names in (("customers", CUSTOMERS), ("products", PRODUCTS)):
            file = self.home / f"{kind}.csv"
            file.write_text("\n".join(("名称", *names)), "utf-8")
            self.genjin("import", kind, str(file))

    # --- the process ----------------------------------------------------------------------------

    def start(self, *words: str) -> None:
        """``genjin serve``; returns when it says that it is ready."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bot.cli", "serve", *words],
                cwd=ROOT,
                env=self._env,
                stdout=log,
                stderr=log,
            )
        eventually(self._ready, within_s=START_S, what=f"the start ({self._log})")

    def _ready(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError(f"it ended with {self._process.returncode}:\n{self.log()}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.web_port}/readyz", timeout=5) as a:
                return bool(a.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def kill(self) -> None:
        """kill -9, as a power cut does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> int:
        """As the admin stops it; its exit status."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        status = self._process.wait(30)
        self._process = None
        return status

    def log(self) -> str:
        return self._log.read_text("utf-8", "replace")

    @property
    def callback(self) -> str:
        return f"http://127.0.0.1:{self.callback_port}/callback"

    # --- what the database says -----------------------------------------------------------------

    def rows(self, query: str, **given: Any) -> list[tuple[Any, ...]]:
        with self._engine.connect() as link:
            return [tuple(row) for row in link.execute(sa.text(query), given)]

    def one(self, query: str, **given: Any) -> Any:
        return self.rows(query, **given)[0][0]

    def settled(self) -> bool:
        """Nothing waits to be handled or sent."""
        return not self.waiting()

    def waiting(self) -> list[tuple[Any, ...]]:
        return self.rows(
            "SELECT 'in', id, state, reason FROM inbox WHERE state <> 'done' UNION ALL "
            "SELECT 'out', id, state, reason FROM outbox WHERE state NOT IN ('sent', 'superseded') "
            "UNION ALL SELECT 'memo', id, state, reason FROM memo "
            "WHERE state NOT IN ('drafted', 'joined', 'failed')"
        )

    def settle(self, *, within_s: float = 30.0) -> None:
        until = time.monotonic() + within_s
        while not self.settled():
            if time.monotonic() > until:
                raise AssertionError(f"it does not settle: {self.waiting()}\n{self.log()[-2000:]}")
            time.sleep(0.05)

    def findings(self) -> list[dict[str, Any]]:
        """What ``genjin doctor --json`` finds, whatever its exit status."""
        done = subprocess.run(
            [sys.executable, "-m", "bot.cli", "doctor", "--json"],
            cwd=ROOT,
            env=self._env,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            timeout=120,
        )
        found: list[dict[str, Any]] = json.loads(done.stdout)["findings"]
        return found
