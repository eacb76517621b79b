"""Every route in one screen: what people type or tap, who may, and what it does.

The help text is made from this table, and a test checks that the manual mentions every entry.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from handlers import actions, editing, joining, records, replies
from handlers.commands import help as help_command
from handlers.commands import lookup, todo
from handlers.context import Context
from handlers.messages import Outbound
from nlp.ports import Correction
from sales.facts import CustomerFact
from storage import customers, memos
from storage.customers import Customer
from storage.memos import Record

Match = re.Match[str]
EVERYONE: Final = (
    "rep",
    "manager",
    "finance",
    "director",
    "engineer",
    "trainer",
    "subscriber",
    "admin",
)
OPEN: Final = ("pending", "asking", "draft")
_SHORT: Final = 20  # characters of an answer to a question


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A command in words.  ``example`` and ``does`` are shown by 帮助."""

    name: str
    pattern: re.Pattern[str]
    run: Callable[[Match, Context], list[Outbound] | None]
    example: str
    does: str
    roles: tuple[str, ...] = EVERYONE


def _say(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"^(?:{pattern})[。.！!？?～~\s]*$")


ROUTES: Final[tuple[Route, ...]] = (
    Route(
        name="help",
        pattern=_say("帮助|help|怎么用|你会什么|菜单"),
        run=lambda _, ctx: help_command.run(ctx, ROUTES),
        example="帮助",
        does="看我会什么",
    ),
    Route(
        name="hello",
        pattern=_say("你好|您好|在吗|hi|hello|早上好|下午好"),
        run=lambda _, ctx: [ctx.reply(replies.HELLO.format(name=ctx.person.name))],
        example="你好",
        does="打个招呼",
    ),
    Route(
        name="todo",
        pattern=_say("待办|今日待办|我的待办|今天有啥要跟的|今天做什么|今天有什么事|今天有啥"),
        run=lambda _, ctx: todo.run(ctx),
        example="待办",
        does="看双方的承诺，到期的在最上面",
    ),
    Route(
        name="done",
        pattern=_say(r"完成\s*(?P<number>\d{1,3})"),
        run=lambda match, ctx: todo.done(ctx, int(match["number"])),
        example="完成 2",
        does="把待办里的第 2 件记成做完",
    ),
    Route(
        name="lookup",
        pattern=re.compile(r"^(?:查(?:一下|客户)?|看看)\s*(?P<name>\S.{0,40}?)[。？?\s]*$"),
        run=lambda match, ctx: lookup.run(ctx, match["name"].strip()),
        example="查 恒基",
        does="看客户：联系人、承诺、异议、最近三次往来",
    ),
    Route(
        name="lately",
        pattern=re.compile(
            r"^(?P<name>\S{2,20}?)(?:最近|这段时间)?(?:咋样|怎么样|什么情况)了?[？?。]*$"
        ),
        run=lambda match, ctx: lookup.run(ctx, match["name"].strip()),
        example="恒基最近咋样",
        does="同“查”",
    ),
    Route(
        name="undo",
        pattern=_say("撤销|撤回|撤消"),
        run=lambda _, ctx: _undo(ctx, ("filed", "dropped")),
        example="撤销",
        does="入库或作废后 10 分钟内收回",
    ),
    Route(
        name="restore",
        pattern=_say("恢复"),
        run=lambda _, ctx: _undo(ctx, ("dropped",)),
        example="恢复",
        does="作废后 10 分钟内恢复",
    ),
    Route(
        name="join",
        pattern=_say("合并|合并成一条|合成一条|并成一条"),
        run=lambda _, ctx: joining.join_latest(ctx),
        example="合并",
        does="刚才挨着的两段语音合成一条",
    ),
    Route(
        name="apart",
        pattern=_say("分开|拆开|分开记"),
        run=lambda _, ctx: joining.apart_latest(ctx),
        example="分开",
        does="合并后 10 分钟内还原成两条",
    ),
    Route(
        name="number",
        pattern=_say(r"(?P<number>[1-9])"),
        run=lambda match, ctx: _number(ctx, int(match["number"])),
        example="1",
        does="对最近一张纪要：1 入库 2 修改 3 作废",
    ),
    Route(
        name="file",
        pattern=_say("确认|确认入库|入库|对的|没问题"),
        run=lambda _, ctx: _on_latest(ctx, records.confirm),
        example="确认",
        does="最近一张纪要入库",
    ),
    Route(
        name="drop",
        pattern=_say("作废|不要了"),
        run=lambda _, ctx: _on_latest(ctx, records.drop),
        example="作废",
        does="最近一张纪要作废",
    ),
    Route(
        name="skip",
        pattern=_say("空着|先空着|说不准|跳过"),
        run=lambda _, ctx: _on_latest(ctx, records.skip),
        example="空着",
        does="追问的项先不填",
    ),
    Route(
        name="notice",
        pattern=_say("知道了"),
        run=lambda _, ctx: actions.accept_notice(ctx),
        example="知道了",
        does="确认使用说明",
    ),
)


def answer(text: str, ctx: Context) -> list[Outbound] | None:
    """The answer to a text that is a command, a reply or a correction; None for anything else."""
    said = text.strip()
    for route in ROUTES:
        match = route.pattern.match(said)
        if match and ctx.person.role in route.roles:
            answered = route.run(match, ctx)
            if answered is not None:
                return answered
    return _correction(said, ctx)


def _correction(said: str, ctx: Context) -> list[Outbound] | None:
    record = _latest(ctx, OPEN)
    filed = _latest(ctx, ("filed",), hours=1) if record is None else None
    if record is None and filed is None:
        return None
    world = ctx.tools.worlds.of(ctx.session, ctx.person.id)
    correction = ctx.tools.extractor.correction(said, now=ctx.now, world=world)
    if correction is None and record is not None:
        correction = _bare_value(said, record, ctx)
    if correction is None:
        asked = record is not None and record.state == "asking" and len(said) <= _SHORT
        return [ctx.reply(replies.AMOUNT_UNREAD)] if asked else None
    if record is None:
        minutes = ctx.tools.memo.undo_minutes
        return [ctx.reply(replies.FILED_ALREADY.format(minutes=minutes))]
    if record.state == "asking" and correction.amount is not None:
        return records.fill_amount(ctx, record, correction.amount, said)
    return editing.correct(ctx, record, correction, said)


def _bare_value(said: str, record: Record, ctx: Context) -> Correction | None:
    """A value alone, when we just asked for one: a sum, or the name of the customer."""
    if record.customer_id is None and len(said) <= 30:
        found = customers.by_name(ctx.session, said) or _only(customers.search(ctx.session, said))
        if found:
            fact = CustomerFact(name=found.name, known=True, said=said, span=(0, len(said)))
            return Correction(field="customer", customer=fact, text=said)
    if record.state == "asking" and len(said) <= _SHORT:
        world = ctx.tools.worlds.of(ctx.session, ctx.person.id)
        return ctx.tools.extractor.correction(f"金额 {said}", now=ctx.now, world=world)
    return None


def _only(found: list[Customer]) -> Customer | None:
    return found[0] if len(found) == 1 else None


def _latest(ctx: Context, states: tuple[str, ...], *, hours: int = 72) -> Record | None:
    return memos.latest_record(
        ctx.session, ctx.person.id, states=states, since=ctx.now - timedelta(hours=hours)
    )


def _undo(ctx: Context, states: tuple[str, ...]) -> list[Outbound]:
    record = _latest(ctx, states)
    made = joining.latest(ctx) if "filed" in states else None
    if made and made.join and (record is None or (record.decided_at or ctx.now) < made.join.at):
        return joining.apart_latest(ctx)  # joining was what they did last
    if record is None:
        minutes = ctx.tools.memo.undo_minutes
        return [ctx.reply(replies.NOTHING_TO_UNDO.format(minutes=minutes))]
    return records.undo(ctx, record)


def _on_latest(
    ctx: Context, act: Callable[[Context, Record], list[Outbound]]
) -> list[Outbound] | None:
    record = _latest(ctx, OPEN)
    return [ctx.reply(replies.NOTHING_OPEN)] if record is None else act(ctx, record)


def _number(ctx: Context, number: int) -> list[Outbound] | None:
    record = _latest(ctx, OPEN)
    if record is None:
        return None
    if record.draft.pending_choice:
        return editing.choose_field(ctx, record, number)
    act = {1: records.confirm, 2: editing.edit, 3: records.drop}.get(number)
    return act(ctx, record) if act else None
