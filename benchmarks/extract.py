"""Memos a second on one core, and the start with a list of 20,000 customers.

``python -m benchmarks.extract``: whole memos of 100 to 220 characters through the whole extractor;
beside it, in the same run on the same memos, JioNLP's time parser alone (``pip install
'genjin[bench]'``), the fastest of the Chinese parsers of dates, which reads nothing else.
"""

from __future__ import annotations

import itertools
import json
import logging
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from nlp.extract import build_extractor
from nlp.ports import World

DATA = Path(__file__).resolve().parents[1] / "tools" / "language" / "data"
ROUNDS = 5
SHORTEST = 100
GOAL_PER_S, GOAL_START_S = 200, 1.5
_START = """
import json, sys
from datetime import datetime
from nlp.extract import build_extractor
from nlp.ports import World
names = json.loads(sys.stdin.read())
world = World(customers={name: () for name in names})
now = datetime.fromisoformat("2026-03-10T17:20:00+08:00")
text = "今天去了恒基水泥 报价每台1.2万 我下周三给方案"
facts = build_extractor().extract(text, now=now, world=world)
print(facts.kind)
"""


def memos() -> list[tuple[str, datetime]]:
    found = []
    for path in sorted(DATA.glob("memos_m*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            row = json.loads(line)
            if len(row["text"]) >= SHORTEST:
                found.append((row["text"], datetime.fromisoformat(row["now"])))
    return found


def names(count: int = 20_000) -> list[str]:
    """Made-up customers of many places, cores and trades."""
    places = [
        "恒江",
        "苏北",
        "浙东",
        "皖南",
        "鲁西",
        "冀中",
        "豫北",
        "湘南",
        "川东",
        "滇中",
        "粤北",
        "闽西",
        "赣南",
        "陇东",
        "辽西",
        "桂北",
    ]
    first, second = "恒宏华汇安永泰瑞金银新天海正中东", "基通达信源丰盛隆昌和顺康宁平远诚"
    trades = [
        "水泥",
        "制药",
        "机电",
        "环保",
        "食品",
        "乳业",
        "物流",
        "阀门",
        "化工",
        "轴承",
        "机械",
        "塑料",
        "仪器",
        "泵业",
        "医院",
        "商贸",
    ]
    made = (
        f"{place}{one}{other}{trade}有限公司"
        for trade, place, one, other in itertools.product(trades, places, first, second)
    )
    return list(itertools.islice(made, count))


def per_second(read: Callable[[str, datetime], object], found: list[tuple[str, datetime]]) -> float:
    """Texts per second of processor time, the median round."""
    took = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for text, now in found:
            read(text, now)
        took.append(time.process_time() - began)
    return len(found) / statistics.median(took)


def start_s(listed: list[str]) -> float:
    """Seconds from starting a process to its first extracted memo, the best of three."""
    given = json.dumps(listed, ensure_ascii=False)
    took = []
    for _ in range(3):
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-c", _START], input=given, text=True, check=True, capture_output=True
        )
        took.append(time.perf_counter() - began)
    return min(took)


def main() -> None:
    found = memos()
    length = statistics.mean(len(text) for text, _ in found)
    print(f"extract, {len(found)} memos of {length:.0f} characters, processor time")
    extractor = build_extractor()
    listed = names()
    for size in (100, len(listed)):
        world = World(customers=dict.fromkeys(listed[:size], ()))
        extractor.extract(found[0][0], now=found[0][1], world=world)
        rate = per_second(
            lambda text, now, world=world: extractor.extract(text, now=now, world=world), found
        )
        print(
            f"  all fields, {size:>6,} customers: {rate:.0f} memos/s, "
            f"{rate / GOAL_PER_S:.2f} of the goal"
        )
    try:
        import jionlp  # type: ignore[import-not-found]
    except ImportError:
        print("  JioNLP is not installed: pip install 'genjin[bench]'")
    else:
        logging.disable(logging.CRITICAL)  # it logs each expression that it cannot read
        peer = per_second(
            lambda text, now: jionlp.ner.extract_time(text, time_base=now.timestamp()), found
        )
        print(
            f"  JioNLP, time alone: {peer:.0f} memos/s; all of ours / its dates = {rate / peer:.2f}"
        )
    start = start_s(listed)
    print(
        f"  start with {len(listed):,} customers to the first memo: {start:.2f} s "
        f"(goal {GOAL_START_S} s)"
    )


if __name__ == "__main__":
    main()
