"""待办: the promises of both sides, what is due on top (G5)."""

from __future__ import annotations

from datetime import date

from handlers import views
from handlers.cards import words
from handlers.context import Context
from handlers.messages import Outbound
from storage import audit, customers
from storage.customers import Commitment

_MOST = 15


def run(ctx: Context) -> list[Outbound]:
    promises = customers.commitments(ctx.session, person_id=ctx.person.id)
    if not promises:
        return [ctx.reply("没有待办。确认入库的纪要里，双方答应的事会出现在这里。")]
    late = sum(1 for one in promises if one.due and one.due < ctx.today)
    head = f"待办 {len(promises)} 件" + (f"，其中 {late} 件逾期" if late else "")
    lines = [head]
    lines += [line(number, one, ctx.today) for number, one in enumerate(promises[:_MOST], 1)]
    if len(promises) > _MOST:
        lines.append(f"还有 {len(promises) - _MOST} 件，看 /today")
    lines.append("做完了回复“完成 序号”。")
    return [ctx.reply("\n".join(lines))]


def done(ctx: Context, number: int) -> list[Outbound]:
    promises = customers.commitments(ctx.session, person_id=ctx.person.id)
    if not 1 <= number <= len(promises):
        return [ctx.reply(f"没有第 {number} 件。回复“待办”看清单。")]
    promise = promises[number - 1]
    if not customers.finish_commitment(ctx.session, promise.id, now=ctx.now):
        return [ctx.reply("这件已经记过了。")]
    audit.note(
        ctx.session,
        at=ctx.now,
        who=ctx.person.name,
        person_id=ctx.person.id,
        action="commitment.done",
        subject=f"commitment:{promise.id}",
    )
    return [ctx.reply(f"记下了：{views.short_name(promise.customer)} {promise.what}，已完成。")]


def line(number: int, one: Commitment, today: date) -> str:
    side = "" if one.who == "us" else "对方 "
    if one.due is None:
        when = "没定日子"
    elif one.due < today:
        when = f"{words.day(one.due)} 逾期 {(today - one.due).days} 天"
    elif one.due == today:
        when = "今天"
    else:
        when = words.day(one.due)
    return f"{number}. {when} · {views.short_name(one.customer)} · {side}{one.what}"
