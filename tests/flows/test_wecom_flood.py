"""The program is killed in the middle of a flood: whatever it had answered with 200 is there."""

from __future__ import annotations

import http.client
import itertools
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.wecom.server import FakeWeCom
from tests.support.program import Program, eventually

SENDERS = 12


@pytest.fixture
def fake() -> Iterator[FakeWeCom]:
    with FakeWeCom(crypto_by="python") as made:
        made.add_member("LiNa", "李娜")
        yield made


@pytest.fixture
def program(fake: FakeWeCom, tmp_path: Path) -> Iterator[Program]:
    settings = {
        "ENABLED": "true",
        "CORP_ID": fake.corp_id,
        "AGENT_ID": str(fake.agent_id),
        "SECRET": fake.secret,
        "TOKEN": fake.token,
        "AES_KEY": fake.aes_key,
        "API_BASE": fake.base,
    }
    env = {f"GENJIN_CHANNELS__WECOM__{name}": value for name, value in settings.items()}
    with Program(tmp_path, {**env, "GENJIN_SPEECH__BACKEND": "platform"}) as made:
        made.set_up("wecom")
        yield made


def flood(program: Program, fake: FakeWeCom, first: int) -> list[str]:
    """Greetings from many connections until the program is killed; the ids that it answered."""
    answered: list[str] = []
    numbers = itertools.count(first)

    def sender() -> None:
        link = http.client.HTTPConnection("127.0.0.1", program.callback_port, timeout=20)
        while True:
            number = str(next(numbers))
            said = fake.text_xml("LiNa", "你好").replace("<MsgId>", f"<MsgId>{number}")
            query, body = fake.envelope(said)
            path = "/callback/wecom?" + "&".join(f"{k}={v}" for k, v in query.items())
            try:
                link.request("POST", path, body)
                answer = link.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                return
            assert answer.status == 200
            answered.append(f"msg:{number}" + said.split(f"<MsgId>{number}")[1].split("<")[0])

    threads = [threading.Thread(target=sender) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    eventually(lambda: len(answered) > 150, what="the flood")
    time.sleep(0.05)
    program.kill()
    for thread in threads:
        thread.join(30)
    return answered


def test_a_kill_in_a_flood_loses_nothing_that_was_answered(
    fake: FakeWeCom, program: Program
) -> None:
    answered: list[str] = []
    for first in (10_000, 20_000):
        program.start()
        answered += flood(program, fake, first)

    stored = [key for (key,) in program.rows("SELECT event_key FROM inbox")]
    assert len(stored) == len(set(stored))
    assert set(answered) <= set(stored)
    assert len(stored) <= len(answered) + 2 * SENDERS  # stored, but killed before the answer
    jobs = program.rows("SELECT ref FROM job WHERE kind = 'inbox'")
    assert len(jobs) == len(stored)
