"""What people do: write, speak, tap, come and go."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from tests.fakes.dingtalk.base import Base
from tests.fakes.dingtalk.cards import Button, Template, Values
from tests.fakes.dingtalk.media import FileFault
from tests.fakes.dingtalk.pushes import BOT, Push
from tests.fakes.dingtalk.sessions import CustomRobot, link_buttons
from tests.fakes.dingtalk.state import App, Department, Group, Json, Message, Person
from tests.fakes.dingtalk.tapping import Tap, form_values, numbered_buttons

# With a group none of these can be sent: people cannot @ the robot with them.
_ONE_TO_ONE_ONLY = ("audio", "video", "file")
# Events that say so themselves are free of the month's pushes.
_FREE_EVENTS = ("user_", "org_dept_", "org_admin_")


class Speaking(Base):
    def say_text(
        self, user: str, content: str, *, quote: Push | Message | None = None, **how: Any
    ) -> Push:
        return self._say(user, lambda app: self.inbound.text(content, quote), how)

    def say_picture(
        self, user: str, data: bytes | None = None, *, fault: FileFault = "", **how: Any
    ) -> Push:
        return self._say(user, lambda app: self.inbound.picture(app, data, fault), how)

    def say_rich(
        self, user: str, parts: Sequence[str | bytes | Json], *, fault: FileFault = "", **how: Any
    ) -> Push:
        """``parts``: texts, pictures as bytes, other items as a dict; their order is kept."""
        return self._say(user, lambda app: self.inbound.rich(app, parts, fault), how)

    def say_audio(
        self,
        user: str,
        data: bytes | None = None,
        *,
        duration_ms: int | None = 4200,
        recognition: str | None = None,
        fault: FileFault = "",
        **how: Any,
    ) -> Push:
        """``data`` None: AMR narrow-band silence.  ``recognition`` None: the field is absent."""
        return self._say(
            user,
            lambda app: self.inbound.audio(app, data, duration_ms, recognition, fault),
            how,
        )

    def say_video(
        self, user: str, data: bytes = b"\0\0\0\x18ftypmp42", *, fault: FileFault = "", **how: Any
    ) -> Push:
        return self._say(user, lambda app: self.inbound.video(app, data, fault), how)

    def say_file(
        self, user: str, name: str, data: bytes, *, fault: FileFault = "", **how: Any
    ) -> Push:
        return self._say(user, lambda app: self.inbound.file(app, name, data, fault), how)

    def say_unknown(self, user: str, hint: str = "[位置] 请在手机上查看", **how: Any) -> Push:
        return self._say(user, lambda app: self.inbound.unknown(hint), how)

    def say_raw(self, user: str, body: Json, **how: Any) -> Push:
        """``body``: ``msgtype`` and its content, as no builder makes it."""
        return self._say(user, lambda app: body, how)

    def push_data(self, data: Any, *, topic: str = BOT, app: App | None = None) -> Push:
        """Any ``data`` on any topic, subscribed or not; a string need not be JSON."""
        number = self.world.draw("raw", 12)
        push = Push("message", app or self.app, topic, data, number, anywhere=True)
        return self.do(lambda: self.stream.start(push))

    def again(self, push: Push) -> Push:
        """A second delivery of the same message: same ``msgId``, new frame."""
        copy = replace(push, attempts=[], lost=False, done=False, gave_up=False, answer=None)
        return self.do(lambda: self.stream.start(copy))

    def _say(self, user: str, body: Callable[[App], Json], how: dict[str, Any]) -> Push:
        return self.do(lambda: self.stream.start(self._message(user, body, **how)))

    def _message(
        self,
        user: str,
        body: Callable[[App], Json],
        *,
        group: str = "",
        staff_id: bool = True,
        outsider: bool = False,
        msg_id: str = "",
        at_other: Sequence[str] = (),
        app: App | None = None,
    ) -> Push:
        app = app or self.app
        made = body(app)
        if group and made["msgtype"] in _ONE_TO_ONE_ONLY:
            raise AssertionError(f"nobody can @ the robot with {made['msgtype']}")
        if group and not outsider and user not in self.world.groups[group].members:
            raise AssertionError(f"{user} is not in {group}")
        return self.inbound.envelope(
            app,
            user,
            made,
            group=group,
            staff_id=staff_id,
            outsider=outsider,
            msg_id=msg_id,
            at_other=at_other,
        )

    def event(self, kind: str, data: Json, *, app: App | None = None) -> Push:
        """An event such as ``user_leave_org``, by the way that the app has chosen."""
        return self.do(lambda: self.stream.start(self._event(kind, data, app or self.app)))

    def check_url(self, *, app: App | None = None) -> Push:
        """What saving the event address in the console sends."""
        return self.event("check_url", {}, app=app)

    def _event(self, kind: str, data: Json, app: App) -> Push:
        number, born = self.world.draw("ev", 16), str(self.world.now_ms())
        headers = {
            "eventId": number,
            "eventType": kind,
            "eventBornTime": born,
            "eventCorpId": self.world.corp_id,
            "eventUnifiedAppId": f"app-{app.agent_id}",
        }
        if kind != "check_url" and not kind.startswith(_FREE_EVENTS):
            self.world.count("push")
        if app.event_url:
            data = {"EventType": kind, "CorpId": self.world.corp_id, "TimeStamp": born} | data
            if kind == "check_url":
                data = {"EventType": kind}
        return Push("event", app, "*", data, number, headers=headers)

    def click(self, user: str, message: Message, words: str) -> Push | str:
        """Follow a link button of an action card: a ``dtmd`` link makes the person write to the
        robot, any other is returned."""
        if message.recalled or user not in self.readers(message):
            raise AssertionError(f"{user} does not see this message")
        url = link_buttons(message)[words]
        if not url.startswith("dtmd://"):
            return url
        wanted = "dtmd://dingtalkclient/sendMessage?content="
        if not url.startswith(wanted):
            raise AssertionError(f"this link does nothing: {url}")
        return self.say_text(user, unquote(url.removeprefix(wanted)))

    def readers(self, message: Message) -> set[str]:
        return self.world.groups[message.group].members if message.group else {message.user}

    # Cards

    def tap(
        self,
        user: str,
        out_track_id: str,
        params: Mapping[str, Any],
        *,
        action_ids: Sequence[str] = (),
        unseen: bool = False,
    ) -> Tap:
        """``unseen``: the card is not in any conversation of theirs, they tap all the same."""
        card = self.cards.cards[out_track_id]
        if not unseen and not self.cards.sees(user, card):
            raise AssertionError(f"{user} does not see {out_track_id}")

        def start() -> Tap:
            tap = self.tapping.make(user, card, dict(params), list(action_ids))
            self.stream.spawn(self.tapping.send(tap))
            return tap

        return self.do(start)

    def press(self, user: str, out_track_id: str, button: str) -> Tap:
        """Tap the button with these words, or this id, that ``user`` sees."""
        shown = self.buttons(user, out_track_id)
        found = next((one for one in shown if button in (one.text, one.id)), None)
        if found is None:
            raise AssertionError(f"{user} sees no button {button!r} but {[b.text for b in shown]}")
        if not found.id:
            raise AssertionError(f"{button!r} only opens a page, or is dead")
        return self.tap(user, out_track_id, found.params, action_ids=[found.id])

    def submit_form(
        self,
        user: str,
        out_track_id: str,
        values: Mapping[str, Any],
        *,
        variable: str = "form",
        params: Mapping[str, Any] | None = None,
    ) -> Tap:
        """Fill in the form component bound to ``variable``, with plain values, and send it."""
        form = self.card_seen_by(user, out_track_id).get(variable, "")
        if not form:
            raise AssertionError(f"{user} sees no form on {out_track_id}")
        filled = dict(params or {}) | {"form": form_values(form, values)}
        return self.tap(user, out_track_id, filled, action_ids=["submit"])

    def buttons(self, user: str, out_track_id: str) -> list[Button]:
        template = self.cards.cards[out_track_id].template
        return template.buttons(self.card_seen_by(user, out_track_id))

    def card_seen_by(self, user: str, out_track_id: str) -> Values:
        """The variables as this person's client draws them."""
        card = self.cards.cards[out_track_id]
        if not self.cards.sees(user, card):
            raise AssertionError(f"{user} does not see {out_track_id}")
        return card.view(user)

    def add_template(
        self,
        template_id: str,
        *,
        variables: Collection[str] | None = None,
        private: Collection[str] = (),
        buttons: Callable[[Values], list[Button]] = numbered_buttons,
        published: bool = True,
    ) -> None:
        """``variables`` None: every key is taken."""
        known = None if variables is None else frozenset(variables) | frozenset(private)
        made = Template(template_id, known, frozenset(private), buttons, published)
        self.do(lambda: self.cards.templates.update({template_id: made}))

    # The company

    def add_person(self, userid: str, name: str = "", **more: Any) -> Person:
        """``more``: manager, depts, leads, title, mobile, admin, unionid."""
        more.setdefault("unionid", f"union-{userid}")
        person = Person(userid, name or userid, **more)
        self.do(lambda: self.world.people.update({userid: person}))
        return person

    def change_person(self, userid: str, *, announce: bool = True, **fields: Any) -> Push | None:
        """``announce``: with the event that goes with it."""
        person = self.world.people[userid]
        for name, value in fields.items():
            setattr(person, name, value)
        kind = "user_modify_org" if person.active else "user_leave_org"
        return self.event(kind, {"userId": [userid]}) if announce else None

    def add_department(self, number: int, name: str, parent: int = 1) -> None:
        self.do(lambda: self.world.departments.update({number: Department(number, name, parent)}))

    def add_group(
        self, chat: str, title: str, members: Collection[str], *, robot: bool = True
    ) -> Group:
        """``robot``: the app's robot is a member."""
        robots = {self.app.robot_code} if robot else set()
        group = Group(chat, title, set(members), robots)
        self.do(lambda: self.world.groups.update({chat: group}))
        return group

    def add_custom_robot(self, group: str, *, secret: str = "", keyword: str = "") -> CustomRobot:
        """A 自定义机器人 of the group; its address is ``robot.url(fake.oapi_base)``."""
        token = self.world.draw("", 32)
        robot = CustomRobot(token, secret, keyword, group)
        self.do(lambda: self.sessions.robots.update({token: robot}))
        return robot

    # Signing in

    def auth_code(self, user: str) -> str:
        """What ``dd.requestAuthCode`` gives a page inside the client."""
        return self.do(lambda: self.tokens.code("client", user))

    def sign_in(self, user: str) -> None:
        """Who sits at the browser when ``login_base``/oauth2/auth is opened."""
        self.tokens.signed_in = user
