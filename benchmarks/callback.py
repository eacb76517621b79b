"""WeCom's callbacks against the whole running program: how fast, and is anything lost?

``python -m benchmarks.callback``: the program as ``genjin serve`` starts it, on SQLite with
``synchronous=FULL`` and with its workers at work, gets 1,000 encrypted events a second for 30 s.
Bodies are made beforehand, and an event counts from the moment at which it was due, so that a queue
in front of the program is part of its time.  Beside it, in the same run, a bare aiohttp handler
which reads the body and answers: the ratio is what checking, decrypting and storing cost.

All of it, the sender too, shares two cores.  The answers go to a platform that says yes.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.synchronize import Event
from pathlib import Path

from aiohttp import web

from bot.channels.wecom.crypto import Codec
from bot.home import Home
from storage import lists
from storage.database import Database
from storage.migrations import runner

CORP, TOKEN, KEY = "wwbench000000001", "benchToken01", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
PEOPLE = 200
TEXT = "今天拜访了恒基水泥的赵经理 电动闸板阀要十五台 报价每台一万二 我答应下周二之前给他加急方案"
GOAL_S = 1.0
PATH = "/callback/wecom"


@dataclass(frozen=True, slots=True)
class Ran:
    """Seconds that each event took, and how many were answered with another status than 200."""

    took: list[float]
    refused: int
    lasted_s: float


# --- the events ---------------------------------------------------------------------------------


def requests(count: int, path: str, *, run: str) -> list[bytes]:
    """Whole HTTP requests, sealed as WeCom seals them."""
    codec, stamp = Codec(TOKEN, KEY, CORP), str(int(time.time()))
    made = []
    for number in range(count):
        said = (
            f"<xml><ToUserName><![CDATA[{CORP}]]></ToUserName>"
            f"<FromUserName><![CDATA[rep{number % PEOPLE}]]></FromUserName>"
            f"<CreateTime>{stamp}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
            f"<Content><![CDATA[{TEXT}]]></Content><MsgId>{run}{number:08}</MsgId>"
            f"<AgentID>1000042</AgentID></xml>"
        )
        sealed = codec.seal(said.encode())
        body = (
            f"<xml><ToUserName><![CDATA[{CORP}]]></ToUserName>"
            f"<AgentID><![CDATA[1000042]]></AgentID><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>"
        ).encode()
        query = f"msg_signature={codec.sign(stamp, 'n1', sealed)}&timestamp={stamp}&nonce=n1"
        head = (
            f"POST {path}?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Content-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode()
        made.append(head + body)
    return made


async def send(port: int, bodies: Sequence[bytes], *, per_s: float, at_once: int) -> Ran:
    """*per_s* 0: as fast as *at_once* connections go."""
    took: list[float] = []
    refused = 0
    numbers = iter(range(len(bodies)))
    began = time.perf_counter()

    async def connection() -> None:
        nonlocal refused
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in numbers:
            due = began + number / per_s if per_s else time.perf_counter()
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            writer.write(bodies[number])
            head = await reader.readuntil(b"\r\n\r\n")
            took.append(time.perf_counter() - due)
            refused += not head.startswith(b"HTTP/1.1 200")
        writer.close()

    await asyncio.gather(*(connection() for _ in range(at_once)))
    return Ran(took, refused, time.perf_counter() - began)


# --- what they are sent to ----------------------------------------------------------------------


def _bare(port: int, ready: Event) -> None:
    async def main() -> None:
        async def answer(request: web.Request) -> web.Response:
            await request.read()
            return web.Response()

        app = web.Application()
        app.router.add_post(PATH, answer)
        made = web.AppRunner(app, access_log=None)
        await made.setup()
        await web.TCPSite(made, "127.0.0.1", port).start()
        ready.set()
        await asyncio.Event().wait()

    asyncio.run(main())


def _platform(port: int, ready: Event) -> None:
    """Says yes to every call."""

    async def main() -> None:
        said = {"errcode": 0, "errmsg": "ok", "access_token": "t", "expires_in": 7200}
        said |= {"msgid": "m", "invaliduser": ""}
        text = json.dumps(said)

        async def answer(request: web.Request) -> web.Response:
            await request.read()
            return web.Response(text=text, content_type="application/json")

        app = web.Application()
        app.router.add_route("*", "/{any:.*}", answer)
        made = web.AppRunner(app, access_log=None)
        await made.setup()
        await web.TCPSite(made, "127.0.0.1", port).start()
        ready.set()
        await asyncio.Event().wait()

    asyncio.run(main())


@contextlib.contextmanager
def process(target: object) -> Iterator[int]:
    """The port of a helper in a process of its own."""
    context = multiprocessing.get_context("spawn")
    ready, port = context.Event(), free_port()
    child = context.Process(target=target, args=(port, ready), daemon=True)  # type: ignore[arg-type]
    child.start()
    ready.wait(30)
    try:
        yield port
    finally:
        child.terminate()
        child.join()


@contextlib.contextmanager
def program(folder: Path, platform: int) -> Iterator[tuple[int, Path]]:
    """The callback's port of a running ``genjin serve``, and its database."""
    home = Home(folder)
    home.set_up()
    database = folder / "genjin.db"
    runner.migrate(f"sqlite:///{database}")
    _people(f"sqlite:///{database}")
    port = free_port()
    settings = {
        "GENJIN_HOME": str(folder),
        "GENJIN_CALLBACK__PORT": str(port),
        "GENJIN_SPEECH__BACKEND": "platform",
        "GENJIN_CHANNELS__WECOM__ENABLED": "true",
        "GENJIN_CHANNELS__WECOM__CORP_ID": CORP,
        "GENJIN_CHANNELS__WECOM__AGENT_ID": "1000042",
        "GENJIN_CHANNELS__WECOM__SECRET": "s" * 43,
        "GENJIN_CHANNELS__WECOM__TOKEN": TOKEN,
        "GENJIN_CHANNELS__WECOM__AES_KEY": KEY,
        "GENJIN_CHANNELS__WECOM__API_BASE": f"http://127.0.0.1:{platform}",
    }
    with (folder / "log").open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "bot.cli", "serve", "--port", "0"],
            env={**os.environ, **settings},
            stdout=log,
            stderr=log,
        )
        try:
            _wait_for(port, child, folder / "log")
            yield port, database
        finally:
            child.terminate()
            child.wait(60)


def _people(url: str) -> None:
    now = datetime.now(UTC)
    db = Database(url)
    try:
        for number in range(PEOPLE):
            db.write(
                lambda s, n=number: lists.put_person(
                    s, now=now, name=f"销售{n}", role="rep", wecom=f"rep{n}"
                )
            )
        db.write(lambda s: lists.put_customer(s, now=now, name="恒基水泥有限公司", owner="销售0"))
    finally:
        db.close()


def _wait_for(port: int, child: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and child.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise SystemExit(f"the program did not start:\n{log.read_text('utf-8', 'replace')[-2000:]}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def stored(database: Path) -> tuple[int, int]:
    """Rows of the inbox, and how many of them are handled."""
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as link:
        rows = link.execute("SELECT count(*), coalesce(sum(state = 'done'), 0) FROM inbox")
        count, done = rows.fetchone()
        return int(count), int(done)


# --- the run ------------------------------------------------------------------------------------


def say(name: str, ran: Ran) -> None:
    cuts = statistics.quantiles(ran.took, n=100)
    in_time = sum(one < GOAL_S for one in ran.took)
    print(
        f"  {name:8} {len(ran.took) / ran.lasted_s:6.0f} /s   p50 {cuts[49] * 1000:6.1f} ms   "
        f"p99 {cuts[98] * 1000:6.1f} ms   max {max(ran.took) * 1000:6.1f} ms   "
        f"{in_time} of {len(ran.took)} below {GOAL_S:g} s, {ran.refused} refused"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.callback", description=__doc__)
    parser.add_argument("--per-s", type=float, default=1000)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--at-once", type=int, default=128)
    parser.add_argument("--most", type=int, default=3000, help="events as fast as it goes")
    args, _ = parser.parse_known_args()
    all_cores = os.sched_getaffinity(0)
    cores = sorted(all_cores)[:2]
    os.sched_setaffinity(0, cores)  # inherited by every process that is started here
    try:
        _measure(args, len(cores))
    finally:
        os.sched_setaffinity(0, all_cores)


def _measure(args: argparse.Namespace, cores: int) -> None:
    paced = round(args.per_s * args.seconds)
    with (
        tempfile.TemporaryDirectory(prefix="genjin-bench-") as folder,
        process(_bare) as bare,
        process(_platform) as platform,
        program(Path(folder), platform) as (real, database),
    ):
        fast, slow = requests(args.most, PATH, run="1"), requests(paced, PATH, run="2")
        print(f"callback, WeCom, {cores} cores, {args.at_once} connections")
        print(f"  {args.per_s:g} a second for {args.seconds:g} s:")
        for name, port in (("bare", bare), ("genjin", real)):
            say(name, asyncio.run(send(port, slow, per_s=args.per_s, at_once=args.at_once)))
        print("  as fast as each goes:")
        rates = {}
        for name, port in (("bare", bare), ("genjin", real)):
            ran = asyncio.run(send(port, fast, per_s=0, at_once=args.at_once))
            rates[name] = len(fast) / ran.lasted_s
            say(name, ran)
        print(f"  genjin / bare = {rates['genjin'] / rates['bare']:.2f}")
        rows, done = stored(database)
        sent = len(fast) + len(slow)
        print(f"  sent {sent}, stored {rows}, lost {sent - rows}, handled meanwhile {done}")


if __name__ == "__main__":
    main()
