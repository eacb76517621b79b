"""Softmax regression on sparse named features, in numpy: small, exact, the same every time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Example = tuple[Sequence[str], str, float]  # features, label, weight


@dataclass(frozen=True, slots=True)
class Fitted:
    labels: tuple[str, ...]
    features: tuple[str, ...]
    weights: np.ndarray  # features x labels
    bias: np.ndarray


def fit(
    examples: Sequence[Example], *, l2: float = 1.0, least: int = 2, steps: int = 160
) -> Fitted:
    """Minimise the log loss plus l2 by full-batch Adam; the start is zero, so runs are equal.

    Args:
        least: features seen in fewer examples are left out.
    """
    counts = Counter(name for names, _, _ in examples for name in set(names))
    features = tuple(sorted(name for name, count in counts.items() if count >= least))
    labels = tuple(sorted({label for _, label, _ in examples}))
    index = {name: number for number, name in enumerate(features)}
    rows, columns = [], []
    for row, (names, _, _) in enumerate(examples):
        known = sorted({index[name] for name in names if name in index})
        rows += [row] * len(known)
        columns += known
    row_of = np.asarray(rows, dtype=np.int64)
    column_of = np.asarray(columns, dtype=np.int64)
    order = np.argsort(column_of, kind="stable")
    column_starts = np.searchsorted(column_of[order], np.arange(len(features)))
    row_starts = np.searchsorted(row_of, np.arange(len(examples)))
    filled = np.diff(np.append(row_starts, len(row_of))) > 0
    goal = np.zeros((len(examples), len(labels)))
    goal[np.arange(len(examples)), [labels.index(label) for _, label, _ in examples]] = 1.0
    share = np.asarray([weight for _, _, weight in examples])[:, None]
    weights, bias = np.zeros((len(features), len(labels))), np.zeros(len(labels))
    momentum = [np.zeros_like(weights), np.zeros_like(bias)]
    square = [np.zeros_like(weights), np.zeros_like(bias)]
    for step in range(1, steps + 1):
        logits = np.zeros_like(goal)
        if len(row_of):
            sums = np.add.reduceat(weights[column_of], np.minimum(row_starts, len(row_of) - 1))
            logits[filled] = sums[filled]
        logits += bias
        logits -= logits.max(axis=1, keepdims=True)
        grown = np.exp(logits)
        error = (grown / grown.sum(axis=1, keepdims=True) - goal) * share
        by_column = error[row_of[order]]
        down = [np.add.reduceat(by_column, column_starts) + l2 * weights, error.sum(axis=0)]
        rate = 0.1 * (0.5 if step > steps * 0.6 else 1.0) * (0.4 if step > steps * 0.85 else 1.0)
        for number, (value, gradient) in enumerate(zip((weights, bias), down, strict=True)):
            momentum[number] = 0.9 * momentum[number] + 0.1 * gradient
            square[number] = 0.99 * square[number] + 0.01 * gradient**2
            first = momentum[number] / (1 - 0.9**step)
            second = square[number] / (1 - 0.99**step)
            np.subtract(value, rate * first / (np.sqrt(second) + 1e-8), out=value)
    return Fitted(labels, features, weights, bias)
