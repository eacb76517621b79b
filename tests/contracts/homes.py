"""Where people meet the bot, each driven as its people drive it: console, WeCom, DingTalk."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from bot import config
from bot.channels.dingtalk import template_files
from tests.crash.journey import Client
from tests.fakes.dingtalk.server import FakeDingTalk
from tests.fakes.wecom.server import FakeWeCom
from tests.support.program import Program, eventually

NAMES = {
    "wanglei": "王磊",
    "lina": "李娜",
    "zhoukai": "周凯",
    "chenjing": "陈静",
    "zhaomin": "赵敏",
    "sunyue": "孙悦",
}
TEMPLATE = "11111111-aaaa-bbbb-cccc-222222222222.schema"
SPEECH = {"GENJIN_SPEECH__BACKEND": "faster-whisper", "GENJIN_SPEECH__MODEL": "demo-voice"}

Again = Callable[[], None]  # the platform delivers the same event once more


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A card as somebody sees it now.  ``buttons``: words on what can be tapped."""

    id: str
    title: str
    rows: dict[str, str]
    buttons: tuple[str, ...]


class Home(Protocol):
    """*who* is a key of ``NAMES``.  What people do returns once the platform got its answer."""

    name: str
    program: Program

    def say(self, who: str, text: str) -> Again: ...
    def voice(self, who: str, data: bytes) -> Again: ...
    def tap(self, who: str, card: Seen, words: str) -> Again: ...
    def texts(self, who: str) -> list[str]: ...
    def cards(self, who: str) -> list[Seen]: ...
    def restart(self) -> None: ...


class ConsoleHome:
    name = "console"

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.program = stack.enter_context(Program(folder, SPEECH))
        self.program.genjin("migrate")
        self.program.set_up("", _people(there=False))
        self.program.start()
        rows = self.program.rows("SELECT name, id FROM person")
        self._ids = {key: dict(rows)[name] for key, name in NAMES.items()}
        self._number = 0

    def restart(self) -> None:
        self.program.kill()
        self.program.start()

    def say(self, who: str, text: str) -> Again:
        return self._post(who, "/console/api/say", {"text": text})

    def voice(self, who: str, data: bytes) -> Again:
        key = self._key()
        path = f"person={self._ids[who]}&event_key={key}&recorded=1&name={quote('memo.ogg')}"
        return self._twice(lambda: self._client(who).post(f"/console/api/upload?{path}", data))

    def tap(self, who: str, card: Seen, words: str) -> Again:
        button, nonce = self._buttons(card.id)[words]
        given = {"card_id": card.id, "nonce": nonce, "values": {}}
        return self._post(
            who, "/console/api/tap", {**given, "action": button["action"], "arg": button["arg"]}
        )

    def texts(self, who: str) -> list[str]:
        return [one["text"] for _, one in self._shown(who) if "text" in one]

    def cards(self, who: str) -> list[Seen]:
        return [
            Seen(
                id=card_id,
                title=one["card"]["title"],
                rows={row["key"]: row["value"] for row in one["card"]["rows"]},
                buttons=tuple(self._buttons(card_id)),
            )
            for card_id, one in self._shown(who)
            if "card" in one
        ]

    def _shown(self, who: str) -> list[tuple[str, dict[str, Any]]]:
        rows = self.program.rows(
            "SELECT card_id, payload FROM console_message "
            "WHERE person_id = :who AND direction = 'out' ORDER BY id",
            who=self._ids[who],
        )
        return [(card_id, json.loads(payload)) for card_id, payload in rows]

    def _buttons(self, card_id: str) -> dict[str, tuple[dict[str, Any], str]]:
        [(payload,)] = self.program.rows(
            "SELECT payload FROM console_message WHERE card_id = :id", id=card_id
        )
        shown = json.loads(payload)
        submit = [shown["card"]["submit"]] if shown["card"]["submit"] else []
        buttons = [*shown["card"]["buttons"], *submit]
        return {one["text"]: (one, shown["nonce"]) for one in buttons if one["action"]}

    def _post(self, who: str, path: str, more: dict[str, Any]) -> Again:
        body = {"person": self._ids[who], "event_key": self._key(), **more}
        return self._twice(lambda: self._client(who).post(path, body))

    def _client(self, who: str) -> Client:
        key = config.load(self.program.home).web.session_key.encode()
        return Client(self.program.web_port, key, self._ids[who], lambda: None)

    def _key(self) -> str:
        self._number += 1
        return f"contract-{self._number:06}"

    @staticmethod
    def _twice(send: Callable[[], None]) -> Again:
        send()
        return send


class WeComHome:
    name = "wecom"

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.fake = stack.enter_context(FakeWeCom())
        for user, name in NAMES.items():
            self.fake.add_member(user, name)
        self.program = stack.enter_context(Program(folder, wecom_settings(self.fake) | SPEECH))
        self.program.set_up("wecom", _people())
        self.program.start()
        assert self.fake.save_callback(f"{self.program.callback}/wecom").ok

    def restart(self) -> None:
        self.program.kill()
        self.program.start()

    def say(self, who: str, text: str) -> Again:
        return self._again(self.fake.text(who, text).ack())

    def voice(self, who: str, data: bytes) -> Again:
        return self._again(self.fake.voice(who, data).ack())

    def tap(self, who: str, card: Seen, words: str) -> Again:
        return self._again(self.fake.tap(who, card.id, words).ack())

    def texts(self, who: str) -> list[str]:
        return self.fake.texts(who)

    def cards(self, who: str) -> list[Seen]:
        return [
            Seen(id=one.task_id, title=one.title, rows=one.rows, buttons=tuple(one.buttons))
            for one in self.fake.cards(who)
        ]

    def _again(self, sent: Any) -> Again:
        return lambda: [one.ack() for one in self.fake.again(sent)] and None


class DingTalkHome:
    name = "dingtalk"

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.fake = stack.enter_context(FakeDingTalk())
        self.fake.rules.push_quota = self.fake.rules.api_quota = None
        for user, name in NAMES.items():
            self.fake.add_person(user, name)
        self.fake.add_template(
            TEMPLATE,
            variables=frozenset(template_files.VARIABLES) | frozenset(template_files.PRIVATE),
            private=frozenset({"canAct"}),
        )
        self.program = stack.enter_context(Program(folder, dingtalk_settings(self.fake) | SPEECH))
        self.program.set_up("dingtalk", _people())
        self.program.start()
        self.fake.wait_connected(1, 30)

    def restart(self) -> None:
        self.program.kill()
        self.program.start()
        self.fake.wait_connected(1, 30)

    def say(self, who: str, text: str) -> Again:
        return self._again(self.fake.say_text(who, text))

    def voice(self, who: str, data: bytes) -> Again:
        return self._again(self.fake.say_audio(who, data))

    def tap(self, who: str, card: Seen, words: str) -> Again:
        taps = [self.fake.press(who, card.id, words).wait()]
        params = taps[0].params
        return lambda: self.fake.tap(who, card.id, params).wait() and None

    def texts(self, who: str) -> list[str]:
        return self.fake.texts(who)

    def cards(self, who: str) -> list[Seen]:
        found = []
        for card in self.fake.cards_of(who):
            values = self.fake.card_seen_by(who, card.out_track_id)
            rows = json.loads(values.get("rows") or "[]")
            found.append(
                Seen(
                    id=card.out_track_id,
                    title=values.get("title", ""),
                    rows={row["k"]: row["v"] for row in rows},
                    buttons=tuple(one.text for one in self.fake.buttons(who, card.out_track_id)),
                )
            )
        return found

    def _again(self, push: Any) -> Again:
        push.wait(30)
        return lambda: self.fake.again(push).wait(30) and None


def _people(*, there: bool = True) -> list[tuple[str, str, str, str]]:
    """One manager and reps, *there* with their ids on the platform."""
    made = []
    for user, name in NAMES.items():
        role, above = ("manager", "") if user == "wanglei" else ("rep", NAMES["wanglei"])
        made.append((name, role, above, user if there else ""))
    return made


def wecom_settings(fake: FakeWeCom) -> dict[str, str]:
    given = {
        "ENABLED": "true",
        "CORP_ID": fake.corp_id,
        "AGENT_ID": str(fake.agent_id),
        "SECRET": fake.secret,
        "TOKEN": fake.token,
        "AES_KEY": fake.aes_key,
        "API_BASE": fake.base,
    }
    return {f"GENJIN_CHANNELS__WECOM__{key}": value for key, value in given.items()} | _PUBLIC


def dingtalk_settings(fake: FakeDingTalk) -> dict[str, str]:
    given = {
        "ENABLED": "true",
        "CLIENT_ID": fake.app.client_id,
        "CLIENT_SECRET": fake.app.client_secret,
        "API_BASE": fake.api_base,
        "OAPI_BASE": fake.oapi_base,
        "CARD_TEMPLATE_ID": TEMPLATE,
    }
    return {f"GENJIN_CHANNELS__DINGTALK__{key}": value for key, value in given.items()} | _PUBLIC


_PUBLIC = {"GENJIN_WEB__PUBLIC_URL": "https://genjin.example.com"}
HOMES: dict[str, Callable[[Path, ExitStack], Home]] = {
    "console": ConsoleHome,
    "wecom": WeComHome,
    "dingtalk": DingTalkHome,
}


def acquainted(home: Home, who: str) -> None:
    """*who* has written, seen the notice, and accepted it."""
    home.say(who, "帮助")
    notice = eventually(lambda: [one for one in home.cards(who) if "知道了" in one.buttons])
    home.tap(who, notice[-1], "知道了")
    eventually(lambda: not [one for one in home.cards(who) if "知道了" in one.buttons])
    home.program.settle()


def count(home: Home, table: str, who: str, where: str = "true") -> int:
    """Rows of *table* that belong to *who*."""
    return int(
        home.program.one(
            f"SELECT count(*) FROM {table} JOIN person ON person.id = {table}.person_id "
            f"WHERE person.name = :name AND {where}",
            name=NAMES[who],
        )
    )


def opened(folder: Path, name: str) -> AbstractContextManager[Home]:
    """A running home; everything of it ends with the block."""

    class Opened(ExitStack):
        def __enter__(self) -> Home:  # type: ignore[override]
            super().__enter__()
            try:
                return HOMES[name](folder, self)
            except BaseException:
                self.close()
                raise

    return Opened()
