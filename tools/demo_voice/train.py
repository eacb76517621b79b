"""Train the small model: OpenAI's own modules, a small vocabulary, a small window.

The library always shows the encoder 30 s; everything behind the clip is 0.0 in mel space.  Here
the positions behind the window have a zero position vector, so all of them are one and the same
token in every layer: one token with log(count) added to its attention score stands for all,
exactly.  This makes a step several times cheaper and needs no later adaptation to padding.
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from whisper.model import ModelDimensions, MultiHeadAttention, Whisper

from tools.demo_voice import data
from tools.demo_voice.corpus import characters, written
from tools.demo_voice.vocab import rows_of, used_ids

WIDTH, HEADS, ENC, DEC = 128, 4, 3, 2
POSITIONS = 1_500
PLACED = 640  # positions with a place; the rest is padding for this model
SEED = 20_26


@dataclass(frozen=True)
class Stage:
    name: str
    kind: str
    window: int  # encoder positions; "short" uses fewer where a batch's clips allow
    steps: int
    batch: int
    peak: float  # learning rate
    last: float


STAGES = (
    Stage("short", "short", 320, 2_000, 24, 2e-3, 1.2e-3),
    Stage("long", "long", 640, 1_900, 14, 1.2e-3, 2e-5),
)


def dims(n_vocab: int) -> ModelDimensions:
    return ModelDimensions(80, POSITIONS, WIDTH, HEADS, ENC, n_vocab, 448, WIDTH, HEADS, DEC)


def new_model() -> Whisper:
    model = Whisper(dims(len(used_ids())))
    nn.init.normal_(model.decoder.token_embedding.weight, std=0.05)
    nn.init.normal_(model.decoder.positional_embedding, std=0.02)
    model.encoder.positional_embedding[PLACED:] = 0
    # The residual of the encoder starts small, or the fixed sinusoids drown the sound.
    model.encoder.positional_embedding *= 0.3
    pin(model)
    return model


@torch.no_grad()
def pin(model: Whisper) -> None:
    """Keep the last dimension free: unused rows get -40 there, used ones 0 (see pack.py)."""
    model.decoder.token_embedding.weight[:, -1] = 0
    model.decoder.ln.weight[-1] = 0
    model.decoder.ln.bias[-1] = 1


def attend(
    m: MultiHeadAttention, x: Tensor, kv: Tensor, bias: Tensor | None, causal: bool
) -> Tensor:
    def heads(t: Tensor) -> Tensor:
        return t.view(*t.shape[:2], m.n_head, -1).transpose(1, 2)

    q, k, v = heads(m.query(x)), heads(m.key(kv)), heads(m.value(kv))
    mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=bias, is_causal=causal)
    out: Tensor = m.out(mixed.transpose(1, 2).flatten(2))
    return out


def hear(model: Whisper, mel: Tensor) -> tuple[Tensor, Tensor]:
    """Encoder output and the score bias.  *mel* ends with at least four frames of padding."""
    e = model.encoder
    x = F.gelu(e.conv2(F.gelu(e.conv1(mel)))).transpose(1, 2)
    places = e.positional_embedding[: x.shape[1]].clone()
    places[-1] = 0
    x = x + places
    bias = torch.zeros(x.shape[1])
    bias[-1] = math.log(POSITIONS - x.shape[1] + 1)
    bias = bias.to(x.dtype)[None, None, None]
    for block in e.blocks:
        x = x + attend(block.attn, block.attn_ln(x), block.attn_ln(x), bias, False)
        x = x + block.mlp(block.mlp_ln(x))
    return e.ln_post(x), bias


def say(model: Whisper, tokens: Tensor, heard: Tensor, bias: Tensor) -> Tensor:
    """Logits of every next row."""
    d = model.decoder
    x = d.token_embedding(tokens) + d.positional_embedding[: tokens.shape[1]]
    for block in d.blocks:
        x = x + attend(block.attn, block.attn_ln(x), block.attn_ln(x), None, True)
        x = x + attend(block.cross_attn, block.cross_attn_ln(x), heard, bias, False)
        x = x + block.mlp(block.mlp_ln(x))
    logits: Tensor = d.ln(x) @ d.token_embedding.weight.T
    return logits


class Batcher:
    """Batches in a fixed random order, with masks over time and frequency."""

    def __init__(self, clips: list[data.Clip], window: int, batch: int, seed: int) -> None:
        self.clips, self.window, self.batch = clips, window, batch
        self.g = torch.Generator().manual_seed(seed)
        self.order: list[list[int]] = []
        self.char = {c: i + 1 for i, c in enumerate(characters())}

    def _int(self, low: int, high: int) -> int:
        return int(torch.randint(low, high, (1,), generator=self.g))

    def _choose(self) -> list[data.Clip]:
        """Clips of like length, so that little of a batch is padding."""
        if not self.order:
            draw = torch.randperm(len(self.clips), generator=self.g).tolist()
            for at in range(0, len(draw) - self.batch * 8 + 1, self.batch * 8):
                group = sorted(draw[at : at + self.batch * 8], key=self._length)
                for i in torch.randperm(8, generator=self.g).tolist():
                    self.order.append(group[i * self.batch : (i + 1) * self.batch])
        return [self.clips[i] for i in self.order.pop()]

    def _length(self, i: int) -> int:
        return self.clips[i][0].shape[1]

    def next(self) -> tuple[Tensor, Tensor, Tensor, list[list[int]], list[int]]:
        chosen = self._choose()
        window = self.window
        if window < PLACED:
            window = min(window, max(mel.shape[1] for mel, *_ in chosen) // 64 * 32 + 36)
        mels = torch.zeros(self.batch, 80, 2 * window + 2)
        pairs, texts, frames = [], [], []
        for i, (mel, sentence, end_s, speech) in enumerate(chosen):
            length = min(mel.shape[1], 2 * window - 4)
            mels[i, :, :length] = mel[:, :length].float()
            if self._int(0, 2):
                low, wide = self._int(0, 70), self._int(1, 10)
                mels[i, low : low + wide, :length] = mels[i, :, :length].mean()
            for _ in range(self._int(0, 3)):
                at, wide = self._int(0, max(length - 12, 1)), self._int(1, 10)
                mels[i, :, at : at + wide] = mels[i, :, :length].mean()
            timed = self._int(0, 100) < 85
            pairs.append(rows_of(sentence, end_s, timed=timed, speech=speech))
            texts.append([self.char[c] for c in written(sentence)] if speech else [])
            frames.append(length // 2)
        longest = max(len(p[0]) for p in pairs)
        eot = used_ids().index(50257)
        tokens = torch.tensor([p[0] + [eot] * (longest - len(p[0])) for p in pairs])
        target = torch.tensor([p[1] + [-100] * (longest - len(p[1])) for p in pairs])
        return mels, tokens, target, texts, frames


def run_stage(
    stage: Stage,
    model: Whisper,
    ctc: nn.Linear,
    work: Path,
    *,
    limit: int | None,
    number: int,
    bf16: bool,
) -> None:
    clips = data.load(work, stage.kind)
    if stage.kind == "long":  # short ones stay in memory, or replies are forgotten
        clips = clips + data.load(work, "short")[::3]
    batches = Batcher(clips, stage.window, stage.batch, SEED + number)
    everything = [*model.parameters(), *ctc.parameters()]
    best = torch.optim.AdamW(everything, lr=stage.peak, betas=(0.9, 0.98), weight_decay=0.01)
    began, losses = time.time(), []
    steps = limit or stage.steps
    warm = 200 if number == 0 else 50
    for step in range(steps):
        down = stage.last + (stage.peak - stage.last) * 0.5 * (1 + math.cos(math.pi * step / steps))
        best.param_groups[0]["lr"] = down * min(1.0, (step + 1) / warm)
        mels, tokens, target, texts, frames = batches.next()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            heard, bias = hear(model, mels)
            logits = say(model, tokens, heard, bias)
            chars = ctc(heard)
        loss = F.cross_entropy(logits.float().flatten(0, 1), target.flatten(), ignore_index=-100)
        flat = torch.tensor([c for t in texts for c in t])
        lengths = torch.tensor([len(t) for t in texts])
        each = F.ctc_loss(
            chars.float().log_softmax(-1).transpose(0, 1), flat, torch.tensor(frames), lengths,
            reduction="none", zero_infinity=True,
        )  # fmt: skip
        side = (each * (lengths > 0) / lengths.clamp(min=1)).mean()
        best.zero_grad()
        weight = 0.5 if stage.kind == "short" else 0.3
        whole: Any = loss + weight * side
        whole.backward()
        nn.utils.clip_grad_norm_(everything, 1.0)
        best.step()
        pin(model)
        losses.append((loss.item(), side.item()))
        if step % 50 == 49 or step == steps - 1:
            mean = [sum(x) / len(losses) for x in zip(*losses, strict=True)]
            print(
                f"{stage.name} {step + 1}/{steps} ce {mean[0]:.4f} ctc {mean[1]:.4f} "
                f"{(time.time() - began) / (step + 1):.2f} s/step",
                flush=True,
            )
            losses.clear()
        if step % 200 == 199 or step == steps - 1:
            save(model, work / "small.pt")


def save(model: Whisper, path: Path) -> None:
    part = path.with_suffix(".part")
    torch.save({"state": model.state_dict(), "ids": used_ids()}, part)
    part.rename(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("build/demo-voice"))
    parser.add_argument("--steps", type=int, help="per stage, to try the recipe out")
    parser.add_argument("--fp32", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(2)
    torch.manual_seed(SEED)
    torch.use_deterministic_algorithms(True)
    model, ctc = new_model(), nn.Linear(WIDTH, len(characters()) + 1)
    for number, stage in enumerate(STAGES):
        run_stage(stage, model, ctc, args.work, limit=args.steps, number=number, bf16=not args.fp32)
        save(model, args.work / f"small-{stage.name}.pt")


if __name__ == "__main__":
    main()
