"""Group chats that the app made, and group webhooks.  Protocol sheet 4.6 and 4.7."""

from __future__ import annotations

import re

from tests.fakes.wecom import bodies
from tests.fakes.wecom.checks import known_fields, one_of, words
from tests.fakes.wecom.errors import ApiError
from tests.fakes.wecom.state import App, Call, Chat, Json, State

_CHAT_ID = re.compile(r"[0-9A-Za-z]{1,32}")
_DAY_S = 86_400


def create_chat(state: State, call: Call) -> Json:
    app, request = _app(call), call.body
    known_fields(state, "appchat/create", request, {"name", "owner", "userlist", "chatid"})
    if 1 not in app.departments:
        raise ApiError(60011, "only an app that the root department sees makes chats")
    name = words("appchat/create", request, "name", max_chars=50)
    users = request.get("userlist")
    if not isinstance(users, list) or not 2 <= len(users) <= 2000:
        raise ApiError(40058, "userlist has 2 to 2000 ids")
    owner = words("appchat/create", request, "owner") or users[0]
    for one in (owner, *users):
        member = state.members.get(str(one).lower())
        if member is None or not state.sees(app, member):
            raise ApiError(40003, str(one))
    if owner.lower() not in {one.lower() for one in users}:
        raise ApiError(40003, "the owner is not in userlist")
    chat_id = words("appchat/create", request, "chatid") or state.letters(20)
    if not _CHAT_ID.fullmatch(chat_id):
        raise ApiError(86001)
    if chat_id in state.chats:
        raise ApiError(86215)
    if not state.window("chats", span_s=_DAY_S).allow(state.now(), state.rules.chats_per_day):
        raise ApiError(45009, "chats a day")
    state.chats[chat_id] = Chat(chat_id, name, owner, list(users), app.agent_id)
    return {"chatid": chat_id}


def update_chat(state: State, call: Call) -> Json:
    request = call.body
    fields = {"chatid", "name", "owner", "add_user_list", "del_user_list"}
    known_fields(state, "appchat/update", request, fields)
    chat = _chat(state, call, request.get("chatid"))
    chat.name = words("appchat/update", request, "name", max_chars=50) or chat.name
    gone = {one.lower() for one in request.get("del_user_list", [])}
    chat.users = [one for one in chat.users if one.lower() not in gone]
    chat.users += [one for one in request.get("add_user_list", []) if one not in chat.users]
    chat.owner = words("appchat/update", request, "owner") or chat.owner
    return {}


def get_chat(state: State, call: Call) -> Json:
    chat = _chat(state, call, call.query.get("chatid"))
    found = {"chatid": chat.chatid, "name": chat.name, "owner": chat.owner, "userlist": chat.users}
    return {"chat_info": found}


def send_to_chat(state: State, call: Call) -> Json:
    """Neither msgid nor response_code comes back; above a member's rate it is lost silently."""
    request = call.body
    kind = request.get("msgtype")
    known_fields(state, "appchat/send", request, {"chatid", "msgtype", "safe", str(kind)})
    one_of("appchat/send", request, "safe", (0, 1), default=0)
    chat = _chat(state, call, request.get("chatid"))
    _kind, shown = bodies.check(state, request, place="chat")
    minute = state.window("chats_minute", span_s=60)
    if not minute.allow(state.now(), 20_000, len(chat.users)):
        raise ApiError(45009, "persons a minute")
    reached = []
    for user in chat.users:
        own = state.window("chat_member", user.lower(), span_s=60)
        day = state.window("chat_member", user.lower(), span_s=_DAY_S)
        if day.count(state.now()) < 10_000 and own.allow(
            state.now(), state.rules.chat_member_per_min
        ):
            day.allow(state.now(), 10_000)
            reached.append(user)
    chat.messages.append({**request, kind: shown, "seen_by": reached})
    return {}


def send_by_webhook(state: State, call: Call) -> Json:
    key = call.query.get("key", "")
    hook = state.webhooks.get(key)
    if hook is None or hook.disabled:
        raise ApiError(93000)
    minute = state.window("webhook", key, span_s=60)
    if not minute.allow(state.now(), state.rules.webhook_per_min):
        raise ApiError(45009, "20 messages a minute")
    request = call.body
    kind, shown = bodies.check(state, request, place="webhook", webhook=key)
    known_fields(state, "webhook/send", request, {"msgtype", kind})
    if kind == "template_card":
        bodies.check_webhook_card(state, shown)
    hook.messages.append({**request, kind: shown})
    return {}


def webhook_key(state: State, call: Call) -> str:
    key = call.query.get("key", "")
    if key not in state.webhooks or state.webhooks[key].disabled:
        raise ApiError(93000)
    return key


def _chat(state: State, call: Call, chat_id: object) -> Chat:
    if not isinstance(chat_id, str) or not _CHAT_ID.fullmatch(chat_id):
        raise ApiError(86001)
    chat = state.chats.get(chat_id)
    if chat is None:
        raise ApiError(86003)
    if chat.agent_id != _app(call).agent_id:
        raise ApiError(86008)
    return chat


def _app(call: Call) -> App:
    assert call.app
    return call.app
