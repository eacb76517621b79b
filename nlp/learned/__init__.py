"""Small linear models of our own: what a clause objects to, what it promises, what a message is.

Each is softmax regression over features with names (letters of the clause, findings of the rules),
trained by ``python -m tools.language.train`` on sentences written for it (``tools/language/data``).
The same words always give the same answer, and every answer can name the features behind it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from importlib import resources

_LEAST = 9  # weights below that say nothing
_SCALE = 100.0  # weights are stored as whole hundredths


_BITS = 20  # of one label's weight in a packed number; sums stay far below half of its range
_MASK, _HALF = (1 << _BITS) - 1, 1 << (_BITS - 1)


def _packed(weights: Iterable[tuple[int, int]]) -> int:
    """The weights of all labels as one number, so that one addition adds them all."""
    return sum(weight << (_BITS * label) for label, weight in weights)


def _fields(packed: int, count: int) -> list[int]:
    """The weights again, signed."""
    out = []
    for _ in range(count):
        field = ((packed + _HALF) & _MASK) - _HALF
        out.append(field)
        packed = (packed - field) >> _BITS
    return out


class LinearModel:
    """Labels and the weight of each feature for each of them.

    The file: a line of labels, a line of their biases, then for each feature a line with its name
    and a line of ``label number:weight`` pairs.
    """

    def __init__(self, text: str) -> None:
        lines = text.split("\n")
        self.labels: tuple[str, ...] = tuple(lines[0].split("\t"))
        self._bias = _packed(enumerate(map(int, lines[1].split("\t"))))
        # Lines are packed when their feature is first met: most never are.
        self._lines: dict[str, str | int] = dict(zip(lines[2::2], lines[3::2], strict=False))

    def _weights(self, feature: str) -> int:
        found = self._lines.get(feature, 0)
        if isinstance(found, str):
            pairs = (one.split(":") for one in found.split(" "))
            found = self._lines[feature] = _packed((int(one), int(other)) for one, other in pairs)
        return found

    def logits(self, features: Iterable[str]) -> list[int]:
        """The sum of weights for each label, in hundredths; sums of disjoint sets add up, less
        one bias."""
        total = self._bias
        get = self._lines.get
        for feature in features:
            found = get(feature)
            if found is not None:
                total += found if found.__class__ is int else self._weights(feature)
        return _fields(total, len(self.labels))

    def scores(self, features: Iterable[str]) -> dict[str, float]:
        """Probability of each label; the labels' probabilities sum to one."""
        return self.probabilities(self.logits(features))

    def probabilities(self, logits: Sequence[int]) -> dict[str, float]:
        top = max(logits)
        grown = [math.exp((one - top) / _SCALE) for one in logits]
        whole = sum(grown)
        return {label: one / whole for label, one in zip(self.labels, grown, strict=True)}

    def reasons(self, features: Iterable[str], label: str, most: int = 3) -> list[str]:
        """The features that speak most for *label* against the other labels' mean."""
        number = self.labels.index(label)
        told = []
        for feature in features:
            if len(feature) > 1:  # a single letter tells a reader little
                weights = _fields(self._weights(feature), len(self.labels))
                told.append((weights[number] - sum(weights) / len(weights), feature))
        return [feature for weight, feature in sorted(told, reverse=True)[:most] if weight > 0]


@cache
def shipped(name: str) -> LinearModel:
    """The model shipped as ``nlp/learned/<name>.txt``."""
    return LinearModel(resources.files("nlp.learned").joinpath(f"{name}.txt").read_text("utf-8"))


MODELS: Callable[[str], LinearModel] = shipped  # ``tools.language.crosscheck`` puts others here


def load(name: str) -> LinearModel:
    """The model of that name: objections, promises or kinds."""
    return MODELS(name)


def dump(
    labels: Sequence[str], bias: Sequence[float], weights: Mapping[str, Sequence[float]]
) -> str:
    """The text of a model; weights that round to nothing are left out.

    Of two labels only the difference counts, so the first one's weights are made nothing.
    """
    if len(labels) == 2:
        bias = [0.0, bias[1] - bias[0]]
        weights = {name: (0.0, one[1] - one[0]) for name, one in weights.items()}
    lines = ["\t".join(labels), "\t".join(str(round(one * _SCALE)) for one in bias)]
    for feature in sorted(weights):
        pairs = [
            f"{label}:{whole}"
            for label, one in enumerate(weights[feature])
            if abs(whole := round(one * _SCALE)) >= _LEAST
        ]
        if pairs:
            lines += [feature, " ".join(pairs)]
    return "\n".join(lines)
