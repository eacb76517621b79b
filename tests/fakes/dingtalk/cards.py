"""Interactive cards: templates, instances, who sees what (protocol sheet, 5.1 to 5.3)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from tests.fakes.dingtalk.errors import V1Error, bad
from tests.fakes.dingtalk.gate import Ask, Route, need_json
from tests.fakes.dingtalk.state import App, Json, Message, World

PUBLIC_TEMPLATE: Final = "1366a1eb-bc54-4859-ac88-517c56a9acb1.schema"
_SCOPE: Final = "Card.Instance.Write"
_SPACE = re.compile(r"(IM_ROBOT|IM_GROUP|IM_SINGLE|ONE_BOX)\.(.+)")
_PREFIX: Final = "dtv1.card//"

Values = dict[str, str]


@dataclass(frozen=True)
class Button:
    text: str
    id: str = ""
    params: Json = field(default_factory=dict)
    url: str = ""


@dataclass(eq=False)
class Template:
    id: str
    variables: frozenset[str] | None  # None: whatever is given
    private: frozenset[str]  # the variables that may differ from viewer to viewer
    buttons: Callable[[Values], list[Button]]
    published: bool = True


@dataclass(eq=False)
class Space:
    kind: Literal["IM_ROBOT", "IM_GROUP"]
    id: str
    carrier: str


@dataclass(eq=False)
class Card:
    """One instance; ``data`` is everybody's, ``private`` somebody's, ``answered`` what the answer
    to a tap changed for the one who tapped, until an update says otherwise."""

    out_track_id: str
    app: App
    template: Template
    data: Values
    private: dict[str, Values]
    callback_type: str  # STREAM, HTTP or ''
    route_key: str
    made_at: datetime
    answered: dict[str, Values] = field(default_factory=dict)
    spaces: list[Space] = field(default_factory=list)
    updates: list[Json] = field(default_factory=list)  # bodies of the PUTs

    def view(self, userid: str) -> Values:
        private = self.private.get(userid, {})
        kept = {k: v for k, v in private.items() if k in self.template.private}
        return self.data | kept | self.answered.get(userid, {})


@dataclass(frozen=True)
class CallbackRoute:
    url: str
    secret: str


class Cards:
    def __init__(self, world: World) -> None:
        self._world = world
        self.cards: dict[str, Card] = {}
        self.templates: dict[str, Template] = {}
        self.callback_routes: dict[str, CallbackRoute] = {}
        self.refused_users: set[str] = set()  # a delivery to them fails inside an HTTP 200
        self.open_taps: dict[str, int] = {}  # outTrackId -> taps that wait for their answer
        self.answered_taps: set[str] = set()  # outTrackIds with an answer since the last update

    def routes(self) -> list[Route]:
        listed: list[tuple[str, str, Any, bool]] = [
            ("POST", "/v1.0/card/instances/createAndDeliver", self._create_and_deliver, True),
            ("POST", "/v1.0/card/instances", self._create, True),
            ("POST", "/v1.0/card/instances/deliver", self._deliver_known, True),
            ("PUT", "/v1.0/card/instances", self._update, True),
            ("POST", "/v1.0/card/callbacks/register", self._register, False),
        ]
        return [
            Route(method, path, handler, "v1", scope=_SCOPE, paid=paid)
            for method, path, handler, paid in listed
        ]

    def sees(self, userid: str, card: Card) -> bool:
        for space in card.spaces:
            if space.kind == "IM_ROBOT" and space.id == userid:
                return True
            group = self._world.groups.get(space.id)
            if space.kind == "IM_GROUP" and group is not None and userid in group.members:
                return True
        return False

    # Calls

    async def _create_and_deliver(self, ask: Ask) -> Json:
        body = need_json(ask)
        self._check_spaces(ask.app, body)
        card, fresh = self._made(ask.app, body)
        show = fresh or self._world.rules.card_repeat_posts
        results = self._deliver(card, body, show)
        answer = {"outTrackId": card.out_track_id, "deliverResults": results}
        return {"success": True, "result": answer}

    async def _create(self, ask: Ask) -> Json:
        card, _ = self._made(ask.app, need_json(ask))
        return {"success": True, "result": card.out_track_id}

    async def _deliver_known(self, ask: Ask) -> Json:
        body = need_json(ask)
        self._check_spaces(ask.app, body)
        results = self._deliver(self._own(ask.app, body), body, show=True)
        return {"success": True, "result": results}

    async def _update(self, ask: Ask) -> Json:
        body = need_json(ask)
        card = self._own(ask.app, body)
        number = card.out_track_id
        if self.open_taps.get(number) and number not in self.answered_taps:
            self._world.complain(f"{number} updated while a tap waits for its answer")
        self.answered_taps.discard(number)
        data = self._values(card.template, body.get("cardData"), private=False)
        private = self._private(card.template, body)
        if data is None and private is None:
            raise bad("param.cardDataInvalid", "nothing to update")
        self.merge(card, body, data, private)
        card.updates.append(body)
        self._world.tell()
        return {"success": True, "result": True}

    def merge(
        self, card: Card, body: Json, data: Values | None, private: dict[str, Values] | None
    ) -> None:
        """Without the options the maps take the place of everything that was there."""
        options = body.get("cardUpdateOptions") or {}
        if data is not None:
            by_key = options.get("updateCardDataByKey") is True
            card.data = card.data | data if by_key else data
            for answered in card.answered.values():
                for name in list(answered):
                    if name in data or not by_key:
                        del answered[name]
        if private is not None:
            by_key = options.get("updatePrivateDataByKey") is True
            for userid, values in private.items():
                old = card.private.get(userid, {}) if by_key else {}
                card.private[userid] = old | values
                for name in values:
                    card.answered.get(userid, {}).pop(name, None)

    async def _register(self, ask: Ask) -> Json:
        body = need_json(ask)
        key, url = body.get("callbackRouteKey"), body.get("callbackUrl")
        if not key or not isinstance(url, str) or not url.startswith("http"):
            raise bad("param.callbackUrlInvalid")
        known = self.callback_routes.get(key)
        if known is not None and known.url != url and not body.get("forceUpdate"):
            raise bad("param.callbackRouteKeyExist")
        self.callback_routes[key] = CallbackRoute(url, str(body.get("apiSecret", "")))
        return {"success": True, "result": {"callbackUrl": url, "apiSecret": body.get("apiSecret")}}

    # Checks

    def _made(self, app: App, body: Json) -> tuple[Card, bool]:
        """The card, and whether it is new."""
        number = body.get("outTrackId")
        if not isinstance(number, str) or not 1 <= len(number) <= 100:
            raise bad("param.outTrackIdInvalid")
        template = self.templates.get(str(body.get("cardTemplateId")))
        if template is None:
            raise bad("param.templateNotExist", str(body.get("cardTemplateId")))
        if not template.published:
            raise bad("param.templateUnpublished")
        kind = body.get("callbackType", "")
        if kind not in ("STREAM", "HTTP", ""):
            raise bad("param.callbackTypeInvalid", str(kind))
        key = str(body.get("callbackRouteKey", ""))
        if kind == "HTTP" and key not in self.callback_routes:
            raise bad("param.callbackRouteKeyNotExist", key)
        data = self._values(template, body.get("cardData"), private=False)
        if data is None:
            raise bad("param.cardDataInvalid", "cardData is missing")
        private = self._private(template, body) or {}
        known = self.cards.get(number)
        if known is not None:
            if self._world.rules.card_repeat == "refuse" or known.app is not app:
                raise bad("param.cardAlreadyExist")
            return known, False
        now = self._world.now()
        card = Card(number, app, template, data, private, kind, key, now)
        self.cards[number] = card
        return card, True

    def _own(self, app: App, body: Json) -> Card:
        card = self.cards.get(str(body.get("outTrackId")))
        if card is None or card.app is not app:
            raise bad("param.cardNotExist", str(body.get("outTrackId")))
        return card

    def _private(self, template: Template, body: Json) -> dict[str, Values] | None:
        given = body.get("privateData")
        if given is None:
            return None
        if not isinstance(given, dict):
            raise bad("param.privateDataInvalid")
        made = {}
        for who, holder in given.items():
            userid = self._userid(who, body)
            made[userid] = self._values(template, holder, private=True) or {}
        return made

    def _userid(self, who: str, body: Json) -> str:
        kind = body.get("userIdType", 1)
        person = self._world.by_union(who) if kind == 2 else self._world.people.get(who)
        if kind not in (1, 2) or person is None:
            raise bad("param.userIdNotExist", who)
        return person.userid

    def _values(self, template: Template, holder: Any, *, private: bool) -> Values | None:
        if holder is None:
            return None
        if not isinstance(holder, dict) or not isinstance(holder.get("cardParamMap"), dict):
            raise bad("param.cardDataInvalid", "cardParamMap is missing")
        given = holder["cardParamMap"]
        self.check_values(given)
        for name in given:
            if template.variables is not None and name not in template.variables:
                self._world.complain(f"template {template.id} has no variable {name}")
            elif private and name not in template.private:
                self._world.complain(f"{name} is not private in template {template.id}")
        return dict(given)

    def check_values(self, given: Json) -> None:
        rules = self._world.rules
        whole = 0
        for name, value in given.items():
            if not isinstance(value, str):
                raise bad("param.cardDataInvalid", f"{name} is {type(value).__name__}, no string")
            if len(name.encode()) > rules.card_key_bytes:
                raise bad("param.cardDataKeyTooLong", name)
            size = len(value.encode())
            if size > rules.card_value_bytes:
                raise bad("param.cardDataValueTooLong", f"{name}: {size} bytes")
            whole += size + len(name.encode())
        if whole > rules.card_bytes:
            raise bad("param.cardDataTooLong", f"{whole} bytes")

    def _check_spaces(self, app: App, body: Json) -> None:
        kinds = {kind for kind, _ in self._spaces(body)}
        for kind, stem in (("IM_ROBOT", "imRobot"), ("IM_GROUP", "imGroup")):
            if kind not in kinds:
                continue
            space = body.get(f"{stem}OpenSpaceModel")
            if not isinstance(space, dict) or not isinstance(space.get("supportForward"), bool):
                raise bad(f"param.{stem}OpenSpaceModelInvalid", "supportForward is needed")
            deliver = body.get(f"{stem}OpenDeliverModel")
            if not isinstance(deliver, dict) or not deliver:
                raise bad(f"param.{stem}OpenDeliverModelInvalid", "it is needed")
            if kind == "IM_ROBOT" and deliver.get("spaceType", kind) != kind:
                raise bad(f"param.{stem}OpenDeliverModelInvalid", "spaceType")
            robot = deliver.get("robotCode")
            if kind == "IM_GROUP" and not robot:
                raise bad("param.robotCodeEmpty")
            if robot and robot != app.robot_code:
                raise bad("param.robotCodeInvalid", str(robot))

    def _spaces(self, body: Json) -> list[tuple[str, str]]:
        text = body.get("openSpaceId")
        if not isinstance(text, str) or not text.startswith(_PREFIX) or len(text) > 1000:
            raise bad("param.openSpaceIdInvalid", str(text))
        found = []
        for part in text.removeprefix(_PREFIX).split(";"):
            match = _SPACE.fullmatch(part)
            if match is None:
                raise bad("param.openSpaceIdInvalid", part)
            found.append((match[1], match[2]))
        return found

    # Delivery

    def _deliver(self, card: Card, body: Json, show: bool) -> list[Json]:
        results = []
        for kind, target in self._spaces(body):
            problem = self._problem(card.app, kind, target)
            carrier = "" if problem else self._world.draw("pqk", 20)
            if not problem and show:
                self._show(card, kind, target, carrier, body)
            results.append(
                {
                    "spaceType": kind,
                    "spaceId": target,
                    "success": not problem,
                    "carrierId": carrier,
                    "errorMsg": problem,
                }
            )
        return results

    def _problem(self, app: App, kind: str, target: str) -> str:
        if kind == "IM_ROBOT":
            if not self._world.reachable(app, target) or target in self.refused_users:
                return "user is not reachable"
            return "robot is stopped" if app.stopped else ""
        if kind == "IM_GROUP":
            group = self._world.groups.get(target)
            if group is None or group.disbanded or app.robot_code not in group.robots:
                return "robot is not in the group"
            return ""
        raise V1Error(400, "param.openSpaceIdInvalid", f"the fake has no {kind}")

    def _show(self, card: Card, kind: str, target: str, carrier: str, body: Json) -> None:
        model = "imRobotOpenSpaceModel" if kind == "IM_ROBOT" else "imGroupOpenSpaceModel"
        last = body[model].get("lastMessageI18n") or {}
        private = kind == "IM_ROBOT"
        card.spaces.append(Space("IM_ROBOT" if private else "IM_GROUP", target, carrier))
        at = body.get("imGroupOpenDeliverModel", {}).get("atUserIds", {}) if not private else {}
        self._world.post(
            Message(
                "card",
                target if private else "",
                "" if private else target,
                "card",
                {"title": last.get("ZH_CN", "")},
                self._world.now(),
                process_query_key=carrier,
                out_track_id=card.out_track_id,
                at_users=list(at),
            )
        )
