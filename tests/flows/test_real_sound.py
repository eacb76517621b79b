"""Real recordings through the real engine and the real bot, good ones and bad ones."""

from __future__ import annotations

import shutil
import wave
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from bot.samples import spoken_memos
from nlp.models import unpack_demo_voice
from nlp.transcribe import LateModel, SpeechSettings, build_transcriber
from storage.database import Database
from storage.jobs import queue_of
from storage.tables import InteractionRow, MediaRow, RecordRow
from tests.support.desk import Desk

MEMOS = {one.path.stem: one for one in spoken_memos()}


@pytest.fixture
def desk(sqlite_url: str, tmp_path: Path) -> Iterator[Desk]:
    wanted = SpeechSettings(backend="faster-whisper", model="demo-voice", threads=1)
    ear = build_transcriber(wanted, models_dir=tmp_path / "models")
    db = Database(sqlite_url)
    made = Desk(db, tmp_path, transcriber=ear)
    yield made
    made.close()
    ear.close()  # type: ignore[attr-defined]
    db.close()


def test_a_spoken_memo_becomes_the_card_and_a_spoken_reply_corrects_it(desk: Desk) -> None:
    seen = desk.voice(desk.lina, MEMOS["s1"].path.read_bytes(), name="s1.ogg")
    assert seen[0].startswith("收到")
    rows = desk.rows(desk.lina)
    assert rows["客户"] == "恒基水泥有限公司"
    assert rows["下一步"].startswith("12-01 周二")

    desk.voice(desk.lina, MEMOS["s7"].path.read_bytes(), name="s7.ogg")
    assert desk.rows(desk.lina)["下一步"].startswith("12-02 周三")
    desk.tap(desk.lina, "memo.ok")
    assert desk.count(InteractionRow) == 1


def test_one_memo_about_two_customers(desk: Desk) -> None:
    desk.voice(desk.lina, MEMOS["s4"].path.read_bytes(), name="s4.ogg")
    titles = [one["card"]["title"] for one in desk.cards(desk.lina)]
    assert [title.split("｜")[0] for title in titles] == ["宝丰钢铁", "山泉饮料"]


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (b"", "leer.amr", "0 字节"),
        ("这不是录音".encode(), "memo.amr", "不是录音"),
        (b'{"errcode":40007,"errmsg":"invalid media_id"}', "memo.amr", "不是录音"),
        (b"#!AMR\n", "cut.amr", "坏了"),
    ],
)
def test_what_is_no_recording_is_said_and_kept(
    desk: Desk, data: bytes, name: str, words: str
) -> None:
    seen = desk.voice(desk.lina, data, name=name)
    assert words in seen[-1], seen
    assert desk.count(RecordRow) == 0
    assert desk.count(MediaRow) == 1  # the file stays
    [parked] = desk.db.read(lambda s: queue_of(s).listing(s, states=("parked",)))
    assert parked.reason.startswith("bad_audio")


def test_a_file_over_the_limit_is_said_and_kept(desk: Desk) -> None:
    seen = desk.voice(desk.lina, b"RIFF" + bytes(60 * 2**20 + 1), name="big.wav")
    assert "60 MB" in seen[-1]


def test_ten_minutes_of_silence_say_nothing(desk: Desk) -> None:
    sound = BytesIO()
    with wave.open(sound, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(8000)
        file.writeframes(b"\x80" * 8000 * 600)
    seen = desk.voice(desk.lina, sound.getvalue(), name="silence.wav")
    assert "没听清" in seen[-1]
    assert desk.count(RecordRow) == 0


def test_a_model_that_arrives_later_hears_what_waited(sqlite_url: str, tmp_path: Path) -> None:
    models, elsewhere = tmp_path / "models", tmp_path / "elsewhere"
    models.mkdir()
    wanted = SpeechSettings(backend="faster-whisper", model="late-one", threads=1)
    ear = LateModel(lambda: build_transcriber(wanted, models_dir=models), look_again_s=0.0)
    db = Database(sqlite_url)
    desk = Desk(db, tmp_path, transcriber=ear)
    try:
        seen = desk.voice(desk.lina, MEMOS["s1"].path.read_bytes(), name="s1.ogg")
        assert seen == ["现在没有语音识别，文件已存。请打字补一句，或让管理员看“设置体检”。"]
        shutil.copytree(unpack_demo_voice(elsewhere), models / "late-one")
        [waiting] = db.read(lambda s: queue_of(s).listing(s, states=("queued",)))
        db.write(lambda s: queue_of(s).retry(s, waiting.id))
        desk.run()
        assert desk.rows(desk.lina)["客户"] == "恒基水泥有限公司"
    finally:
        desk.close()
        ear.close()
        db.close()
