"""Counts of products."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from nlp.extract import build_extractor
from nlp.ports import World

NOW = datetime(2026, 3, 4, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
WORLD = World(customers={"衡川机械有限公司": ("衡川",)}, products=("电动球阀", "气动蝶阀"))


@pytest.mark.parametrize(
    ("said", "counts"),
    [
        ("他们电动球阀要二十台", [("电动球阀", 20.0, "台")]),
        ("他们要三十套电动球阀", [("电动球阀", 30.0, "套")]),
        ("要5台气动蝶阀，电动球阀先要八台", [("气动蝶阀", 5.0, "台"), ("电动球阀", 8.0, "台")]),
        ("电动球阀单价两千", []),
        ("要二零二六台电动球阀", []),  # read out one by one: a year or a model
        ("电动球阀要一三八零台", []),
        ("电动球阀要五六台", []),
        ("去了三个人看电动球阀", []),
        ("要十台电动球阀，不对，要十二台电动球阀", []),
    ],
)
def test_how_many_of_what(said: str, counts: list[tuple[str, float, str]]) -> None:
    text = f"今天去了衡川，{said}。"
    [record] = build_extractor().extract(text, now=NOW, world=WORLD).records
    assert [(one.product, one.value, one.unit) for one in record.quantities] == counts
    for one in record.quantities:
        assert text[slice(*one.span)].endswith(one.unit)
