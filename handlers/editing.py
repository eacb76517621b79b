"""Changing a draft: by its form, by choosing a customer, or in words (G1).

What a person corrects is kept and used from the next memo on (G3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from handlers import contradictions, records, replies, views
from handlers.cards import contradiction as questions
from handlers.cards import memo as cards
from handlers.cards import words
from handlers.context import Context
from handlers.messages import Outbound
from nlp.ports import Correction
from sales import drafts
from sales.drafts import Draft
from sales.facts import CustomerFact
from storage import customers, lists, world
from storage.memos import Record


def edit(ctx: Context, record: Record) -> list[Outbound]:
    """修改: the card becomes a form, where it is."""
    if record.state not in drafts.MAY["edit"]:
        return [records.already(ctx, record)]
    choices = views.candidates(ctx.session, record.draft, record.customer_id)
    return [views.show(record, cards.edit_form(views.view(ctx, record), choices))]


def save_form(
    ctx: Context, record: Record, values: Mapping[str, Any], *, then_file: bool
) -> list[Outbound]:
    """A form came back.  Values that cannot be read are refused by name and change nothing."""
    if record.state not in drafts.MAY["edit"]:
        return [records.already(ctx, record)]
    draft, customer_id = record.draft, record.customer_id
    chosen = str(values.get("customer", ""))
    if chosen == cards.NEW_CUSTOMER:
        customer_id, draft = _new_customer(ctx, draft)
        if customer_id is None:
            return [ctx.reply(replies.NO_CUSTOMER)]
    elif chosen.isdigit() and int(chosen) != customer_id:
        customer_id, draft = _choose(ctx, record, draft, int(chosen))
    try:
        draft = _form_values(draft, values)
    except ValueError:
        return [ctx.reply(replies.AMOUNT_UNREAD)]
    follow_up = cards.follow_up_day(str(values.get("follow_up", "none")), ctx.today)
    if follow_up:
        draft = replace(draft, follow_up=follow_up)
    saved = records.save_edit(ctx, record, draft, customer_id)
    if saved is None:
        return [records.already(ctx, record)]
    asked = contradictions.after_edit(ctx, record, saved)
    if then_file and not asked:
        return records.confirm(ctx, saved)
    held = [ctx.reply(questions.HELD)] if then_file else []
    return [records.open_card(ctx, saved), *asked, *held]


def _form_values(draft: Draft, values: Mapping[str, Any]) -> Draft:
    """Sums and days of the form.  Raises ValueError for what is no number or no date."""
    if str(values.get("amount", "")).strip():
        value = float(str(values["amount"]).replace(",", ""))
        if value < 0 or value > 1e12:
            raise ValueError("amount")
        if value != draft.facts.amounts[0].value:
            draft = drafts.set_amount(draft, value, said="表单", path="amounts.0")
    for number, promise in enumerate(draft.facts.commitments):
        shown = str(values.get(f"due.{number}", "")).strip()
        if shown and date.fromisoformat(shown) != promise.due:
            draft = drafts.set_due(
                draft, date.fromisoformat(shown), said="表单", path=f"commitments.{number}.due"
            )
    return draft


def _choose(
    ctx: Context, record: Record, draft: Draft, customer_id: int
) -> tuple[int | None, Draft]:
    customer = customers.get(ctx.session, customer_id)
    if customer is None:
        return record.customer_id, draft
    return customer.id, _learn_customer(ctx, draft, customer.name, said="选客户")


def _learn_customer(ctx: Context, draft: Draft, name: str, *, said: str) -> Draft:
    """Change the customer and keep what was heard wrongly (G3)."""
    fact = draft.facts.customer
    heard = fact.said if fact else ""
    world.keep_correction(
        ctx.session,
        person_id=ctx.person.id,
        kind="customer",
        heard=heard,
        meant=name,
        now=ctx.now,
    )
    made = CustomerFact(
        name=name, known=True, said=heard, span=fact.span if fact else (0, 0), candidates=()
    )
    return drafts.set_customer(draft, made, said=said)


def _new_customer(ctx: Context, draft: Draft) -> tuple[int | None, Draft]:
    fact = draft.facts.customer
    if fact is None or not fact.name:
        return None, draft
    stored = lists.put_customer(
        ctx.session,
        name=fact.name,
        owner=ctx.person.name,
        region=ctx.person.region,
        now=ctx.now,
    )
    made = replace(fact, known=True, candidates=())
    return stored.id, replace(draft, facts=replace(draft.facts, customer=made))


def correct(ctx: Context, record: Record, said: Correction, text: str) -> list[Outbound]:
    """不对 是下周三: that field changes, the card is redrawn with the old value kept."""
    if record.state not in drafts.MAY["edit"]:
        minutes = ctx.tools.memo.undo_minutes
        return [ctx.reply(replies.FILED_ALREADY.format(minutes=minutes))]
    draft, customer_id = record.draft, record.customer_id
    try:
        if said.customer is not None:
            found = customers.by_name(ctx.session, said.customer.name)
            if found is None:
                made = replace(said.customer, known=False, span=(0, 0))
                draft, customer_id = drafts.set_customer(draft, made, said=text), None
                return _redraw(ctx, record, draft, None, drop_customer=True)
            draft, customer_id = _learn_customer(ctx, draft, found.name, said=text), found.id
        if said.due is not None:
            draft = drafts.set_due(draft, said.due, said=text)
        if said.amount is not None:
            draft = drafts.set_amount(draft, said.amount, said=text, old=said.wrong)
        if said.contact is not None:
            _learn(ctx, "contact", [one.name for one in draft.facts.contacts], said.contact.name)
            draft = drafts.set_contact(draft, said.contact.name, said.contact.role, said=text)
        if said.product is not None:
            _learn(ctx, "product", [one.said for one in draft.facts.products], said.product.name)
            draft = drafts.set_product(
                draft, said.product.name, known=said.product.known, said=text
            )
    except drafts.Unclear as unclear:
        return _ask_which(ctx, record, unclear.paths, said, text)
    except drafts.NothingToCorrect as nothing:
        return [ctx.reply(replies.nothing_to_correct(nothing.field))]
    if draft == record.draft:
        return [ctx.reply(replies.NO_CHANGE)]
    return _redraw(ctx, record, draft, customer_id)


def _learn(ctx: Context, kind: str, heard: list[str], meant: str) -> None:
    if heard:
        world.keep_correction(
            ctx.session,
            person_id=ctx.person.id,
            kind=kind,
            heard=heard[0],
            meant=meant,
            now=ctx.now,
        )


def _ask_which(
    ctx: Context, record: Record, paths: tuple[str, ...], said: Correction, text: str
) -> list[Outbound]:
    """Several fields fit; the wait for the answer stands in the draft."""
    value = said.due.isoformat() if said.due else f"{said.amount:g}"
    choice = {"paths": list(paths), "value": value, "said": text}
    saved = records.save_edit(ctx, record, replace(record.draft, pending_choice=choice), None)
    if saved is None:
        return [records.already(ctx, record)]
    return [ctx.reply(replies.which_field([_named(record.draft, path) for path in paths]))]


def _named(draft: Draft, path: str) -> str:
    kind, number = path.split(".")[:2]
    if kind == "amounts":
        return words.amount(draft.facts.amounts[int(number)])
    promise = draft.facts.commitments[int(number)]
    return f"{promise.what}（{words.day(promise.due) if promise.due else '没有日期'}）"


def choose_field(ctx: Context, record: Record, number: int) -> list[Outbound]:
    """The number that answers 改哪一项."""
    choice = record.draft.pending_choice or {}
    paths = choice.get("paths", [])
    if not 1 <= number <= len(paths):
        return [ctx.reply(replies.which_field([_named(record.draft, path) for path in paths]))]
    path, value, said = paths[number - 1], choice["value"], choice["said"]
    if path.startswith("amounts"):
        draft = drafts.set_amount(record.draft, float(value), said=said, path=path)
    else:
        draft = drafts.set_due(record.draft, date.fromisoformat(value), said=said, path=path)
    return _redraw(ctx, record, draft, None)


def _redraw(
    ctx: Context,
    record: Record,
    draft: Draft,
    customer_id: int | None,
    *,
    drop_customer: bool = False,
) -> list[Outbound]:
    saved = records.save_edit(ctx, record, draft, customer_id, drop_customer=drop_customer)
    if saved is None:
        return [records.already(ctx, record)]
    return [records.open_card(ctx, saved), *contradictions.after_edit(ctx, record, saved)]
