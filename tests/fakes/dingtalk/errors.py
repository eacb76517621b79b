"""The platform's refusals, one class for each family of addresses (protocol sheet, section 6)."""

from __future__ import annotations

from typing import Any


class V1Error(Exception):
    """``https://api.dingtalk.com/v1.0``: an HTTP status and a code in words."""

    def __init__(self, status: int, code: str, message: str = "", **more: Any) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message or code
        self.more = more


class OapiError(Exception):
    """``https://oapi.dingtalk.com``: HTTP 200 and a number."""

    def __init__(self, errcode: int, errmsg: str = "", **more: Any) -> None:
        super().__init__(f"{errcode}: {errmsg}")
        self.errcode = errcode
        self.errmsg = errmsg or f"error {errcode}"
        self.more = more


def bad(code: str, message: str = "") -> V1Error:
    """The usual refusal of a parameter."""
    return V1Error(400, code, message)


def invalid(code: str, message: str = "") -> V1Error:
    return V1Error(400, f"invalidParameter.{code}", message)
