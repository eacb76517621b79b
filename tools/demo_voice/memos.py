"""The recordings of the demo: ``bot/demo/memos/s1.ogg`` to ``s7.ogg``, mono Opus, 16 kbit/s."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from tools.demo_voice import voice
from tools.demo_voice.corpus import DEMO

# Who says what: voices that training heard, in the middle of its speeds.
MANNERS = {
    "s1": voice.Manner(variant="m3", speed=215, pitch=45),
    "s2": voice.Manner(variant="f2", speed=215, pitch=55),
    "s3": voice.Manner(variant="m1", speed=215, pitch=50),
    "s4": voice.Manner(variant="m4", speed=220, pitch=40),
    "s5": voice.Manner(variant="f1", speed=210, pitch=55),
    "s6": voice.Manner(variant="m6", speed=215, pitch=50),
    "s7": voice.Manner(variant="m3", speed=205, pitch=45),
}
TITLES = {
    "s1": "拜访恒基水泥",
    "s2": "青松制药来电",
    "s3": "汇通热力砍价",
    "s4": "一天两家",
    "s5": "今年先不上了",
    "s6": "换了拍板的人",
    "s7": "改一句话",
}


def memo(name: str) -> bytes:
    """The Ogg/Opus file of one demo sentence."""
    manner = MANNERS[name]
    sound = voice.render(DEMO[name], manner, np.random.default_rng(0))
    return voice.encode(sound, "opus")


def write(into: Path) -> None:
    into.mkdir(parents=True, exist_ok=True)
    lines = ["# What each recording says; made by python -m tools.demo_voice.memos"]
    for name, sentence in DEMO.items():
        (into / f"{name}.ogg").write_bytes(memo(name))
        lines += [
            "",
            "[[memo]]",
            f'file = "{name}.ogg"',
            f'title = "{TITLES[name]}"',
            f'text = "{" ".join(sentence)}"',
        ]
    (into / "memos.toml").write_text("\n".join(lines) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, default=Path("bot/demo/memos"))
    write(parser.parse_args().into)


if __name__ == "__main__":
    main()
