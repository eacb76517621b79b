"""The set-up page of the channels, for admins: what to paste where, what is wrong, what to do.

Settings go into the data folder's files and take effect with the next start.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import Mapping
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

import structlog
from aiohttp import web

from bot import channel_health, channel_words, settings_file, trial_message
from bot import config as settings
from bot.channel_health import Health
from bot.channels.base import ChannelError
from bot.config import Config, ConfigError
from bot.dingtalk_health import is_template_id
from bot.trial_message import Fate
from bot.web import auth, pages, setup_dingtalk
from bot.web import setup_words as words
from bot.web.deps import DEPS, Setup, WebDeps
from bot.web.draw import render
from bot.web.setup_model import Field, View, field
from bot.web.setup_sections import SECTIONS
from sales.people import Person
from storage import audit, people, platform_tokens
from storage import settings as kept
from storage.database import Session

log = structlog.get_logger(__name__)

VERIFY_FILE: Final = "wecom.verify_file"
_VERIFY_NAME = re.compile(r"WW_verify_[A-Za-z0-9]{1,64}\.txt")
_VERIFY_TEXT = re.compile(r"[A-Za-z0-9]{1,64}")
_LONGEST: Final = 500
_WAIT_STEPS, _STEP_S = 16, 0.25  # how long to wait for a test message before the page is shown
_SHOWN_ATTEMPTS: Final = 20
_CHANNEL: Final = r"{channel:[a-z_]{1,20}}"
_CHECK_S: Final = 50.0


def routes() -> list[web.RouteDef]:
    return [
        web.get("/setup", page),
        web.post("/setup/address", save_address),
        web.post("/setup/verify-file", save_verify_file),
        web.post(f"/setup/{_CHANNEL}/settings", save),
        web.post(f"/setup/{_CHANNEL}/sync", sync),
        web.post(f"/setup/{_CHANNEL}/resume", resume),
        web.post(f"/setup/{_CHANNEL}/test", send_test),
        web.post(f"/setup/{_CHANNEL}/check", check),
        web.get(r"/setup/dingtalk/{name:card_[a-z]{1,20}}.json", template_file),
        web.get(r"/{name:WW_verify_[A-Za-z0-9]+\.txt}", verify_file),
    ]


# --- the page -----------------------------------------------------------------------------------


async def page(request: web.Request) -> web.Response:
    """Opening it makes the callback's token and key, where there are none yet."""
    viewer, found = await _admin(request), _setup(request)
    saved, origins, wrong = await asyncio.to_thread(_saved, found)
    deps = request.app[DEPS]
    now = deps.wall.now()

    def read(session: Session) -> dict[str, Any]:
        views = {
            name: View(
                saved=saved,
                running=found.config,
                origins=origins,
                health=channel_health.look(session, found.config, name, now=now),
                old_files=setup_dingtalk.is_outdated(session, saved.channels.dingtalk),
            )
            for name in SECTIONS
        }
        return {
            "sections": [build(views[name]) for name, build in SECTIONS.items()],
            "address": field(views["wecom"], "web.public_url"),
            "verify": _verify(session),
            "tested": _tested(session, request.query.get("test", "")),
        }

    shown = await asyncio.to_thread(deps.db.read, read)
    return render(
        request,
        "setup.html",
        viewer=viewer,
        said=words.said(request.query.get("done", ""), request.query.get("at", "")),
        at=request.query.get("at", ""),
        checked=found.checked,
        wrong=wrong,
        words=words,
        most=_SHOWN_ATTEMPTS,
        channel_words=channel_words,
        **shown,
    )


def _saved(found: Setup) -> tuple[Config, dict[str, str], tuple[str, ...]]:
    """Settings as in the files now, where each came from, and what is wrong with the files."""
    try:
        made = settings_file.make_missing(found.home, found.env, "wecom")
        if not made.channels.dingtalk.stream:
            settings_file.make_missing(found.home, found.env, "dingtalk")
        saved, origins = settings.load_with_origins(found.home.path, found.env)
    except ConfigError as error:
        return found.config, {}, error.problems
    except OSError as error:
        log.warning("settings not written", error=type(error).__name__)
        return found.config, {}, (words.SAID["unwritable"],)
    return saved, origins, ()


def _tested(session: Session, number: str) -> Fate | None:
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    return trial_message.fate(session, int(number))


# --- changing settings --------------------------------------------------------------------------


async def save(request: web.Request) -> web.Response:
    """One channel's form.  An empty secret leaves the one that is there."""
    viewer, found, channel = await _admin(request), _setup(request), _channel(request)
    form = await request.post()
    saved, origins, wrong = await asyncio.to_thread(_saved, found)
    if wrong:
        raise _back(channel, "unwritable")
    view = View(saved=saved, running=found.config, origins=origins, health=Health())
    values: dict[str, str | int | bool] = {}
    for one in SECTIONS[channel](view).fields:
        try:
            given = _given(one, form)
        except ValueError as error:
            raise _back(channel, str(error)) from None
        if not one.locked and given is not None and given != settings.value(saved, one.key):
            values[one.key] = given
    await _change(request, found, viewer, values, channel)
    if channel == "dingtalk":
        saved = (await asyncio.to_thread(_saved, found))[0]
        note = partial(setup_dingtalk.remember, settings=saved.channels.dingtalk)
        await asyncio.to_thread(request.app[DEPS].db.write, note)
    raise _back(channel, "saved" if values else "same")


async def save_address(request: web.Request) -> web.Response:
    viewer, found = await _admin(request), _setup(request)
    given = str((await request.post()).get("web.public_url", "")).strip()[:_LONGEST].rstrip("/")
    parts = urlsplit(given)
    plain = parts.scheme in ("http", "https") and parts.hostname and not parts.path
    if given and (not plain or parts.query or parts.fragment or parts.username):
        raise _back("address", "bad_url")
    await _change(request, found, viewer, {"web.public_url": given}, "address")
    raise _back("address", "saved")


def _given(one: Field, form: Mapping[str, Any]) -> str | int | bool | None:
    """What the form says about one field; None for nothing.

    Raises:
        ValueError: with a key of ``words.SAID``.
    """
    if one.kind == "switch":
        return one.key in form
    text = str(form.get(one.key, "")).strip()[:_LONGEST]
    if one.kind == "number":
        if text and not (text.isdecimal() and len(text) < 16):
            raise ValueError("bad_number")
        return int(text or 0)
    if one.key.endswith("_template_id") and text and not is_template_id(text):
        raise ValueError("bad_template")
    return (text or None) if one.kind == "secret" else text


async def _change(
    request: web.Request,
    found: Setup,
    viewer: Person | None,
    values: dict[str, str | int | bool],
    at: str,
) -> None:
    if not values:
        return
    try:
        await asyncio.to_thread(settings_file.change, found.home, values)
    except (ConfigError, OSError) as error:
        log.warning("settings not written", error=type(error).__name__)
        raise _back(at, "unwritable") from None
    await _note(request, viewer, "setup.settings", {"keys": sorted(values)})


# --- the domain's file --------------------------------------------------------------------------


async def save_verify_file(request: web.Request) -> web.Response:
    """WeCom proves whose a domain is by a small file of its own under it."""
    viewer = await _admin(request)
    form = await request.post()
    name, text = (str(form.get(key, "")).strip() for key in ("name", "text"))
    if not _VERIFY_NAME.fullmatch(name) or not _VERIFY_TEXT.fullmatch(text):
        raise _back("wecom", "bad_verify")
    body = json.dumps({"name": name, "text": text})
    await asyncio.to_thread(
        request.app[DEPS].db.write, lambda session: kept.put(session, VERIFY_FILE, body)
    )
    await _note(request, viewer, "setup.verify_file", {"name": name})
    raise _back("wecom", "verify")


async def verify_file(request: web.Request) -> web.Response:
    """Public, and only the file that the admin put here: it gives a domain away."""
    found = await asyncio.to_thread(request.app[DEPS].db.read, _verify)
    if found.get("name") != request.match_info["name"]:
        raise web.HTTPNotFound
    return web.Response(text=found["text"], content_type="text/plain")


def _verify(session: Session) -> dict[str, str]:
    text = kept.get(session, VERIFY_FILE)
    found: dict[str, str] = json.loads(text) if text else {}
    return found


# --- actions ------------------------------------------------------------------------------------


async def sync(request: web.Request) -> web.Response:
    viewer, found, channel = await _admin(request), _setup(request), _channel(request)
    if found.sync is None or channel not in found.config.ready_channels():
        raise _back(channel, "not_running")
    same = bool((await request.post()).get("same_names"))
    more = {"same_names": True} if same else {}
    await _note(request, viewer, "setup.sync", {"channel": channel, **more})
    try:
        await found.sync(channel, **more)
    except LookupError:
        raise _back(channel, "not_running") from None
    except ChannelError as error:
        log.warning("directory not synced", channel=channel, why=str(error))
        raise _back(channel, "sync_failed") from None
    raise _back(channel, "synced")


async def resume(request: web.Request) -> web.Response:
    """The admin has mended it: tokens may be asked for again."""
    viewer, found, channel = await _admin(request), _setup(request), _channel(request)
    if not channel.startswith("wecom"):
        raise web.HTTPNotFound
    app = channel_health.token_app(found.config)
    await asyncio.to_thread(request.app[DEPS].db.write, partial(platform_tokens.resume, app=app))
    await _note(request, viewer, "setup.resume", {"channel": channel})
    raise _back(channel, "resumed")


async def send_test(request: web.Request) -> web.Response:
    """Send one test message through the outbox, and wait a moment for what comes of it."""
    await _admin(request)
    found, channel, deps = _setup(request), _channel(request), request.app[DEPS]
    form = await request.post()
    name, key = (str(form.get(one, "")).strip()[:_LONGEST] for one in ("name", "event_key"))
    if channel not in found.config.ready_channels():
        raise _back(channel, "not_running")
    person = await asyncio.to_thread(deps.db.read, partial(people.by_name, name=name))
    if person is None or not person.active:
        raise _back(channel, "no_person")
    put = partial(
        trial_message.put,
        channel=channel,
        person=person,
        key=key or secrets.token_hex(8),
        now=deps.wall.now(),
    )
    number = await asyncio.to_thread(deps.db.write, put)
    if number is None:
        raise _back(channel, "no_id")
    for _ in range(_WAIT_STEPS):
        fate = await asyncio.to_thread(deps.db.read, partial(trial_message.fate, outbox_id=number))
        if fate is None or fate.state != "waiting" or fate.why:
            break
        await asyncio.sleep(_STEP_S)
    raise web.HTTPSeeOther(f"/setup?at={channel}&test={number}#{channel}")


async def check(request: web.Request) -> web.Response:
    """Ask the platform now.  What comes of it is shown until somebody asks again."""
    viewer, found, channel = await _admin(request), _setup(request), _channel(request)
    if found.check is None or channel not in found.config.ready_channels():
        raise _back(channel, "not_running")
    await _note(request, viewer, "setup.check", {"channel": channel})
    try:
        async with asyncio.timeout(_CHECK_S):
            done = await found.check(channel)
    except LookupError:
        raise _back(channel, "not_running") from None
    except TimeoutError:
        raise _back(channel, "check_failed") from None
    found.checked[channel] = (request.app[DEPS].wall.now(), done)
    raise _back(channel, "checked")


async def template_file(request: web.Request) -> web.Response:
    """A card template, to be imported on DingTalk's card platform."""
    await _admin(request)
    _setup(request)
    name = request.match_info["name"]
    if name not in setup_dingtalk.NAMES:
        raise web.HTTPNotFound
    body = await asyncio.to_thread(setup_dingtalk.file, name)
    headers = {"Content-Disposition": f'attachment; filename="{name}.json"'}
    return web.Response(body=body, content_type="application/json", headers=headers)


# --- shared -------------------------------------------------------------------------------------


async def _admin(request: web.Request) -> Person | None:
    """Who asks: an admin as themselves, or the operator (None).

    Raises:
        pages.NotAllowed: anybody else, the demo's players among them.
    """
    deps, who = request.app[DEPS], auth.visitor(request)
    if who.person_id is None:
        return None
    found = await asyncio.to_thread(deps.db.read, partial(people.get, person_id=who.person_id))
    if found is None or not found.active or found.role != "admin":
        raise pages.NotAllowed
    return found


def _setup(request: web.Request) -> Setup:
    found = request.app[DEPS].setup
    if found is None:
        raise web.HTTPNotFound
    return found


def _channel(request: web.Request) -> str:
    channel = request.match_info["channel"]
    if channel not in SECTIONS:
        raise web.HTTPNotFound
    return channel


def _back(at: str, done: str) -> web.HTTPSeeOther:
    return web.HTTPSeeOther(f"/setup?done={done}&at={at}#{at}")


async def _note(
    request: web.Request, viewer: Person | None, action: str, new: dict[str, Any]
) -> None:
    """Keys and names, never values: they may be secrets."""
    deps: WebDeps = request.app[DEPS]
    note = partial(
        audit.note,
        at=deps.wall.now(),
        who=viewer.name if viewer else "operator",
        person_id=viewer.id if viewer else None,
        action=action,
        subject="setup",
        new=new,
    )
    await asyncio.to_thread(deps.db.write, note)
