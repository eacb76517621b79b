"""The company's people and departments (protocol sheet, 7.2)."""

from __future__ import annotations

from typing import Any

from tests.fakes.dingtalk.errors import OapiError
from tests.fakes.dingtalk.gate import Ask, Handler, Route
from tests.fakes.dingtalk.state import App, Department, Json, Person, World


class Contacts:
    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        listed: list[tuple[str, Handler, str]] = [
            ("/topapi/v2/user/get", self._get, "qyapi_get_member"),
            ("/topapi/v2/user/list", self._list, "qyapi_get_department_member"),
            ("/topapi/v2/user/listsimple", self._list_simple, "qyapi_get_department_member"),
            ("/topapi/user/getbyunionid", self._by_union, "qyapi_get_member"),
            ("/topapi/v2/user/getbymobile", self._by_mobile, "qyapi_get_member"),
            ("/topapi/user/listadmin", self._admins, "qyapi_get_member"),
            ("/topapi/v2/department/get", self._department, "qyapi_get_department_list"),
            ("/topapi/v2/department/listsub", self._below, "qyapi_get_department_list"),
            ("/topapi/v2/department/listsubid", self._below_ids, "qyapi_get_department_list"),
        ]
        made = [
            Route("POST", path, handler, "oapi", scope=scope) for path, handler, scope in listed
        ]
        return [*made, Route("GET", "/auth/scopes", self._scopes, "oapi")]

    async def _get(self, ask: Ask) -> Json:
        person = self._person(ask.app, ask.body.get("userid"))
        return _fine(self._whole(person))

    async def _list(self, ask: Ask) -> Json:
        return self._page(ask, self._whole)

    async def _list_simple(self, ask: Ask) -> Json:
        return self._page(ask, lambda one: {"userid": one.userid, "name": one.name})

    def _page(self, ask: Ask, draw: Any) -> Json:
        """Direct members only."""
        number = self._dept(ask.body.get("dept_id")).id
        cursor, size = ask.body.get("cursor"), ask.body.get("size")
        if not isinstance(cursor, int) or not isinstance(size, int) or not 1 <= size <= 100:
            raise OapiError(400002, "参数错误: cursor, size")
        people = [
            one
            for one in self._world.people.values()
            if number in one.depts and self._in_range(ask.app, one)
        ]
        page, more = people[cursor : cursor + size], len(people) > cursor + size
        found: Json = {"list": [draw(one) for one in page], "has_more": more}
        return _fine(found | {"next_cursor": cursor + size} if more else found)

    async def _by_union(self, ask: Ask) -> Json:
        person = self._world.by_union(str(ask.body.get("unionid")))
        if person is None:
            raise OapiError(60121, "找不到该用户")
        return _fine({"userid": person.userid, "contact_type": 0})

    async def _by_mobile(self, ask: Ask) -> Json:
        wanted = ask.body.get("mobile")
        for person in self._world.people.values():
            if wanted and person.mobile == wanted and self._in_range(ask.app, person):
                return _fine({"userid": person.userid})
        raise OapiError(60121, "找不到该用户")

    async def _admins(self, ask: Ask) -> Json:
        people = self._world.people.values()
        return _fine([{"userid": one.userid, "sys_level": 2} for one in people if one.admin])

    async def _department(self, ask: Ask) -> Json:
        return _fine(_dept_json(self._dept(ask.body.get("dept_id"))))

    async def _below(self, ask: Ask) -> Json:
        return _fine([_dept_json(one) for one in self._children(ask)])

    async def _below_ids(self, ask: Ask) -> Json:
        return _fine({"dept_id_list": [one.id for one in self._children(ask)]})

    def _children(self, ask: Ask) -> list[Department]:
        number = self._dept(ask.body.get("dept_id", 1)).id
        return [one for one in self._world.departments.values() if one.parent == number]

    async def _scopes(self, ask: Ask) -> Json:
        visible = ask.app.visible
        users = [] if visible is None else sorted(visible)
        depts = [1] if visible is None else []
        scopes = {"authed_dept": depts, "authed_user": users}
        return {
            "errcode": 0,
            "errmsg": "ok",
            "auth_user_field": ["name"],
            "auth_org_scopes": scopes,
        }

    def _person(self, app: App, userid: Any) -> Person:
        if not isinstance(userid, str) or not userid:
            raise OapiError(400002, "参数错误: userid")
        person = self._world.people.get(userid)
        if person is None or not person.active:
            raise OapiError(33012, "无效的USERID")
        if not self._in_range(app, person):
            raise OapiError(50002, "员工不在授权范围")
        return person

    def _in_range(self, app: App, person: Person) -> bool:
        return person.active and (app.visible is None or person.userid in app.visible)

    def _dept(self, number: Any) -> Department:
        if not isinstance(number, int):
            raise OapiError(400002, "参数错误: dept_id")
        found = self._world.departments.get(number)
        if found is None:
            raise OapiError(60003, "部门不存在")
        return found

    def _whole(self, person: Person) -> Json:
        made: Json = {
            "userid": person.userid,
            "unionid": person.unionid,
            "name": person.name,
            "title": person.title,
            "job_number": "",
            "dept_id_list": person.depts,
            "leader_in_dept": [
                {"dept_id": one, "leader": one in person.leads} for one in person.depts
            ],
            "role_list": [],
            "active": True,
            "admin": person.admin,
            "boss": False,
        }
        return made | {"manager_userid": person.manager} if person.manager else made


def _dept_json(one: Department) -> Json:
    return {"dept_id": one.id, "name": one.name, "parent_id": one.parent}


def _fine(result: Any) -> Json:
    return {"errcode": 0, "errmsg": "ok", "result": result}
