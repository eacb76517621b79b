"""The channels that the settings ask for; each with its library is only loaded when it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import structlog

from bot import channel_words, dingtalk_health, dingtalk_words, trial_message
from bot.callback_site import Attempts, Receiver
from bot.channels.base import Channel
from bot.config import Config
from bot.directory import Directory, Source
from bot.link_watch import LinkWatch
from bot.web.deps import Check, Checked, SignIn
from sales.clock import Clock
from storage.database import Database
from storage.media import MediaStore

if TYPE_CHECKING:
    from bot.channels.wecom.channel import WeCom
    from bot.channels.wecom_bot.names import Resolve

log = structlog.get_logger()

_MB: Final = 1024 * 1024


def build_channels(
    config: Config, db: Database, media: MediaStore, clock: Clock
) -> dict[str, Channel]:
    """Those that are switched on and complete, by name.  *clock* is the wall clock."""
    for name, lacking in config.half_configured().items():
        log.warning("channel not started", channel=name, lacks=list(lacking))
    ready = config.ready_channels()
    made: dict[str, Channel] = {}
    app: WeCom | None = None
    if "wecom" in ready:
        from bot.channels.wecom.channel import WeCom, WeComOptions

        options = WeComOptions(
            base_url=config.base_url,
            link_key=_link_key(config),
            webhooks=config.channels.wecom.webhook_keys(),
        )
        made["wecom"] = app = WeCom(config.channels.wecom, db, media, clock, options)
    if "wecom_bot" in ready:
        from bot.channels.wecom_bot.channel import WeComBot

        made["wecom_bot"] = WeComBot(
            config.channels.wecom_bot,
            db,
            media,
            clock,
            base_url=config.base_url,
            link_key=_link_key(config),
            resolve=_resolve_by(app) if app else None,
        )
    if "dingtalk" in ready:
        from bot.channels.dingtalk.channel import DingTalk, Options

        chosen = Options(
            base_url=config.web.public_url.rstrip("/"),
            link_key=_link_key(config),
            callback_url=config.dingtalk_callback_url,
            max_file_bytes=config.speech.max_mb * _MB,
        )
        made["dingtalk"] = DingTalk(config.channels.dingtalk, db, media, clock, chosen)
    return made


def build_receivers(
    config: Config,
    channels: Mapping[str, Channel],
    db: Database,
    clock: Clock,
    attempts: Attempts,
) -> list[Receiver]:
    """What the callback's listener serves: one for each channel whose platform calls us."""
    found: list[Receiver] = []
    if "wecom" in channels:
        from bot.channels.wecom.callback import WeComCallback
        from bot.channels.wecom.channel import WeCom
        from bot.channels.wecom.crypto import Codec

        app, chosen = channels["wecom"], config.channels.wecom
        assert isinstance(app, WeCom)
        codec = Codec(chosen.token, chosen.aes_key, chosen.corp_id)
        found.append(
            WeComCallback(codec, app.accept, attempts, db, clock, max_skew_s=chosen.max_skew_s)
        )
    if "dingtalk" in channels and not config.channels.dingtalk.stream:
        from bot.channels.dingtalk.channel import DingTalk
        from bot.channels.dingtalk.http import DingTalkCallback

        robot, given = channels["dingtalk"], config.channels.dingtalk
        assert isinstance(robot, DingTalk)
        found.append(
            DingTalkCallback(
                robot.receiving,
                robot.accept,
                attempts,
                clock,
                client_id=given.client_id,
                client_secret=given.client_secret,
                token=given.token,
                aes_key=given.aes_key,
            )
        )
    return found


def build_directory(
    config: Config, channels: Mapping[str, Channel], db: Database, clock: Clock
) -> Directory:
    """Reads the directories of the channels that have one."""
    sources: list[Source] = []
    if "wecom" in channels:
        from bot.channels.wecom.channel import WeCom
        from bot.channels.wecom.directory import WeComDirectory

        app = channels["wecom"]
        assert isinstance(app, WeCom)
        sources.append(WeComDirectory(app.client, agent_id=config.channels.wecom.agent_id))
    if "dingtalk" in channels:
        from bot.channels.dingtalk.channel import DingTalk

        robot = channels["dingtalk"]
        assert isinstance(robot, DingTalk)
        sources.append(robot.directory)
    return Directory(db, clock, sources)


def build_sign_ins(config: Config, channels: Mapping[str, Channel]) -> list[SignIn]:
    """Who says who is at the browser, for pages opened inside a platform."""
    found: list[SignIn] = []
    if "wecom" in channels:
        from bot.channels.wecom.channel import WeCom
        from bot.channels.wecom.sign_in import WeComSignIn

        app, chosen = channels["wecom"], config.channels.wecom
        assert isinstance(app, WeCom)
        corp, agent = chosen.corp_id, chosen.agent_id
        found.append(WeComSignIn(app.client, corp_id=corp, agent_id=agent, base=chosen.oauth_base))
    if "dingtalk" in channels:
        from bot.channels.dingtalk.channel import DingTalk
        from bot.channels.dingtalk.sign_in import DingTalkSignIn

        robot, given = channels["dingtalk"], config.channels.dingtalk
        assert isinstance(robot, DingTalk)
        found.append(
            DingTalkSignIn(
                robot.client,
                robot.oapi,
                client_id=given.client_id,
                secret=given.client_secret,
                base=given.login_base,
            )
        )
    return found


def build_watches(
    config: Config, channels: Mapping[str, Channel], db: Database, clock: Clock
) -> list[LinkWatch]:
    """Tell doctor and the set-up page whether a long connection stands."""
    if "dingtalk" not in channels or not config.channels.dingtalk.stream:
        return []
    from bot.channels.dingtalk.channel import DingTalk

    robot = channels["dingtalk"]
    assert isinstance(robot, DingTalk)

    def up() -> bool:
        return bool(robot.stream.status()["connections"])

    name = dingtalk_health.lease_name(config.channels.dingtalk)
    return [LinkWatch(db, clock, name=name, up=up)]


def build_check(channels: Mapping[str, Channel]) -> Check:
    """Ask a platform everything that costs next to nothing, for the set-up page."""

    async def check(channel: str) -> list[Checked]:
        from bot.channels.dingtalk import checks
        from bot.channels.dingtalk.channel import DingTalk

        robot = channels.get(channel)
        if not isinstance(robot, DingTalk):
            raise LookupError(channel)
        done: list[Checked] = []
        for one in await checks.check(robot):
            why = trial_message.why(one.why, "") if one.why else ""
            if one.finding is not None:
                found = one.finding
                said = channel_words.problem(
                    channel, found.problem, found.detail, topic=found.topic
                )
                why = channel_words.SENTENCE.format(*said)
            done.append(Checked(title=dingtalk_words.CHECKS[one.step], fine=one.fine, why=why))
        return done

    return check


def _link_key(config: Config) -> bytes:
    return config.web.session_key.encode()


def _resolve_by(app: WeCom) -> Resolve:
    """The company's own app tells who hides behind a bot's encrypted ids (sheet 6.2)."""

    async def resolve(hidden: Sequence[str]) -> Mapping[str, str]:
        said = await app.client.call(
            "POST", "batch/openuserid_to_userid", json={"open_userid_list": list(hidden)}
        )
        return {str(one["open_userid"]): str(one["userid"]) for one in said["userid_list"]}

    return resolve
