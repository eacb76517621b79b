"""What the fake platform knows, and the rules that it plays by."""

from __future__ import annotations

import itertools
import random
import string
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from tests.fakes.wecom.errors import ApiError

Json = dict[str, Any]


@dataclass
class Rules:
    """Limits and switches.  Tests change them at any time; the defaults are the protocol sheet's."""

    token_life_s: int = 7200
    # What a second gettoken does: gives the same token, a new one, or a new one that ends the old.
    second_token: Literal["same", "fresh", "kills_old"] = "kills_old"
    wrong_secrets_per_hour: int = 2000  # from one address; more bans it from gettoken for an hour
    api_per_min: int = 10_000
    api_per_hour: int = 150_000
    concurrent_per_api: int | None = None
    member_per_min: int = 30  # more is dropped without a word
    member_per_hour: int = 1000
    account_limit: int = 10_000  # an app may reach 200 times as many persons a day
    chat_member_per_min: int = 200
    chats_per_day: int = 1000
    webhook_per_min: int = 20
    client_ip: str = "203.0.113.7"  # where calls seem to come from
    trusted_ips: set[str] | None = None  # None: every address may call
    contact_ip_is_new: bool = True  # the contact-sync secret may then not read people
    refuse_unknown_fields: bool = True  # the platform ignores them; here they are our mistakes
    # What a suppressed duplicate is answered with (unconfirmed): no ids, the first ids, or a code.
    duplicate_answer: Literal["bare", "same"] | int = "bare"
    code_life_h: float = 72
    recall_h: float = 24
    media_life_h: float = 72
    media_whole_max: int = 20 * 1024 * 1024  # larger needs Range
    oauth_life_s: float = 300
    oauth_domains: set[str] | None = None  # host or host:port; None: every one is registered
    # Callbacks.
    redeliveries: int = 3
    redelivery_gap_s: float = 5.0
    deadline_s: float = 5.0
    verify_deadline_s: float = 1.0
    retry_5xx: bool = False
    same_bytes: bool = False  # a re-delivery repeats nonce, time and cipher
    keep_alive: bool = False  # one connection for several callbacks


@dataclass
class App:
    agent_id: int
    secret: str
    token: str = ""
    aes_key: str = ""
    callback_url: str = ""
    kind: Literal["app", "contacts"] = "app"
    enabled: bool = True
    departments: set[int] = field(default_factory=lambda: {1})  # visible range
    members: set[str] = field(default_factory=set)  # visible besides, lower case
    tags: set[int] = field(default_factory=set)  # whose members see it besides
    redirect_domain: str = ""  # of its pages


@dataclass
class Member:
    userid: str
    name: str
    department: list[int] = field(default_factory=lambda: [1])
    leader_in: list[int] = field(default_factory=list)
    direct_leader: list[str] = field(default_factory=list)
    position: str = ""
    status: int = 1  # 1 active, 2 disabled, 4 not activated, 5 left
    licensed: bool = True
    main_department: int = 0
    alias: str = ""

    @property
    def key(self) -> str:
        return self.userid.lower()


@dataclass
class Department:
    id: int
    name: str
    parentid: int = 0
    order: int = 100
    leaders: list[str] = field(default_factory=list)


@dataclass
class Token:
    value: str
    app: App
    until: datetime
    dead: int = 0  # the error code once revoked


@dataclass
class Media:
    media_id: str
    kind: str
    data: bytes
    filename: str
    content_type: str
    at: datetime
    webhook: str = ""  # only this webhook may use it
    # How the download goes wrong: slow, cut, empty, huge, html, or "" when all is well.
    fault: str = ""


@dataclass
class Code:
    """A response code: one update, within 72 hours."""

    value: str
    message: Message
    at: datetime
    used: bool = False


@dataclass
class Copy:
    """One message as one member sees it now."""

    user: str
    message: Message
    body: Any
    grey: str = ""  # the words of the one grey button that replaced all
    was: list[Any] = field(default_factory=list)  # earlier bodies, oldest first

    @property
    def recalled(self) -> bool:
        return self.message.recalled

    @property
    def msgid(self) -> str:
        return self.message.msgid

    @property
    def type(self) -> str:
        return self.message.msgtype

    @property
    def task_id(self) -> str:
        return self.message.task_id

    @property
    def text(self) -> str:
        return str(self.body["content"]) if self.type in ("text", "markdown") else ""

    @property
    def card(self) -> Json:
        if self.type != "template_card":
            raise AssertionError(f"{self.user} sees a {self.type}, not a card")
        return dict(self.body)

    @property
    def card_type(self) -> str:
        return str(self.card["card_type"])

    @property
    def title(self) -> str:
        return str(self.card.get("main_title", {}).get("title", ""))

    @property
    def desc(self) -> str:
        return str(self.card.get("main_title", {}).get("desc", ""))

    @property
    def rows(self) -> dict[str, str]:
        rows = self.card.get("horizontal_content_list", [])
        return {row["keyname"]: row.get("value", "") for row in rows}

    @property
    def buttons(self) -> dict[str, str]:
        """Words -> key of what can be tapped now (links are no callbacks)."""
        if self.grey or self.recalled:
            return {}
        card = self.card
        made = {
            one["text"]: one["key"]
            for one in card.get("button_list", [])
            if one.get("type", 0) == 0
        }
        if submit := card.get("submit_button"):
            made[submit["text"]] = submit["key"]
        return made

    @property
    def menu(self) -> dict[str, str]:
        if self.recalled:
            return {}
        actions = self.card.get("action_menu", {}).get("action_list", [])
        return {one["text"]: one["key"] for one in actions}


@dataclass
class Message:
    msgid: str
    agent_id: int
    msgtype: str
    sent: Json  # the request as it came
    at: datetime
    copies: dict[str, Copy] = field(default_factory=dict)  # by lower-case user id
    dropped: list[str] = field(default_factory=list)  # above the member's rate: never shown
    task_id: str = ""
    response_code: str = ""
    recalled: bool = False


@dataclass
class Chat:
    chatid: str
    name: str
    owner: str
    users: list[str]
    agent_id: int
    messages: list[Json] = field(default_factory=list)


@dataclass
class Webhook:
    key: str
    messages: list[Json] = field(default_factory=list)
    disabled: bool = False


@dataclass
class Call:
    """One request to the REST side, as recorded."""

    path: str
    method: str
    query: dict[str, str]
    at: datetime
    body: Any = None
    raw: bytes = b""
    content_type: str = ""
    app: App | None = None
    errcode: int | None = None  # None: no answer was given, or none in JSON
    status: int = 0


class Window:
    """At most *limit* in *span_s* seconds of the clock, sliding."""

    def __init__(self, span_s: float) -> None:
        self._span = timedelta(seconds=span_s)
        self._times: deque[datetime] = deque()

    def count(self, now: datetime) -> int:
        while self._times and now - self._times[0] >= self._span:
            self._times.popleft()
        return len(self._times)

    def allow(self, now: datetime, limit: int, amount: int = 1) -> bool:
        """False above the limit; what is refused does not count."""
        if self.count(now) + amount > limit:
            return False
        self._times.extend([now] * amount)
        return True


class State:
    """Everything the platform keeps.  ``lock`` guards it: tests and server run in two threads."""

    def __init__(self, corp_id: str, clock: Callable[[], datetime], seed: int = 0) -> None:
        self.corp_id = corp_id
        self.clock = clock
        self.ahead = timedelta()
        self.lock = threading.RLock()
        self.rules = Rules()
        self.random = random.Random(seed)
        self.apps: list[App] = []
        self.members: dict[str, Member] = {}
        self.departments: dict[int, Department] = {}
        self.tags: dict[int, set[str]] = {}
        self.tokens: dict[str, Token] = {}
        self.messages: list[Message] = []
        self.by_msgid: dict[str, Message] = {}
        self.tasks: dict[tuple[int, str], Message] = {}
        self.codes: dict[str, Code] = {}
        self.media: dict[str, Media] = {}
        self.chats: dict[str, Chat] = {}
        self.webhooks: dict[str, Webhook] = {}
        self.oauth: dict[str, tuple[str, App | None, datetime, bool]] = {}
        self.calls: list[Call] = []
        self.warnings: list[str] = []  # what a reader would see cut off
        self.callback_ips = ["127.0.0.1", "203.0.113.*"]
        self.browser_user = ""  # who sits before the browser that comes to the OAuth page
        self.duplicates: dict[tuple[int, bytes], tuple[datetime, Json]] = {}
        self.windows: dict[tuple[Any, ...], Window] = {}
        self.open_ids: dict[str, str] = {}
        self._numbers = itertools.count(1)
        self._inbound = itertools.count(7_300_000_000_000_000_001)

    def now(self) -> datetime:
        return self.clock() + self.ahead

    def seconds(self) -> int:
        return int(self.now().timestamp())

    def number(self) -> int:
        return next(self._numbers)

    def inbound_id(self) -> int:
        return next(self._inbound)

    def letters(self, length: int) -> str:
        return "".join(self.random.choices(string.ascii_letters + string.digits, k=length))

    def window(self, *key: Any, span_s: float) -> Window:
        return self.windows.setdefault((*key, span_s), Window(span_s))

    # --- who and what -------------------------------------------------------------------------

    def app(self, agent_id: int | None = None) -> App:
        for one in self.apps:
            if one.kind == "app" and agent_id in (None, one.agent_id):
                return one
        raise LookupError(f"no app {agent_id}")

    def member(self, userid: str) -> Member:
        try:
            return self.members[userid.lower()]
        except KeyError:
            raise LookupError(f"no member {userid!r}; add_member() first") from None

    def ancestors(self, department: int) -> set[int]:
        found: set[int] = set()
        while department and department not in found:
            found.add(department)
            known = self.departments.get(department)
            department = known.parentid if known else 0
        return found

    def in_range(self, app: App, member: Member) -> bool:
        """In the app's visible range, disabled or not."""
        if member.status == 5:
            return False
        if member.key in app.members or any(member.key in self.tags.get(t, ()) for t in app.tags):
            return True
        return any(self.ancestors(one) & app.departments for one in member.department)

    def sees(self, app: App, member: Member) -> bool:
        """In range, and can be written to."""
        return member.status != 2 and self.in_range(app, member)

    def in_department(self, department: int) -> list[Member]:
        """Its members and those below it."""
        return [
            one
            for one in self.members.values()
            if any(department in self.ancestors(own) for own in one.department)
        ]

    def new_code(self, message: Message) -> str:
        value = "RC_" + self.letters(40)
        self.codes[value] = Code(value, message, self.now())
        return value

    def add_media(
        self, kind: str, data: bytes, filename: str, content_type: str, webhook: str = ""
    ) -> Media:
        media_id = f"3{self.letters(47)}_{self.number()}"
        made = Media(media_id, kind, data, filename, content_type, self.now(), webhook)
        self.media[media_id] = made
        return made

    def find_media(self, media_id: Any, webhook: str = "") -> Media:
        if not media_id:
            raise ApiError(41006)
        found = self.media.get(media_id) if isinstance(media_id, str) else None
        if found is None or found.webhook != webhook:
            raise ApiError(40007)
        if self.now() - found.at >= timedelta(hours=self.rules.media_life_h):
            raise ApiError(40007, "media expired")
        return found
