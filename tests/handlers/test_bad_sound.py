"""Recordings that cannot be heard: nothing is lost, the person is told, it can be run again."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlp.ports import Hints, Transcript
from sales.errors import BadAudio, SpeechUnavailable
from storage.database import Database
from storage.jobs import queue_of
from storage.tables import MemoRow, RecordRow
from tests.support.desk import Desk


class Ear:
    """A transcriber at its port, which fails as it is told."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.text = ""
        self.ready = True

    def transcribe(self, data: bytes, hints: Hints) -> Transcript:
        if self.error:
            raise self.error
        return Transcript(
            text=self.text,
            segments=(),
            language="zh",
            backend="test",
            model="test",
            duration_s=3.0,
            compute_s=0.1,
        )

    def describe(self) -> dict[str, object]:
        return {"backend": "test", "model": "test" if self.ready else "", "ready": self.ready}


@pytest.mark.parametrize(
    ("reason", "words"),
    [("empty", "0 字节"), ("not_audio", "不是录音"), ("damaged", "坏了"), ("too_big", "60 MB")],
)
def test_the_rep_is_told_and_the_sound_stays(
    database: Database, tmp_path: Path, reason: str, words: str
) -> None:
    ear = Ear()
    desk = Desk(database, tmp_path, transcriber=ear)
    ear.error = BadAudio(reason)
    seen = desk.voice(desk.lina, b"hello, not sound", name="memo.amr")

    assert words in seen[-1]
    [parked] = database.read(lambda s: queue_of(s).listing(s, states=("parked",)))
    assert parked.reason == f"bad_audio: {reason}"

    # run again, heard this time
    ear.error, ear.text = None, "今天拜访了恒基水泥 我明天发报价"
    database.write(lambda s: queue_of(s).retry(s, parked.id))
    desk.run()
    assert desk.card(desk.lina)["title"].startswith("恒基水泥")
    assert desk.count(MemoRow, MemoRow.state == "drafted") == 1
    desk.close()


def test_silence_is_said_and_not_invented(database: Database, tmp_path: Path) -> None:
    desk = Desk(database, tmp_path, transcriber=Ear())
    seen = desk.voice(desk.lina, b"RIFF....WAVE")
    assert "没听清" in seen[-1]
    assert desk.count(RecordRow) == 0
    desk.close()


def test_without_a_model_everything_waits_and_is_heard_later(
    database: Database, tmp_path: Path
) -> None:
    ear = Ear()
    desk = Desk(database, tmp_path, transcriber=ear)
    ear.error, ear.ready = SpeechUnavailable("no_model"), False
    [seen] = desk.voice(desk.lina, b"RIFF....WAVE")
    assert seen.startswith("现在没有语音识别")
    [waiting] = database.read(lambda s: queue_of(s).listing(s, states=("queued",)))
    assert waiting.reason == "speech: no_model"

    ear.error, ear.ready, ear.text = None, True, "今天拜访了恒基水泥 我明天发报价"
    database.write(lambda s: queue_of(s).retry(s, waiting.id))
    desk.run()
    assert desk.card(desk.lina)["title"].startswith("恒基水泥")
    desk.close()


def test_a_bug_parks_the_job_and_tells_the_person(database: Database, tmp_path: Path) -> None:
    ear = Ear()
    desk = Desk(database, tmp_path, transcriber=ear)
    ear.error = RuntimeError("boom")
    desk.voice(desk.lina, b"RIFF....WAVE")
    for _ in range(5):
        for job in database.read(lambda s: queue_of(s).listing(s, states=("queued",))):
            database.write(lambda s, j=job: _hurry(s, j.id))
        desk.run()
    [parked] = database.read(lambda s: queue_of(s).listing(s, states=("parked",)))
    assert "boom" in parked.reason
    assert "出错了" in desk.seen(desk.lina)[-1]
    desk.close()


def _hurry(session: object, job_id: int) -> None:
    """Run it now, with its attempts kept: what the passing of time does."""
    import sqlalchemy as sa

    from storage.tables import JobRow

    if session.get_bind().dialect.name == "sqlite":  # type: ignore[attr-defined]
        change = sa.update(JobRow).where(JobRow.id == job_id)
        session.execute(change.values(run_at=sa.func.datetime("now", "-1 day")))  # type: ignore[attr-defined]
    else:
        session.execute(  # type: ignore[attr-defined]
            sa.text("UPDATE procrastinate_jobs SET scheduled_at = NULL WHERE id = :id"),
            {"id": job_id},
        )
