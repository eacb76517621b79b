"""Whether an answer on the socket has the shape that the protocol sheet asks for (1.2, point 5)."""

from __future__ import annotations

import json
from typing import Any

from tests.fakes.dingtalk.pushes import Attempt, Push
from tests.fakes.dingtalk.state import Json


def check_shape(text: str) -> tuple[str, Json, str]:
    """What is wrong with an answer, the answer, and the message id it names."""
    try:
        answer = json.loads(text)
    except ValueError:
        return "not JSON", {}, ""
    headers = answer.get("headers") if isinstance(answer, dict) else None
    if not isinstance(headers, dict):
        return "no headers", {}, ""
    number = str(headers.get("messageId", ""))
    if type(answer.get("code")) is not int:
        return "code is no number", answer, number
    if headers.get("contentType") != "application/json":
        return "contentType is missing", answer, number
    if not isinstance(answer.get("message"), str):
        return "message is no string", answer, number
    if not isinstance(answer.get("data"), str) or not isinstance(inner(answer["data"]), dict):
        return "data is no string of a JSON object", answer, number
    return "", answer, number


def check_data(push: Push, answer: Json) -> str:
    data = inner(answer["data"])
    if answer["code"] != 200:
        return "" if answer["code"] in (400, 404, 500) else f"unknown code {answer['code']}"
    if push.kind == "event":
        return "" if data.get("status") in ("SUCCESS", "LATER") else "no status"
    if "response" not in data:
        return "no response in data"
    fine = data["response"] is None or isinstance(data["response"], dict)
    return "" if fine else "response is no object"


def event_status(push: Push, attempt: Attempt) -> str:
    if push.app.event_url:
        return "SUCCESS"
    return str(inner(attempt.answer["data"]).get("status"))


def inner(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
