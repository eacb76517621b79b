"""Clips for training: shards of 1,000, each made from its own seed alone."""

from __future__ import annotations

import argparse
import dataclasses
import random
import time
from pathlib import Path

import numpy as np
import torch
from whisper.audio import log_mel_spectrogram

from tools.demo_voice import corpus, voice
from tools.demo_voice.corpus import Sentence
from tools.demo_voice.vocab import WINDOW_S

SHARD = 1_000
SHORT_S = 6.3
# (kind, shards); a shard's seed is its number in this order.
PLAN = (("short", 5), ("long", 10))

Clip = tuple[torch.Tensor, Sentence, float, bool]  # mel fp16 [80, frames], text, end s, speech?


def mel(sound: np.ndarray) -> torch.Tensor:
    """Log-mel of *sound* alone; both libraries pad the frames behind it with 0.0."""
    frames = len(sound) // 160
    spectrum: torch.Tensor = log_mel_spectrogram(sound, padding=1_600)
    return spectrum[:, :frames].half()


def clip(kind: str, r: random.Random, g: np.random.Generator) -> Clip:
    """One clip that fits its window; too long ones are spoken faster, then drawn again."""
    limit = SHORT_S if kind == "short" else WINDOW_S
    while True:
        if r.random() < 0.025:
            seconds = float(g.uniform(0.5, limit))
            level = float(10 ** g.uniform(-5, -1.2))
            noise = g.normal(0, level, int(seconds * voice.RATE)).astype(np.float32)
            if r.random() < 0.3:
                noise[:] = 0
            return mel(noise), corpus.NOTHING, round(seconds / 0.2) * 0.2, False
        sentence = corpus.short(r) if kind == "short" else corpus.long(r)
        manner = voice.any_manner(g)
        for faster in (0, 40, 80):
            quick = dataclasses.replace(manner, speed=min(manner.speed + faster, 310))
            sound = voice.render(sentence, quick, g)
            if len(sound) <= limit * voice.RATE:
                return mel(sound), sentence, len(sound) / voice.RATE - manner.tail_s, True


def make_shard(kind: str, number: int, path: Path) -> None:
    r, g = random.Random(number), np.random.default_rng(number)
    clips = [clip(kind, r, g) for _ in range(SHARD)]
    part = path.with_suffix(".part")
    torch.save(clips, part)
    part.rename(path)


def paths(work: Path, kind: str) -> list[tuple[int, Path]]:
    """(seed, path) of every shard of *kind*."""
    seeds = [k for k, count in PLAN for _ in range(count)]
    return [(i, work / f"{k}-{i:02d}.pt") for i, k in enumerate(seeds) if k == kind]


def load(work: Path, kind: str) -> list[Clip]:
    """All clips of *kind*; waits while another process still makes them."""
    clips: list[Clip] = []
    for _, path in paths(work, kind):
        while not path.exists():
            time.sleep(1)
        clips += torch.load(path)
    return clips


def main() -> None:
    parser = argparse.ArgumentParser(description="make the shards, e.g. --part 0/2 and --part 1/2")
    parser.add_argument("--work", type=Path, default=Path("build/demo-voice"))
    parser.add_argument("--part", default="0/1")
    args = parser.parse_args()
    at, of = map(int, args.part.split("/"))
    torch.set_num_threads(1)
    args.work.mkdir(parents=True, exist_ok=True)
    for kind, _ in PLAN:
        for seed, path in paths(args.work, kind):
            if seed % of == at and not path.exists():
                make_shard(kind, seed, path)
                print(path, flush=True)


if __name__ == "__main__":
    main()
