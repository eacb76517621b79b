"""Files that people send to the 智能机器人: fetched at once, decrypted, never taken on trust."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.base import ChannelError, MediaGone, OutcomeUnknown
from bot.channels.wecom_bot import media
from bot.channels.wecom_bot.media import decrypt, make_ref
from handlers import replies
from storage.database import Database
from tests.support.bot_desk import PATIENT, BotDesk

PNG = b"\x89PNG\r\n\x1a\n" + os.urandom(3000)


@pytest.fixture
def site(sqlite_url: str, tmp_path: Path) -> Iterator[BotDesk]:
    db = Database(sqlite_url)
    made = BotDesk(db, tmp_path, pace=PATIENT)
    made.up()
    yield made
    made.close()
    db.close()


def kept(site: BotDesk) -> list[bytes]:
    return [one.read_bytes() for one in sorted(site.desk.media.folder.rglob("*")) if one.is_file()]


def test_a_picture_and_a_file_are_decrypted_and_kept(site: BotDesk) -> None:
    site.call(site.fake.message("lina", "image", site.fake.attach(PNG)))
    site.call(site.fake.message("lina", "file", site.fake.attach(b"%PDF-1.7 a")))
    site.call(site.fake.message("lina", "video", site.fake.attach(b"....ftypmp42")))
    site.stored(3)
    site.run()
    assert sorted(kept(site)) == sorted([PNG, b"%PDF-1.7 a", b"....ftypmp42"])
    assert [one["kind"] for one in site.inbox()] == ["photo", "file", "file"]
    assert site.fake.texts("lina")[0] == replies.PHOTO_KEPT
    assert len(site.fake.texts("lina")) == 3


def test_pictures_with_words_are_one_event_each_the_words_last(site: BotDesk) -> None:
    parts = [
        {"msgtype": "text", "text": {"content": "待办"}},
        {"msgtype": "image", "image": site.fake.attach(PNG)},
        {"msgtype": "image", "image": site.fake.attach(PNG + b"2")},
    ]
    for _ in range(2):
        site.call(site.fake.message("lina", "mixed", {"msg_item": parts}, msgid="MX"))
    site.stored(3)
    site.run()
    assert [one["event_key"] for one in site.inbox()] == ["MX#0", "MX#1", "MX"]
    assert [one["kind"] for one in site.inbox()] == ["photo", "photo", "text"]
    assert len(kept(site)) == 2


def test_a_file_whose_turn_comes_late_is_here_already(site: BotDesk) -> None:
    site.call(site.fake.message("lina", "image", site.fake.attach(PNG)))
    site.until(lambda: kept(site) == [PNG])
    site.later(301)
    site.run()
    assert site.fake.texts("lina") == [replies.PHOTO_KEPT]


def test_a_file_that_is_gone_or_not_what_its_key_says(site: BotDesk) -> None:
    def outcome(part: dict[str, str]) -> str:
        with pytest.raises(MediaGone) as caught:
            site.call(site.bot.download(make_ref(part["url"], part["aeskey"])))
        return caught.value.reason

    part, other = site.fake.attach(PNG), site.fake.attach(PNG)
    assert outcome({**part, "aeskey": other["aeskey"]}) == "refused"
    assert outcome({**part, "aeskey": "%%%"}) == "refused"
    assert outcome({**part, "url": "file:///etc/passwd"}) == "refused"
    site.fake.later(301)
    assert outcome(part) == "expired"
    with pytest.raises(MediaGone):
        site.call(site.bot.download("no reference of ours"))


def test_who_sent_a_file_that_is_gone_is_asked_to_send_it_again(site: BotDesk) -> None:
    part = site.fake.attach(PNG)
    site.fake.later(301)
    site.call(site.fake.message("lina", "image", part))
    site.stored(1)
    site.run()
    [said] = site.fake.shown["lina"]
    assert said.content == replies.not_fetched("photo", "expired")
    assert not said.pushed


def test_a_server_that_is_away_is_asked_again(site: BotDesk) -> None:
    part = site.fake.attach(PNG)
    ref = make_ref(part["url"], part["aeskey"])
    site.call(site.fake.kick())
    site.call(site.fake.unlisten())
    with pytest.raises(ChannelError) as caught:
        site.call(site.bot.download(ref))
    assert caught.value.transient
    site.call(site.fake.listen())
    assert site.call(site.bot.download(ref)) == PNG


def test_a_file_that_is_too_big_is_not_read_to_its_end(
    site: BotDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "MAX_BYTES", 1000)
    part = site.fake.attach(PNG)
    with pytest.raises(MediaGone, match="too_big"):
        site.call(site.bot.download(make_ref(part["url"], part["aeskey"])))


def test_a_file_without_a_key_is_taken_as_it_is(site: BotDesk) -> None:
    part = site.fake.attach(PNG)
    raw = site.call(site.bot.download(make_ref(part["url"], "")))
    assert decrypt(raw, part["aeskey"]) == PNG


def test_a_picture_of_ours_goes_up_once_however_often_it_is_sent(site: BotDesk) -> None:
    whole = PNG + os.urandom(1_200_000)  # three pieces
    sha = site.desk.media.put(whole, "chart.png").sha256
    for who in ("lina", "wanglei"):
        site.call(site.fake.say(who, "你好"))
    site.stored(2)

    def send(who: str, key: str, kind: str = "image") -> None:
        site.send(
            effect_key=key,
            kind=kind,
            user=who,
            conversation=f"wecom_bot:{who}",
            media_sha=sha,
            media_name="chart.png",
        )

    send("lina", "digest:1:d")
    send("wanglei", "digest:2:d")
    assert [site.fake.shown[who][-1].data == whole for who in ("lina", "wanglei")] == [True] * 2
    assert (site.fake.shown["lina"][-1].kind, site.fake.uploads.finished) == ("image", 1)

    site.fake.uploads.forget()
    send("lina", "digest:3:d")
    assert (len(site.fake.shown["lina"]), site.fake.uploads.finished) == (2, 2)
    site.later(3 * 86400)
    send("lina", "digest:4:d")
    assert (len(site.fake.shown["lina"]), site.fake.uploads.finished) == (3, 3)
    send("lina", "digest:5:d", kind="file")
    assert site.fake.shown["lina"][-1].kind == "file"


def test_what_is_no_picture_or_too_big_or_never_arrives(site: BotDesk) -> None:
    site.call(site.fake.say("lina", "你好"))
    site.stored(1)

    def send(data: bytes) -> None:
        sha = site.desk.media.put(data, "a.gif").sha256
        given = {"media_sha": sha, "media_name": "a.gif"}
        site.send(effect_key="digest:1:d", kind="image", **given)

    send(b"GIF89a" + b"x" * 50)
    assert site.fake.shown["lina"][-1].kind == "file"
    with pytest.raises(ChannelError) as big:
        send(b"x" * (20 * 1024 * 1024 + 1))
    assert not big.value.transient
    site.fake.answer_code["aibot_upload_media_finish"] = [-1]
    with pytest.raises(ChannelError) as busy:
        send(b"GIF89a" + b"y" * 50)
    assert (busy.value.transient, isinstance(busy.value, OutcomeUnknown)) == (True, False)


def locked(plain: bytes, key: bytes, *, pad: int) -> bytes:
    made = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return made.update(plain + bytes([pad]) * pad) + made.finalize()


@given(st.binary(max_size=200), st.binary(min_size=32, max_size=32), st.booleans())
def test_whatever_was_locked_is_opened(plain: bytes, key: bytes, padded: bool) -> None:
    name = base64.b64encode(key).decode()
    data = locked(plain, key, pad=32 - len(plain) % 32)
    assert decrypt(data, name if padded else name.rstrip("=")) == plain


@given(st.binary(max_size=200), st.binary(max_size=40))
def test_junk_is_refused_or_opened_but_never_a_crash(data: bytes, key: bytes) -> None:
    try:
        assert len(decrypt(data, base64.b64encode(key).decode())) < len(data)
    except MediaGone as gone:
        assert gone.reason == "refused"


def test_padding_is_checked_to_its_last_byte() -> None:
    key = bytes(range(32))
    name = base64.b64encode(key).decode()
    whole = bytearray(locked(b"x" * 31, key, pad=1))
    assert decrypt(bytes(whole), name) == b"x" * 31
    for wrong in (b"x" * 15 + b"\x00", b"x" * 15 + b"\x21", b"x" * 14 + b"\x01\x02"):
        with pytest.raises(MediaGone):
            decrypt(locked(wrong, key, pad=0), name)
