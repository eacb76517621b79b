"""Lists from a spreadsheet into the database, with a report of the rows that were refused."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import partial
from pathlib import Path
from typing import Any, Final

from bot import sheets, words
from storage import audit, lists
from storage.database import Database, Session
from storage.lists import ListRefused, Stored

_CHUNK = 200  # rows of one transaction: the bot keeps answering during a long import


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of list.  ``columns``: our field to the headings that mean it, Chinese first."""

    title: str
    columns: Mapping[str, tuple[str, ...]]
    needed: tuple[str, ...]
    key: tuple[str, ...]  # a second row with the same values is a repeat
    put: Callable[[Session, datetime, Mapping[str, Any]], Stored]
    after: str = ""  # a field that names another row of the same file, which must come first


_ROLES: Final = {
    "rep": ("销售", "销售代表", "销售员", "业务员", "销售工程师", "客户经理"),
    "manager": ("经理", "销售经理", "主管", "区域经理", "销售主管"),
    "finance": ("财务", "财务主管", "财务经理"),
    "director": ("总监", "总经理", "销售总监", "老板"),
    "engineer": ("工程师", "技术", "售前", "技术支持"),
    "trainer": ("培训", "培训负责人", "培训师"),
    "subscriber": ("订阅", "订阅者", "看报"),
    "admin": ("管理员", "系统管理员"),
}
_ROLE_OF: Final = {name: role for role, names in _ROLES.items() for name in (role, *names)}
_YES: Final = frozenset(("是", "y", "yes", "true", "1", "√", "✓", "对", "有"))
_NO: Final = frozenset(("否", "n", "no", "false", "0", "×", "x", "不是", "无"))
_UNITS: Final = {"万元": 10_000, "千元": 1_000, "元": 1, "万": 10_000}


def role(text: str) -> str:
    """销售 or rep as one of ``sales.people.ROLES``."""
    found = _ROLE_OF.get(text.strip().lower())
    if found is None:
        raise ListRefused("role", value=text)
    return found


def _yes_no(text: str) -> bool:
    if text.lower() in _YES:
        return True
    if text.lower() in _NO:
        return False
    raise ListRefused("not_yes_no", value=text)


def money_fen(text: str, *, per: int = 1) -> int:
    """12,500.5 or ¥1.2万元 in fen; *per*: yuan for one of the column's unit."""
    plain = text.replace(",", "").replace("，", "").replace(" ", "").strip("¥￥")
    for unit, yuan in _UNITS.items():
        if plain.endswith(unit):
            plain, per = plain.removesuffix(unit), yuan
            break
    try:
        fen = Decimal(plain) * per * 100
        if fen != fen.to_integral_value() or abs(fen) >= 10**15:
            raise ListRefused("not_money", value=text)
    except InvalidOperation:
        raise ListRefused("not_money", value=text) from None
    return int(fen)


def _put_person(session: Session, now: datetime, row: Mapping[str, Any]) -> Stored:
    known = {**row, "role": role(row["role"])} if "role" in row else row
    return lists.put_person(session, now=now, **known)


def _put_customer(session: Session, now: datetime, row: Mapping[str, Any]) -> Stored:
    """A customer row may carry its first contact."""
    own = {key: row[key] for key in row if not key.startswith("contact")}
    stored = lists.put_customer(session, now=now, **own)
    if row.get("contact"):
        contact = lists.put_contact(
            session,
            now=now,
            customer=row["name"],
            name=row["contact"],
            role=row.get("contact_role"),
            phone=row.get("contact_phone"),
        )
        if stored.how == "same" and contact.how != "same":
            return Stored(id=stored.id, how="updated", changes=contact.changes)
    return stored


def _put_contact(session: Session, now: datetime, row: Mapping[str, Any]) -> Stored:
    return lists.put_contact(session, now=now, **row)


def _put_product(session: Session, _now: datetime, row: Mapping[str, Any]) -> Stored:
    return lists.put_product(session, **row)


def _put_price(session: Session, _now: datetime, row: Mapping[str, Any]) -> Stored:
    return lists.put_product(session, **row, must_exist=True)


def _put_competitor(session: Session, _now: datetime, row: Mapping[str, Any]) -> Stored:
    return lists.put_competitor(session, **row)


_NAME = ("名称", "name")
_PRODUCT = ("型号", "model", *_NAME, "产品", "产品名称", "product")
_PRICES = {
    "list_price_fen": ("标准价", "list_price", "目录价", "单价", "price"),
    "floor_price_fen": ("底价", "floor_price", "最低价"),
}

KINDS: Final[Mapping[str, Kind]] = {
    "people": Kind(
        title="人员",
        columns={
            "name": ("姓名", *_NAME),
            "role": ("角色", "role", "职务", "岗位"),
            "manager": ("上级", "manager", "直属上级", "主管"),
            "team": ("团队", "team", "部门"),
            "region": ("区域", "region", "大区"),
            "wecom": ("企业微信账号", "wecom", "企业微信", "企微账号"),
            "dingtalk": ("钉钉账号", "dingtalk", "钉钉"),
            "active": ("在职", "active"),
        },
        needed=("name",),
        key=("name",),
        put=_put_person,
        after="manager",
    ),
    "customers": Kind(
        title="客户",
        columns={
            "name": ("名称", "客户名称", "客户", "公司名称", "name", "customer"),
            "code": ("编号", "客户编号", "code"),
            "shorts": ("简称", "short", "客户简称"),
            "owner": ("负责人", "owner", "销售"),
            "region": ("区域", "region", "地区"),
            "industry": ("行业", "industry"),
            "tier": ("等级", "tier", "客户等级", "级别"),
            "contact": ("联系人", "contact"),
            "contact_role": ("职务", "role", "联系人职务"),
            "contact_phone": ("电话", "phone", "手机", "联系电话"),
        },
        needed=("name",),
        key=("name",),
        put=_put_customer,
    ),
    "contacts": Kind(
        title="联系人",
        columns={
            "customer": ("客户", "customer", "客户名称", "公司", "公司名称"),
            "name": ("联系人", "contact", "姓名", *_NAME),
            "role": ("职务", "role", "职位"),
            "phone": ("电话", "phone", "手机", "联系电话"),
            "decision_maker": ("拍板人", "decision_maker", "决策人"),
        },
        needed=("customer", "name"),
        key=("customer", "name"),
        put=_put_contact,
    ),
    "products": Kind(
        title="产品",
        columns={
            "name": _PRODUCT,
            "category": ("类别", "category", "产品类别", "分类"),
            "unit": ("单位", "unit"),
            **_PRICES,
        },
        needed=("name",),
        key=("name",),
        put=_put_product,
    ),
    "prices": Kind(
        title="价格",
        columns={"name": _PRODUCT, **_PRICES},
        needed=("name",),
        key=("name",),
        put=_put_price,
    ),
    "competitors": Kind(
        title="对手",
        columns={"name": ("对手", "competitor", "竞争对手", "竞品", *_NAME)},
        needed=("name",),
        key=("name",),
        put=_put_competitor,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    line: sheets.Line
    reason: str


@dataclass(slots=True, kw_only=True)
class Outcome:
    kind: str
    header: tuple[str, ...]
    counts: Counter[str] = field(default_factory=Counter)
    refused: list[Refused] = field(default_factory=list)
    ignored: tuple[str, ...] = ()  # headings that nothing was made of

    def summary(self) -> str:
        return words.IMPORTED.format(
            kind=KINDS[self.kind].title,
            added=self.counts["added"],
            updated=self.counts["updated"],
            same=self.counts["same"],
            refused=len(self.refused),
        )


def run(database: Database, kind: str, path: Path, *, now: datetime, who: str = "cli") -> Outcome:
    """Read *path* and store what can be stored.

    Raises:
        sheets.SheetError: nothing of the file can be used.
    """
    shape = KINDS[kind]
    lines = sheets.read(path)
    start, columns = _heading(lines, shape, path.name)
    outcome = Outcome(
        kind=kind,
        header=lines[start].cells,
        ignored=tuple(
            cell for at, cell in enumerate(lines[start].cells) if cell and at not in columns
        ),
    )
    rows = _rows(lines[start + 1 :], columns, shape, outcome)
    for at in range(0, len(rows), _CHUNK):
        chunk = rows[at : at + _CHUNK]
        database.write(partial(_store, rows=chunk, shape=shape, now=now, outcome=outcome))
    facts = {**outcome.counts, "refused": len(outcome.refused)}
    database.write(
        lambda session: audit.note(
            session, at=now, who=who, action=f"import.{kind}", subject=path.name, new=facts
        )
    )
    outcome.refused.sort(key=lambda one: one.line.number)
    return outcome


def write_report(outcome: Outcome, path: Path) -> None:
    sheets.write_csv(
        path,
        (*words.REPORT_HEADER, *outcome.header),
        ((str(one.line.number), one.reason, *one.line.cells) for one in outcome.refused),
    )


Row = tuple[sheets.Line, dict[str, Any]]


def _store(
    session: Session, rows: Sequence[Row], shape: Kind, now: datetime, outcome: Outcome
) -> None:
    for line, row in rows:
        try:
            with session.begin_nested():
                outcome.counts[shape.put(session, now, row).how] += 1
        except ListRefused as refusal:
            outcome.refused.append(Refused(line=line, reason=reason(refusal)))


def reason(refusal: ListRefused) -> str:
    return words.REFUSED[refusal.code].format(**refusal.fields)


def _rows(
    lines: Sequence[sheets.Line],
    columns: Mapping[int, tuple[str, int]],
    shape: Kind,
    outcome: Outcome,
) -> list[Row]:
    """The usable rows; those that others refer to come first."""
    rows: list[Row] = []
    seen: dict[tuple[str, ...], int] = {}
    for line in lines:
        try:
            row = _fields(line, columns)
        except ListRefused as refusal:
            outcome.refused.append(Refused(line=line, reason=line.problem or reason(refusal)))
            continue
        key = tuple(str(row.get(part, "")) for part in shape.key)
        if line.problem:
            outcome.refused.append(Refused(line=line, reason=line.problem))
        elif not all(row.get(part) for part in shape.needed):
            outcome.refused.append(Refused(line=line, reason=words.REFUSED["no_name"]))
        elif key in seen:
            again = words.REPEATED.format(line=seen[key])
            outcome.refused.append(Refused(line=line, reason=again))
        else:
            seen[key] = line.number
            rows.append((line, row))
    return list(_in_order(rows, shape.after)) if shape.after else rows


def _in_order(rows: Sequence[Row], after: str) -> Iterator[Row]:
    """Managers before their people; a circle comes last, and is refused by the rules."""
    waiting = {row["name"]: (line, row) for line, row in rows}
    while waiting:
        ready = [name for name, (_, row) in waiting.items() if row.get(after) not in waiting]
        for name in ready or list(waiting):
            yield waiting.pop(name)


def _fields(line: sheets.Line, columns: Mapping[int, tuple[str, int]]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for at, (name, per) in columns.items():
        text = line.cells[at] if at < len(line.cells) else ""
        if text:
            row[name] = _value(name, text, per)
    return row


def _value(name: str, text: str, per: int) -> Any:
    if name.endswith("_fen"):
        return money_fen(text, per=per)
    if name in ("decision_maker", "active"):
        return _yes_no(text)
    if name == "shorts":
        return [part for part in re.split(r"[、,，;；/|\s]+", text) if part]
    return text


def _heading(
    lines: Sequence[sheets.Line], shape: Kind, file: str
) -> tuple[int, dict[int, tuple[str, int]]]:
    """Where the heading row is and which column is which; title rows above it are skipped."""
    best: dict[int, tuple[str, int]] = {}
    for index, line in enumerate(lines[:10]):
        columns = _columns(line.cells, shape)
        names = {name for name, _ in columns.values()}
        if names.issuperset(shape.needed):
            return index, columns
        best = max(best, columns, key=len)
    lacking = set(shape.needed) - {name for name, _ in best.values()}
    needed = "、".join(shape.columns[name][0] for name in shape.needed if name in lacking)
    pattern = words.MISSING_HEADING if best else words.NO_HEADING
    raise sheets.SheetError(
        pattern.format(file=file, kind=shape.title, needed=needed, columns=needed)
    )


def _columns(cells: Sequence[str], shape: Kind) -> dict[int, tuple[str, int]]:
    """Column number to our field and, for prices, the yuan of one unit (标准价（万元）)."""
    found: dict[int, tuple[str, int]] = {}
    taken: set[str] = set()
    means = {title: name for name, titles in shape.columns.items() for title in titles}
    for at, cell in enumerate(cells):
        plain, _, unit = re.sub(r"[\s*＊:：]", "", cell).lower().replace("（", "(").partition("(")
        options = [name for part in (plain, *plain.split("/")) if (name := means.get(part))]
        if options and options[0] not in taken:
            taken.add(options[0])
            found[at] = (options[0], _UNITS.get(unit.rstrip(")）"), 1))
    return found
