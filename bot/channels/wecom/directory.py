"""Who may use the app, as WeCom's address book says (protocol sheet section 7).

The lists hold whole departments.  Members who were let in by name or by tag stand in the app's own
record (``agent/get``) and are asked for one by one, as is everybody whom we know and did not see.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

import structlog

from bot.channels.base import ChannelAway, ChannelError
from bot.directory import Fetched
from storage.directory import Department, Member
from storage.people import key_of

log = structlog.get_logger(__name__)

_AT_WORK: Final = (1, 4)  # active, not activated yet; 2 is disabled, 5 has left
# No such member, not visible to the app, or a department that is not.
_NOT_SEEN: Final = frozenset((40003, 46004, 60003, 60011, 60021, 60111))
_TRIES: Final = 3
_LONGEST_PAUSE_S: Final = 5.0

Pause = Callable[[float], Awaitable[None]]


class Api(Protocol):
    async def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """One call with our token.  Raises ChannelError, with ``errcode`` where WeCom said one."""


@dataclass(slots=True, kw_only=True)
class _Range:
    """The app's visible range beyond departments, and what else its record says."""

    users: set[str] = field(default_factory=set)
    tags: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)


class WeComDirectory:
    channel = "wecom"

    def __init__(self, api: Api, *, agent_id: int, pause: Pause = asyncio.sleep) -> None:
        self._api = api
        self._agent_id = agent_id
        self._pause = pause

    async def fetch(self, known: Collection[str]) -> Fetched:
        """Everybody in the visible range; *known* are asked for by name when no list has them.

        Raises:
            ChannelError: nothing of a half answer is handed out.
        """
        visible = await self._range()
        departments = await self._departments()
        raw: dict[str, dict[str, Any]] = {}
        for department in departments:
            listed = await self._get("user/list", department_id=department["id"])
            raw |= {_key(one): one for one in listed["userlist"]}
        for tag in visible.tags:
            visible.users |= await self._tagged(tag)
        for user_id in sorted({*visible.users, *known} - raw.keys()):
            if (found := await self._one(user_id)) is not None:
                raw[_key(found)] = found
        return Fetched(members=_members(raw.values(), departments), facts=visible.facts)

    async def member(self, user_id: str) -> Fetched:
        """One member, such as somebody new who wrote; nobody when the app may not see them."""
        found = await self._one(user_id)
        if found is None:
            return Fetched(members=())
        return Fetched(members=_members([found], await self._departments()))

    async def _range(self) -> _Range:
        try:
            app = await self._api.call("GET", "agent/get", params={"agentid": self._agent_id})
        except ChannelError as error:
            # Nobody gets lost by that: the lists are there, and whom we know is asked for by name.
            log.info("wecom: the app's record was not given", why=str(error))
            return _Range()
        return _Range(
            users={_key(one) for one in app.get("allow_userinfos", {}).get("user", [])},
            tags=[str(one) for one in app.get("allow_tags", {}).get("tagid", [])],
            facts={
                "trusted_domain": str(app.get("redirect_domain") or ""),
                "closed": bool(app.get("close")),
            },
        )

    async def _departments(self) -> list[dict[str, Any]]:
        try:
            listed = await self._get("department/list")
        except ChannelError as error:
            if _code(error) == 60011:  # members by name only, no department
                return []
            raise
        departments: list[dict[str, Any]] = listed["department"]
        return departments

    async def _tagged(self, tag: str) -> set[str]:
        try:
            listed = await self._api.call("GET", "tag/get", params={"tagid": tag})
        except ChannelError as error:
            log.info("wecom: a tag's members were not given", why=str(error))
            return set()
        return {_key(one) for one in listed.get("userlist", [])}

    async def _one(self, user_id: str) -> dict[str, Any] | None:
        try:
            return await self._get("user/get", userid=user_id)
        except ChannelError as error:
            if _code(error) in _NOT_SEEN:
                return None
            raise

    async def _get(self, path: str, **params: object) -> dict[str, Any]:
        """One of hundreds: a busy moment of the platform must not spoil the others."""
        for left in reversed(range(_TRIES)):
            try:
                return await self._api.call("GET", path, params=params)
            except ChannelError as error:
                if not left or not error.transient or isinstance(error, ChannelAway):
                    raise
                await self._pause(min(error.retry_after_s, _LONGEST_PAUSE_S))
        raise AssertionError("the last try returns or raises")


def _members(raw: Iterable[dict[str, Any]], listed: list[dict[str, Any]]) -> tuple[Member, ...]:
    departments = {int(one["id"]): one for one in listed}
    members = [_member(one, departments) for one in raw]
    led = {one.managers[0] for one in members if one.managers}
    return tuple(replace(one, leads=one.leads or one.user_id in led) for one in members)


def _member(raw: dict[str, Any], departments: Mapping[int, dict[str, Any]]) -> Member:
    user_id = _key(raw)
    ids = [int(one) for one in raw.get("department") or ()]
    main = int(raw.get("main_department") or 0)
    ids.sort(key=lambda one: one != main)
    leads = dict(zip(raw.get("department") or (), raw.get("is_leader_in_dept") or (), strict=False))
    shown = tuple(
        Department(
            id=str(one),
            name=str(departments.get(one, {}).get("name") or ""),
            leader=bool(leads.get(one)) or user_id in _leaders(departments.get(one)),
        )
        for one in ids
    )
    return Member(
        user_id=user_id,
        shown_id=str(raw["userid"]),
        name=str(raw.get("name") or "").strip() or str(raw["userid"]),
        active=int(raw.get("status") or 1) in _AT_WORK,
        managers=tuple(_managers(user_id, raw, ids[:1], departments)),
        leads=any(one.leader for one in shown),
        departments=shown,
        position=str(raw.get("position") or ""),
    )


def _managers(
    user_id: str, raw: dict[str, Any], main: list[int], departments: Mapping[int, dict[str, Any]]
) -> list[str]:
    """Who may be the manager, the likeliest first: the direct leader, then whoever leads the main
    department, then those above it (a department's leader answers to the next one)."""
    found = [key_of("wecom", str(one)) for one in raw.get("direct_leader") or ()]
    current, seen = (main[0] if main else 0), set[int]()
    while (department := departments.get(current)) is not None and current not in seen:
        seen.add(current)
        found += _leaders(department)
        current = int(department.get("parentid") or 0)
    return [one for one in dict.fromkeys(found) if one != user_id]


def _leaders(department: Mapping[str, Any] | None) -> list[str]:
    listed = (department or {}).get("department_leader") or ()
    return [key_of("wecom", str(one)) for one in listed]


def _key(raw: Mapping[str, Any]) -> str:
    return key_of("wecom", str(raw["userid"]))


def _code(error: ChannelError) -> int:
    return int(getattr(error, "errcode", 0))
