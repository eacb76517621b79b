"""Error rates through the two real libraries: ``python -m tools.demo_voice.evaluate``.

Character error rate: edit distance over length, marks and spaces left out.  Every set has its
own seed, none of which training used.  The clips go through the product's own windows (voice
activity detection), so a figure is what the product does.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from nlp.audio import Samples
from nlp.models import find
from nlp.ports import Hints
from nlp.transcribe.build import worker_spec
from nlp.transcribe.engine import Engine, make
from nlp.transcribe.filters import bare
from nlp.transcribe.settings import SpeechSettings
from tools.demo_voice import corpus, memos, voice

Item = tuple[str, Samples]
LIMIT_S = 12.0


def _clips(
    count: int, seed: int, text: Callable[[random.Random], corpus.Sentence], voices: tuple[str, ...]
) -> Iterator[Item]:
    r, g = random.Random(seed), np.random.default_rng(seed)
    while count:
        sentence, manner = text(r), voice.any_manner(g, voices)
        sound = voice.render(sentence, manner, g)
        if len(sound) <= LIMIT_S * voice.RATE:
            count -= 1
            yield "".join(sentence), sound


def _files() -> Iterator[Item]:
    for name, sentence in corpus.DEMO.items():
        yield "".join(sentence), voice.decode(memos.memo(name))


def _demo(r: random.Random) -> corpus.Sentence:
    return r.choice(list(corpus.DEMO.values()))


def _chain(r: random.Random) -> corpus.Sentence:
    return corpus.chain(r, 5)


def sets(count: int) -> dict[str, Iterator[Item]]:
    known, unseen = voice.TRAIN_VOICES, voice.UNSEEN_VOICES
    return {
        "the seven demo files": _files(),
        "demo sentences, any trained voice": _clips(count, 9_001, _demo, known),
        "demo sentences, unseen voices": _clips(count, 9_002, _demo, unseen),
        "known shapes, fillings drawn anew": _clips(count, 9_003, corpus.shape, known),
        "same, unseen voices": _clips(count, 9_004, corpus.shape, unseen),
        "replies": _clips(count, 9_005, corpus.reply, known),
        "clauses in any order": _clips(count, 9_006, _chain, known),
    }


def distance(a: str, b: str) -> int:
    """Levenshtein's."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


def engine(folder: Path, backend: str) -> Engine:
    model = find(folder.parent, str(folder.resolve()), formats=(backend,))
    if model is None:
        raise SystemExit(f"no {backend} model in {folder}")
    return make(worker_spec(SpeechSettings(threads=1), model))


def measure(hear: Engine, clips: Iterator[Item], *, show: bool) -> str:
    wrong = total = exact = count = 0
    sound_s = compute_s = 0.0
    for said, sound in clips:
        began = time.perf_counter()
        heard = bare("".join(h.text for h in hear.hear(sound, Hints())))
        compute_s += time.perf_counter() - began
        off = distance(heard, said)
        wrong, total, exact, count = wrong + off, total + len(said), exact + (off == 0), count + 1
        sound_s += len(sound) / voice.RATE
        if off and show:
            print(f"    said  {said}\n    heard {heard}")
    return (
        f"CER {wrong / total:6.2%}  exact {exact:3d}/{count}  "
        f"{compute_s / sound_s:.3f} s per second of sound"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("build/demo-voice/demo-voice"))
    parser.add_argument("--backend", action="append", choices=["faster-whisper", "whisper"])
    parser.add_argument("--count", type=int, default=60, help="clips in each set")
    parser.add_argument("--show", action="store_true", help="print what was heard wrongly")
    parser.add_argument("--only", default="", help="sets whose name holds this")
    args = parser.parse_args()
    for backend in args.backend or ["faster-whisper", "whisper"]:
        hear = engine(args.folder, backend)
        print(backend)
        for name, clips in sets(args.count).items():
            if args.only in name:
                print(f"  {name:36s} {measure(hear, clips, show=args.show)}", flush=True)


if __name__ == "__main__":
    main()
