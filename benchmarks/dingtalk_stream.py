"""DingTalk's Stream mode while the gateway takes sockets away all the time: is anything lost?

``python -m benchmarks.dingtalk_stream --minutes 5``: the program as ``genjin serve`` starts it, on
SQLite with ``synchronous=FULL``, against the strict fake.  People greet the robot without a pause
while the gateway sends ``disconnect`` to the oldest socket every 5 s.  Twice: with two connections
and a gateway that loses what comes while there is no socket, and with one connection and a gateway
that keeps it.

``lost``: sent and not in the inbox.  ``doubled``: answers that people see beyond one for each
message.  The time of an acknowledgement is the gateway's, from the frame to the answer; the
platform waits 3 s.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.fakes.dingtalk.pushes import Push
from tests.fakes.dingtalk.server import FakeDingTalk
from tests.support.program import Program, eventually

PEOPLE = 120
EVERY_S = 5.0
HELLO = "你好"
ANSWER = "你好，"  # how the answer begins
PATIENCE_S = 120.0
Offline = Literal["lost", "hold"]


@dataclass(frozen=True, slots=True)
class Ran:
    sent: int
    stored: int
    answered: int
    lost: int
    doubled: int
    acks_s: list[float]
    disconnects: int

    @property
    def is_sound(self) -> bool:
        return not self.lost and not self.doubled


@contextmanager
def platform(offline: Offline) -> Iterator[FakeDingTalk]:
    with FakeDingTalk() as fake:
        rules = fake.rules
        rules.api_quota = rules.push_quota = rules.qps = None
        rules.offline = offline
        rules.repush_s, rules.repush_times = 5.0, 20  # what was not acknowledged comes again
        for number in range(PEOPLE):
            fake.add_person(f"rep{number}", f"销售{number}")
        yield fake


def settings(fake: FakeDingTalk, connections: int) -> dict[str, str]:
    given = {
        "ENABLED": "true",
        "CLIENT_ID": fake.app.client_id,
        "CLIENT_SECRET": fake.app.client_secret,
        "API_BASE": fake.api_base,
        "OAPI_BASE": fake.oapi_base,
        "CONNECTIONS": str(connections),
    }
    made = {f"GENJIN_CHANNELS__DINGTALK__{key}": value for key, value in given.items()}
    return made | {"GENJIN_SPEECH__BACKEND": "platform"}


def soak(*, connections: int, offline: Offline, seconds: float, per_s: float) -> Ran:
    with (
        tempfile.TemporaryDirectory(prefix="genjin-soak-") as folder,
        platform(offline) as fake,
        Program(Path(folder), settings(fake, connections)) as program,
    ):
        program.genjin("migrate")
        program.genjin("user", "sync")
        program.start()
        fake.wait_connected(connections, 30)
        opened = len(fake.stream.connections)
        fake.rebalance(EVERY_S)
        pushes = list(_greetings(fake, seconds, per_s))
        fake.rebalance(None)
        closed = len(fake.stream.connections) - opened
        eventually(
            lambda: all(one.acked or one.lost for one in pushes),
            within_s=PATIENCE_S,
            what="the last acknowledgement",
        )
        program.settle(within_s=PATIENCE_S)
        return _counted(fake, program, pushes, closed)


def _greetings(fake: FakeDingTalk, seconds: float, per_s: float) -> Iterator[Push]:
    began = time.monotonic()
    for number in itertools.count():
        due = began + number / per_s
        if due > began + seconds:
            return
        time.sleep(max(0.0, due - time.monotonic()))
        yield fake.say_text(f"rep{number % PEOPLE}", HELLO)


def _counted(fake: FakeDingTalk, program: Program, pushes: list[Push], closed: int) -> Ran:
    rows = [key for (key,) in program.rows("SELECT event_key FROM inbox")]
    stored = set(rows)
    answers = sum(one.text.startswith(ANSWER) for one in fake.messages)
    return Ran(
        sent=len(pushes),
        stored=len(stored),
        answered=answers,
        lost=sum(f"msg:{one.data['msgId']}" not in stored for one in pushes),
        doubled=len(rows) - len(stored) + max(0, answers - len(stored)),
        acks_s=[one.ack_delay_s for one in pushes if one.ack_delay_s is not None],
        disconnects=closed,
    )


def say(ran: Ran) -> None:
    cuts = statistics.quantiles(ran.acks_s, n=100)
    print(
        f"  sent {ran.sent}, stored {ran.stored}, answered {ran.answered}, lost {ran.lost}, "
        f"doubled {ran.doubled}; {ran.disconnects} disconnects\n"
        f"  ACK p50 {cuts[49] * 1000:.1f} ms, "
        f"p99 {cuts[98] * 1000:.1f} ms, max {max(ran.acks_s) * 1000:.1f} ms",
        flush=True,
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dingtalk_stream")
    parser.add_argument("--minutes", type=float, default=5, help="of each of the two runs")
    parser.add_argument("--per-s", type=float, default=20, help="messages")
    args, _ = parser.parse_known_args()
    print(f"dingtalk_stream, {args.per_s:g} messages a second for {args.minutes:g} min")
    runs: tuple[tuple[int, Offline], ...] = ((2, "lost"), (1, "hold"))
    sound = True
    for connections, offline in runs:
        gateway = {"lost": "loses", "hold": "keeps"}[offline]
        print(f"  {connections} connections, a gateway that {gateway} what comes without a socket:")
        ran = soak(
            connections=connections,
            offline=offline,
            seconds=args.minutes * 60,
            per_s=args.per_s,
        )
        say(ran)
        sound = sound and ran.is_sound
    return 0 if sound else 1


if __name__ == "__main__":
    raise SystemExit(main())
