"""What is wrong with a channel, and files that a platform holds already."""

from __future__ import annotations

from datetime import timedelta

from storage import channel_states, platform_uploads
from storage.database import Database
from tests.support.desk import MONDAY

LATER = MONDAY + timedelta(minutes=5)


def note(db: Database, problem: str, ip: str = "203.0.113.7", *, later: bool = False) -> bool:
    now = LATER if later else MONDAY
    return db.write(lambda s: channel_states.note(s, "wecom", "ip", problem, {"ip": ip}, now=now))


def test_a_problem_has_one_beginning_and_its_newest_detail(database: Database) -> None:
    assert note(database, "untrusted_ip")
    assert not note(database, "untrusted_ip", later=True)
    assert not note(database, "untrusted_ip", ip="203.0.113.8", later=True)

    [one] = database.read(channel_states.problems)
    assert (one.problem, one.detail, one.since) == ("untrusted_ip", {"ip": "203.0.113.8"}, MONDAY)


def test_another_problem_begins_anew(database: Database) -> None:
    note(database, "untrusted_ip")
    assert note(database, "banned_ip", later=True)
    assert database.read(lambda s: channel_states.get(s, "wecom", "ip")).since == LATER  # type: ignore[union-attr]


def test_what_is_over_is_no_problem(database: Database) -> None:
    def clear() -> bool:
        return database.write(lambda s: channel_states.clear(s, "wecom", "ip", now=LATER))

    assert not clear()
    note(database, "untrusted_ip")
    assert clear()
    assert not clear()
    assert database.read(lambda s: channel_states.get(s, "wecom", "ip")) is None
    assert database.read(lambda s: channel_states.problems(s, "wecom")) == []


def test_problems_of_one_channel_the_oldest_first(database: Database) -> None:
    def all_of_them(session: object) -> None:
        for channel, topic, now in (
            ("wecom", "token", LATER),
            ("wecom", "ip", MONDAY),
            ("dingtalk", "token", MONDAY),
        ):
            channel_states.note(session, channel, topic, "x", {}, now=now)  # type: ignore[arg-type]

    database.write(all_of_them)
    found = database.read(lambda s: channel_states.problems(s, "wecom"))
    assert [one.topic for one in found] == ["ip", "token"]
    assert len(database.read(channel_states.problems)) == 3


def test_an_upload_is_known_until_it_expires_or_is_refused(database: Database) -> None:
    def keep(media_id: str) -> None:
        database.write(
            lambda s: platform_uploads.keep(
                s, "app", "a" * 64, "image", media_id=media_id, expires_at=LATER
            )
        )

    def find(kind: str = "image", *, late: bool = False) -> str:
        now = LATER if late else MONDAY
        return database.read(lambda s: platform_uploads.find(s, "app", "a" * 64, kind, now=now))

    assert find() == ""
    keep("M1")
    keep("M2")
    assert (find(), find("file"), find(late=True)) == ("M2", "", "")

    database.write(lambda s: platform_uploads.forget(s, "M2"))
    assert find() == ""
    keep("M3")
    assert database.write(lambda s: platform_uploads.forget_old(s, now=LATER)) == 1
    assert find() == ""
