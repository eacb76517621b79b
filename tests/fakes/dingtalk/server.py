"""A DingTalk on this machine, for tests: real HTTP and websocket servers in a thread of their own.

It follows shared/protocols/dingtalk.md and imports nothing of the program.  Its names are stable::

    with FakeDingTalk(clock=clock, seed=1, port=0) as fake:   # clock: anything with now()
        fake.api_base, fake.oapi_base, fake.login_base        # three listeners on 127.0.0.1
        fake.app                    # client_id, client_secret, robot_code, agent_id, corp: fake.corp_id
        fake.add_app(client_id, client_secret, agent_id=...)  # a second one, e.g. the wrong one
        fake.rules.<switch> = ...   # state.Rules: every limit, time and behaviour

    The company: add_person(userid, name, manager=, depts=, leads=, title=, mobile=, admin=),
        change_person(userid, active=False, ...), add_department(id, name, parent),
        add_group(chat, title, members, robot=True), add_custom_robot(group, secret=, keyword=)
    HTTP mode: fake.app.message_url, .event_url, .event_token, .event_aes_key = ...; check_url().
        Stream is used for whatever has no address.  Cards choose by their callbackType.
    People write; each returns a Push at once and the frame follows:
        say_text(user, words, quote=push or message), say_picture, say_rich(user, [words, bytes]),
        say_audio(user, data, duration_ms=, recognition=, fault=), say_video, say_file(user, name,
        data), say_unknown, say_raw(user, body); each takes group=chat (with @), staff_id=False,
        outsider=True, msg_id=, app=, at_other=[userids].  fault: slow cut empty huge missing
        expired.  again(push) is a redelivery; push_data(data, topic=) is anything;
        event(type, data).
        click(user, message, words) follows a link button of an action card (dtmd: they write).
        Push: .wait(timeout_s), .acked, .lost, .gave_up, .attempts, .ack_delay_s, .data, .id.
    Cards: card_seen_by(user, out_track_id) -> values; buttons(user, id); cards_of(user),
        last_card(user); tap(user, id, params, action_ids=), press(user, id, words),
        submit_form(user, id, values); add_template(id, variables=, private=, buttons=);
        Tap: .wait(), .outcome (answered failed late nowhere lost), .answer, .delay_s.
    What people see: seen(user) -> messages not recalled, seen_in(chat), texts(user), last(user);
        fake.messages is everything, in order.
    What the app did: calls(path, method=), count(path), api_used, push_used,
        complaints (mistakes that the platform would let pass: most tests want it empty).
    Sockets: connections(), wait_connected(n), disconnect(), close_abruptly(), make_zombies(),
        go_silent(), rebalance(every_s or None, at_once=), ping(), send_raw(text), lost, pushes.
        Each takes a connection or means all of them.
    Faults: fail(path, code, times=, status=), slow(path, seconds), drop(path) before anything
        happens, lose_answer(path) after it happened, garble(path, body), heal();
        expire_tokens(), expire_sessions(), expire_codes(), flow_control(users),
        rules.banned, rules.blocked_ip, app.stopped, app.scopes, app.visible.
        ``path`` may start with a method and end with ``*``.
    wait_for(function, timeout_s) blocks until it gives something true.
    python -m tests.fakes.dingtalk --port N serves it alone; control.py says how it is driven then.

Blocking calls (``wait``, ``wait_for``, ``wait_connected``) go into ``asyncio.to_thread`` when the
test's own loop is the one that must answer.  All other calls return at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from tests.fakes.dingtalk.cards import Card
from tests.fakes.dingtalk.gate import Fault
from tests.fakes.dingtalk.pushes import Push
from tests.fakes.dingtalk.speaking import Speaking
from tests.fakes.dingtalk.state import App, Call, Message
from tests.fakes.dingtalk.stream import Connection


class FakeDingTalk(Speaking):
    # What people see

    @property
    def messages(self) -> list[Message]:
        return self.world.messages

    def seen(self, user: str) -> list[Message]:
        """All that reached one person outside of groups, oldest first; ``via`` says how."""
        return [one for one in self.messages if one.user == user and not one.recalled]

    def seen_in(self, chat: str) -> list[Message]:
        return [one for one in self.messages if one.group == chat and not one.recalled]

    def texts(self, user: str) -> list[str]:
        return [one.text for one in self.seen(user)]

    def last(self, user: str) -> Message:
        return self.seen(user)[-1]

    def cards_of(self, user: str) -> list[Card]:
        return [one for one in self.cards.cards.values() if self.cards.sees(user, one)]

    def last_card(self, user: str) -> Card:
        return self.cards_of(user)[-1]

    # What the app did

    @property
    def corp_id(self) -> str:
        return self.world.corp_id

    @property
    def complaints(self) -> list[str]:
        return self.world.complaints

    def calls(self, path: str = "*", *, method: str = "") -> list[Call]:
        probe = Fault(path, None, "error")
        return [
            one
            for one in list(self.world.calls)
            if (path == "*" or probe.fits(one.method, one.path)) and method in ("", one.method)
        ]

    def count(self, path: str = "*", *, method: str = "") -> int:
        return len(self.calls(path, method=method))

    @property
    def api_used(self) -> int:
        """Paid calls of this month."""
        return self.world.used("api")

    @property
    def push_used(self) -> int:
        return self.world.used("push")

    def wait_for(self, true: Callable[[], Any], timeout_s: float = 10.0) -> Any:
        return self.world.wait_for(true, timeout_s)

    # Sockets

    @property
    def pushes(self) -> list[Push]:
        return self.stream.pushes

    @property
    def lost(self) -> list[Push]:
        return self.stream.lost

    def connections(self, app: App | None = None) -> list[Connection]:
        """Those that are pushed to."""
        return [one for one in self.stream.connections if one.healthy and app in (None, one.app)]

    def wait_connected(self, at_least: int = 1, timeout_s: float = 10.0) -> list[Connection]:
        self.wait_for(lambda: len(self.connections()) >= at_least, timeout_s)
        return self.connections()

    def disconnect(
        self, connection: Connection | None = None, reason: str = "connection is expired"
    ) -> None:
        def start(one: Connection) -> None:
            self.stream.spawn(self.stream.disconnect(one, reason))

        self._each(connection, start)

    def close_abruptly(self, connection: Connection | None = None) -> None:
        self._each(connection, self.stream.abort)

    def make_zombies(self, connection: Connection | None = None) -> None:
        """The socket stays open; nothing comes through it in either direction any more."""

        def bury(one: Connection) -> None:
            one.zombie = True

        self._each(connection, bury)

    def go_silent(self, silent: bool = True) -> None:
        """No more SYSTEM pings; websocket pings of the client are still answered."""
        self.stream.silent = silent

    def ping(self, connection: Connection | None = None) -> None:
        self._each(connection, lambda one: self.stream.spawn(self.stream.ping(one)))

    def send_raw(self, text: str) -> None:
        self.do(lambda: self.stream.spawn(self.stream.send_raw(text)))

    def rebalance(self, every_s: float | None, *, at_once: bool = False) -> None:
        """``disconnect`` for the oldest socket again and again; None ends it.

        ``at_once``: for all of them, so that for a moment none is there and messages are lost
        (or held, see ``rules.offline``) however quick the app is.
        """
        self.do(lambda: self.stream.set_rebalance(every_s, at_once=at_once))

    def _each(self, connection: Connection | None, work: Callable[[Connection], Any]) -> None:
        chosen = self.connections() if connection is None else [connection]
        self.do(lambda: [work(one) for one in chosen])

    # Faults

    def fail(
        self,
        path: str,
        code: str | int = "system.busy",
        *,
        times: int | None = 1,
        status: int | None = None,
        message: str = "",
    ) -> None:
        """``code``: a number for oapi (HTTP 200), words for v1.0; ``status`` is 500 then."""
        number = status or (200 if isinstance(code, int) else 500)
        self._spoil(Fault(path, times, "error", status=number, code=code, message=message))

    def slow(self, path: str, seconds: float, *, times: int | None = 1) -> None:
        self._spoil(Fault(path, times, "slow", seconds=seconds))

    def drop(self, path: str, *, times: int | None = 1) -> None:
        self._spoil(Fault(path, times, "drop"))

    def lose_answer(self, path: str, *, times: int | None = 1) -> None:
        self._spoil(Fault(path, times, "lost_answer"))

    def garble(
        self,
        path: str,
        body: bytes = b"<html>502 Bad Gateway</html>",
        *,
        status: int = 502,
        times: int | None = 1,
        content_type: str = "text/html",
    ) -> None:
        self._spoil(Fault(path, times, "body", status=status, body=body, content_type=content_type))

    def heal(self) -> None:
        self.do(self.gate.faults.clear)

    def _spoil(self, fault: Fault) -> None:
        self.do(lambda: self.gate.faults.append(fault))

    def expire_tokens(self) -> None:
        """Revoked early: every token that was given is worth nothing."""
        self.do(self.tokens.expire_all)

    def expire_sessions(self) -> None:
        """Session webhooks die, whatever their date says."""
        self.do(self.sessions.sessions.clear)

    def expire_codes(self) -> None:
        """Every downloadCode so far is too old."""

        def expire() -> None:
            for one in self.media.incoming.values():
                one.fault = "expired"

        self.do(expire)

    def flow_control(self, users: Collection[str], *, times: int = 1) -> None:
        """Their next sends of batchSend land in flowControlledStaffIdList."""
        self.do(lambda: self.sending.flow_controlled.update(dict.fromkeys(users, times)))
