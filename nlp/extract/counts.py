"""How many of a product: 球阀要二十台 and 二十台球阀 (feeds G6)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nlp.extract.scene import Scene
from nlp.numbers import scan
from sales.facts import ProductFact, QuantityFact

_MEASURE = re.compile(
    r"(?:多|来)?(台|套|个|只|件|箱|盒|瓶|支|把|张|吨|公斤|米|卷|袋|桶|组|根|片|块)"
)
_OF = re.compile(r"(?:多|来)?[\u4e00-\u9fff](?:的|这种|那种)?")
_ASKED = re.compile(
    r"[ ]?(?:他们|他|她|客户|这次|一共|总共|先|想|也|还|得|大概|只)*(?:要|订|采购|买|需要|来|上|加)?(?:了)?[ ]?"
)


def quantity_facts(scene: Scene, products: Sequence[ProductFact]) -> list[QuantityFact]:
    """Counts that stand right before or right behind a product's words, one per product and unit.

    Two counts of one product are left out: nobody can tell here which one holds.
    """
    found: dict[tuple[str, str], list[QuantityFact]] = {}
    names = {product.said: product.name for product in products}
    for place, said in _mentions(scene.plain, names):
        clause = scene.clauses[scene.clause_at(place)]
        for number in scan(scene.plain[clause.start : clause.end]):
            start, end = clause.start + number.start, clause.start + number.end
            unit = _MEASURE.match(scene.plain, end)
            value = number.value
            if unit is None or number.form == "string" or isinstance(value, tuple):
                continue
            before = _OF.fullmatch(scene.plain, end, place) if end < place else None
            after = place + len(said) <= start and _ASKED.fullmatch(
                scene.plain, place + len(said), start
            )
            if before or after:
                fact = QuantityFact(
                    product=names[said], value=float(value), unit=unit[1],
                    span=(start, unit.end()),
                )  # fmt: skip
                found.setdefault((fact.product, fact.unit), []).append(fact)
    clear = [group[0] for group in found.values() if len({one.value for one in group}) == 1]
    return sorted(clear, key=lambda one: one.span)


def _mentions(plain: str, names: dict[str, str]) -> list[tuple[int, str]]:
    return [
        (match.start(), said)
        for said in names
        if said
        for match in re.finditer(re.escape(said), plain)
    ]
