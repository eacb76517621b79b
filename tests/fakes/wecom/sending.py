"""message/send, message/update_template_card and message/recall.  Protocol sheet 4.1 to 4.5, 4.8."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

from tests.fakes.wecom import bodies, cards
from tests.fakes.wecom.checks import an_object, known_fields, one_of, words
from tests.fakes.wecom.errors import ApiError
from tests.fakes.wecom.state import App, Call, Copy, Json, Member, Message, State

_ENVELOPE = {
    "touser",
    "toparty",
    "totag",
    "msgtype",
    "agentid",
    "safe",
    "enable_id_trans",
    "enable_duplicate_check",
    "duplicate_check_interval",
}


def send(state: State, call: Call) -> Json:
    request, app = call.body, _app(call)
    _own_agent(app, request)
    _switches(state, request)
    known, invalid = _recipients(state, app, request)
    if (earlier := _suppressed(state, app, call)) is not None:
        return earlier
    kind, shown = bodies.check(state, request, place="app")
    checker = cards.check(state, app, shown) if kind == "template_card" else None
    task_id = str(shown.get("task_id", "")) if checker else ""
    if task_id and (app.agent_id, task_id) in state.tasks:
        raise ApiError(42014, f"task_id {task_id} was used before")
    if not known:
        raise ApiError(81013, **invalid)
    _daily(state, app, len(known))
    message = Message(
        msgid=f"msg{state.number()}_{state.letters(40)}",
        agent_id=app.agent_id,
        msgtype=kind,
        sent=request,
        at=state.now(),
        task_id=task_id,
    )
    state.messages.append(message)
    state.by_msgid[message.msgid] = message
    if task_id:
        state.tasks[app.agent_id, task_id] = message
    for member in known:
        _deliver(state, app, message, member, shown)
    answer: Json = {**invalid, "msgid": message.msgid}
    if checker and checker.gives_code:
        message.response_code = state.new_code(message)
        answer["response_code"] = message.response_code
    _remember(state, app, call, answer)
    return answer


def update(state: State, call: Call) -> Json:
    request, app = call.body, _app(call)
    known_fields(
        state,
        "update_template_card",
        request,
        {"userids", "partyids", "tagids", "atall", "agentid", "response_code"}
        | {"enable_id_trans", "button", "template_card"},
    )
    _own_agent(app, request)
    code = _code(state, app, request)
    targets, invalid = _targets(state, code.message, request)
    if ("button" in request) == ("template_card" in request):
        raise ApiError(40058, "exactly one of button and template_card")
    grey, body = "", None
    if "button" in request:
        button = an_object("button", request["button"])
        known_fields(state, "button", button, {"replace_name"})
        grey = words("button", button, "replace_name", required=True)
        shown = {str(one.body.get("card_type")) for one in targets}
        if not shown <= set(cards.INTERACTIVE):
            raise ApiError(42031, "only cards with buttons have one to replace")
    else:
        checker = cards.Checker(state, request["template_card"], update=True)
        checker.check()
        body = dict(checker.card)
        if body.setdefault("task_id", code.message.task_id) != code.message.task_id:
            raise ApiError(42014, "an update keeps the card's task_id")
        grey = str(body.get("replace_text", ""))
    code.used = True
    for one in targets:
        one.grey = grey
        if body is not None:
            one.was.append(one.body)
            one.body = copy.deepcopy(body)
    return {"invaliduser": invalid}


def recall(state: State, call: Call) -> Json:
    known_fields(state, "recall", call.body, {"msgid"})
    msgid = words("recall", call.body, "msgid", required=True)
    message = state.by_msgid.get(msgid)
    if message is None or message.agent_id != _app(call).agent_id:
        raise ApiError(40058, "no such msgid of this app")
    if state.now() - message.at >= timedelta(hours=state.rules.recall_h):
        raise ApiError(42052)
    message.recalled = True
    return {}


# --- parts --------------------------------------------------------------------------------------


def _app(call: Call) -> App:
    assert call.app
    return call.app


def _own_agent(app: App, request: Json) -> None:
    agent_id = request.get("agentid")
    if agent_id is None:
        raise ApiError(41011)
    if isinstance(agent_id, bool) or not isinstance(agent_id, int):
        raise ApiError(40056, "agentid must be a number")
    if agent_id != app.agent_id:
        raise ApiError(301002)


def _switches(state: State, request: Json) -> None:
    kind = request.get("msgtype")
    if kind not in bodies.APP_TYPES:
        raise ApiError(40008, f"msgtype {kind!r}")
    known_fields(state, "message/send", request, _ENVELOPE | {kind})
    safe = one_of("message", request, "safe", (0, 1), default=0)
    if safe and kind not in bodies.SAFE_TYPES:
        raise ApiError(40058, f"safe does not go with {kind}")
    one_of("message", request, "enable_id_trans", (0, 1), default=0)
    one_of("message", request, "enable_duplicate_check", (0, 1), default=0)
    one_of("message", request, "duplicate_check_interval", range(1, 14_401), default=1800)


def _recipients(state: State, app: App, request: Json) -> tuple[list[Member], Json]:
    """Those who get it, and the fields about those who do not (ids in lower case)."""
    users = _names(request, "touser", 1000, 40032)
    parties = _names(request, "toparty", 100, 82002)
    tags = _names(request, "totag", 100, 82003)
    if not users and not parties and not tags:
        raise ApiError(82001)
    found: dict[str, Member] = {}
    bad: dict[str, list[str]] = {"user": [], "party": [], "tag": [], "unlicensed": []}

    def take(member: Member) -> None:
        if not member.licensed:
            bad["unlicensed"].append(member.key)
        else:
            found[member.key] = member

    if "@all" in users:
        users, parties, tags = [], [], []
        for member in state.members.values():
            if state.sees(app, member):
                take(member)
    for name in dict.fromkeys(one.lower() for one in users):
        someone = state.members.get(name)
        if someone is None or not state.sees(app, someone):
            bad["user"].append(name)
        else:
            take(someone)
    for name in parties:
        if not name.isdigit() or int(name) not in state.departments:
            bad["party"].append(name)
            continue
        if not state.ancestors(int(name)) & app.departments:
            bad["party"].append(name)
            continue
        for member in state.in_department(int(name)):
            if state.sees(app, member):
                take(member)
    for name in tags:
        if not name.isdigit() or int(name) not in state.tags:
            bad["tag"].append(name)
            continue
        for key in state.tags[int(name)]:
            if key in state.members and state.sees(app, state.members[key]):
                take(state.members[key])
    answer = {
        "invaliduser": "|".join(bad["user"]),
        "invalidparty": "|".join(bad["party"]),
        "invalidtag": "|".join(bad["tag"]),
        "unlicenseduser": "|".join(dict.fromkeys(bad["unlicensed"])),
    }
    return list(found.values()), answer


def _names(request: Json, field: str, most: int, code: int) -> list[str]:
    found = request.get(field, "")
    if not isinstance(found, str):
        raise ApiError(40058, f"{field} is a string with |")
    names = [one for one in found.split("|") if one]
    if len(names) > most:
        raise ApiError(code)
    return names


def _deliver(state: State, app: App, message: Message, member: Member, shown: Any) -> None:
    """Above the member's rate the message is lost without an error (sheet 4.8)."""
    now = state.now()
    minute = state.window("member", app.agent_id, member.key, span_s=60)
    hour = state.window("member", app.agent_id, member.key, span_s=3600)
    rules = state.rules
    if minute.count(now) >= rules.member_per_min or hour.count(now) >= rules.member_per_hour:
        message.dropped.append(member.key)
        return
    minute.allow(now, rules.member_per_min)
    hour.allow(now, rules.member_per_hour)
    message.copies[member.key] = Copy(member.userid, message, copy.deepcopy(shown))


def _daily(state: State, app: App, persons: int) -> None:
    day = state.window("app_day", app.agent_id, span_s=86_400)
    if not day.allow(state.now(), state.rules.account_limit * 200, persons):
        raise ApiError(45009, "persons a day")


def _suppressed(state: State, app: App, call: Call) -> Json | None:
    """An identical request inside its interval is not sent again (answer unconfirmed)."""
    if not call.body.get("enable_duplicate_check"):
        return None
    known = state.duplicates.get((app.agent_id, call.raw))
    span = timedelta(seconds=call.body.get("duplicate_check_interval", 1800))
    if known is None or state.now() - known[0] >= span:
        return None
    choice = state.rules.duplicate_answer
    if choice == "same":
        return known[1]
    if choice == "bare":
        return {}
    raise ApiError(choice, "duplicate")


def _remember(state: State, app: App, call: Call, answer: Json) -> None:
    if call.body.get("enable_duplicate_check"):
        state.duplicates[app.agent_id, call.raw] = (state.now(), answer)


def _code(state: State, app: App, request: Json) -> Any:
    value = words("update_template_card", request, "response_code", required=True)
    code = state.codes.get(value)
    if code is None:
        raise ApiError(60140)
    if code.message.agent_id != app.agent_id:
        raise ApiError(42015)
    age = state.now() - code.at
    if code.used or age >= timedelta(hours=state.rules.code_life_h):
        raise ApiError(60140, "used" if code.used else "expired")
    return code


def _targets(state: State, message: Message, request: Json) -> tuple[list[Copy], list[str]]:
    """The copies that change, and the user ids that have none."""
    if one_of("update", request, "atall", (0, 1), default=0):
        return list(message.copies.values()), []
    chosen: dict[str, Copy] = {}
    invalid: list[str] = []
    asked = 0
    for field, most, code in (
        ("userids", 1000, 40032),
        ("partyids", 100, 82002),
        ("tagids", 100, 82003),
    ):
        names = request.get(field, [])
        if not isinstance(names, list):
            raise ApiError(40058, f"{field} is a list")
        if len(names) > most:
            raise ApiError(code)
        asked += len(names)
        for name in names:
            keys = _keys(state, field, name)
            here = [message.copies[key] for key in keys if key in message.copies]
            chosen |= {one.user.lower(): one for one in here}
            if field == "userids" and not here:
                invalid.append(str(name).lower())
    if not asked:
        raise ApiError(82001)
    return list(chosen.values()), invalid


def _keys(state: State, field: str, name: Any) -> list[str]:
    if field == "userids":
        if not isinstance(name, str):
            raise ApiError(40058, "userids holds strings")
        return [name.lower()]
    if isinstance(name, bool) or not isinstance(name, int):
        raise ApiError(40058, f"{field} holds numbers")
    if field == "partyids":
        return [one.key for one in state.in_department(name)]
    return sorted(state.tags.get(name, ()))
