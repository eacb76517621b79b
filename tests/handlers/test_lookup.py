"""查 with a model configured: the model is asked about memos, never about a command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from bot.work import Work
from nlp.audio import duration_s
from tests.nlp.llm_fake import Model, extractor, phrases, said
from tests.support.desk import Desk


@pytest.fixture
def model() -> Iterator[Model]:
    with closing(Model()) as made:
        yield made


@pytest.fixture
def asking(desk: Desk, model: Model) -> Desk:
    """The desk with *model* behind the rules."""
    desk.tools = replace(desk.tools, extractor=extractor(model.url))
    desk.work = Work(desk.db, desk.tools, {"console": desk.console}, desk._loop, duration_s)
    return desk


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("查 横鸡水泥", "恒基水泥"),
        ("查一下横鸡水泥那家做熟料的，采购经理赵国强总嫌价格贵", "恒基水泥"),
        ("看看青松制要上次要隔膜阀材质证明的事我周五答复了没", "青松制药"),
    ],
)
def test_a_query_is_answered_by_the_rules_alone(
    asking: Desk, model: Model, text: str, name: str
) -> None:
    [answer] = asking.say(asking.lina, text)
    assert answer.startswith(name)
    assert model.asked == []


def test_a_correction_and_a_bare_value_are_the_rules_own(asking: Desk, model: Model) -> None:
    model.answers = [said(phrases())]
    asking.say(asking.lina, "今天去了恒基水泥，赵国强嫌价格太贵，我周五给他新的报价")
    assert len(model.asked) == 1  # a memo is asked about

    for text in ("不对 是下周三", "客户是宝丰钢铁", "金额 35万", "待办", "查 横鸡水泥"):
        asking.say(asking.lina, text)
    assert len(model.asked) == 1


def test_alike_names_are_asked_back(asking: Desk, model: Model) -> None:
    [answer] = asking.say(asking.lina, "查 惠通")
    assert "汇通热力公司" in answer and "汇通快修" in answer
    assert model.asked == []
