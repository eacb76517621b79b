"""Small checks that bodies and cards share."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from tests.fakes.wecom.errors import ApiError
from tests.fakes.wecom.state import Json, State


def known_fields(
    state: State, where: str, found: Mapping[str, Any], allowed: Collection[str]
) -> None:
    """Fields that the documents do not name are our mistakes: the platform would ignore them."""
    if not state.rules.refuse_unknown_fields:
        return
    extra = sorted(set(found) - set(allowed))
    if extra:
        raise ApiError(40058, f"{where} has no {', '.join(extra)} (ignored by the real platform)")


def an_object(where: str, found: Any, code: int = 40058) -> Json:
    if not isinstance(found, dict):
        raise ApiError(code, f"{where} must be an object")
    return found


def a_list(where: str, found: Any, least: int, most: int, code: int = 40058) -> list[Json]:
    if not isinstance(found, list) or not least <= len(found) <= most:
        raise ApiError(code, f"{where} must be a list of {least} to {most}")
    return [an_object(f"{where}[]", one, code) for one in found]


def words(
    where: str,
    holder: Mapping[str, Any],
    name: str,
    *,
    code: int = 40058,
    required: bool = False,
    max_bytes: int = 0,
    max_chars: int = 0,
) -> str:
    """A string, not empty where *required*, within its limits."""
    found = holder.get(name, "")
    if not isinstance(found, str):
        raise ApiError(code, f"{where}.{name} must be a string. Warning: wrong json format.")
    if required and not found.strip():
        raise ApiError(code, f"{where}.{name} is required")
    if max_bytes and len(found.encode()) > max_bytes:
        raise ApiError(code, f"{where}.{name} has more than {max_bytes} bytes")
    if max_chars and len(found) > max_chars:
        raise ApiError(code, f"{where}.{name} has more than {max_chars} characters")
    return found


def one_of(
    where: str,
    holder: Mapping[str, Any],
    name: str,
    allowed: Sequence[int],
    *,
    default: int | None = None,
    code: int = 40058,
) -> int:
    """An integer of *allowed*; without *default* it must stand there."""
    found = holder.get(name, default)
    if isinstance(found, bool) or not isinstance(found, int) or found not in allowed:
        raise ApiError(code, f"{where}.{name} must be one of {allowed}")
    return found


def address(where: str, holder: Mapping[str, Any], name: str, *, missing: int = 42028) -> str:
    found = words(where, holder, name, code=missing, required=True)
    if not found.startswith(("http://", "https://")):
        raise ApiError(45034, f"{where}.{name}")
    if len(found.encode()) > 2048:
        raise ApiError(40039, f"{where}.{name}")
    return found


def unique(where: str, names: Sequence[str], code: int) -> None:
    if len(set(names)) != len(names):
        raise ApiError(code, f"{where} are not unique")


def cut_bytes(text: str, limit: int) -> str:
    """As the platform cuts a text: whole characters within *limit* bytes."""
    return text.encode()[:limit].decode(errors="ignore")
