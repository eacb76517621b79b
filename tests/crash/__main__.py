"""``python -m tests.crash --runs 1000``: the long version of the crash test."""

from __future__ import annotations

import argparse
import time

from tests.crash.harness import crash


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgres", default="", help="address of a server to make databases on")
    parser.add_argument(
        "--sabotage", default="", help="a table whose unique keys are taken away (SQLite only)"
    )
    args = parser.parse_args()
    began = time.monotonic()
    report = crash(
        args.runs,
        seed=args.seed,
        postgres=args.postgres,
        sabotage=args.sabotage,
        say=lambda text: print(text, flush=True),
    )
    for wrong in (*report.lost, *report.doubled, *report.stuck)[:20]:
        print("!!", wrong)
    print(report, f"in {time.monotonic() - began:.0f} s")
    return 0 if report.sound else 1


if __name__ == "__main__":
    raise SystemExit(main())
