"""One real bot on one real database, driven job by job: say, tap, see.

Everything is the product's own (intake, work, console, readers); only the worker's loop is replaced
by ``run``, so that a test can stop between any two jobs.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bot.channels.console.server import Console
from bot.intake import Intake
from bot.work import Again, Outcome, Parked, Work
from handlers.context import MemoSettings, Tools
from handlers.messages import Inbound
from handlers.world import Worlds
from nlp.audio import duration_s
from nlp.extract import build_extractor
from nlp.ports import Transcriber
from nlp.transcribe import SpeechSettings, build_transcriber
from sales.clock import FixedClock
from storage import lists
from storage.database import Database
from storage.jobs import Job, queue_of
from storage.jobs_embedded import EmbeddedQueue
from storage.media import MediaStore
from storage.tables import ConsoleMessageRow, PersonRow

MONDAY = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai
_extractor = build_extractor()


class Desk:
    """``lina`` is a rep, ``wanglei`` her manager, ``zhoukai`` a rep of another region."""

    def __init__(
        self,
        db: Database,
        folder: Path,
        *,
        memo: MemoSettings | None = None,
        transcriber: Transcriber | None = None,
    ) -> None:
        self.db = db
        self.clock = FixedClock(MONDAY)
        self.media = MediaStore(folder / "media")
        hears = transcriber or build_transcriber(
            SpeechSettings(backend="platform"), models_dir=folder / "models"
        )
        self.tools = Tools(
            transcriber=hears,
            extractor=_extractor,
            media=self.media,
            clock=self.clock,
            worlds=Worlds(),
            memo=memo or MemoSettings(),
        )
        self.console = Console(db, self.media, self.clock)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.intake = Intake(db, self.clock)
        self.work = Work(db, self.tools, {"console": self.console}, self._loop, duration_s)
        self._keys = (f"e{n}" for n in itertools.count(1))
        self.db.write(_people_and_lists)
        names = dict(
            self.db.read(lambda s: s.execute(sa.select(PersonRow.name, PersonRow.id)).all())
        )
        self.lina, self.wanglei, self.zhoukai = names["李娜"], names["王磊"], names["周凯"]

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    # --- what a person does ---------------------------------------------------------------------

    def accept(self, event: Inbound) -> bool:
        future = asyncio.run_coroutine_threadsafe(self.intake.accept(event), self._loop)
        return future.result(30)

    def event(self, person: int, **given: Any) -> Inbound:
        made = Inbound(
            channel="console",
            event_key=next(self._keys),
            kind="text",
            user=str(person),
            conversation=f"console:{person}",
            at=self.clock.now(),
        )
        return replace(made, **given)

    def say(self, person: int, text: str) -> list[str]:
        """Type *text*; what the person sees because of it."""
        return self._do(person, self.event(person, text=text))

    def voice(
        self, person: int, data: bytes, *, platform_text: str = "", name: str = ""
    ) -> list[str]:
        stored = self.media.put(data, name)
        return self._do(
            person,
            self.event(
                person,
                kind="voice",
                media_sha=stored.sha256,
                media_name=name,
                platform_text=platform_text,
            ),
        )

    def tap(
        self, person: int, action: str, *, card: dict[str, Any] | None = None, **values: str
    ) -> list[str]:
        """Tap a button of *card* (the newest card when not given) as it is drawn there."""
        shown = card or self.cards(person)[-1]
        return self._do(
            person,
            self.event(
                person,
                kind="action",
                action=action,
                card_id=shown["card_id"],
                nonce=shown["nonce"],
                values={key.replace("__", "."): value for key, value in values.items()},
            ),
        )

    def _do(self, person: int, event: Inbound) -> list[str]:
        before = self._last_change()
        assert self.accept(event)
        self.run()
        return self.seen(person, after=before)

    # --- the machine ----------------------------------------------------------------------------

    def run(self, *, most: int = 200) -> list[Outcome]:
        """Run jobs, fastest lane first, until none is ready; what they came to."""
        outcomes: list[Outcome] = []
        while len(outcomes) < most:
            job = self.next_job()
            if job is None:
                return outcomes
            outcome = self.work.run(job)
            self.settle(job, outcome)
            outcomes.append(outcome)
        raise AssertionError("the work does not end")

    def next_job(self) -> Job | None:
        for lane in ("tap", "message", "speech", "push"):
            if self.db.is_sqlite:
                job = self.db.write(lambda s, lane=lane: EmbeddedQueue().claim(s, lane))
            else:
                job = self.db.write(lambda s, lane=lane: _claim_on_postgres(s, lane))
            if job:
                return job
        return None

    def settle(self, job: Job, outcome: Outcome) -> None:
        def settled(session: Any) -> None:
            if isinstance(outcome, Again):
                queue_of(session).again(
                    session, job, after_s=outcome.after_s, reason=outcome.reason
                )
            elif isinstance(outcome, Parked):
                queue_of(session).park(session, job.id, reason=outcome.reason)
            if not self.db.is_sqlite:
                status = {Again: "todo", Parked: "failed"}.get(type(outcome), "succeeded")
                after = outcome.after_s if isinstance(outcome, Again) else 0
                session.execute(
                    sa.text(
                        "UPDATE procrastinate_jobs SET status = cast(:status as "
                        "procrastinate_job_status), scheduled_at = now() + :after WHERE id = :id"
                    ),
                    {"status": status, "id": job.id, "after": timedelta(seconds=after)},
                )

        self.db.write(settled)

    # --- what a person sees ---------------------------------------------------------------------

    def seen(self, person: int, *, after: int = 0) -> list[str]:
        """Texts, and cards in their version in words, in the order of their last change."""
        return [
            row["text"] if "text" in row else row["card"]["text"]
            for row in self._messages(person, after)
        ]

    def cards(self, person: int) -> list[dict[str, Any]]:
        """``{"card", "nonce", "card_id"}`` of every card, the last changed last."""
        return [row for row in self._messages(person, 0) if "card" in row]

    def card(self, person: int) -> dict[str, Any]:
        card: dict[str, Any] = self.cards(person)[-1]["card"]
        return card

    def rows(self, person: int) -> dict[str, str]:
        return {row["key"]: row["value"] for row in self.card(person)["rows"]}

    def _messages(self, person: int, after: int) -> list[dict[str, Any]]:
        def read(session: Any) -> list[dict[str, Any]]:
            rows = session.scalars(
                sa.select(ConsoleMessageRow)
                .where(
                    ConsoleMessageRow.person_id == person,
                    ConsoleMessageRow.direction == "out",
                    ConsoleMessageRow.changed > after,
                )
                .order_by(ConsoleMessageRow.changed)
            )
            return [{**row.payload, "card_id": row.card_id} for row in rows]

        return self.db.read(read)

    def _last_change(self) -> int:
        return (
            self.db.read(lambda s: s.scalar(sa.select(sa.func.max(ConsoleMessageRow.changed)))) or 0
        )

    def count(self, table: Any, *where: Any) -> int:
        return self.db.read(
            lambda s: s.scalar(sa.select(sa.func.count()).select_from(table).where(*where))
        )


def _claim_on_postgres(session: Any, lane: str) -> Job | None:
    row = session.execute(
        sa.text(
            "SELECT id, args, attempts FROM procrastinate_jobs WHERE queue_name = :lane "
            "AND status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now()) "
            "ORDER BY id LIMIT 1"
        ),
        {"lane": lane},
    ).one_or_none()
    if row is None:
        return None
    session.execute(
        sa.text(
            "UPDATE procrastinate_jobs SET status = 'doing', attempts = attempts + 1 WHERE id = :id"
        ),
        {"id": row.id},
    )
    return Job(
        id=row.id,
        kind=row.args["kind"],
        ref=row.args["ref"],
        lane=lane,
        attempts=row.attempts + 1,
    )


def _people_and_lists(session: Any) -> None:
    now = MONDAY
    lists.put_person(session, now=now, name="王磊", role="manager", region="华东")
    lists.put_person(session, now=now, name="李娜", role="rep", manager="王磊", region="华东")
    lists.put_person(session, now=now, name="周凯", role="rep", region="华北")
    session.execute(sa.update(PersonRow).values(notice_version=1))
    for name, short in (
        ("恒基水泥有限公司", "恒基水泥"),
        ("青松制药股份有限公司", "青松制药"),
        ("宝丰钢铁集团", "宝丰钢铁"),
        ("山泉饮料有限公司", "山泉饮料"),
        ("汇通热力公司", ""),
        ("汇通快修", ""),
        ("致远教育", ""),
        ("驰远车灯有限公司", "驰远车灯"),
    ):
        lists.put_customer(
            session,
            now=now,
            name=name,
            owner="李娜",
            region="华东",
            shorts=[short] if short else [],
        )
    lists.put_contact(session, now=now, customer="恒基水泥有限公司", name="赵国强", role="采购经理")
    for name in ("电动闸板阀", "安全阀", "蝶阀", "减压阀", "隔膜阀"):
        lists.put_product(session, name=name)
    lists.put_competitor(session, name="国泰")
