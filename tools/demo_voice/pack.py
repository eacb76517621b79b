"""From the small model to the two shipped forms, packed.

Rows outside the trained vocabulary are one constant vector: 0 everywhere and -40 in the last
dimension, where the decoder's final layer norm always gives 1 and trained rows hold 0.  Their
logit is therefore always -40 in either library, in fp16 and in int8.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import lzma
import shutil
from pathlib import Path
from typing import Any

import torch
from ctranslate2.converters import utils
from ctranslate2.specs import WhisperSpec, common_spec
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from torch import Tensor

from tools.demo_voice.train import DEC, ENC, HEADS, WIDTH, dims
from tools.demo_voice.vocab import N_VOCAB, WINDOW_S, tokenizer

PT = "whisper.pt"
State = dict[str, Tensor]


def whole_state(small: Path) -> State:
    """The state of the full-size vocabulary, as fp16 values."""
    saved = torch.load(small)
    state: State = {k: v.float() for k, v in saved["state"].items()}
    rows = state["decoder.token_embedding.weight"]
    whole = torch.zeros(N_VOCAB, WIDTH)
    whole[:, -1] = -40
    whole[list(saved["ids"])] = rows
    state["decoder.token_embedding.weight"] = whole
    return {k: v.half() for k, v in state.items() if not k.endswith("mask")}


def write_openai(state: State, folder: Path) -> None:
    """OpenAI's own checkpoint format: ``whisper.load_model(path)`` reads it."""
    shape = dict(vars(dims(N_VOCAB)).items())
    torch.save({"dims": shape, "model_state_dict": state}, folder / PT)


# --- CTranslate2 ------------------------------------------------------------------------------


def _linear(spec: Any, state: State, name: str) -> None:
    spec.weight = state[f"{name}.weight"]
    if f"{name}.bias" in state:
        spec.bias = state[f"{name}.bias"]


def _norm(spec: Any, state: State, name: str) -> None:
    spec.gamma, spec.beta = state[f"{name}.weight"], state[f"{name}.bias"]


def _attention(spec: Any, state: State, name: str, *, cross: bool) -> None:
    parts = []
    for part in ("query", "key", "value"):
        parts.append(common_spec.LinearSpec())
        _linear(parts[-1], state, f"{name}.{part}")
    if cross:
        utils.fuse_linear(spec.linear[0], parts[:1])
        utils.fuse_linear(spec.linear[1], parts[1:])
    else:
        utils.fuse_linear(spec.linear[0], parts)
    _linear(spec.linear[-1], state, f"{name}.out")
    _norm(spec.layer_norm, state, f"{name}_ln")


def _layer(spec: Any, state: State, name: str, *, decoder: bool) -> None:
    _attention(spec.self_attention, state, f"{name}.attn", cross=False)
    if decoder:
        _attention(spec.attention, state, f"{name}.cross_attn", cross=True)
    _linear(spec.ffn.linear_0, state, f"{name}.mlp.0")
    _linear(spec.ffn.linear_1, state, f"{name}.mlp.2")
    _norm(spec.ffn.layer_norm, state, f"{name}.mlp_ln")


def vocabulary() -> list[str]:
    """Every token as the byte-level string that CTranslate2 and ``tokenizers`` use."""
    letters = _byte_letters()
    encoding = tokenizer().encoding
    ranks = {token: text for text, token in encoding._mergeable_ranks.items()}
    words = ["".join(letters[b] for b in ranks[i]) for i in range(len(ranks))]
    names = {token: text for text, token in encoding._special_tokens.items()}
    return words + [names[i] for i in range(len(words), N_VOCAB)]


def _byte_letters() -> dict[int, str]:
    """GPT-2's table: printable bytes stand for themselves, the others for U+0100 and up."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table = {b: chr(b) for b in plain}
    for b in range(256):
        if b not in table:
            table[b] = chr(256 + len(table) - len(plain))
    return table


def write_ct2(state: State, folder: Path) -> None:
    full = {k: v.float() for k, v in state.items()}
    spec = WhisperSpec(ENC, HEADS, DEC, HEADS)
    for side, coder, count in (("encoder", spec.encoder, ENC), ("decoder", spec.decoder, DEC)):
        coder.position_encodings.encodings = full[f"{side}.positional_embedding"]
        for i in range(count):
            _layer(coder.layer[i], full, f"{side}.blocks.{i}", decoder=side == "decoder")
    _linear(spec.encoder.conv1, full, "encoder.conv1")
    _linear(spec.encoder.conv2, full, "encoder.conv2")
    _norm(spec.encoder.layer_norm, full, "encoder.ln_post")
    _norm(spec.decoder.layer_norm, full, "decoder.ln")
    spec.decoder.embeddings.weight = full["decoder.token_embedding.weight"]
    spec.decoder.projection.weight = full["decoder.token_embedding.weight"]
    t = tokenizer()
    spec.register_vocabulary(vocabulary())
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [220, t.eot]
    spec.config.lang_ids = sorted(t.all_language_tokens)
    spec.config.alignment_heads = [(DEC - 1, head) for head in range(HEADS)]
    spec.validate()
    spec.optimize(quantization="int8")
    spec.save(str(folder))


def write_tokenizer(folder: Path) -> None:
    """``tokenizer.json`` out of the ranks in OpenAI's package; without it faster-whisper would
    fetch one from the network."""
    ranks: dict[bytes, int] = tokenizer().encoding._mergeable_ranks
    letters = _byte_letters()

    def text(data: bytes) -> str:
        return "".join(letters[b] for b in data)

    merges = []
    for token, rank in sorted(ranks.items(), key=lambda item: item[1]):
        if len(token) > 1:
            left, right = _halves(token, ranks, rank)
            merges.append((text(left), text(right)))
    bpe = models.BPE(vocab={text(k): v for k, v in ranks.items()}, merges=merges)
    hf = Tokenizer(bpe)
    hf.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    hf.decoder = decoders.ByteLevel()
    specials = sorted(tokenizer().encoding._special_tokens.items(), key=lambda item: item[1])
    hf.add_special_tokens([AddedToken(name, special=True) for name, _ in specials])
    assert all(hf.token_to_id(name) == token for name, token in specials)
    hf.save(str(folder / "tokenizer.json"), pretty=False)


def _halves(token: bytes, ranks: dict[bytes, int], rank: int) -> tuple[bytes, bytes]:
    """The last merge that makes *token*."""
    parts = [bytes([b]) for b in token]
    while len(parts) > 2:
        pairs = [ranks.get(a + b, rank) for a, b in itertools.pairwise(parts)]
        at = min(range(len(pairs)), key=pairs.__getitem__)
        assert pairs[at] < rank
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    return parts[0], parts[1]


# --- shipped form -----------------------------------------------------------------------------


def write_all(small: Path, folder: Path) -> None:
    """Both forms, unpacked, into *folder* (emptied first)."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    state = whole_state(small)
    write_openai(state, folder)
    write_ct2(state, folder)
    write_tokenizer(folder)
    card = {
        "name": "demo-voice",
        "window_s": WINDOW_S,
        "join_pause_s": 0.0,
        "takes_prompt": False,
    }
    (folder / "genjin.json").write_text(json.dumps(card, indent=1) + "\n")


def pack(folder: Path, into: Path) -> None:
    """Each file as ``NAME.xz`` with a manifest of the sizes and sums of the unpacked files."""
    files = {}
    for old in into.glob("*.xz"):
        old.unlink()
    for path in sorted(folder.iterdir()):
        data = path.read_bytes()
        files[path.name] = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        packed = lzma.compress(data, preset=9 | lzma.PRESET_EXTREME)
        (into / f"{path.name}.xz").write_bytes(packed)
        print(f"{path.name}: {len(data):,} bytes, packed {len(packed):,}")
    (into / "manifest.json").write_text(json.dumps({"files": files}, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("build/demo-voice"))
    parser.add_argument("--into", type=Path, default=Path("nlp/demo_voice"))
    args = parser.parse_args()
    folder = args.work / "demo-voice"
    write_all(args.work / "small.pt", folder)
    pack(folder, args.into)


if __name__ == "__main__":
    main()
