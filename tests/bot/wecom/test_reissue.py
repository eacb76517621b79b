"""Open cards that the platform would soon not let change are sent anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bot.channels.base import OutcomeUnknown, Sent
from handlers import reissue
from scheduler.jobs import JOBS, Scheduler
from storage.database import Database
from storage.platform_tables import SendWindowRow
from tests.fakes.wecom.server import FakeWeCom
from tests.support.sample_cards import CARD, DONE
from tests.support.wecom_desk import FORM, WeComDesk, card, say, sent, tap


def _sweep(desk: WeComDesk) -> int:
    return desk.db.write(lambda s: reissue.sweep(s, now=desk.clock.now()))


def test_an_open_card_is_sent_anew_once_in_sixty_hours(desk: WeComDesk) -> None:
    old = sent(desk)
    desk.later(hours=59)
    assert _sweep(desk) == 0
    desk.later(hours=1)
    assert _sweep(desk) == 1
    assert _sweep(desk) == 0  # not sent yet
    desk.run()
    assert _sweep(desk) == 0

    first, second = desk.fake.cards("lina")
    assert first.title == f"已重发｜{CARD.title}"
    assert first.buttons == {}
    assert second.title == f"重发｜{CARD.title}"
    assert set(second.buttons) == {"确认入库", "作废"}
    assert second.task_id != old.task_id

    desk.later(hours=60)
    assert _sweep(desk) == 1
    desk.run()
    assert [one.title for one in desk.fake.cards("lina")] == [
        f"已重发｜{CARD.title}",
        f"已重发｜{CARD.title}",
        f"重发｜{CARD.title}",
    ]


def test_the_clock_sends_them_anew_and_forgets_what_is_over(desk: WeComDesk) -> None:
    sent(desk)
    desk.later(hours=60)
    clock = Scheduler(desk.db, desk.tools)
    ran = {job.id: clock.run_once(job) for job in JOBS}
    assert ran["cards_again"]
    assert ran["platform_leftovers"]
    desk.run()
    assert len(desk.fake.cards("lina")) == 2
    assert desk.count(SendWindowRow, SendWindowRow.until <= desk.clock.now()) == 0


def test_tapped_the_new_card_changes_and_a_tap_on_the_old_one_changes_nothing(
    desk: WeComDesk,
) -> None:
    old = sent(desk)
    late = dict(old.buttons)
    desk.later(hours=60)
    _sweep(desk)
    desk.run()
    old_copy, new_copy = desk.fake.cards("lina")
    old_copy.body = old_copy.was[0]  # somebody had it open all the time
    assert old_copy.buttons == late
    tap(desk, old_copy)
    say(desk, card(desk, DONE))
    desk.run()

    assert [one.title for one in desk.fake.cards("lina")] == [CARD.title, DONE.title]
    assert new_copy.msgid == desk.fake.last_card("lina").msgid


def test_killed_while_it_was_sent_anew(desk: WeComDesk) -> None:
    """The new message came, its code is kept, but nobody noted that it was sent."""
    sent(desk)
    desk.later(hours=60)
    _sweep(desk)
    void = desk.wecom._void

    async def killed(*_: Any) -> None:
        raise OutcomeUnknown("the process is gone", transient=True)

    desk.wecom._void = killed  # type: ignore[method-assign]
    desk.run()
    desk.wecom._void = void  # type: ignore[method-assign]
    desk.later(hours=2)
    desk.again()

    titles = [one.title for one in desk.fake.cards("lina")]
    assert titles == [f"已重发｜{CARD.title}", f"重发｜{CARD.title}"]
    say(desk, card(desk, DONE))
    desk.run()
    assert [one.title for one in desk.fake.cards("lina")] == [titles[0], DONE.title]


def test_killed_after_a_card_came_and_before_it_was_noted(desk: WeComDesk) -> None:
    say(desk, card(desk))
    send = desk.wecom._send_card

    async def killed(*given: Any) -> Sent:
        await send(*given)
        raise OutcomeUnknown("the process is gone", transient=True)

    desk.wecom._send_card = killed  # type: ignore[method-assign]
    desk.run()
    desk.wecom._send_card = send  # type: ignore[method-assign]
    desk.later(minutes=1)
    desk.again()
    assert [one.title for one in desk.fake.cards("lina")] == [CARD.title]


def test_a_closed_card_is_not_sent_anew(desk: WeComDesk) -> None:
    shown = sent(desk)
    tap(desk, shown)
    say(desk, card(desk, DONE))
    desk.run()
    desk.later(hours=61)
    assert _sweep(desk) == 0


def test_when_the_old_one_cannot_be_changed_the_new_one_comes_all_the_same(
    desk: WeComDesk,
) -> None:
    sent(desk)
    desk.later(hours=60)
    desk.fake.fail("message/update_template_card", errcode=60140)
    _sweep(desk)
    desk.run()
    assert [one.title for one in desk.fake.cards("lina")] == [CARD.title, f"重发｜{CARD.title}"]


def test_a_card_lives_its_life_on_either_database(
    database: Database, tmp_path: Path, fake: FakeWeCom
) -> None:
    desk = WeComDesk(database, tmp_path, fake)
    try:
        tap(desk, sent(desk))
        say(desk, card(desk, FORM))
        desk.run()
        desk.later(hours=60)
        assert _sweep(desk) == 1
        desk.run()
        old, new = fake.cards("lina")
        assert (old.title, new.title) == (f"已重发｜{FORM.title}", f"重发｜{FORM.title}")
        tap(desk, new, "补上")
        say(desk, card(desk, DONE))
        desk.run()
        assert [one.title for one in fake.cards("lina")] == [old.title, DONE.title]
    finally:
        desk.close()
