"""The file of a model holds the model, and the same sentences train the same model."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.learned import LinearModel, dump
from tools.language.fit import fit

LABELS = ("", "us", "customer", "价格")
FEATURES = ("报价", "^我", "a b", "by=us/-", "0:5", "#")
values = st.floats(-30, 30)
TRAINING = """
from tools.language import examples
from tools.language.fit import fit
from tools.language.train import DATA, _text
rows = examples.read(DATA / "kinds_k0.jsonl")
print(_text(list(examples.kinds_of_messages(rows)), l2=1.0))
"""


@st.composite
def models(draw: st.DrawFn) -> tuple[tuple[str, ...], list[float], dict[str, list[float]]]:
    labels = LABELS[: draw(st.integers(2, len(LABELS)))]
    rows = st.lists(values, min_size=len(labels), max_size=len(labels))
    return labels, draw(rows), draw(st.dictionaries(st.sampled_from(FEATURES), rows))


def stored(weight: float) -> int:
    """In hundredths; what says nothing is left out."""
    return whole if abs(whole := round(100 * weight)) >= 9 else 0


@given(models(), st.sets(st.sampled_from(FEATURES)))
def test_what_is_dumped_is_read_again(
    made: tuple[tuple[str, ...], list[float], dict[str, list[float]]], asked: set[str]
) -> None:
    labels, bias, weights = made
    model = LinearModel(dump(labels, bias, weights))

    exact = [round(100 * one) for one in bias]
    for name in asked & set(weights):
        exact = [one + stored(other) for one, other in zip(exact, weights[name], strict=True)]
    if len(labels) == 2:  # the second one holds the difference
        apart = [one[1] - one[0] for one in (weights[name] for name in asked & set(weights))]
        exact = [0, round(100 * (bias[1] - bias[0])) + sum(map(stored, apart))]
    assert model.labels == labels
    assert model.logits(asked) == exact
    assert sum(model.scores(asked).values()) == pytest.approx(1)


@pytest.mark.parametrize("bad", [0.0, 0.04, -0.084])
def test_weights_that_say_nothing_are_left_out(bad: float) -> None:
    text = dump(("a", "b", "c"), [0, 0, 0], {"x": [bad, bad, bad], "y": [1.5, bad, -2]})
    assert text.split("\n") == ["a\tb\tc", "0\t0\t0", "y", "0:150 2:-200"]


@pytest.mark.parametrize("name", ["cuts", "kinds", "objections", "promises"])
def test_the_shipped_files_are_what_dump_writes(name: str) -> None:
    text = resources.files("nlp.learned").joinpath(f"{name}.txt").read_text("utf-8")
    model = LinearModel(text)
    features = text.split("\n")[2::2]
    bias = model.logits([])
    weights = {
        feature: [
            (all_of_it - alone) / 100
            for all_of_it, alone in zip(model.logits([feature]), bias, strict=True)
        ]
        for feature in features
    }
    assert dump(model.labels, [one / 100 for one in bias], weights) == text


def test_training_learns_and_twice_the_same() -> None:
    spoken = [
        ({"太贵", "我们"}, "价格", 1.0), ({"太贵", "了"}, "价格", 1.0), ({"便宜"}, "价格", 0.5),
        ({"太慢", "我们"}, "交期", 1.0), ({"太慢", "了"}, "交期", 1.0), ({"好"}, "", 1.0),
        ({"行"}, "", 1.0), (set(), "", 1.0),
    ]  # fmt: skip
    first, second = (fit(spoken, l2=0.1) for _ in range(2))

    assert first.labels == ("", "交期", "价格")
    assert first.features == ("了", "太慢", "太贵", "我们")  # what is seen once is no feature
    assert (first.weights == second.weights).all()
    assert (first.bias == second.bias).all()
    weights = dict(zip(first.features, first.weights.tolist(), strict=True))
    model = LinearModel(dump(first.labels, first.bias.tolist(), weights))
    for words, label in (({"太贵", "了"}, "价格"), ({"太慢", "了"}, "交期"), ({"好"}, "")):
        scores = model.scores(words)
        assert max(scores, key=lambda one: scores[one]) == label
    assert model.reasons({"太贵", "太慢", "了"}, "价格") == ["太贵"]


def test_the_order_of_sets_does_not_matter() -> None:
    """Features come as sets, and Python orders a set of words anew in each process."""
    texts = [
        subprocess.run(
            [sys.executable, "-c", TRAINING],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
        ).stdout
        for seed in ("1", "2")
    ]
    assert texts[0] == texts[1]
    assert texts[0].startswith("chat\tcommand\tsetting\n")
    assert texts[0].count("\n") > 100
