"""Fuzz the readers of language: nothing they are given may raise, hang or be quoted wrongly.

    python -m tools.fuzz_language --inputs 1000000 [--seed N] [--processes K]

Inputs are mutated sentences of ``tools/language/data`` and fragments put together.  What made a
reader answer in a new way is kept and mutated further.  The same seed and number of processes give
the same inputs.  A failure is printed when it is met, with its round, and at the end with the
shortest text that still fails.  Exit status: 0 sound, 1 something failed.
"""

from __future__ import annotations

import argparse
import os

from tools.fuzz_language.hunt import run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz_language", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    args = parser.parse_args()
    lines: list[str] = []

    def say(line: str) -> None:
        lines.append(line)
        print(line, flush=True)

    report = run(args.inputs, seed=args.seed, processes=args.processes, say=say)
    print("slowest:")
    for took, name, length, text in report.slowest:
        print(f"  {took * 1000:.0f} ms {name}, {length} characters: {text!r}")
    for one in report.failures.values():
        print(one)
    print(lines[-1])
    return 1 if report.failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
