"""What the fake platform knows, and the rules that it plays by."""

from __future__ import annotations

import hashlib
import itertools
import random
import string
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Protocol
from zoneinfo import ZoneInfo

Json = dict[str, Any]
ZONE = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    def now(self) -> datetime: ...


class RealClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class Rules:
    """Limits and switches.  Tests change them at any time; the defaults are the protocol sheet's,
    or, where that is silent, the stricter guess."""

    token_life_s: float = 7200
    second_token: Literal["same", "fresh"] = "same"  # what a second fetch gives
    bad_token_status: int = 400  # 401 is seen as well
    qps: int | None = 20  # calls of one app to one API in a second of real time
    api_quota: int | None = 5000  # paid calls a month
    push_quota: int | None = 3000  # pushes a month
    push_units: int = 1  # what one push counts; a user measured 2
    quota_names: tuple[str, str] = ("errorCode", "errorMessage")  # or errCode, errMsg
    webhook_per_min: int = 20  # messages through one session or custom robot
    webhook_block_s: float = 600  # a custom robot that was too fast is silent so long
    webhook_bytes: int = 20_000
    session_life_s: float = 5400
    msg_param_bytes: int = 15_000
    batch_users: int = 20
    # Stream
    ticket_life_s: float = 90
    connections: int = 50
    ping_every_s: float = 20
    repush_s: float | None = 60  # None: fire and forget
    repush_times: int = 3
    repush_same_message_id: bool = False
    event_retry_s: tuple[float, ...] = (10, 30)
    grace_s: float = 10  # from the disconnect frame to the end of the socket
    fan_out: Literal["random", "newest"] = "random"
    offline: Literal["lost", "hold"] = "lost"
    stream_deadline_s: float = 3.0
    http_deadline_s: float = 2.5
    card_deadline_s: float = 2.0
    # Media
    code_life_s: float | None = 3600
    file_url_life_s: float = 3600
    # Cards
    card_key_bytes: int = 100
    card_value_bytes: int = 1024
    card_bytes: int = 100 * 1024
    card_repeat: Literal["keep", "refuse"] = "keep"  # a second create with one outTrackId
    card_repeat_posts: bool = False  # whether "keep" shows the message once more
    card_content: Literal["content", "value", "object"] = "content"
    card_params_as_strings: bool = False
    login_code_life_s: float = 300
    blocked_ip: bool = False  # our address is not in the app's list
    banned: bool = False  # the firewall answers instead of the platform
    punished_json: bool = False  # and does so in JSON, not in HTML


ALL_SCOPES = frozenset(
    {
        "qyapi_robot_sendmsg",
        "Card.Instance.Write",
        "Card.Streaming.Write",
        "qyapi_get_member",
        "qyapi_get_department_member",
        "qyapi_get_department_list",
        "Premium.Ding.Write",
        "Contact.User.Read",
    }
)


@dataclass(eq=False)
class App:
    client_id: str
    client_secret: str
    agent_id: int
    scopes: set[str] = field(default_factory=lambda: set(ALL_SCOPES))
    visible: set[str] | None = None  # userids in range; None: everybody
    stopped: bool = False  # the robot is switched off
    published: bool = True  # an unpublished version: senderStaffId stays empty
    message_url: str = ""  # not '': the robot is in HTTP mode
    event_url: str = ""  # not '': events go there, encrypted
    event_token: str = ""
    event_aes_key: str = ""

    @property
    def robot_code(self) -> str:
        return self.client_id


@dataclass(eq=False)
class Person:
    userid: str
    name: str
    unionid: str
    manager: str = ""
    depts: list[int] = field(default_factory=lambda: [1])
    leads: list[int] = field(default_factory=list)  # departments
    title: str = ""
    mobile: str = ""
    admin: bool = False
    active: bool = True

    @property
    def encrypted_id(self) -> str:
        return "$:LWCP_v1:$" + hashlib.sha1(self.userid.encode()).hexdigest()[:22]


@dataclass(eq=False)
class Department:
    id: int
    name: str
    parent: int


@dataclass(eq=False)
class Group:
    id: str  # openConversationId
    title: str
    members: set[str]
    robots: set[str]  # robot codes
    disbanded: bool = False


@dataclass(eq=False)
class Token:
    text: str
    app: App
    ends: datetime
    person: Person | None = None  # a signed-in person's token
    revoked: bool = False


@dataclass(eq=False)
class Call:
    """One request that reached the platform."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    raw: bytes
    body: Json
    at: datetime
    moment: float  # monotonic seconds
    app: App | None = None
    status: int = 0  # 0: no answer was sent
    answer: Any = None

    @property
    def ok(self) -> bool:
        failed = isinstance(self.answer, dict) and self.answer.get("errcode", 0) != 0
        return self.status == 200 and not failed


@dataclass(eq=False)
class Message:
    """Something that a person or a group sees in a conversation."""

    via: Literal["batch", "group", "session", "notice", "card", "custom", "reply", "ding"]
    user: str  # '' in a group
    group: str
    key: str  # msgKey or msgtype
    content: Json
    at: datetime
    process_query_key: str = ""
    out_track_id: str = ""
    at_users: list[str] = field(default_factory=list)
    recalled: bool = False
    read_by: set[str] = field(default_factory=set)

    @property
    def text(self) -> str:
        """Its main words, whatever it is."""
        for name in ("text", "content", "title"):
            if isinstance(self.content.get(name), str):
                return str(self.content[name])
        return ""


class World:
    """Shared by all parts.  The loop's thread changes it; other threads read and wait."""

    def __init__(self, clock: Clock, seed: int) -> None:
        self.clock = clock
        self.rules = Rules()
        self.dice = random.Random(seed)
        self.corp_id = "dingcorpexample0001"
        self.apps: dict[str, App] = {}
        self.people: dict[str, Person] = {}
        self.departments: dict[int, Department] = {1: Department(1, "远航工业", 0)}
        self.groups: dict[str, Group] = {}
        self.tokens: dict[str, Token] = {}
        self.messages: list[Message] = []
        self.calls: list[Call] = []
        # What the platform lets pass, or only punishes silently, and what is a mistake all the same.
        self.complaints: list[str] = []
        self.counted: defaultdict[tuple[str, str], int] = defaultdict(int)
        self.changed = threading.Condition()
        self.bases: dict[str, str] = {}  # api, oapi, edge
        self._version = 0
        self._numbers = itertools.count(1)

    def now(self) -> datetime:
        return self.clock.now()

    def now_ms(self) -> int:
        return int(self.now().timestamp() * 1000)

    def after(self, seconds: float) -> datetime:
        return self.now() + timedelta(seconds=seconds)

    def number(self) -> int:
        return next(self._numbers)

    def draw(self, prefix: str, length: int = 24) -> str:
        letters = string.ascii_letters + string.digits
        return prefix + "".join(self.dice.choices(letters, k=length))

    def tell(self) -> None:
        """Something changed: whoever waits looks again."""
        with self.changed:
            self._version += 1
            self.changed.notify_all()

    def complain(self, words: str) -> None:
        self.complaints.append(words)
        self.tell()

    def wait_for(self, true: Callable[[], Any], timeout_s: float) -> Any:
        """The first true value of ``true()``; blocks the calling thread, so never call it on a
        loop that must answer meanwhile."""
        ends = time.monotonic() + timeout_s
        while True:
            with self.changed:
                seen = self._version
            # Outside of the lock, so that it may call whatever it likes.
            if found := true():
                return found
            left = ends - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"not within {timeout_s} s")
            with self.changed:
                if self._version == seen:
                    # At times nothing tells: a clock that is moved, a socket that dies.
                    self.changed.wait(min(left, 0.2))

    # Counting

    def month(self) -> str:
        return self.now().astimezone(ZONE).strftime("%Y-%m")

    def count(self, what: Literal["api", "push"], units: int = 1) -> None:
        self.counted[what, self.month()] += units

    def used(self, what: Literal["api", "push"]) -> int:
        return self.counted[what, self.month()]

    def over(self, what: Literal["api", "push"]) -> bool:
        quota = self.rules.api_quota if what == "api" else self.rules.push_quota
        return quota is not None and self.used(what) >= quota

    # Finding

    def reachable(self, app: App, userid: str) -> bool:
        person = self.people.get(userid)
        if person is None or not person.active:
            return False
        return app.visible is None or userid in app.visible

    def by_union(self, unionid: str) -> Person | None:
        return next((one for one in self.people.values() if one.unionid == unionid), None)

    def by_robot(self, robot_code: str) -> App | None:
        return self.apps.get(robot_code)

    def private_chat(self, app: App, userid: str) -> str:
        drawn = hashlib.sha1(f"{app.client_id}/{userid}".encode()).hexdigest()[:20]
        return f"cid{drawn}=="

    def post(self, message: Message) -> Message:
        self.messages.append(message)
        self.tell()
        return message
