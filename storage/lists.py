"""The company's lists, by hand or from a file: people, customers, contacts, products, competitors.

Each ``put_…`` adds or updates one entry by its name; ``None`` means *not given* and leaves what is
there.  ``changes`` in the result names what an update changed, old and new, for the audit log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from sales.errors import BotError
from sales.people import ROLES
from storage import settings
from storage.people import key_of
from storage.sql import insert_new
from storage.table_base import Base
from storage.tables import (
    CompetitorRow,
    ContactRow,
    CustomerRow,
    PersonRow,
    ProductRow,
    SettingRow,
    ShortNameRow,
)

CODE_COUNTER: Final = "customer_code"


class ListRefused(BotError):
    """An entry that cannot be stored; ``code`` and ``fields`` say why.

    Codes: ``no_name``, ``role``, ``manager``, ``manager_loop``, ``platform_id``, ``owner``,
    ``code_taken``, ``short_taken``, ``customer``, ``product``, ``price``, ``floor``.
    """

    def __init__(self, code: str, **fields: object) -> None:
        super().__init__(code, **fields)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    id: int
    how: Literal["added", "updated", "same"]
    changes: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)


def put_person(
    session: Session,
    *,
    now: datetime,
    name: str,
    role: str | None = None,
    manager: str | None = None,
    team: str | None = None,
    region: str | None = None,
    wecom: str | None = None,
    dingtalk: str | None = None,
    active: bool | None = None,
    manager_fixed: bool | None = None,
) -> Stored:
    """*role* is one of ``sales.people.ROLES`` (a rep when new and not given).

    *manager_fixed*: whether a platform's directory must leave the manager alone.
    """
    _named(name)
    wecom = key_of("wecom", wecom) if wecom else wecom
    if role is not None and role not in ROLES:
        raise ListRefused("role", value=role)
    old = session.scalar(sa.select(PersonRow).where(PersonRow.name == name))
    boss = _manager(session, manager, old) if manager is not None else None
    for column, given in ((PersonRow.wecom_id, wecom), (PersonRow.dingtalk_id, dingtalk)):
        holder = session.scalar(sa.select(PersonRow).where(column == given)) if given else None
        if holder is not None and holder.name != name:
            raise ListRefused("platform_id", value=given, holder=holder.name)
    values: dict[str, Any] = {
        "role": role,
        "manager_id": boss,
        "team": team,
        "region": region,
        "wecom_id": wecom or None,
        "dingtalk_id": dingtalk or None,
        "active": active,
        "manager_fixed": manager_fixed,
    }
    if old is None:
        values |= {"role": role or "rep", "name": name, "created_at": now}
    return _put(session, PersonRow, old, values)


def put_customer(
    session: Session,
    *,
    now: datetime,
    name: str,
    code: str | None = None,
    shorts: Sequence[str] | None = None,
    owner: str | None = None,
    region: str | None = None,
    industry: str | None = None,
    tier: str | None = None,
) -> Stored:
    """A new customer gets the next code (F18) unless *code* is given.  *shorts* are added."""
    _named(name)
    old = session.scalar(sa.select(CustomerRow).where(CustomerRow.name == name))
    if code is not None and (holder := _holder_of(session, code)) not in (None, name):
        raise ListRefused("code_taken", value=code, holder=holder)
    values: dict[str, Any] = {
        "code": code,
        "owner_id": _person_id(session, owner, code="owner") if owner else None,
        "region": region,
        "industry": industry,
        "tier": tier,
    }
    for short in shorts or ():
        other = session.scalar(sa.select(CustomerRow.name).where(CustomerRow.name == short))
        if other is not None and other != name:
            raise ListRefused("short_taken", value=short, holder=other)
    if old is None:
        values |= {"name": name, "code": code or next_code(session), "created_at": now}
    stored = _put(session, CustomerRow, old, values)
    new = [
        short
        for short in dict.fromkeys(shorts or ())
        if short != name
        and insert_new(session, ShortNameRow, customer_id=stored.id, name=short) is not None
    ]
    if new and stored.how != "added":
        settings.lists_changed(session)
        return Stored(id=stored.id, how="updated", changes={**stored.changes, "shorts": ([], new)})
    return stored


def put_contact(
    session: Session,
    *,
    now: datetime,
    customer: str,
    name: str,
    role: str | None = None,
    phone: str | None = None,
    decision_maker: bool | None = None,
) -> Stored:
    """*customer* by its registered name, code or a short name that is its alone."""
    _named(name)
    customer_id = find_customer(session, customer)
    if customer_id is None:
        raise ListRefused("customer", value=customer)
    old = session.scalar(
        sa.select(ContactRow).where(ContactRow.customer_id == customer_id, ContactRow.name == name)
    )
    values: dict[str, Any] = {"role": role, "phone": phone, "decision_maker": decision_maker}
    if old is None:
        values |= {"customer_id": customer_id, "name": name, "created_at": now}
    return _put(session, ContactRow, old, values)


def put_product(
    session: Session,
    *,
    name: str,
    category: str | None = None,
    unit: str | None = None,
    list_price_fen: int | None = None,
    floor_price_fen: int | None = None,
    must_exist: bool = False,
) -> Stored:
    """*must_exist*: a price list changes prices and adds no products."""
    _named(name)
    old = session.scalar(sa.select(ProductRow).where(ProductRow.name == name))
    if old is None and must_exist:
        raise ListRefused("product", value=name)
    price, floor = list_price_fen, floor_price_fen
    if old is not None:
        price = old.list_price_fen if price is None else price
        floor = old.floor_price_fen if floor is None else floor
    if any(one is not None and one < 0 for one in (price, floor)):
        raise ListRefused("price")
    if price is not None and floor is not None and floor > price:
        raise ListRefused("floor")
    values: dict[str, Any] = {
        "category": category,
        "unit": unit,
        "list_price_fen": list_price_fen,
        "floor_price_fen": floor_price_fen,
    }
    if old is None:
        values["name"] = name
    return _put(session, ProductRow, old, values)


def put_competitor(session: Session, *, name: str) -> Stored:
    _named(name)
    old = session.scalar(sa.select(CompetitorRow).where(CompetitorRow.name == name))
    return _put(session, CompetitorRow, old, {"name": name})


def find_customer(session: Session, words: str) -> int | None:
    """The one customer with that name, code or short name; None for none or several."""
    row = session.scalar(
        sa.select(CustomerRow.id).where(
            sa.or_(CustomerRow.name == words, CustomerRow.code == words)
        )
    )
    if row is not None:
        return row
    owners = session.scalars(
        sa.select(ShortNameRow.customer_id).where(ShortNameRow.name == words).distinct()
    ).all()
    return owners[0] if len(owners) == 1 else None


def next_code(session: Session) -> str:
    """The next free customer code, such as KH-000123.  Gaps are fine, repeats are not (F18)."""
    insert_new(session, SettingRow, key=CODE_COUNTER, value="0")
    # The row lock makes two servers on one PostgreSQL take turns.
    counter = session.scalars(
        sa.select(SettingRow).where(SettingRow.key == CODE_COUNTER).with_for_update()
    ).one()
    session.refresh(counter)
    number = int(counter.value)
    while True:
        number += 1
        code = f"KH-{number:06d}"
        if _holder_of(session, code) is None:
            break
    counter.value = str(number)
    session.flush()
    return code


def _put(session: Session, table: type[Base], old: Any | None, values: Mapping[str, Any]) -> Stored:
    given = {key: value for key, value in values.items() if value is not None}
    if old is None:
        row: Any = table(**given)
        session.add(row)
        session.flush()
        settings.lists_changed(session)
        return Stored(id=row.id, how="added")
    changes = {
        key: (getattr(old, key), value)
        for key, value in given.items()
        if getattr(old, key) != value
    }
    for key, (_, value) in changes.items():
        setattr(old, key, value)
    if not changes:
        return Stored(id=old.id, how="same")
    session.flush()
    settings.lists_changed(session)
    return Stored(id=old.id, how="updated", changes=changes)


def _named(name: str) -> None:
    if not name.strip():
        raise ListRefused("no_name")


def _holder_of(session: Session, code: str) -> str | None:
    return session.scalar(sa.select(CustomerRow.name).where(CustomerRow.code == code))


def _person_id(session: Session, name: str, *, code: str) -> int:
    found = session.scalar(sa.select(PersonRow.id).where(PersonRow.name == name))
    if found is None:
        raise ListRefused(code, value=name)
    return found


def _manager(session: Session, name: str, person: PersonRow | None) -> int:
    """The manager's id; nobody may lead themselves, however long the way round."""
    found = _person_id(session, name, code="manager")
    above: int | None = found
    seen: set[int] = set()
    while person is not None and above is not None and above not in seen:
        if above == person.id:
            raise ListRefused("manager_loop", value=name)
        seen.add(above)
        above = session.scalar(sa.select(PersonRow.manager_id).where(PersonRow.id == above))
    return found
