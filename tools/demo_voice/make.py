"""Everything in order: sound, training, both forms, recordings, figures.

``python -m tools.demo_voice.make`` needs ``espeak-ng`` and the extra ``genjin[whisper]``, about an
hour of two cores, and writes ``nlp/demo_voice/*.xz`` and ``bot/demo/memos``.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

# Two threads exactly: another number adds in another order and gives other weights.
THREADS = "2"


def step(module: str, *options: str, threads: str = THREADS) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": threads,
        "OMP_WAIT_POLICY": "PASSIVE",
        "KMP_BLOCKTIME": "0",
    }
    command = [sys.executable, "-m", f"tools.demo_voice.{module}", *options]
    return subprocess.Popen(command, env=environment)


def wait(*running: subprocess.Popen[bytes]) -> None:
    for process in running:
        if process.wait():
            raise SystemExit(f"failed: {process.args!r}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("build/demo-voice"))
    parser.add_argument("--steps", type=int, help="per stage, to try the recipe out")
    args = parser.parse_args()
    if shutil.which("espeak-ng") is None:
        raise SystemExit("espeak-ng is not installed")
    work = ("--work", str(args.work))
    wait(*(step("data", *work, "--part", f"{i}/2", threads="1") for i in range(2)))
    few = ("--steps", str(args.steps)) if args.steps else ()
    wait(step("train", *work, *few))
    wait(step("pack", *work))
    wait(step("memos"))
    wait(step("evaluate", "--folder", str(args.work / "demo-voice")))


if __name__ == "__main__":
    main()
