"""Files from and to WeCom: whole, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

import pytest

from bot.channels.base import ChannelAway, ChannelError, MediaGone
from bot.channels.wecom import media
from bot.channels.wecom.client import WeComClient
from sales.clock import FixedClock
from tests.fakes.wecom.server import FakeWeCom

T = TypeVar("T")
AMR: Final = b"#!AMR\n" + (b"\x3c" + bytes(31)) * 50


@pytest.fixture
def fake(clock: FixedClock) -> Iterator[FakeWeCom]:
    with FakeWeCom(clock=clock.now, crypto_by="python") as made:
        made.add_member("lina", "李娜")
        made.add_member("WangLei", "王磊")
        yield made


Ask = Callable[..., Any]


def test_a_voice_comes_as_it_was_sent(fake: FakeWeCom, ask: Ask) -> None:
    kept = fake.add_media(AMR, "voice")
    assert ask(lambda client: media.download(client, kept.media_id)) == AMR


@pytest.mark.parametrize("content_type", ["application/octet-stream", "text/plain", "voice/amr"])
def test_a_file_is_a_file_whatever_it_is_called(
    fake: FakeWeCom, ask: Ask, content_type: str
) -> None:
    data = b'{"errcode": 40007, "errmsg": "this is what the file says"}'
    kept = fake.add_media(data, content_type=content_type)
    assert ask(lambda client: media.download(client, kept.media_id)) == data


def test_an_error_with_status_200_is_no_file(fake: FakeWeCom, ask: Ask) -> None:
    kept = fake.add_media(AMR, "voice")
    fake.expire_media(kept.media_id)
    for media_id in (kept.media_id, "made-up"):
        with pytest.raises(MediaGone) as caught:
            ask(lambda client, one=media_id: media.download(client, one))
        assert caught.value.reason == "expired"
        assert not caught.value.transient


def test_an_error_without_a_content_type_is_seen_by_its_beginning(
    fake: FakeWeCom, ask: Ask
) -> None:
    kept = fake.add_media(AMR, "voice")
    fake.garble("media/get", b'{"errcode":40007,"errmsg":"invalid media_id"}')
    with pytest.raises(MediaGone):
        ask(lambda client: media.download(client, kept.media_id))


@pytest.mark.parametrize("fault", ["cut", "html"])
def test_half_a_file_is_none_and_is_asked_for_again(fake: FakeWeCom, ask: Ask, fault: Any) -> None:
    kept = fake.add_media(AMR, "voice")
    fake.break_media(kept.media_id, fault)
    with pytest.raises(ChannelError) as caught:
        ask(lambda client: media.download(client, kept.media_id))
    assert caught.value.transient
    assert not isinstance(caught.value, ChannelAway)  # tries count, so it ends some day

    fake.break_media(kept.media_id, "")
    assert ask(lambda client: media.download(client, kept.media_id)) == AMR


def test_an_empty_file_is_empty(fake: FakeWeCom, ask: Ask) -> None:
    kept = fake.add_media(AMR, "voice")
    fake.break_media(kept.media_id, "empty")
    assert ask(lambda client: media.download(client, kept.media_id)) == b""


def test_a_file_without_end_is_not_read_to_its_end(fake: FakeWeCom, ask: Ask) -> None:
    kept = fake.add_media(AMR, "voice")
    fake.break_media(kept.media_id, "huge")
    with pytest.raises(MediaGone) as caught:
        ask(lambda client: media.download(client, kept.media_id, most=1 << 20))
    assert caught.value.reason == "too_big"


@pytest.mark.parametrize("size", [media.CHUNK - 1, media.CHUNK, media.CHUNK + 1, 5 << 23])
def test_a_big_file_comes_in_pieces(fake: FakeWeCom, ask: Ask, size: int) -> None:
    data = bytes(range(256)) * (size // 256) + bytes(size % 256)
    kept = fake.add_media(data)
    assert ask(lambda client: media.download(client, kept.media_id)) == data


def test_too_big_is_said_after_the_first_piece(fake: FakeWeCom, ask: Ask) -> None:
    kept = fake.add_media(bytes(media.CHUNK * 2))
    with pytest.raises(MediaGone) as caught:
        ask(lambda client: media.download(client, kept.media_id, most=media.CHUNK + 5))
    assert caught.value.reason == "too_big"
    assert len(fake.calls_to("media/get")) == 2


def test_a_download_replaces_its_token(fake: FakeWeCom, ask: Ask) -> None:
    kept = fake.add_media(AMR, "voice")

    async def work(client: WeComClient) -> bytes:
        await client.tokens.get()
        fake.revoke_tokens(42001)
        return await media.download(client, kept.media_id)

    assert ask(work) == AMR


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("report-2026.xlsx", "report-2026.xlsx"),
        ("报价单 3号.xlsx", "3_.xlsx"),
        ('a"b\r\nX: y.pdf', "a_b_X_y.pdf"),
        ("报价", "file"),
    ],
)
def test_a_file_goes_up_under_a_plain_name(fake: FakeWeCom, ask: Ask, name: str, seen: str) -> None:
    data = b"\r\n--boundary\r\n" * 20
    media_id = ask(lambda client: client.upload("file", name, data))
    kept = fake.state.media[media_id]
    assert (kept.data, kept.filename) == (data, seen)
