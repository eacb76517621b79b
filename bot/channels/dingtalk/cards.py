"""Bodies of card calls: create, update, and which template draws what (protocol sheet 5).

A card's template cannot change.  Where several templates are set and a redraw needs one that the
card was not made with, a new instance replaces it; its ``outTrackId`` is the card's id with ``~``
and the number of the drawing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from bot.channels.dingtalk import chat_words
from bot.rendering import dingtalk, dingtalk_words, limits
from handlers.cards.model import Card

# In the official SDK, of everybody's use: words and buttons, no form (protocol sheet 5.7 A).
PUBLIC_TEMPLATE: Final = "1366a1eb-bc54-4859-ac88-517c56a9acb1.schema"
ROUTE_KEY: Final = "genjin"  # under which the address of HTTP callbacks is registered
_ACTION, _FORM, _NOTICE = "card_action", "card_form", "card_notice"
_ALL: Final = frozenset((_ACTION, _FORM, _NOTICE))
# What each template can draw: all show words and a result, only one has the form.
_DRAWS: Final = {
    _ACTION: frozenset((_ACTION, _NOTICE)),
    _FORM: _ALL,
    _NOTICE: frozenset((_NOTICE,)),
}
_HANDLE: Final = "card"
_BY_KEY: Final = {"updateCardDataByKey": True, "updatePrivateDataByKey": True}

Json = dict[str, Any]
Values = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """How a card was made: by which template, under which ``outTrackId``."""

    name: str
    template: str
    track: str

    @property
    def handle(self) -> str:
        return f"{_HANDLE} {self.name} {self.template} {self.track}"


def made_of(handle: str) -> Made | None:
    """None when the card went out in words, or not at all."""
    parts = handle.split(" ")
    if len(parts) != 4 or parts[0] != _HANDLE:
        return None
    return Made(name=parts[1], template=parts[2], track=parts[3])


@dataclass(frozen=True, slots=True, kw_only=True)
class Templates:
    """The ids of the settings; '' where there is none."""

    action: str = ""
    form: str = ""
    notice: str = ""

    @classmethod
    def of(cls, ids: str, form: str = "", notice: str = "") -> Templates:
        """*ids*: one for everything, or up to three with commas: action, form, notice."""
        listed = [one.strip() for one in ids.split(",") if one.strip()]
        first = listed[0] if listed else ""
        second = form or (listed[1] if len(listed) > 1 else "")
        third = notice or (listed[2] if len(listed) > 2 else "")
        return cls(action=first, form=second or first, notice=third or first)

    def make(self, card: Card, track: str) -> Made | None:
        """How *card* is made; None where no template can draw it."""
        name = dingtalk.template(card)
        template = {_ACTION: self.action, _FORM: self.form, _NOTICE: self.notice}[name]
        if not template or (name == _FORM and template == PUBLIC_TEMPLATE):
            return None
        if template == self.form:
            name = _FORM  # drawn by the one that has everything
        return Made(name=name, template=template, track=track)

    def can_redraw(self, made: Made, card: Card) -> bool:
        if made.template == PUBLIC_TEMPLATE:
            return dingtalk.template(card) != _FORM
        return dingtalk.template(card) in _DRAWS.get(made.name, frozenset())


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """One card for one person, its addresses already whole."""

    card: Card
    card_id: str
    nonce: str
    user: str

    def values(self, template: str) -> Values:
        if template == PUBLIC_TEMPLATE:
            return dingtalk_words.public(
                self.card, nonce=self.nonce, open_page=chat_words.OPEN_PAGE
            )
        made = dingtalk.render(self.card, card_id=self.card_id, nonce=self.nonce)
        return made | {
            "form": with_chosen(made["form"]),
            "lines": dingtalk_words.lines(self.card),
            "lastMessage": dingtalk.summary(self.card),
        }

    def private(self, template: str) -> Json:
        """Only the receiver sees buttons, wherever the card may come to stand."""
        if template == PUBLIC_TEMPLATE:
            return {}
        can_act = "true" if self.card.status == "pending" else "false"
        return {"privateData": {self.user: {"cardParamMap": {"canAct": can_act}}}}


def create(drawing: Drawing, made: Made, *, robot_code: str, stream: bool) -> Json:
    """``createAndDeliver`` into the person's chat with the robot."""
    summary = dingtalk.summary(drawing.card)
    body: Json = {
        "cardTemplateId": made.template,
        "outTrackId": made.track,
        "userIdType": 1,
        "cardData": {"cardParamMap": drawing.values(made.template)},
        **drawing.private(made.template),
        "openSpaceId": f"dtv1.card//IM_ROBOT.{drawing.user}",
        "imRobotOpenSpaceModel": {
            "supportForward": False,
            "lastMessageI18n": {"ZH_CN": summary},
            "notification": {"alertContent": summary, "notificationOff": False},
        },
        "imRobotOpenDeliverModel": {"spaceType": "IM_ROBOT", "robotCode": robot_code},
    }
    if stream:
        return body | {"callbackType": "STREAM"}
    return body | {"callbackType": "HTTP", "callbackRouteKey": ROUTE_KEY}


def update(drawing: Drawing, made: Made) -> Json:
    """Everything that the card shows now: absolute, so that it may be sent twice."""
    return {
        "outTrackId": made.track,
        "userIdType": 1,
        "cardData": {"cardParamMap": drawing.values(made.template)},
        **drawing.private(made.template),
        "cardUpdateOptions": _BY_KEY,
    }


def moved(made: Made, user: str) -> Json:
    """The old instance once a new one stands below it: no buttons any more."""
    if made.template == PUBLIC_TEMPLATE:
        values = dingtalk_words.no_buttons(chat_words.MOVED)
    else:
        dead = {f"{name}{number}": "" for name in ("btn", "p") for number in (1, 2, 3)}
        values = {**dead, "status": "other", "form": "", "foot": chat_words.MOVED}
    body: Json = {
        "outTrackId": made.track,
        "userIdType": 1,
        "cardData": {"cardParamMap": values},
        "cardUpdateOptions": _BY_KEY,
    }
    if made.template != PUBLIC_TEMPLATE:
        body["privateData"] = {user: {"cardParamMap": {"canAct": "false"}}}
    return body


def undelivered(answer: Json) -> str:
    """Why the card did not reach the chat; '' when it did.  A success on top does not say so."""
    result = answer.get("result")
    listed = result.get("deliverResults") if isinstance(result, dict) else None
    for one in listed if isinstance(listed, list) else []:
        if isinstance(one, dict) and one.get("success") is False:
            return str(one.get("errorMsg") or "not delivered")[:200]
    return ""


def carrier(answer: Json) -> str:
    """The message that carries the card, as a recall names it."""
    result = answer.get("result")
    listed = result.get("deliverResults") if isinstance(result, dict) else None
    first = listed[0] if isinstance(listed, list) and listed else {}
    return str(first.get("carrierId") or "") if isinstance(first, dict) else ""


def with_chosen(form: str) -> str:
    """The form with its choices as the component wants them: place and value.

    Where that makes it too long, the choices are left open; an answer left out changes nothing.
    """
    if not form:
        return form
    made = json.loads(form)
    for field in made["fields"]:
        chosen = field.get("defaultValue")
        if field["type"] == "SELECT" and isinstance(chosen, str):
            ids = [option["value"] for option in field["options"]]
            if chosen in ids:
                field["defaultValue"] = {"index": ids.index(chosen), "value": chosen}
            else:
                del field["defaultValue"]
    text = _json(made)
    if len(text.encode()) <= limits.VARIABLE_BYTES:
        return text
    for field in made["fields"]:
        if field["type"] == "SELECT":
            field.pop("defaultValue", None)
    return _json(made)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
