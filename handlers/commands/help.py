"""帮助: what this role can say, made from the routes themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from handlers.context import Context
from handlers.messages import Outbound

if TYPE_CHECKING:
    from handlers.routes import Route

_FIRST = {
    "rep": "发语音或文字说拜访情况，我整理成记录，你点“确认入库”",
    "manager": "查团队里任何一家客户，看到承诺和异议",
    "finance": "查客户和往来记录",
    "director": "查任何一家客户，看到承诺和异议",
    "engineer": "发语音或文字记技术沟通",
    "trainer": "查客户异议和往来记录",
    "subscriber": "查客户近况",
    "admin": "查客户；队列、体检、备份在网页和 genjin 命令里",
}


def run(ctx: Context, routes: Sequence[Route]) -> list[Outbound]:
    lines = [f"{ctx.person.name}，你可以：", f"① {_FIRST.get(ctx.person.role, _FIRST['rep'])}"]
    lines += [
        f"· {route.example}：{route.does}"
        for route in routes
        if ctx.person.role in route.roles and route.name not in ("hello", "notice", "help")
    ]
    lines.append("改错直接说，例如“不对 是下周三”“客户是恒基”“金额 35万”。")
    return [ctx.reply("\n".join(lines))]
