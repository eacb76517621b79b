"""What was heard in one memo: the fields of ``genjin extract``, each with where it stands.

``span`` is half open and counts characters of the memo's text: ``text[s:e]`` is the evidence.
No span, no field (G2).  ``to_dict``/``from_dict`` give the JSON of DESIGN section 3.
"""

from __future__ import annotations

import types
import typing
from dataclasses import asdict, dataclass, fields, is_dataclass
from datetime import date
from typing import Any, Literal, Self, TypeVar

Span = tuple[int, int]
Kind = Literal["memo", "command", "setting", "chat"]

OBJECTION_CATEGORIES = (
    "价格", "预算", "付款账期", "交期", "技术", "质量", "售后服务", "合规验收",
    "决策流程", "竞品", "时机", "案例信任", "合同条款", "动销库存",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerFact:
    """``name`` is the list's name when ``known``, else as said; ``candidates`` only on a tie."""

    name: str
    known: bool
    said: str
    span: Span
    score: float = 1.0
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactFact:
    name: str
    role: str
    new: bool
    span: Span
    decision_maker: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductFact:
    name: str
    known: bool
    said: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class AmountFact:
    """``value`` in yuan (or the pair low, high).

    ``role``: 报价 单价 总价 预算 竞品价 首付 成交, '' when the words do not say.
    """

    value: float | tuple[float, float]
    role: str
    span: Span
    approx: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantityFact:
    """How many of what: ``value`` counts ``unit`` (台 个 套 吨) of ``product``, '' when unsaid."""

    product: str
    value: float
    unit: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectionFact:
    category: str
    text: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitmentFact:
    """A promise.  ``due`` is a local date (Asia/Shanghai) or None; ``due_span`` its words."""

    who: Literal["us", "customer"]
    what: str
    due: date | None
    span: Span
    certainty: Literal["firm", "loose"] = "firm"
    conditional: bool = False
    due_span: Span | None = None
    provisional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CompetitorFact:
    name: str
    known: bool
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFacts:
    """All that one memo says about one customer.  ``customer`` is None when none was heard."""

    customer: CustomerFact | None
    contacts: tuple[ContactFact, ...] = ()
    products: tuple[ProductFact, ...] = ()
    amounts: tuple[AmountFact, ...] = ()
    quantities: tuple[QuantityFact, ...] = ()
    objections: tuple[ObjectionFact, ...] = ()
    commitments: tuple[CommitmentFact, ...] = ()
    competitors: tuple[CompetitorFact, ...] = ()
    next_step: str = ""
    summary: str = ""

    def to_dict(self) -> dict[str, Any]:
        return typing.cast("dict[str, Any]", _plain(asdict(self)))

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        return _build(cls, data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unplaced:
    text: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoFacts:
    """``records`` is empty unless ``kind`` is ``memo``; in spoken order, one per customer (G4)."""

    kind: Kind
    records: tuple[RecordFacts, ...] = ()
    unplaced: tuple[Unplaced, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return typing.cast("dict[str, Any]", _plain(asdict(self)))

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        return _build(cls, data)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


T = TypeVar("T")


def _build(cls: type[T], data: dict[str, Any]) -> T:
    hints = typing.get_type_hints(cls)
    known = {f.name for f in fields(cls)}  # type: ignore[arg-type]
    return cls(**{key: _value(hints[key], item) for key, item in data.items() if key in known})


def _value(hint: Any, item: Any) -> Any:
    """One JSON value as the type that *hint* asks for."""
    if item is None:
        return None
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        options = [option for option in typing.get_args(hint) if option is not type(None)]
        if len(options) == 1:
            return _value(options[0], item)
        return tuple(item) if isinstance(item, list) else item
    if origin is tuple:
        args = typing.get_args(hint)
        inner = args[0]
        return tuple(_value(inner, one) for one in item)
    if hint is date:
        return date.fromisoformat(item)
    if is_dataclass(hint):
        return _build(typing.cast("type[Any]", hint), item)
    return item
