"""Replies that correct a card: 不对 是下周三, 客户是驰远不是致远, 金额 100万 (G1)."""

from __future__ import annotations

from datetime import datetime

from nlp.extract.world import Prepared
from nlp.ports import Correction


def read_reply(text: str, *, now: datetime, ready: Prepared) -> Correction | None:
    return None
