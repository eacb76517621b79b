"""Accepted messages per second, durable, against the same HTTP handler without the commit.

``python -m benchmarks.ingest``.  Client and server are two processes on loopback; the ratio is what
durability costs.  Every message is a row of the inbox and a job when it is acknowledged.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import socket
import statistics
import tempfile
import time
from multiprocessing.synchronize import Event
from pathlib import Path

from aiohttp import ClientSession, TCPConnector, web

from bot.intake import Intake
from handlers.messages import Inbound
from sales.clock import SystemClock
from storage.database import Database
from storage.migrations import runner

PATHS = ("/bare", "/durable")


def _serve(url: str, port: int, ready: Event) -> None:
    async def main() -> None:
        db = Database(url)
        clock = SystemClock()
        intake = Intake(db, clock)

        def event(body: dict[str, str]) -> Inbound:
            return Inbound(
                channel="bench",
                event_key=body["key"],
                kind="text",
                user=body["user"],
                conversation=f"bench:{body['user']}",
                at=clock.now(),
                text=body["text"],
            )

        async def bare(request: web.Request) -> web.Response:
            event(await request.json())
            return web.Response(text="")

        async def durable(request: web.Request) -> web.Response:
            await intake.accept(event(await request.json()))
            return web.Response(text="")

        app = web.Application()
        app.router.add_post("/bare", bare)
        app.router.add_post("/durable", durable)
        made = web.AppRunner(app, access_log=None)
        await made.setup()
        await web.TCPSite(made, "127.0.0.1", port).start()
        ready.set()
        await asyncio.Event().wait()

    asyncio.run(main())


async def _load(port: int, path: str, count: int, at_once: int, run: int) -> list[float]:
    """*count* messages from *at_once* connections; seconds of each."""
    numbers = iter(range(count))
    took: list[float] = []

    async def person(client: ClientSession) -> None:
        for number in numbers:
            body = {
                "key": f"{path}-{run}-{number}",
                "user": str(number % 200),
                "text": "今天拜访了恒基水泥 我明天发报价",
            }
            began = time.perf_counter()
            async with client.post(f"http://127.0.0.1:{port}{path}", json=body) as answer:
                assert answer.status == 200
            took.append(time.perf_counter() - began)

    async with ClientSession(connector=TCPConnector(limit=at_once)) as client:
        await asyncio.gather(*(person(client) for _ in range(at_once)))
    return took


def measure(
    url: str, *, count: int, at_once: int, rounds: int
) -> dict[str, tuple[float, list[float]]]:
    """Messages per second (the median of *rounds*) and all latencies, for both handlers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    server = context.Process(target=_serve, args=(url, port, ready), daemon=True)
    server.start()
    ready.wait(30)
    try:
        rates: dict[str, list[float]] = {path: [] for path in PATHS}
        delays: dict[str, list[float]] = {path: [] for path in PATHS}
        for number in range(rounds):
            for path in PATHS:  # in turn, so that both meet the same machine
                began = time.perf_counter()
                delays[path] += asyncio.run(_load(port, path, count, at_once, number))
                rates[path].append(count / (time.perf_counter() - began))
        return {path: (statistics.median(rates[path]), delays[path]) for path in PATHS}
    finally:
        server.terminate()
        server.join()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest", description=__doc__)
    parser.add_argument("--count", type=int, default=4000)
    parser.add_argument("--at-once", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--url", default=os.environ.get("GENJIN_BENCH_URL", ""))
    args, _ = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as folder:
        url = args.url or f"sqlite:///{Path(folder) / 'bench.db'}"
        runner.migrate(url)
        found = measure(url, count=args.count, at_once=args.at_once, rounds=args.rounds)
    print(f"ingest, {args.at_once} at once, {args.count} messages, median of {args.rounds} rounds")
    for path in PATHS:
        rate, delays = found[path]
        cuts = statistics.quantiles(delays, n=100)
        print(
            f"  {path[1:]:8} {rate:7.0f} /s   p50 {cuts[49] * 1000:6.1f} ms   "
            f"p99 {cuts[98] * 1000:6.1f} ms"
        )
    print(f"  durable / bare = {found['/durable'][0] / found['/bare'][0]:.2f}")


if __name__ == "__main__":
    main()
