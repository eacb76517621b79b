"""Members, departments, and who is at the page.  Protocol sheet 7 and 6.2."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from tests.fakes.wecom.checks import known_fields
from tests.fakes.wecom.errors import ApiError
from tests.fakes.wecom.state import App, Call, Department, Json, Member, State


def get_user(state: State, call: Call) -> Json:
    app = _reader(state, call)
    userid = call.query.get("userid", "")
    if not userid:
        raise ApiError(41009)
    member = state.members.get(userid.lower())
    if member is None or not state.in_range(app, member):
        raise ApiError(60111, userid)
    return _detail(member)


def list_users(state: State, call: Call) -> Json:
    """Direct members only: recursion is the caller's."""
    return {"userlist": [_detail(one) for one in _direct(state, call)]}


def simple_users(state: State, call: Call) -> Json:
    return {
        "userlist": [
            {
                "userid": one.userid,
                "name": one.name,
                "department": one.department,
                "open_userid": "",
            }
            for one in _direct(state, call)
        ]
    }


def user_ids(state: State, call: Call) -> Json:
    assert call.app
    if call.app.kind != "contacts":
        raise ApiError(48002, "only the contact-sync secret lists ids")
    known_fields(state, "user/list_id", call.body, {"cursor", "limit"})
    limit = call.body.get("limit", 10_000)
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= 10_000:
        raise ApiError(40058, "limit is 1 to 10000")
    pairs = [
        {"userid": one.userid, "department": department}
        for one in state.members.values()
        for department in one.department
    ]
    cursor = call.body.get("cursor") or "0"
    if not isinstance(cursor, str) or not cursor.isdigit():
        raise ApiError(40058, "cursor")
    start = int(cursor)
    after = str(start + limit) if start + limit < len(pairs) else ""
    return {"dept_user": pairs[start : start + limit], "next_cursor": after}


def list_departments(state: State, call: Call) -> Json:
    return {"department": [_department(one) for one in _below(state, call)]}


def simple_departments(state: State, call: Call) -> Json:
    return {
        "department_id": [
            {"id": one.id, "parentid": one.parentid, "order": one.order}
            for one in _below(state, call)
        ]
    }


def get_department(state: State, call: Call) -> Json:
    app = _reader(state, call)
    found = state.departments.get(_number(call.query.get("id", "")))
    if found is None or not state.ancestors(found.id) & app.departments:
        raise ApiError(60123)
    return {"department": _department(found)}


def plain_ids(state: State, call: Call) -> Json:
    """The robot's encrypted ids to our user ids; what is no such id comes back in its own list."""
    _app(call)
    known_fields(state, "openuserid_to_userid", call.body, {"open_userid_list", "source_agentid"})
    asked = call.body.get("open_userid_list")
    if not isinstance(asked, list) or not 1 <= len(asked) <= 1000:
        raise ApiError(40058, "open_userid_list has 1 to 1000 ids")
    app = _app(call)
    known = {
        one: state.open_ids[one]
        for one in asked
        if one in state.open_ids and state.sees(app, state.member(state.open_ids[one]))
    }
    return {
        "userid_list": [{"open_userid": one, "userid": known[one]} for one in known],
        "invalid_open_userid_list": [one for one in asked if one not in known],
    }


def app_record(state: State, call: Call) -> Json:
    """``agent/get``: who may see the app, and which domain its pages have (D90227)."""
    app = _app(call)
    if call.query.get("agentid") != str(app.agent_id):
        raise ApiError(301002)
    named = [one for one in state.members.values() if one.key in app.members]
    return {
        "agentid": app.agent_id,
        "name": "销售助手",
        "allow_userinfos": {"user": [{"userid": one.userid} for one in named]},
        "allow_partys": {"partyid": sorted(app.departments)},
        "allow_tags": {"tagid": sorted(app.tags)},
        "close": int(not app.enabled),
        "redirect_domain": app.redirect_domain,
    }


def get_tag(state: State, call: Call) -> Json:
    """``tag/get``: those of its members whom the app may see (D90213)."""
    app = _app(call)
    members = state.tags.get(_number(call.query.get("tagid", "")), set())
    found = [state.members[one] for one in sorted(members) if one in state.members]
    return {
        "tagname": "",
        "userlist": [
            {"userid": one.userid, "name": one.name} for one in found if state.sees(app, one)
        ],
        "partylist": [],
    }


# --- pages ----------------------------------------------------------------------------------------


def who_is_at_the_page(state: State, call: Call) -> Json:
    code = call.query.get("code", "")
    if not code:
        raise ApiError(41008)
    if code not in state.oauth:
        raise ApiError(40029)
    user, app, at, used = state.oauth[code]
    if used:
        raise ApiError(42022)
    if state.now() - at >= timedelta(seconds=state.rules.oauth_life_s):
        raise ApiError(42003)
    if app is not None and app is not call.app:
        raise ApiError(50001, "the code belongs to another app")
    state.oauth[code] = (user, app, at, True)
    member = state.members.get(user.lower())
    if member is None:
        return {"openid": f"oOUT{state.letters(20)}", "external_userid": user}
    return {"userid": member.userid}


def new_oauth_code(state: State, user: str, app: App | None = None) -> str:
    code = state.letters(43)
    state.oauth[code] = (user, app, state.now(), False)
    return code


def authorize(state: State, query: dict[str, str]) -> str:
    """Where the browser is sent after the silent sign-in."""
    if query.get("appid") != state.corp_id:
        raise ApiError(40013)
    if query.get("response_type") != "code":
        raise ApiError(40058, "response_type must be code")
    if query.get("scope") not in ("snsapi_base", "snsapi_privateinfo"):
        raise ApiError(40058, "scope")
    mark = query.get("state", "")
    if not (mark == "" or (mark.isascii() and mark.isalnum() and len(mark) <= 128)):
        raise ApiError(40058, "state is at most 128 letters and digits")
    app = None
    if agent := query.get("agentid"):
        try:
            app = state.app(int(agent))
        except (LookupError, ValueError):
            raise ApiError(40056) from None
    target = urlsplit(query.get("redirect_uri", ""))
    allowed = state.rules.oauth_domains
    if target.scheme not in ("http", "https") or (
        allowed is not None and not {target.netloc, target.hostname} & allowed
    ):
        raise ApiError(50001)
    if not state.browser_user:
        raise ApiError(40029, "nobody sits before this browser: set fake.browser_user")
    code = new_oauth_code(state, state.browser_user, app)
    extra = urlencode([*parse_qsl(target.query), ("code", code), ("state", mark)])
    return urlunsplit((target.scheme, target.netloc, target.path, extra, target.fragment))


# --- parts --------------------------------------------------------------------------------------


def _app(call: Call) -> App:
    assert call.app
    return call.app


def _reader(state: State, call: Call) -> App:
    app = _app(call)
    if app.kind == "contacts" and state.rules.contact_ip_is_new:
        raise ApiError(48009)
    return app


def _direct(state: State, call: Call) -> list[Member]:
    app = _reader(state, call)
    department = _number(call.query.get("department_id", ""))
    if department not in state.departments:
        raise ApiError(60123)
    if not state.ancestors(department) & app.departments:
        raise ApiError(60011)
    return [
        one
        for one in state.members.values()
        if department in one.department and state.in_range(app, one)
    ]


def _below(state: State, call: Call) -> list[Department]:
    app = _reader(state, call)
    root = call.query.get("id", "")
    number = _number(root) if root else 0
    if root and number not in state.departments:
        raise ApiError(60123)
    return [
        one
        for one in state.departments.values()
        if state.ancestors(one.id) & app.departments
        and (not root or number in state.ancestors(one.id))
    ]


def _number(text: str) -> int:
    if not text.isdigit():
        raise ApiError(60123, text)
    return int(text)


def _detail(member: Member) -> Json:
    """What an app made after 2022-06-20 is told: neither phone nor picture nor address."""
    return {
        "userid": member.userid,
        "name": member.name,
        "department": member.department,
        "order": [0] * len(member.department),
        "position": member.position,
        "is_leader_in_dept": [int(one in member.leader_in) for one in member.department],
        "direct_leader": member.direct_leader,
        "main_department": member.main_department or member.department[0],
        "alias": member.alias,
        "status": member.status,
        "extattr": {"attrs": []},
        "isleader": int(bool(member.leader_in)),
        "enable": int(member.status != 2),
        "hide_mobile": 0,
        "telephone": "",
        "external_profile": {},
    }


def _department(found: Department) -> dict[str, Any]:
    return {
        "id": found.id,
        "name": found.name,
        "name_en": "",
        "department_leader": found.leaders,
        "parentid": found.parentid,
        "order": found.order,
    }
