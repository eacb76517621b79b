"""A person taps a button or sends a form; what the app answers is seen by that person only
(protocol sheet, 5.4)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tests.fakes.dingtalk.cards import Button, Card, Cards, Values
from tests.fakes.dingtalk.errors import V1Error
from tests.fakes.dingtalk.pushes import CARD, Attempt, Push
from tests.fakes.dingtalk.state import Json, World
from tests.fakes.dingtalk.stream import Stream

# nowhere: the card has no callbackType.  late: no answer in time; the button stops spinning.
Outcome = Literal["waiting", "answered", "failed", "late", "nowhere", "lost"]


@dataclass(eq=False)
class Tap:
    user: str
    card: Card
    params: Json
    push: Push
    outcome: Outcome = "waiting"
    world: World | None = None

    @property
    def answer(self) -> Json | None:
        """The app's card response, None for none."""
        return self.push.answer

    @property
    def delay_s(self) -> float | None:
        return self.push.ack_delay_s

    def wait(self, timeout_s: float = 10.0) -> Tap:
        """Until something came of it.  From a loop: ``await asyncio.to_thread(tap.wait)``."""
        assert self.world is not None
        self.world.wait_for(lambda: self.outcome != "waiting", timeout_s)
        return self


class Tapping:
    def __init__(self, world: World, cards: Cards, stream: Stream) -> None:
        self._world = world
        self._cards = cards
        self._stream = stream
        self.taps: list[Tap] = []

    def make(self, user: str, card: Card, params: Json, action_ids: list[str]) -> Tap:
        """The callback, not yet on its way."""
        world = self._world
        if world.rules.card_params_as_strings:
            params = {
                name: v if isinstance(v, str) else json.dumps(v) for name, v in params.items()
            }
        content = {"cardPrivateData": {"actionIds": action_ids, "params": params}}
        text: Any = json.dumps(content, ensure_ascii=False)
        name = "value" if world.rules.card_content == "value" else "content"
        group = next((one for one in card.spaces if one.kind == "IM_GROUP"), None)
        data: Json = {
            "type": "actionCallback",
            "outTrackId": card.out_track_id,
            "corpId": world.corp_id,
            "userId": user,
            "userIdType": 1,
            "spaceType": "im",
            "spaceId": group.id if group else world.private_chat(card.app, user),
            "extension": "{}",
            name: content if world.rules.card_content == "object" else text,
        }
        if world.over("push"):
            code, message = world.rules.quota_names
            data.pop(name)
            data |= {code: "20001", message: "本月 Webhook 与 Stream 推送量已用完"}
        route = ("", "")
        if card.callback_type == "HTTP":
            known = self._cards.callback_routes[card.route_key]
            route = (known.url, known.secret)
        push = Push("card", card.app, CARD, data, world.draw("tap", 12), route=route)
        push.world = world
        tap = Tap(user, card, params, push, world=world)
        push.on_ack = lambda _, attempt: self._acked(tap, attempt)
        self.taps.append(tap)
        return tap

    async def send(self, tap: Tap) -> None:
        """On its way, and watched until the deadline."""
        if not tap.card.callback_type:
            self._end(tap, "nowhere")
            return
        self._world.count("push", self._world.rules.push_units)
        number = tap.card.out_track_id
        self._cards.open_taps[number] = self._cards.open_taps.get(number, 0) + 1
        self._stream.start(tap.push)
        await asyncio.sleep(self._world.rules.card_deadline_s)
        if tap.outcome == "waiting":
            self._end(tap, "lost" if tap.push.lost else "late")

    def _acked(self, tap: Tap, attempt: Attempt) -> None:
        if tap.outcome != "waiting":
            return
        if not tap.push.done or attempt.problem:
            self._end(tap, "failed")
            return
        try:
            self._apply(tap, tap.push.answer)
        except V1Error as error:
            self._world.complain(f"answer to a tap of {tap.card.out_track_id}: {error}")
            self._end(tap, "failed")
            return
        self._end(tap, "answered")

    def _end(self, tap: Tap, outcome: Outcome) -> None:
        number = tap.card.out_track_id
        if outcome != "nowhere":
            self._cards.open_taps[number] -= 1
            self._cards.answered_taps.add(number)
        tap.outcome = outcome
        self._world.tell()

    def _apply(self, tap: Tap, answer: Json | None) -> None:
        """The tapper's own view; nobody else sees it before an update."""
        if not answer:
            return
        card, options = tap.card, answer.get("cardUpdateOptions") or {}
        unknown = set(answer) - {"cardUpdateOptions", "cardData", "userPrivateData"}
        if unknown:
            self._world.complain(f"answer to a tap has unknown {sorted(unknown)}")
        shared = _map(answer.get("cardData"))
        own = _map(answer.get("userPrivateData"))
        self._cards.check_values(shared | own)
        view = card.answered.setdefault(tap.user, {})
        if shared and options.get("updateCardDataByKey") is not True:
            view.update({name: "" for name in card.data if name not in shared})
        view.update(shared)
        view.update({name: own[name] for name in own if name in card.template.private})
        for name in set(own) - card.template.private:
            self._world.complain(f"{name} is not private in template {card.template.id}")


def _map(holder: Any) -> Values:
    return dict(holder["cardParamMap"]) if isinstance(holder, dict) else {}


def form_values(form: str, given: Mapping[str, Any]) -> Json:
    """What the form component sends: every field, hidden ones with their default."""
    made: Json = {}
    known = {field["name"]: field for field in json.loads(form)["fields"]}
    for name in given:
        if name not in known or known[name].get("hidden") or known[name].get("readOnly"):
            raise AssertionError(f"nobody can fill in {name}")
    for name, field in known.items():
        value = given.get(name, field.get("defaultValue"))
        if value in (None, "", []):
            if field.get("required"):
                raise AssertionError(f"{name} must be filled in")
            continue
        made[name] = _field(field, value)
    return made


def _field(field: Json, value: Any) -> Any:
    kind = field["type"]
    if kind not in ("SELECT", "MULTI_SELECT", "CHECKBOX_GROUP", "MULTI_CHECKBOX_GROUP"):
        return value
    options = [one["value"] for one in field["options"]]
    if kind in ("SELECT", "CHECKBOX_GROUP"):
        return {"index": options.index(value), "value": value}
    return {"index": [options.index(one) for one in value], "value": list(value)}


def json_buttons(view: Values) -> list[Button]:
    """Of the public template: ``sys_full_json_obj``."""
    text = view.get("sys_full_json_obj", "")
    listed = json.loads(text).get("msgButtons", []) if text else []
    return [
        Button(
            one["text"],
            str(one.get("id", "")) if one.get("request") else "",
            dict(one.get("params", {})) if one.get("request") else {},
            one.get("url", ""),
        )
        for one in listed
    ]


def numbered_buttons(view: Values) -> list[Button]:
    """Of a template whose buttons are bound to ``btn1``, ``p1`` and so on; without parameters a
    button is dead."""
    made = []
    for number in range(1, 10):
        text = view.get(f"btn{number}", "")
        if text:
            params = view.get(f"p{number}", "")
            given = json.loads(params) if params else {}
            made.append(Button(text, f"btn{number}" if params else "", given))
    return made
