"""``python -m tests.fakes.dingtalk --port 8900``: the fake alone, with three made-up people."""

from __future__ import annotations

import argparse
import contextlib
import threading

from tests.fakes.dingtalk.server import FakeDingTalk


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.dingtalk")
    parser.add_argument("--port", type=int, default=0, help="and the two after it; 0: any")
    parser.add_argument("--message-url", default="", help="HTTP mode: where robot messages go")
    parser.add_argument("--event-url", default="", help="HTTP mode: where events go")
    parser.add_argument("--event-token", default="")
    parser.add_argument("--event-aes-key", default="")
    parser.add_argument("--template", default="", help="a card template that exists")
    given = parser.parse_args()
    with FakeDingTalk(port=given.port) as fake:
        fake.app.message_url = given.message_url
        fake.app.event_url = given.event_url
        fake.app.event_token = given.event_token
        fake.app.event_aes_key = given.event_aes_key
        if given.template:
            fake.add_template(given.template)
        fake.add_person("wanglei", "王磊", leads=[1])
        fake.add_person("lina", "李娜", manager="wanglei")
        fake.add_person("admin", "管理员", admin=True)
        print(f"api_base = {fake.api_base}")
        print(f"oapi_base = {fake.oapi_base}")
        print(f"login and control = {fake.login_base}")
        print(f"client_id = {fake.app.client_id}")
        print(f"client_secret = {fake.app.client_secret}")
        print(f"agent_id = {fake.app.agent_id}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
