"""The person of the crash test: sends, waits for cards, taps, repeats until acknowledged."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from bot.web import auth
from storage.tables import ConsoleMessageRow

TWO_CUSTOMERS = (
    "上午去了宝丰钢铁 安全阀要三十个 预算二十万 我明天发技术协议 "
    "下午去了山泉饮料 蝶阀要样品 我周五送过去"
)
ONE_CUSTOMER = (
    "今天拜访了恒基水泥的赵经理 电动闸板阀要十五台 报价每台一万二 他说交期太长 "
    "我答应下周二之前给他加急方案"
)


class GaveUp(Exception):
    """The program did not come to the expected state in time."""


class Client:
    """Like the console's page: every request has a key and is repeated until it is answered."""

    def __init__(self, port: int, key: bytes, person_id: int, alive: Callable[[], None]) -> None:
        self._port = port
        cookie = auth.sign_in(key, person_id, now=datetime.now(UTC))
        visitor = auth.visitor_of(key, cookie, now=datetime.now(UTC))
        assert visitor is not None
        self._headers = {
            "Cookie": f"genjin_{port}={cookie}",
            auth.TOKEN_HEADER: visitor.token,
            "Origin": f"http://127.0.0.1:{port}",
        }
        self._alive = alive  # brings the program back when it died

    def post(self, path: str, body: bytes | dict[str, Any], *, most_s: float = 60) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
        until = time.monotonic() + most_s
        while time.monotonic() < until:
            self._alive()
            try:
                link = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
                link.request("POST", path, data, {**self._headers, "Content-Type": kind})
                answer = link.getresponse()
                said = answer.read()
                link.close()
            except (OSError, http.client.HTTPException):
                time.sleep(0.01)
                continue
            if answer.status == 200:
                return
            if answer.status < 500:
                raise GaveUp(f"{path}: {answer.status} {said[:200]!r}")
            time.sleep(0.02)
        raise GaveUp(f"{path}: never acknowledged")


class Journey:
    """Voice memo, text memo, correction, confirm, drop.  *engine* only reads."""

    def __init__(self, client: Client, engine: sa.Engine, person_id: int, run: str) -> None:
        self._client = client
        self._engine = engine
        self._person = person_id
        self._run = run

    def walk(self) -> None:
        upload = f"person={self._person}&event_key={self._key('voice')}&recorded=1&name="
        self._client.post(
            f"/console/api/upload?{upload}{quote('memo.webm')}", TWO_CUSTOMERS.encode()
        )
        # A correction means the newest record, so the order of the two memos must be the same.
        self.wait(lambda: len(self.cards()) == 2)
        self._client.post("/console/api/say", self._body("memo", text=ONE_CUSTOMER))
        self.wait(lambda: len(self.cards()) == 3)
        self._client.post("/console/api/say", self._body("fix", text="不对 是下周三"))
        self.wait(
            lambda: any("12-02" in json.dumps(one, ensure_ascii=False) for one in self.cards())
        )
        self._tap("ok", "恒基水泥", "memo.ok")
        self.wait(lambda: self._titled("已入库｜恒基水泥"))
        self._tap("drop", "宝丰钢铁", "memo.drop")
        self.wait(lambda: self._titled("已作废"))

    def _tap(self, name: str, customer: str, action: str) -> None:
        card = next(one for one in self.cards() if one["card"]["title"].startswith(customer))
        body = self._body(
            name, action=action, card_id=card["card_id"], nonce=card["nonce"], arg="", values={}
        )
        self._client.post("/console/api/tap", body)
        # the platform delivers it once more, late
        self._client.post("/console/api/tap", body)

    def _body(self, name: str, **more: Any) -> dict[str, Any]:
        return {"person": self._person, "event_key": self._key(name), **more}

    def _key(self, name: str) -> str:
        return f"crash-{self._run}-{name}"

    def _titled(self, words: str) -> bool:
        return any(one["card"]["title"].startswith(words) for one in self.cards())

    def cards(self) -> list[dict[str, Any]]:
        with self._engine.connect() as link:
            rows = link.execute(
                sa.select(ConsoleMessageRow.card_id, ConsoleMessageRow.payload)
                .where(ConsoleMessageRow.card_id.is_not(None))
                .order_by(ConsoleMessageRow.id)
            ).all()
        return [{**payload, "card_id": card_id} for card_id, payload in rows]

    def wait(self, done: Callable[[], bool], *, most_s: float = 60) -> None:
        until = time.monotonic() + most_s
        while time.monotonic() < until:
            self._client._alive()
            if done():
                return
            time.sleep(0.01)
        raise GaveUp("the expected state did not come")
