"""Who may use the app, as DingTalk's address book says (protocol sheet 7.2).

Lists give the direct members of a department; the manager stands in a person's own record only, so
everybody is asked for one by one.  These reads are free of the quota.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from bot.channels.dingtalk.errors import DingTalkError, PersonUnreachable
from bot.channels.dingtalk.findings import CHANNEL
from bot.channels.dingtalk.oapi import Oapi
from bot.directory import Fetched
from storage.directory import Department, Member

_ROOT: Final = 1
_PAGE: Final = 100
_AT_ONCE: Final = 4
_MOST_DEPTS: Final = 20_000
_NO_DEPARTMENT: Final = ("60003", "50004")  # unknown, or out of the app's range

Json = dict[str, Any]


class DingTalkDirectory:
    channel = CHANNEL

    def __init__(self, oapi: Oapi) -> None:
        self._oapi = oapi
        self._gate = asyncio.Semaphore(_AT_ONCE)

    async def fetch(self, known: Collection[str]) -> Fetched:
        """Everybody in the app's range; *known* are asked for as well, whatever the lists say.

        Raises:
            ChannelError: nothing of a half answer is handed out.
        """
        scopes = await self._oapi.get("/auth/scopes")
        allowed = scopes.get("auth_org_scopes")
        allowed = allowed if isinstance(allowed, Mapping) else {}
        tops = [int(one) for one in allowed.get("authed_dept") or ()] or [_ROOT]
        departments = await self._departments(tops)
        users = {str(one) for one in allowed.get("authed_user") or ()}
        leaders: dict[int, list[str]] = {}
        for listed in await self._all(self._listed(number) for number in departments):
            for one in listed:
                users.add(str(one["userid"]))
        raw = await self._all(self._one(user) for user in sorted({*users, *known}))
        people = [one for one in raw if one is not None]
        for one in people:
            for number in _led(one):
                leaders.setdefault(number, []).append(str(one["userid"]))
        return Fetched(members=_members(people, departments, leaders))

    async def member(self, user_id: str) -> Fetched:
        """One member, such as somebody new who wrote; nobody when the app may not see them."""
        found = await self._one(user_id)
        if found is None:
            return Fetched(members=())
        numbers = [int(one) for one in found.get("dept_id_list") or ()]
        departments: dict[int, Json] = {}
        for number in numbers:
            if (one := await self._department(number)) is not None:
                departments[number] = one
        return Fetched(members=_members([found], departments, {}))

    async def _departments(self, tops: list[int]) -> dict[int, Json]:
        """The departments in range and all below them, by number."""
        found: dict[int, Json] = {}
        waiting = list(tops)
        for number in tops:
            found[number] = await self._department(number) or {"dept_id": number, "name": ""}
        while waiting:
            batch, waiting = waiting[:_AT_ONCE], waiting[_AT_ONCE:]
            for below in await self._all(self._below(number) for number in batch):
                for one in below:
                    number = int(one["dept_id"])
                    if number not in found and len(found) < _MOST_DEPTS:
                        found[number] = one
                        waiting.append(number)
        return found

    async def _department(self, number: int) -> Json | None:
        try:
            answer = await self._oapi.post("/topapi/v2/department/get", {"dept_id": number})
        except DingTalkError as error:
            if error.word in _NO_DEPARTMENT:
                return None
            raise
        result: Json = answer["result"]
        return result

    async def _below(self, number: int) -> list[Json]:
        try:
            answer = await self._oapi.post("/topapi/v2/department/listsub", {"dept_id": number})
        except DingTalkError as error:
            if error.word in _NO_DEPARTMENT:
                return []
            raise
        return list(answer.get("result") or ())

    async def _listed(self, number: int) -> list[Json]:
        """The direct members of a department."""
        found: list[Json] = []
        cursor = 0
        while True:
            body = {"dept_id": number, "cursor": cursor, "size": _PAGE}
            try:
                result = (await self._oapi.post("/topapi/v2/user/list", body)).get("result") or {}
            except DingTalkError as error:
                if error.word in _NO_DEPARTMENT:
                    return found
                raise
            found += result.get("list") or ()
            following = result.get("next_cursor")
            if not result.get("has_more") or not isinstance(following, int) or following <= cursor:
                return found
            cursor = following

    async def _one(self, user: str) -> Json | None:
        """None for somebody who left, or whom the app may not see."""
        body = {"userid": user, "language": "zh_CN"}
        try:
            answer = await self._oapi.post("/topapi/v2/user/get", body)
        except PersonUnreachable:
            return None
        result: Json = answer["result"]
        return result

    async def _all(self, questions: Iterable[Any]) -> list[Any]:
        """All answers, some at a time; the first error ends it."""

        async def one(question: Any) -> Any:
            async with self._gate:
                return await question

        tasks = [asyncio.ensure_future(one(question)) for question in questions]
        try:
            return list(await asyncio.gather(*tasks))
        except BaseException:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise


def _members(
    raw: Iterable[Json], departments: Mapping[int, Json], leaders: Mapping[int, list[str]]
) -> tuple[Member, ...]:
    members = [_member(one, departments, leaders) for one in raw]
    led = {one.managers[0] for one in members if one.managers}
    return tuple(replace(one, leads=one.leads or one.user_id in led) for one in members)


def _member(raw: Json, departments: Mapping[int, Json], leaders: Mapping[int, list[str]]) -> Member:
    user = str(raw["userid"])
    numbers = [int(one) for one in raw.get("dept_id_list") or ()]
    led = _led(raw)
    shown = tuple(
        Department(
            id=str(number),
            name=str(departments.get(number, {}).get("name") or ""),
            leader=number in led,
        )
        for number in numbers
    )
    return Member(
        user_id=user,
        shown_id=user,
        name=str(raw.get("name") or "").strip() or user,
        # Who has not opened DingTalk yet is at work all the same; who left has no record.
        active=True,
        managers=tuple(_managers(user, raw, numbers[:1], departments, leaders)),
        leads=bool(led),
        departments=shown,
        position=str(raw.get("title") or ""),
    )


def _managers(
    user: str,
    raw: Json,
    main: list[int],
    departments: Mapping[int, Json],
    leaders: Mapping[int, list[str]],
) -> list[str]:
    """Who may be the manager, the likeliest first: the one that the record names, then whoever
    leads the main department, then those above it."""
    found = [str(raw["manager_userid"])] if raw.get("manager_userid") else []
    current, seen = (main[0] if main else 0), set[int]()
    while current in departments and current not in seen:
        seen.add(current)
        found += leaders.get(current, ())
        current = int(departments[current].get("parent_id") or 0)
    return [one for one in dict.fromkeys(found) if one != user]


def _led(raw: Json) -> set[int]:
    listed = raw.get("leader_in_dept") or ()
    return {int(one["dept_id"]) for one in listed if one.get("leader")}
