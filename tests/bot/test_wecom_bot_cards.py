"""Our cards and texts as a bot may send them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from bot.channels.base import Outgoing
from bot.channels.wecom_bot import cards
from bot.channels.wecom_bot.drawing import Drawing
from handlers.cards.model import Button, Card, Choice, Link, Question, Row
from sales.clock import FixedClock
from storage import lists
from storage.database import Database
from storage.tables import LinkRow
from tests.fakes.aibot_cards import check_card
from tests.support.desk import MONDAY

BASE = "https://bot.example.com"
CARD = Card(
    kind="approval.request",
    layout="buttons",
    source="销售助手",
    title="青山贸易｜报价要审批",
    text="【审批】青山贸易",
    rows=(Row(key="金额", value="12 万", url="/m/1"),),
    buttons=(
        Button(text="同意", action="appr.yes"),
        Button(text="驳回", action="appr.no"),
        Button(text="看详情", url="/a/1"),
    ),
)
PICK = Question(
    id="why", title="原因", choices=(Choice(id="a", text="价格"), Choice(id="b", text="交期"))
)


@pytest.fixture
def db(sqlite_url: str) -> Iterator[Database]:
    opened = Database(sqlite_url)
    opened.write(
        lambda s: lists.put_person(s, now=MONDAY, name="王磊", role="manager", wecom="wanglei")
    )
    yield opened
    opened.close()


@pytest.fixture
def draw(db: Database) -> Any:
    def draw(card: Card, *, key: bytes = b"", user: str = "wanglei", **given: str) -> Any:
        drawing = Drawing(db, FixedClock(MONDAY), base_url=BASE, link_key=key)
        message = Outgoing(
            effect_key="approval.request:7:v3",
            kind="card",
            conversation=f"wecom_bot:{user}",
            user=user,
            card=card,
            card_id="approval-request-0123456789ab",
            nonce="n1",
            version=3,
        )
        return asyncio.run(drawing.draw(message, **given))

    return draw


def test_a_link_button_becomes_the_whole_cards_link(draw: Any) -> None:
    drawn = draw(CARD)
    check_card(drawn)
    assert [one["text"] for one in drawn["button_list"]] == ["同意", "驳回"]
    assert drawn["card_action"] == {"type": 1, "url": f"{BASE}/a/1"}
    assert drawn["task_id"] == "approval-request-0123456789ab-3"


def test_a_card_keeps_its_own_link_and_its_task_when_it_is_redrawn(draw: Any) -> None:
    drawn = draw(replace(CARD, url="/m/1"), task_id="approval-request-0123456789ab-1")
    check_card(drawn)
    assert drawn["card_action"]["url"] == f"{BASE}/m/1"
    assert drawn["task_id"] == "approval-request-0123456789ab-1"


def test_a_card_with_links_only_becomes_a_notice(draw: Any) -> None:
    drawn = draw(replace(CARD, buttons=(Button(text="看详情", url="/a/1"),)))
    check_card(drawn)
    assert drawn["card_type"] == "text_notice"


@pytest.mark.parametrize("layout", ["buttons", "notice", "form", "checklist", "news"])
def test_every_layout_is_taken(draw: Any, layout: Any) -> None:
    check_card(
        draw(
            replace(
                CARD,
                layout=layout,
                questions=(PICK,),
                submit=Button(text="提交", action="appr.send"),
                links=(Link(text="看记录", url="/m/1"),),
            )
        )
    )


def test_addresses_are_short_codes_that_are_known_for_this_person_only(
    draw: Any, db: Database
) -> None:
    first, again = (draw(CARD, key=b"k") for _ in range(2))
    assert first == again
    url = first["card_action"]["url"]
    assert url.startswith(f"{BASE}/go/")
    stored = db.read(lambda s: s.execute(sa.select(LinkRow.target, LinkRow.person_id)).all())
    assert sorted(target for target, _ in stored) == ["/a/1", "/m/1"]
    assert len({person for _, person in stored}) == 1
    assert draw(CARD, key=b"k", user="nobody")["card_action"]["url"] == f"{BASE}/a/1"


def test_a_late_card_says_who_and_when_once() -> None:
    done = replace(CARD, text="【已同意】青山贸易", footer="王磊 10:02 同意")
    assert cards.in_words(done).splitlines()[:2] == ["【已同意】青山贸易", "王磊 10:02 同意"]
    said = replace(done, text="【已同意】青山贸易，王磊 10:02 同意")
    assert cards.in_words(said).count("王磊 10:02 同意") == 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("138****0000", "138＊＊＊＊0000"),
        ("# 1 号线\n> 5 万", "＃ 1 号线\n＞ 5 万"),
        ("a <think>b</think> `c`", "a ＜think>b＜/think> ｀c｀"),
        ("报价_v2_终稿.pdf，第 #3 条", "报价_v2_终稿.pdf，第 #3 条"),
        ("1. 待办\n- 一件", "1. 待办\n- 一件"),
    ],
)
def test_text_is_shown_as_it_was_written(text: str, shown: str) -> None:
    assert cards.plain(text) == shown
