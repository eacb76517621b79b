"""The fake alone, with a visitor in the program's place."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sales.clock import FixedClock
from tests.fakes.dingtalk.kit import GROUP, NOON
from tests.fakes.dingtalk.server import FakeDingTalk
from tests.fakes.dingtalk.visitor import Socket, Visitor


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture
def fake(clock: FixedClock) -> Iterator[FakeDingTalk]:
    with FakeDingTalk(clock=clock) as made:
        made.add_person("wanglei", "王磊", leads=[1], mobile="13800000000")
        made.add_person("lina", "李娜", manager="wanglei")
        made.add_group(GROUP, "华东销售群", {"lina", "wanglei"})
        yield made


@pytest.fixture
def bare(fake: FakeDingTalk) -> Iterator[Visitor]:
    with Visitor(fake) as made:
        yield made


@pytest.fixture
def app(bare: Visitor) -> Visitor:
    bare.sign_on()
    return bare


@pytest.fixture
def socket(app: Visitor) -> Iterator[Socket]:
    made = app.socket()
    yield made
    made.close()
