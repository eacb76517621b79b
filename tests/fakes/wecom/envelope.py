"""The XML of a callback, its encrypted envelope, and every way to get that wrong.

Protocol sheet 1.3, 1.4, 1.7 and section 2.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tests.fakes.wecom import crypto
from tests.fakes.wecom.crypto import Box
from tests.fakes.wecom.state import App, State

Query = dict[str, str]
Padding = Literal["good", "zero", "too_long", "uneven", "none"]

BOMB = (
    '<?xml version="1.0"?><!DOCTYPE xml [<!ENTITY a0 "haha">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    + "]>"
)
FILE_ENTITY = '<?xml version="1.0"?><!DOCTYPE xml [<!ENTITY a9 SYSTEM "file:///etc/passwd">]>'


@dataclass(frozen=True)
class Forgery:
    """A request of which nothing may be stored, and which never gets a 5xx."""

    name: str
    query: Query
    body: bytes


def xml_of(fields: Mapping[str, Any]) -> str:
    """Strings become CDATA, numbers stand bare, lists repeat their element."""
    return f"<xml>{_inside(fields)}</xml>"


def _inside(fields: Mapping[str, Any]) -> str:
    made = []
    for name, value in fields.items():
        for one in value if isinstance(value, list) else [value]:
            made.append(f"<{name}>{_value(one)}</{name}>")
    return "".join(made)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return _inside(value)
    if isinstance(value, (int, float)):
        return str(value)
    return "<![CDATA[" + str(value).replace("]]>", "]]]]><![CDATA[>") + "]]>"


class Envelopes:
    def __init__(self, state: State, box: Box) -> None:
        self.state = state
        self.box = box

    def seal(
        self,
        xml: str | bytes,
        *,
        app: App | None = None,
        corp_id: str | None = None,
        to_user: str | None = None,
        agent_id: int | None = None,
        token: str | None = None,
        aes_key: str | None = None,
        timestamp: int | str | None = None,
        nonce: str | None = None,
        signature: str | None = None,
        random: bytes | None = None,
        padding: Padding = "good",
        length: int | None = None,
        cipher: str | None = None,
    ) -> tuple[Query, bytes]:
        """Query and body of one POST.

        *corp_id* is the one inside the cipher, *to_user* the one outside; *length* lies about the
        message's size; *cipher* replaces the encrypted text; *timestamp* is in seconds.
        """
        app = app or self.state.app()
        inside = self.state.corp_id if corp_id is None else corp_id
        key = app.aes_key if aes_key is None else aes_key
        if cipher is None:
            drawn = os.urandom(16) if random is None else random
            cipher = self._encrypt(xml, key, inside, random=drawn, padding=padding, length=length)
        query = self.sign(app, cipher, token=token, timestamp=timestamp, nonce=nonce)
        if signature is not None:
            query["msg_signature"] = signature
        outside = {
            "ToUserName": self.state.corp_id if to_user is None else to_user,
            "AgentID": str(app.agent_id if agent_id is None else agent_id),
            "Encrypt": cipher,
        }
        return query, xml_of(outside).encode()

    def sign(
        self,
        app: App,
        cipher: str,
        *,
        token: str | None = None,
        timestamp: int | str | None = None,
        nonce: str | None = None,
    ) -> Query:
        at = str(self.state.seconds() if timestamp is None else timestamp)
        once = f"{int.from_bytes(os.urandom(5), 'big')}" if nonce is None else nonce
        signed = self.box.sign(app.token if token is None else token, at, once, cipher)
        return {"msg_signature": signed, "timestamp": at, "nonce": once}

    def _encrypt(
        self,
        xml: str | bytes,
        key: str,
        receive_id: str,
        *,
        random: bytes,
        padding: Padding,
        length: int | None,
    ) -> str:
        if isinstance(xml, str) and padding == "good" and length is None:
            return self.box.encrypt(key, xml, receive_id, random)
        message = xml.encode() if isinstance(xml, str) else xml
        plain = crypto.layout(message, receive_id.encode(), random, length)
        return crypto.seal(key, _pad(plain, padding))


def _pad(plain: bytes, padding: Padding) -> bytes:
    good = crypto.pad(plain)
    if padding == "good":
        return good
    missing = len(good) - len(plain)
    if padding == "zero":
        return plain + bytes(missing)
    if padding == "too_long":  # claims 200 bytes of filling
        return plain + bytes([200]) * missing
    if padding == "uneven":  # the last byte is right, those before it are not
        long = missing if missing > 1 else missing + 32
        return plain + bytes([0]) * (long - 1) + bytes([long])
    return plain + b"x" * (-len(plain) % 16)  # none: the text goes on to the end of the block


def forgeries(envelopes: Envelopes, xml: str, app: App) -> list[Forgery]:
    """Every forged, stale, broken or hostile POST; the last few are signed, but hold nothing."""
    state = envelopes.state
    now = state.seconds()
    good_query, good_body = envelopes.seal(xml, app=app)
    made: list[Forgery] = []

    def add(name: str, query: Query, body: bytes) -> None:
        made.append(Forgery(name, query, body))

    def sealed(name: str, text: str | bytes = xml, **knobs: Any) -> None:
        add(name, *envelopes.seal(text, app=app, **knobs))

    sealed("wrong signature", signature="0" * 40)
    sealed("signature in capitals of another", signature="F" * 40)
    sealed("empty signature", signature="")
    sealed("signature not ASCII", signature="签" * 40)
    sealed("another token", token="anotherToken")
    for name in good_query:
        add(f"no {name}", {k: v for k, v in good_query.items() if k != name}, good_body)
    add("nothing in the query", {}, good_body)
    add("time changed after signing", good_query | {"timestamp": str(now + 1)}, good_body)
    add("nonce changed after signing", good_query | {"nonce": "other"}, good_body)
    sealed("an hour old", timestamp=now - 3600)
    sealed("an hour ahead", timestamp=now + 3600)
    sealed("time is no number", timestamp="yesterday")
    sealed("time is negative", timestamp=-1)
    sealed("time is huge", timestamp="9" * 40)
    sealed("another corp inside", corp_id="wwother0000000001")
    sealed("no corp inside", corp_id="")
    sealed("a longer corp inside", corp_id=state.corp_id + "x")
    sealed("another key", aes_key="Z" * 42 + "A")
    for padding in ("zero", "too_long", "uneven"):
        sealed(f"padding {padding}", padding=padding)
    sealed("length beyond the end", length=10**6)
    sealed("length of 4 GiB", length=2**32 - 1)
    sealed("length of nothing", length=0)
    sealed("length short by one", length=len(xml.encode()) - 1)
    sealed("message is no UTF-8", b"<xml>\xff\xfe</xml>")
    sealed("message is no XML", "hello")
    sealed("message is empty", "")
    sealed("message is cut", xml[: len(xml) // 2])
    sealed("message has another root", "<html></html>")
    sealed("message without a type", "<xml><FromUserName>a</FromUserName></xml>")
    sealed("bomb inside", BOMB + xml.replace("<xml>", "<xml><X>&a9;</X>", 1))
    sealed("file entity inside", FILE_ENTITY + xml.replace("<xml>", "<xml><X>&a9;</X>", 1))
    sealed("deep inside", "<xml>" + "<a>" * 50_000 + "</a>" * 50_000 + "</xml>")
    sealed("cipher empty", cipher="")
    sealed("cipher is no base64", cipher="!!!!")
    sealed("cipher of half a block", cipher="YWJj")
    sealed("cipher of random bytes", cipher=crypto.seal(app.aes_key, os.urandom(64)))
    cipher = good_body.decode().split("<Encrypt><![CDATA[")[1].split("]]>")[0]
    sealed("cipher cut", cipher=cipher[:44])
    sealed(
        "cipher with a block swapped",
        cipher=cipher[:24] + cipher[44:64] + cipher[24:44] + cipher[64:],
    )
    add("body empty", good_query, b"")
    add("body is no XML", good_query, b"{}")
    add("body is binary", good_query, bytes(range(256)))
    add("body without Encrypt", good_query, b"<xml><ToUserName>x</ToUserName></xml>")
    bomb = good_body.replace(b"<xml>", BOMB.encode() + b"<xml><X>&a9;</X>", 1)
    add("bomb outside", good_query, bomb)
    spy = good_body.replace(b"<xml>", FILE_ENTITY.encode() + b"<xml><X>&a9;</X>", 1)
    add("file entity outside", good_query, spy)
    add("body of 3 MB", good_query, good_body.replace(b"<xml>", b"<xml>" + b" " * 3_000_000, 1))
    return made
