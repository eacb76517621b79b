"""The body of each message type: checked, and as the reader will see it.

Protocol sheet 4.1 (app), 4.6 (group chats of the app), 4.7 (webhooks).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any, Final

from tests.fakes.wecom.cards import Checker
from tests.fakes.wecom.checks import a_list, address, an_object, cut_bytes, known_fields, words
from tests.fakes.wecom.errors import ApiError
from tests.fakes.wecom.state import Json, State

APP_TYPES: Final = frozenset(
    (
        *("text", "markdown", "textcard", "image", "voice", "video", "file", "news", "mpnews"),
        "template_card",
    )
)
CHAT_TYPES: Final = APP_TYPES - {"template_card"}
WEBHOOK_TYPES: Final = frozenset(
    ("text", "markdown", "markdown_v2", "image", "news", "file", "voice", "template_card")
)
SAFE_TYPES: Final = ("text", "image", "video", "file", "mpnews")


def check(state: State, request: Json, *, place: str, webhook: str = "") -> tuple[str, Any]:
    """Message type and what is shown.  *place* is ``app``, ``chat`` or ``webhook``."""
    kind = request.get("msgtype")
    types = {"app": APP_TYPES, "chat": CHAT_TYPES, "webhook": WEBHOOK_TYPES}[place]
    if kind not in types:
        raise ApiError(40008, f"msgtype {kind!r} in {place}")
    if kind not in request:
        empty = {"text": 44004, "markdown": 44004, "template_card": 41016}
        raise ApiError(93017 if place == "webhook" else empty.get(kind, 40063), f"no {kind}")
    body = an_object(kind, request[kind], 41016 if kind == "template_card" else 40058)
    if kind == "template_card":
        return kind, dict(body)  # checked by its own checker
    if kind == "image" and place == "webhook":
        return kind, _inline_image(state, body)
    return kind, _BODIES[kind](state, body, place, webhook)


def _text(state: State, body: Json, place: str, _webhook: str) -> Json:
    fields = {"content"}
    if place in ("chat", "webhook"):
        fields |= {"mentioned_list"}
    if place == "webhook":
        fields |= {"mentioned_mobile_list"}
    known_fields(state, "text", body, fields)
    content = words("text", body, "content", code=44004, required=True)
    return {**body, "content": cut_bytes(content, 2048)}


def _markdown(state: State, body: Json, place: str, _webhook: str) -> Json:
    known_fields(state, "markdown", body, {"content"})
    content = words("markdown", body, "content", code=44004, required=True)
    if len(content.encode()) > (4096 if place == "webhook" else 2048):
        raise ApiError(45002, "markdown")
    return dict(body)


def _textcard(state: State, body: Json, _place: str, _webhook: str) -> Json:
    known_fields(state, "textcard", body, {"title", "description", "url", "btntxt"})
    words("textcard", body, "title", code=41016, required=True)
    words("textcard", body, "description", code=41033, required=True)
    for name, most in (("title", 128), ("description", 512), ("btntxt", 4)):
        words("textcard", body, name, code=45002, max_chars=most)
    address("textcard", body, "url", missing=40058)
    return dict(body)


def _media(kind: str) -> Callable[[State, Json, str, str], Json]:
    def check_media(state: State, body: Json, _place: str, webhook: str) -> Json:
        fields = {"media_id"} | ({"title", "description"} if kind == "video" else set())
        known_fields(state, kind, body, fields)
        found = state.find_media(body.get("media_id"), webhook)
        if found.kind != kind:
            raise ApiError(40007, f"the media is a {found.kind}, not a {kind}")
        if kind == "video":
            words(kind, body, "title", code=45002, max_bytes=128)
            words(kind, body, "description", code=45002, max_bytes=512)
        return dict(body)

    return check_media


def _news(state: State, body: Json, _place: str, _webhook: str) -> Json:
    known_fields(state, "news", body, {"articles"})
    for one in a_list("articles", body.get("articles"), 1, 8, 45008):
        fields = {"title", "description", "url", "picurl", "appid", "pagepath"}
        known_fields(state, "articles", one, fields)
        words("articles", one, "title", code=41016, required=True)
        words("articles", one, "title", code=45002, max_bytes=128)
        words("articles", one, "description", code=45002, max_bytes=512)
        if one.get("picurl"):
            address("articles", one, "picurl")
        if one.get("url"):
            address("articles", one, "url")
        elif not (one.get("appid") and one.get("pagepath")):
            raise ApiError(40058, "articles need url, or appid and pagepath")
    return dict(body)


def _mpnews(state: State, body: Json, _place: str, _webhook: str) -> Json:
    known_fields(state, "mpnews", body, {"articles"})
    for one in a_list("articles", body.get("articles"), 1, 8, 45008):
        fields = {"title", "thumb_media_id", "author", "content_source_url", "content", "digest"}
        known_fields(state, "articles", one, fields)
        words("articles", one, "title", code=41016, required=True)
        words("articles", one, "title", code=45002, max_bytes=128)
        words("articles", one, "content", code=44004, required=True)
        words("articles", one, "content", code=45002, max_bytes=666 * 1024)
        words("articles", one, "author", code=45032, max_bytes=64)
        words("articles", one, "digest", code=45002, max_bytes=512)
        if state.find_media(one.get("thumb_media_id")).kind != "image":
            raise ApiError(40007, "thumb_media_id must be an image")
    return dict(body)


def _inline_image(state: State, body: Json) -> Json:
    known_fields(state, "image", body, {"base64", "md5"})
    try:
        data = base64.b64decode(words("image", body, "base64", required=True), validate=True)
    except ValueError:
        raise ApiError(40058, "image.base64 is no base64") from None
    if not 0 < len(data) <= 2 * 1024 * 1024:
        raise ApiError(93018)
    if hashlib.md5(data).hexdigest() != body.get("md5"):
        raise ApiError(40058, "image.md5 is not that of the data")
    if not is_picture(data):
        raise ApiError(40058, "neither JPG nor PNG")
    return dict(body)


def is_picture(data: bytes) -> bool:
    return data.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"))


def check_webhook_card(state: State, card: Any) -> None:
    Checker(state, card, webhook=True).check()


_BODIES: Final[dict[str, Callable[[State, Json, str, str], Json]]] = {
    "text": _text,
    "markdown": _markdown,
    "markdown_v2": _markdown,
    "textcard": _textcard,
    "image": _media("image"),
    "voice": _media("voice"),
    "video": _media("video"),
    "file": _media("file"),
    "news": _news,
    "mpnews": _mpnews,
}
