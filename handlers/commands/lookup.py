"""查 客户: the customer's file on one screen, for those who may see it (F49)."""

from __future__ import annotations

from handlers import replies
from handlers.cards import words
from handlers.context import Context
from handlers.messages import Outbound
from sales import money
from sales.people import may_see
from storage import customers, people
from storage.customers import Customer


def run(ctx: Context, said: str) -> list[Outbound] | None:
    found = _find(ctx, said)
    if not found:
        return [ctx.reply(replies.no_such_customer(said))]
    if len(found) > 1:
        return [ctx.reply(replies.which_customer(said, [one.name for one in found]))]
    customer = found[0]
    if not visible(ctx, customer):
        owner = people.get(ctx.session, customer.owner_id or 0)
        return [ctx.reply(replies.who_sees(owner.name if owner else "别人"))]
    return [ctx.reply(_text(ctx, customer))]


def visible(ctx: Context, customer: Customer) -> bool:
    """The owner, those above, and for a customer without owner its region."""
    if customer.owner_id is None:
        return (
            not customer.region
            or customer.region == ctx.person.region
            or may_see(ctx.person, 0, ())
        )
    chain = people.managers_of(ctx.session, customer.owner_id)
    return may_see(ctx.person, customer.owner_id, chain)


def _find(ctx: Context, said: str) -> list[Customer]:
    exact = customers.by_name(ctx.session, said)
    if exact:
        return [exact]
    found = customers.search(ctx.session, said)
    if found:
        return found
    # Not by its characters: the matcher knows homophones and short forms.
    world = ctx.tools.worlds.of(ctx.session, ctx.person.id)
    names = ctx.tools.extractor.customers(said, now=ctx.now, world=world)
    matches = [customers.by_name(ctx.session, name) for name in names]
    return [one for one in matches if one]


def _text(ctx: Context, customer: Customer) -> str:
    owner = people.get(ctx.session, customer.owner_id) if customer.owner_id else None
    lines = [f"{customer.name}（{customer.code}）" + (f" · {owner.name}" if owner else " · 公海")]
    for deal in customers.open_opportunities(ctx.session, customer.id)[:2]:
        days = (ctx.now - deal.stage_since).days
        sum_of = f"，{money.short(deal.amount_fen / 100)}" if deal.amount_fen else ""
        lines.append(f"商机：{deal.name}，{deal.stage} {days} 天{sum_of}")
    who = customers.contacts(ctx.session, customer.id)[:4]
    if who:
        listed = "、".join(
            one.name
            + (f"（{one.role}）" if one.role else "")
            + ("★拍板" if one.decision_maker else "")
            for one in who
        )
        lines.append(f"联系人：{listed}")
    promises = customers.commitments(ctx.session, customer_id=customer.id)[:5]
    for promise in promises:
        side = "我方" if promise.who == "us" else "对方"
        when = words.day(promise.due) if promise.due else "没定日子"
        late = "，已逾期" if promise.due and promise.due < ctx.today else ""
        lines.append(f"承诺：{side} {when} {promise.what}{late}")
    for objection in customers.objections(ctx.session, customer.id)[:3]:
        lines.append(f"异议：{objection.category}（{objection.text}）")
    recent = customers.interactions(ctx.session, customer.id, limit=3)
    for one in recent:
        lines.append(f"往来：{words.moment(one.at)} {one.person} {one.summary[:60]}")
    if not recent:
        lines.append("还没有往来记录。发一段语音就能记第一条。")
    lines.append(f"全部记录：/c/{customer.id}")
    return "\n".join(lines)
