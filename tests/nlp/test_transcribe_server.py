"""The server backend against a real HTTP server on this machine."""

from __future__ import annotations

import io
import json
import threading
import wave
from collections.abc import Iterator
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from nlp.ports import Hints
from nlp.transcribe import SpeechSettings, build_transcriber
from nlp.transcribe.server import Server
from nlp.transcribe.settings import WorkerSpec
from sales.errors import SpeechUnavailable
from tests.nlp import sounds

Answer = tuple[int, dict[str, str], bytes]


class Speech:
    """Answers what it is told to and keeps what it was asked."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.asked: list[dict[str, bytes]] = []
        self.headers: list[dict[str, str]] = []
        speech = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
                form = BytesParser().parsebytes(head + body)
                fields: dict[str, bytes] = {"path": self.path.encode()}
                for part in form.get_payload():
                    name = part.get_param("name", header="content-disposition")  # type: ignore[union-attr]
                    fields[str(name)] = part.get_payload(decode=True)  # type: ignore[union-attr,assignment]
                speech.asked.append(fields)
                speech.headers.append(dict(self.headers))
                status, more, data = speech.answers.pop(0)
                self.send_response(status)
                for key, value in {"Content-Length": str(len(data)), **more}.items():
                    self.send_header(key, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_args: Any) -> None:
                """Quiet."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        self.thread = threading.Thread(target=self.http.serve_forever)
        self.thread.start()

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


@pytest.fixture
def speech() -> Iterator[Speech]:
    made = Speech()
    yield made
    made.close()


def backend(url: str) -> Server:
    settings = SpeechSettings(backend="server", url=url, api_key="sk-1", model="large")
    return Server(WorkerSpec(backend="server", model="large", path=None, settings=settings))


def ok(answer: object) -> Answer:
    return 200, {"Content-Type": "application/json"}, json.dumps(answer).encode()


VERBOSE = {
    "text": "不对，是下周三。",
    "segments": [
        {"start": 0.1, "end": 1.2, "text": "不对，是下周三。", "avg_logprob": -0.1,
         "no_speech_prob": 0.01, "compression_ratio": 0.9},
    ],
}  # fmt: skip


def test_it_sends_wav_and_reads_segments(speech: Speech) -> None:
    speech.answers = [ok(VERBOSE)]
    sound = sounds.spoken("s7")

    [heard] = backend(speech.url).hear(sound, Hints(names=("恒基水泥",)))

    assert (heard.text, heard.avg_logprob, heard.end_s) == ("不对，是下周三。", -0.1, 1.2)
    asked = speech.asked[0]
    assert asked["path"] == b"/v1/audio/transcriptions"
    assert asked["model"] == b"large"
    assert asked["language"] == b"zh"
    assert asked["response_format"] == b"verbose_json"
    assert "恒基水泥" in asked["prompt"].decode()
    assert speech.headers[0]["Authorization"] == "Bearer sk-1"
    with wave.open(io.BytesIO(asked["file"])) as file:
        assert (file.getframerate(), file.getnchannels()) == (16_000, 1)
        assert file.getnframes() == len(sound)


def test_a_server_that_only_knows_json_is_remembered(speech: Speech) -> None:
    speech.answers = [(400, {}, b"{}"), ok({"text": "好的"}), ok({"text": "再见"})]
    server = backend(speech.url + "/v1/")
    sound = sounds.spoken("s7")

    assert [h.text for h in server.hear(sound, Hints())] == ["好的"]
    assert [h.text for h in server.hear(sound, Hints())] == ["再见"]
    formats = [a["response_format"] for a in speech.asked]
    assert formats == [b"verbose_json", b"json", b"json"]


@pytest.mark.parametrize(
    ("answer", "reason", "wait_s"),
    [
        ((429, {"Retry-After": "7"}, b""), "busy", 7),
        ((503, {}, b""), "busy", 30),
        ((401, {}, b""), "server", 30),
        ((302, {"Location": "http://127.0.0.1:1/"}, b""), "server", 30),
        ((200, {}, b"<html>"), "server", 30),
        ((200, {}, b'{"error":"x"}'), "server", 30),
    ],
)
def test_a_server_that_cannot_is_tried_later(
    speech: Speech, answer: Answer, reason: str, wait_s: float
) -> None:
    speech.answers = [answer]
    with pytest.raises(SpeechUnavailable) as caught:
        backend(speech.url).hear(sounds.spoken("s7"), Hints())
    assert (caught.value.reason, caught.value.retry_after_s) == (reason, wait_s)
    assert "sk-1" not in str(caught.value)


def test_no_server_at_all(speech: Speech) -> None:
    speech.close()
    with pytest.raises(SpeechUnavailable) as caught:
        backend(speech.url).hear(sounds.spoken("s7"), Hints())
    assert caught.value.reason == "server"


def test_silence_is_not_sent(speech: Speech) -> None:
    assert backend(speech.url).hear(sounds.silence(5), Hints()) == []
    assert speech.asked == []


def test_the_whole_way_through_the_process(speech: Speech, tmp_path: Path) -> None:
    speech.answers = [ok({"text": "這個價錢貴"}), (503, {"Retry-After": "9"}, b"")]
    hears: Any = build_transcriber(SpeechSettings(url=speech.url), models_dir=tmp_path)
    data = sounds.encode(sounds.spoken("s7"), "amr")

    heard = hears.transcribe(data, Hints())
    with pytest.raises(SpeechUnavailable) as caught:
        hears.transcribe(data, Hints())
    hears.close()

    assert (heard.text, heard.backend) == ("这个价钱贵", "server")
    assert (caught.value.reason, caught.value.retry_after_s) == ("busy", 9)


def test_a_url_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="http"):
        backend("file:///etc/passwd")
