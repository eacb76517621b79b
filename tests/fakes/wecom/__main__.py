"""The fake on its own: ``python -m tests.fakes.wecom --port 8900 --callback http://...``.

Play it by ``curl -d '{"user": "rep07", "content": "..."}' localhost:8900/_fake/text``.
"""

from __future__ import annotations

import argparse
import json
import signal
import threading

from tests.fakes.wecom.server import FakeWeCom


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m tests.fakes.wecom", description=__doc__)
    options.add_argument("--port", type=int, default=0)
    options.add_argument("--corp-id", default="wwfake0000000001")
    options.add_argument("--agent-id", type=int, default=1000042)
    options.add_argument("--secret", default="fakeSecretOfTheSalesApp")
    options.add_argument("--token", default="fakeToken01")
    options.add_argument("--aes-key", default="abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG")
    options.add_argument("--callback", default="", metavar="URL")
    options.add_argument(
        "--member",
        action="append",
        default=[],
        metavar="USERID:NAME[:LEADER]",
        help="again for each",
    )
    options.add_argument("--crypto", choices=("auto", "python", "node"), default="auto")
    given = options.parse_args()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with FakeWeCom(
        corp_id=given.corp_id,
        agent_id=given.agent_id,
        secret=given.secret,
        token=given.token,
        aes_key=given.aes_key,
        callback_url=given.callback,
        port=given.port,
        crypto_by=given.crypto,
    ) as fake:
        for one in given.member:
            userid, _, rest = one.partition(":")
            name, _, leader = rest.partition(":")
            fake.add_member(userid, name, leader=leader)
        settings = {
            "api_base": fake.base,
            "corp_id": given.corp_id,
            "agent_id": given.agent_id,
            "secret": given.secret,
            "token": given.token,
            "aes_key": given.aes_key,
        }
        print(json.dumps(settings, ensure_ascii=False), flush=True)
        stop.wait()


if __name__ == "__main__":
    main()
