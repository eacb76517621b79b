"""What the set-up page shows of DingTalk, and the card templates that it hands out."""

from __future__ import annotations

import hashlib
import json
from importlib import resources
from typing import Final

from bot import channel_words, dingtalk_words
from bot.config_channels import DingTalk as Settings
from bot.dingtalk_health import DingTalkHealth, template_ids
from bot.web import setup_dingtalk_words as words
from bot.web.setup_model import Files, Section, Step, Value, View, restart, section, step
from storage import settings as kept
from storage.database import Session

NAMES: Final = tuple(words.TEMPLATES)
_NAME: Final = "dingtalk"
_KEPT: Final = "dingtalk.templates"  # which version was there when the ids were put in


def dingtalk(view: View) -> Section:
    mine, health = view.saved.channels.dingtalk, view.health
    seen = health.dingtalk or DingTalkHealth()
    steps = [
        step(bool(mine.client_id and mine.client_secret), words.CREATE),
        *restart(view, _NAME),
        _rights(view),
        step(
            seen.traffic.message_at is not None,
            words.ROBOT_STREAM if mine.stream else words.ROBOT_HTTP,
        ),
        *_published(view),
        *([step(health.connected, words.CONNECTED)] if mine.stream else []),
        _ip(view),
        *_cards(view, mine),
        _login(view),
        _look(words.EDITION),
        _look(words.GROUP),
        _look(words.TEST),
    ]
    keys = ["enabled", "client_id", "client_secret", "stream"]
    keys += [] if mine.stream else ["callback_url"]
    keys += ["card_template_id", "form_template_id", "notice_template_id"]
    keys += ["api_quota", "push_quota"]
    return section(
        view,
        _NAME,
        steps,
        keys=tuple(keys),
        values=_values(view, mine),
        quotas={words.QUOTAS["api"]: seen.api, words.QUOTAS["push"]: seen.push},
        files=Files(version=version(), listed=words.TEMPLATES),
        has_callback=not mine.stream,
        has_directory=True,
        has_check=True,
    )


def _rights(view: View) -> Step:
    missing = [
        str(scope)
        for one in view.health.problems
        if one.problem == "no_permission"
        for scope in one.detail.get("scopes") or [one.detail.get("words", "？")]
    ]
    scopes = missing or list(dingtalk_words.SCOPES)
    shown = "、".join(map(dingtalk_words.scope, dict.fromkeys(scopes)))
    if missing:
        return step(False, words.RIGHTS_MISSING, scopes=shown)
    return step(view.health.directory.whole_at is not None, words.RIGHTS_ASKED, scopes=shown)


def _published(view: View) -> list[Step]:
    health = view.health
    wrong = health.problem("sender") or health.problem("directory")
    known = health.directory.whole_at is not None
    mode = words.EVENT_MODES[view.saved.channels.dingtalk.stream]
    return [
        step(known and wrong is None, words.PUBLISHED),
        step(known, words.DIRECTORY, mode=mode),
    ]


def _ip(view: View) -> Step:
    wrong = view.health.problem("ip")
    if wrong is not None and wrong.problem == "untrusted_ip":
        return step(False, words.IP_WANTED, ip=wrong.detail.get("ip", "？"))
    proven = view.health.directory.whole_at is not None
    return step(True, words.IP) if proven else _look(words.IP)


def _cards(view: View, mine: Settings) -> list[Step]:
    if not template_ids(mine):
        return [_look(words.CARDS)]
    wrong = view.health.problem("card")
    if wrong is not None:
        text, todo = channel_words.problem(_NAME, wrong.problem, wrong.detail, topic="card")
        return [step(False, words.CARDS), step(False, words.CARDS_WRONG, text=text, todo=todo)]
    if view.old_files:
        return [step(True, words.CARDS), step(False, words.CARDS_NEWER, version=version())]
    return [step(True, words.CARDS)]


def _login(view: View) -> Step:
    base = view.saved.web.public_url.rstrip("/")
    if not base:
        return _look(words.LOGIN_NO_ADDRESS)
    title, text = words.LOGIN
    return _look((title, text.format(url=f"{base}/oauth/{_NAME}")))


def _look(said: tuple[str, str]) -> Step:
    return Step(mark="look", title=said[0], text=said[1])


def _values(view: View, mine: Settings) -> list[Value]:
    base = view.saved.web.public_url.rstrip("/")
    found = [Value(label=words.PASTE["login"], value=f"{base}/oauth/{_NAME}")] if base else []
    if mine.stream:
        return found
    address = view.saved.dingtalk_callback_url or "https://…/callback/dingtalk"
    return [
        Value(label=words.PASTE["message_url"], value=address),
        Value(label=words.PASTE["event_url"], value=address),
        Value(label=words.PASTE["aes_key"], value=mine.aes_key, secret=True),
        Value(label=words.PASTE["token"], value=mine.token, secret=True),
        *found,
    ]


# --- card templates -----------------------------------------------------------------------------


def file(name: str) -> bytes:
    """One of ``words.TEMPLATES`` as the platform imports it."""
    folder = resources.files("bot.channels.dingtalk") / "templates"
    return (folder / f"{name}.json").read_bytes()


def version() -> str:
    """Of all files together: they belong to each other."""
    whole = hashlib.sha256(b"\0".join(file(name) for name in NAMES))
    return whole.hexdigest()[:8]


def remember(session: Session, settings: Settings) -> None:
    """The admin put these ids in: they have imported the files as they are now."""
    note = {"version": version(), "ids": list(template_ids(settings))}
    kept.put(session, _KEPT, json.dumps(note))


def is_outdated(session: Session, settings: Settings) -> bool:
    """Whether the files changed since; False where somebody else put the ids in."""
    text = kept.get(session, _KEPT)
    note = json.loads(text) if text else {}
    ids = list(template_ids(settings))
    return bool(ids) and note.get("ids") == ids and note["version"] != version()
