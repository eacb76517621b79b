"""For the fake's own tests: a plain client, and a callback that wechatpy reads."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import requests
import xmltodict
from wechatpy.enterprise.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidSignatureException

from tests.fakes.wecom.server import FakeWeCom
from tests.fakes.wecom.state import Json


def move_in(fake: FakeWeCom) -> None:
    """A small company whose callback nobody answers."""
    fake.set_callback("http://127.0.0.1:9/")
    fake.rules.redeliveries = 0
    fake.add_department(2, "销售部")
    fake.add_member("Mgr01", "周强", departments=[2])
    fake.add_member("mgr02", "陈岚", departments=[2])
    fake.add_member("rep07", "李娜")


class Rest:
    """Asks the fake's REST side; every answer is checked for its form."""

    def __init__(self, fake: FakeWeCom) -> None:
        self.fake = fake
        self.session = requests.Session()
        self.token = fake.token_for()

    def get(self, path: str, **query: str) -> Json:
        return self._said(self.raw("GET", path, query))

    def post(self, path: str, body: Any, **query: str) -> Json:
        data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        return self._said(self.raw("POST", path, query, data=data))

    def raw(
        self, method: str, path: str, query: dict[str, str] | None = None, **more: Any
    ) -> requests.Response:
        asked = {"access_token": self.token, **(query or {})}
        more.setdefault("timeout", 10)
        return self.session.request(
            method, f"{self.fake.base}/cgi-bin/{path}", params=asked, **more
        )

    def send(self, kind: str, body: Any, to: str = "rep07", **more: Any) -> Json:
        envelope = {"touser": to, "agentid": self.fake.agent_id, "msgtype": kind, kind: body}
        return self.post("message/send", {**envelope, **more})

    def card(self, card: Json, to: str = "rep07", **more: Any) -> Json:
        return self.send("template_card", card, to, **more)

    def update(self, code: str, **body: Any) -> Json:
        asked = {"agentid": self.fake.agent_id, "response_code": code, **body}
        return self.post("message/update_template_card", asked)

    def upload(
        self, kind: str, data: bytes, filename: str, path: str = "media/upload", **q: str
    ) -> Json:
        files = {"media": (filename, data)}
        return self._said(self.raw("POST", path, {"type": kind, **q}, files=files))

    def close(self) -> None:
        self.session.close()

    def _said(self, answer: requests.Response) -> Json:
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"
        said: Json = json.loads(answer.content.decode())
        assert answer.headers["Error-Code"] == str(said["errcode"])
        assert (said["errcode"] == 0) == ("from ip" not in said["errmsg"])
        return said


class Receiver:
    """A callback as others write it; *status* and *delay_s* are its faults."""

    def __init__(self, fake: FakeWeCom) -> None:
        self.crypto = WeChatCrypto(fake.token, fake.aes_key, fake.corp_id)
        self.got: list[Json] = []  # decrypted messages, in order of arrival
        self.raw: list[tuple[dict[str, str], bytes]] = []
        self.status = 200
        self.body = b""
        self.delay_s = 0.0
        self.fail_first = 0  # so many requests get no answer
        self.echo_suffix = b""
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                query = dict(parse_qsl(urlsplit(self.path).query))
                time.sleep(receiver.delay_s)
                echo = receiver.crypto.check_signature(
                    query["msg_signature"], query["timestamp"], query["nonce"], query["echostr"]
                )
                said = echo if isinstance(echo, bytes) else echo.encode()
                self.answer(200, said + receiver.echo_suffix)

            def do_POST(self) -> None:
                query = dict(parse_qsl(urlsplit(self.path).query))
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with receiver._lock:
                    receiver.raw.append((query, body))
                    silent = receiver.fail_first > 0
                    receiver.fail_first -= silent
                if silent:
                    self.close_connection = True
                    return
                time.sleep(receiver.delay_s)
                self.answer(*receiver.take(query, body))

            def answer(self, status: int, body: bytes) -> None:
                try:
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    pass  # the platform hung up after its deadline

            def log_message(self, *_args: Any) -> None:
                """Quiet."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/callback/wecom"
        self._thread = threading.Thread(target=self.http.serve_forever, args=(0.02,))

    def take(self, query: dict[str, str], body: bytes) -> tuple[int, bytes]:
        try:
            xml = self.crypto.decrypt_message(
                body.decode(), query["msg_signature"], query["timestamp"], query["nonce"]
            )
            got = xmltodict.parse(xml, force_list=("SelectedItem", "OptionId"))["xml"]
        except InvalidSignatureException:
            return 403, b""
        except Exception:  # whatever wechatpy makes of a forged cipher
            return 400, b""
        with self._lock:
            self.got.append(got)
        return self.status, self.body

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.http.shutdown()
        self.http.server_close()
        self._thread.join()


BUTTONS: Json = {
    "card_type": "button_interaction",
    "source": {"desc": "销售助手", "desc_color": 0},
    "main_title": {"title": "报价审批 #42", "desc": "提交人 rep07"},
    "horizontal_content_list": [
        {"keyname": "客户", "value": "青山贸易"},
        {"keyname": "提交人", "value": "rep07", "type": 3, "userid": "rep07"},
    ],
    "task_id": "deal-42@v3",
    "button_selection": {
        "question_key": "level",
        "title": "级别",
        "option_list": [{"id": "lv1", "text": "一级"}, {"id": "lv2", "text": "二级"}],
    },
    "button_list": [
        {"text": "同意", "style": 1, "key": "approve"},
        {"text": "驳回", "style": 3, "key": "reject"},
        {"text": "详情", "type": 1, "url": "https://bot.example.com/d/42"},
    ],
}
NOTICE: Json = {
    "card_type": "text_notice",
    "main_title": {"title": "报价审批 #42", "desc": "已由 mgr01 同意"},
    "emphasis_content": {"title": "100 万", "desc": "金额"},
    "quote_area": {"type": 0, "title": "原话", "quote_text": "可以"},
    "sub_title_text": "正文",
    "jump_list": [{"type": 1, "title": "看记录", "url": "https://bot.example.com/d/42"}],
    "card_action": {"type": 1, "url": "https://bot.example.com/d/42"},
}
MENU: Json = {"desc": "更多", "action_list": [{"text": "不再提醒", "key": "mute"}]}
NEWS: Json = {
    "card_type": "news_notice",
    "main_title": {"title": "日报"},
    "card_image": {"url": "https://bot.example.com/chart.png", "aspect_ratio": 1.78},
    "vertical_content_list": [{"title": "华北", "desc": "3 家没联系"}],
    "card_action": {"type": 1, "url": "https://bot.example.com/"},
}
VOTE: Json = {
    "card_type": "vote_interaction",
    "main_title": {"title": "3 件事逾期"},
    "task_id": "overdue-1",
    "checkbox": {
        "question_key": "done",
        "mode": 1,
        "option_list": [
            {"id": "t1", "text": "发报价", "is_checked": True},
            {"id": "t2", "text": "回电话", "is_checked": False},
        ],
    },
    "submit_button": {"text": "提交", "key": "submit"},
}
FORM: Json = {
    "card_type": "multiple_interaction",
    "main_title": {"title": "改哪几项？"},
    "task_id": "form-1",
    "select_list": [
        {
            "question_key": "stage",
            "title": "阶段",
            "selected_id": "s2",
            "option_list": [{"id": "s1", "text": "接触"}, {"id": "s2", "text": "报价"}],
        },
        {"question_key": "when", "option_list": [{"id": "w1", "text": "明天"}]},
    ],
    "submit_button": {"text": "保存", "key": "save"},
}
