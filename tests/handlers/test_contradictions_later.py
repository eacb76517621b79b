"""G6 from what people type: quantities, prices of a deal, and a customer that was chosen later."""

from __future__ import annotations

from datetime import UTC, date, datetime

import sqlalchemy as sa

from handlers.cards import contradiction as cards
from storage.seeding import add_opportunity
from storage.tables import CardRow, CustomerRow, InteractionRow, RecordRow
from tests.handlers.g6 import BEFORE, asked, file, memo_card, rows, tap
from tests.support.desk import Desk

OTHER = "今天拜访了宝丰钢铁的刘总 预算七十万 我答应下周五之前给他加急方案"


def titles(desk: Desk) -> list[str]:
    return [one["card"]["title"] for one in asked(desk)]


def customer(desk: Desk, name: str) -> int:
    query = sa.select(CustomerRow.id).where(CustomerRow.name.startswith(name))
    return desk.db.read(lambda s: s.scalars(query).one())


def last_state(desk: Desk) -> str:
    query = sa.select(RecordRow.state).order_by(RecordRow.id.desc()).limit(1)
    return desk.db.read(lambda s: s.scalars(query).one())


# --- what a text memo says ----------------------------------------------------------------------


def test_another_quantity_in_words(desk: Desk) -> None:
    file(desk, "今天拜访了恒基水泥的赵国强 他们蝶阀要十五台")
    desk.say(desk.lina, "今天拜访了恒基水泥的赵国强 这次蝶阀要二十台")

    [one] = asked(desk)
    assert one["card"]["title"] == "恒基水泥｜数量对不上"
    assert rows(one) == {
        "产品": "蝶阀",
        "上次": "15 台 · 11-23 周一 李娜",
        "这次": "20 台（“二十台”）",
    }

    tap(desk, desk.lina, one, "before")
    desk.tap(desk.lina, "memo.ok", card=memo_card(desk))
    filed = desk.db.read(
        lambda s: s.scalars(sa.select(InteractionRow.fields).order_by(InteractionRow.id)).all()
    )
    assert [one["facts"]["quantities"][0]["value"] for one in filed] == [15, 15]


def test_the_same_quantity_another_product_or_digits_read_out_ask_nothing(desk: Desk) -> None:
    file(desk, "今天拜访了恒基水泥的赵国强 他们蝶阀要十五台")
    for text in ("要15台蝶阀", "安全阀要二十台", "要一五零零台蝶阀", "蝶阀单价两千"):
        desk.say(desk.lina, f"今天拜访了恒基水泥的赵国强 {text}")
    assert asked(desk) == []


def test_a_price_of_another_deal_is_no_contradiction(desk: Desk) -> None:
    def deal(name: str, day: int) -> None:
        begun = datetime(2026, 11, day, tzinfo=UTC)
        desk.db.write(
            lambda s: add_opportunity(
                s,
                customer_id=customer(desk, "恒基水泥"),
                owner_id=desk.lina,
                name=name,
                stage="报价",
                stage_since=begun,
                state="open",
                amount_fen=1,
                expected_close=date(2026, 12, 31),
                created_at=begun,
            )
        )

    deal("一期", 1)
    file(desk, "今天拜访了恒基水泥的赵国强 蝶阀单价两千")
    desk.say(desk.lina, "今天拜访了恒基水泥的赵国强 蝶阀单价两千二")
    assert titles(desk) == ["恒基水泥｜单价对不上"]

    deal("二期", 20)
    desk.say(desk.lina, "今天拜访了恒基水泥的赵国强 蝶阀单价两千四")
    assert len(asked(desk)) == 1


# --- whose memo it is, said later ---------------------------------------------------------------


def test_a_customer_told_later_brings_its_file(desk: Desk) -> None:
    file(desk, BEFORE)
    desk.say(desk.lina, OTHER)
    assert asked(desk) == []

    seen = desk.say(desk.lina, "客户是恒基水泥")

    assert seen[0].startswith("【纪要】恒基水泥")  # the record first
    assert titles(desk) == ["恒基水泥｜预算对不上", "恒基水泥｜日期对不上"]
    tap(desk, desk.lina, asked(desk)[0], "before")
    assert "预算 50 万" in str(memo_card(desk)["card"]["rows"])

    desk.say(desk.lina, "客户是宝丰钢铁")
    desk.say(desk.lina, "客户是恒基水泥")
    assert desk.count(CardRow, CardRow.effect_key.like("contradiction:%")) == 2


def test_each_customer_has_its_own_questions(desk: Desk) -> None:
    file(desk, BEFORE)
    file(desk, OTHER)
    desk.say(desk.lina, BEFORE.replace("五十万", "六十万").replace("周二", "周三"))
    assert [title[:4] for title in titles(desk)] == ["恒基水泥"] * 2

    desk.say(desk.lina, "客户是宝丰钢铁")

    assert [title[:4] for title in titles(desk)] == ["恒基水泥"] * 2 + ["宝丰钢铁"] * 2
    money = asked(desk)[2]
    assert rows(money)["上次"].startswith("70 万")
    tap(desk, desk.lina, money, "before")
    assert "预算 70 万" in str(memo_card(desk)["card"]["rows"])
    [late] = tap(desk, desk.lina, asked(desk)[0], "before")
    assert "换了客户" in late


def test_a_customer_picked_from_the_list_brings_its_file(desk: Desk) -> None:
    file(desk, BEFORE)
    desk.say(desk.lina, OTHER.replace("宝丰钢铁的刘总", "新乡红旗机械厂的刘总"))
    chosen = str(customer(desk, "恒基水泥"))

    desk.tap(desk.lina, "memo.picked", card=memo_card(desk), customer=chosen)

    assert titles(desk) == ["恒基水泥｜预算对不上", "恒基水泥｜日期对不上"]


def test_saved_with_another_customer_it_is_shown_before_it_is_filed(desk: Desk) -> None:
    file(desk, BEFORE)
    desk.say(desk.lina, OTHER)
    desk.tap(desk.lina, "memo.edit", card=memo_card(desk))
    chosen = str(customer(desk, "恒基水泥"))

    seen = desk.tap(desk.lina, "memo.save", card=memo_card(desk), customer=chosen)

    assert seen[-1] == cards.HELD
    assert (last_state(desk), desk.count(InteractionRow)) == ("pending", 1)
    assert len(asked(desk)) == 2
    desk.tap(desk.lina, "memo.ok", card=memo_card(desk))
    assert (last_state(desk), desk.count(InteractionRow)) == ("filed", 2)


def test_saved_with_a_customer_without_a_file_it_is_filed(desk: Desk) -> None:
    desk.say(desk.lina, OTHER)
    desk.tap(desk.lina, "memo.edit", card=memo_card(desk))
    desk.tap(desk.lina, "memo.save", card=memo_card(desk), customer=str(customer(desk, "恒基水泥")))
    assert (last_state(desk), desk.count(InteractionRow)) == ("filed", 1)
    assert asked(desk) == []
