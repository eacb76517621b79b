"""gettoken, the tickets for pages, and the callback's addresses.  Protocol sheet 1.1, 3, 7."""

from __future__ import annotations

from datetime import timedelta

from tests.fakes.wecom.errors import ApiError
from tests.fakes.wecom.state import App, Call, Json, State, Token


def gettoken(state: State, call: Call) -> Json:
    corp_id, secret = call.query.get("corpid", ""), call.query.get("corpsecret", "")
    wrong = state.window("wrong_secret", span_s=3600)
    if wrong.count(state.now()) >= state.rules.wrong_secrets_per_hour:
        raise ApiError(45009, "this ip may not get a token for an hour")
    if not corp_id:
        raise ApiError(41002)
    if not secret:
        raise ApiError(41004)
    if corp_id != state.corp_id:
        wrong.allow(state.now(), state.rules.wrong_secrets_per_hour)
        raise ApiError(40013)
    app = next((one for one in state.apps if one.secret == secret), None)
    if app is None:
        wrong.allow(state.now(), state.rules.wrong_secrets_per_hour)
        raise ApiError(40001)
    call.app = app
    if not app.enabled:
        raise ApiError(50003)
    live = [one for one in state.tokens.values() if one.app is app and not problem(state, one)]
    if live and state.rules.second_token == "same":
        token = live[-1]
    else:
        token = issue(state, app)
        if state.rules.second_token == "kills_old":
            for one in live:
                one.dead = 40014
    left_s = round((token.until - state.now()).total_seconds())
    return {"access_token": token.value, "expires_in": left_s}


def issue(state: State, app: App) -> Token:
    """512 characters long: what a store must hold at least."""
    until = state.now() + timedelta(seconds=state.rules.token_life_s)
    token = Token(state.letters(500) + f"{state.number():012d}", app, until)
    state.tokens[token.value] = token
    return token


def problem(state: State, token: Token) -> int:
    """The error code that this token is answered with; 0 while it lives."""
    if token.dead:
        return token.dead
    return 42001 if state.now() >= token.until else 0


def authenticate(state: State, call: Call) -> App:
    value = call.query.get("access_token", "")
    if not value:
        raise ApiError(41001)
    token = state.tokens.get(value)
    if token is None:
        raise ApiError(40014)
    if code := problem(state, token):
        raise ApiError(code)
    if not token.app.enabled:
        raise ApiError(50003)
    rules = state.rules
    if rules.trusted_ips is not None and rules.client_ip not in rules.trusted_ips:
        raise ApiError(60020)
    return token.app


def callback_ips(state: State, call: Call) -> Json:
    return {"ip_list": list(state.callback_ips)}


def corp_ticket(state: State, call: Call) -> Json:
    return _ticket(state, call, "corp")


def app_ticket(state: State, call: Call) -> Json:
    if call.query.get("type") != "agent_config":
        raise ApiError(40058, "type must be agent_config")
    return _ticket(state, call, "app")


def _ticket(state: State, call: Call, kind: str) -> Json:
    """400 an hour for the corp, 100 for an app."""
    assert call.app
    hour = state.window("ticket", span_s=3600)
    app_hour = state.window("ticket", call.app.agent_id, span_s=3600)
    if not app_hour.allow(state.now(), 100) or not hour.allow(state.now(), 400):
        raise ApiError(45009, "ticket")
    return {"ticket": f"{kind}_{state.letters(80)}", "expires_in": 7200}
