"""A real HTTP server on this machine that answers as an LLM would, or badly, and what it is told."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from nlp.extract import build_extractor
from nlp.extract.llm import LlmExtractor
from nlp.extract.rules import RuleExtractor
from nlp.ports import KnownContact, LlmSettings, World
from sales.facts import CommitmentFact, MemoFacts, ObjectionFact

Answer = tuple[int, dict[str, str], bytes]

KEY = "sk-geheim"
NOW = datetime.fromisoformat("2026-11-23T09:40:00+08:00")
WORLD = World(
    customers={"恒基水泥有限公司": (), "宝丰钢铁集团": ("宝丰",)},
    contacts={"恒基水泥有限公司": [KnownContact(name="王磊", role="采购经理")]},
    products=("安全阀", "蝶阀"),
)
# The rules find nothing in its last sentence, so that whatever stands there was added.
MEMO = (
    "今天去了恒基水泥，王磊嫌价格太贵，我周五给他新报价。"
    "屏幕上放着 下周三的天气，墙上挂着一幅旧地图，窗户朝南开着。"
)
MAP = "墙上挂着一幅旧地图"
TWO = (
    "上午去了宝丰钢铁，耿部长要安全阀，我周五报价，走廊墙上挂着一幅旧地图。"
    "下午去了恒基水泥，王磊嫌价格太贵，我明天给他回话，食堂的窗户朝南开着。"
)
rules = RuleExtractor()


class Model:
    """Answers what it is told to and keeps what it was asked."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.asked: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.before_s = 0.0  # silence before the status line
        self.drip_s = 0.0  # pause after each byte of the body
        self.hung_up = threading.Event()
        model = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                model.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.answer()

            def do_GET(self) -> None:
                self.answer()

            def answer(self) -> None:
                model.paths.append(self.path)
                model.headers.append(dict(self.headers))
                status, more, data = model.answers.pop(0) if model.answers else (500, {}, b"")
                model.hung_up.wait(model.before_s)
                try:
                    self.send_response(status)
                    for key, value in {"Content-Length": str(len(data)), **more}.items():
                        self.send_header(key, value)
                    self.end_headers()
                    if not model.drip_s:
                        self.wfile.write(data)
                        return
                    for byte in data:
                        self.wfile.write(bytes([byte]))
                        if model.hung_up.wait(model.drip_s):
                            return
                except OSError:
                    pass  # the client went away, as it should

            def log_message(self, *_args: Any) -> None:
                """Quiet."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.02,))
        self.thread.start()

    def close(self) -> None:
        self.hung_up.set()
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


def extractor(url: str, *, timeout_s: float = 5.0) -> LlmExtractor:
    chosen = LlmSettings(enabled=True, base_url=url, model="qwen", api_key=KEY, timeout_s=timeout_s)
    made = build_extractor(chosen)
    assert isinstance(made, LlmExtractor)
    return made


def said(content: object, status: int = 200) -> Answer:
    """A chat completion as the public API defines it."""
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "qwen",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text, "refusal": None},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }
    return status, {"Content-Type": "application/json"}, json.dumps(body).encode()


def phrases(**lists: Any) -> dict[str, Any]:
    return {"commitments": [], "objections": [], "customers": [], "contacts": [], **lists}


def promise(quote: str = MAP, time_phrase: str = "", **more: Any) -> dict[str, Any]:
    return {"who": "us", "what": quote, "quote": quote, "time_phrase": time_phrase, **more}


def doubt(quote: str = MAP, category: str = "时机") -> dict[str, Any]:
    return {"category": category, "quote": quote}


def offline(text: str = MEMO) -> MemoFacts:
    return rules.extract(text, now=NOW, world=WORLD)


def read(made: LlmExtractor, text: str = MEMO) -> MemoFacts:
    return made.extract(text, now=NOW, world=WORLD)


def counts(made: LlmExtractor) -> dict[str, int]:
    return dict(made.describe()["counts"])  # type: ignore[call-overload]


def added(facts: MemoFacts, text: str = MEMO) -> list[CommitmentFact | ObjectionFact]:
    """What the rules alone did not find; everything else must be theirs, untouched."""
    plain = offline(text)
    new: list[CommitmentFact | ObjectionFact] = []
    for record, before in zip(facts.records, plain.records, strict=True):
        new += [one for one in record.commitments if one not in before.commitments]
        new += [one for one in record.objections if one not in before.objections]
        kept_c = tuple(one for one in record.commitments if one in before.commitments)
        kept_o = tuple(one for one in record.objections if one in before.objections)
        assert replace(record, commitments=kept_c, objections=kept_o) == before
    assert (facts.kind, facts.unplaced) == (plain.kind, plain.unplaced)
    return new
