"""The first-use notice: once per person, never in the way of the memo."""

from __future__ import annotations

import sqlalchemy as sa

from bot.rendering import limits, wecom
from handlers.cards import notice
from storage.tables import AuditRow, PersonRow
from tests.support.desk import Desk


def test_it_comes_once_with_the_first_message_and_the_memo_goes_on(desk: Desk) -> None:
    desk.db.write(lambda s: s.execute(sa.update(PersonRow).values(notice_version=0)))
    seen = desk.say(desk.lina, "今天拜访了恒基水泥 我明天发报价")
    assert sum("我是销售助手" in words or "告知" in words for words in seen) == 1
    assert any(words.startswith("【纪要】") for words in seen)
    card = desk.cards(desk.lina)[0]
    assert card["card"]["kind"] == "notice.first_use"

    desk.say(desk.lina, "你好")
    assert sum(one["card"]["kind"] == "notice.first_use" for one in desk.cards(desk.lina)) == 1
    desk.tap(desk.lina, "notice.ok", card=card)
    assert desk.count(AuditRow, AuditRow.action == "notice.accept") == 1
    assert desk.count(PersonRow, PersonRow.notice_version == notice.VERSION) == 1


def test_none_of_it_is_cut_off() -> None:
    card = notice.first_use(keep_days=365, log_days=3650)
    payload = wecom.render(card, card_id="notice-1", nonce="n")
    assert all(one.used <= one.limit for one in limits.measure(payload))
    assert card.body in str(payload)
