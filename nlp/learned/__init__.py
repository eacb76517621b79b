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

_LEAST = 7  # weights below that say nothing
_SCALE = 100.0  # weights are stored as whole hundredths


class LinearModel:
    """Labels and the weight of each feature for each of them.

    The file: a line of labels, a line of their biases, then for each feature a line with its name
    and a line of ``label number:weight`` pairs.
    """

    def __init__(self, text: str) -> None:
        lines = text.split("\n")
        self.labels: tuple[str, ...] = tuple(lines[0].split("\t"))
        self._bias = [int(one) / _SCALE for one in lines[1].split("\t")]
        # Pairs are read from a line when its feature is first met: most never are.
        self._lines: dict[str, str | tuple[tuple[int, float], ...]] = dict(
            zip(lines[2::2], lines[3::2], strict=False)
        )

    def _weights(self, feature: str) -> tuple[tuple[int, float], ...]:
        found = self._lines.get(feature, ())
        if isinstance(found, str):
            pairs = (one.split(":") for one in found.split(" "))
            found = tuple((int(label), int(weight) / _SCALE) for label, weight in pairs)
            self._lines[feature] = found
        return found

    def logits(self, features: Iterable[str]) -> list[float]:
        """The sum of weights for each label; sums of disjoint sets add up, less one bias."""
        total = list(self._bias)
        lines = self._lines
        for feature in features:
            if feature in lines:
                for label, weight in self._weights(feature):
                    total[label] += weight
        return total

    def scores(self, features: Iterable[str]) -> dict[str, float]:
        """Probability of each label; the labels' probabilities sum to one."""
        return self.probabilities(self.logits(features))

    def probabilities(self, logits: Sequence[float]) -> dict[str, float]:
        top = max(logits)
        grown = [math.exp(one - top) for one in logits]
        whole = sum(grown)
        return {label: one / whole for label, one in zip(self.labels, grown, strict=True)}

    def reasons(self, features: Iterable[str], label: str, most: int = 3) -> list[str]:
        """The features that speak most for *label* against the other labels' mean."""
        number = self.labels.index(label)
        told = []
        for feature in features:
            weights = dict(self._weights(feature))
            if weights and len(feature) > 1:  # a single letter tells a reader little
                mean = sum(weights.values()) / len(self.labels)
                told.append((weights.get(number, 0.0) - mean, feature))
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
    """The text of a model; weights that round to nothing are left out."""
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
