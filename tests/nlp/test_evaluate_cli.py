"""``genjin eval``: a table for people, JSON for programs, and words for a file that is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot import cli

NOW = "2026-03-11T10:00:00+08:00"
ROWS: dict[str, list[dict[str, Any]]] = {
    "dates": [
        {"id": "a", "now": NOW, "text": "我周五给他报价", "due": "2026-03-13"},
        {"id": "b", "now": NOW, "text": "我周五给他报价", "due": "2026-03-14"},
        {"id": "c", "now": NOW, "text": "他们嫌贵", "due": None},
        {
            "id": "d",
            "now": NOW,
            "text": "明年3月1号",
            "value": {"start": "2027-03-01", "end": "2027-03-01"},
        },
    ],
    "amounts": [
        {
            "id": "a",
            "text": "单价三千五",
            "amounts": [{"text": "三千五", "value": 3500, "unit": "CNY", "role": "单价"}],
        },
        {
            "id": "b",
            "text": "单价三千五",
            "amounts": [{"text": "三千五", "value": 3005, "unit": "CNY", "role": None}],
        },
        {"id": "c", "text": "要三台", "amounts": []},
        {
            "id": "d",
            "text": "打八五折",
            "type": "percent",
            "value": {},
            "spans": [{"span": [1, 4]}],
        },
    ],
    "memos": [
        {
            "id": "a",
            "now": NOW,
            "text": "今天拜访了恒基水泥",
            "known_customers": ["恒基水泥有限公司"],
            "expect": {
                "customer": "恒基水泥有限公司",
                "contacts": [],
                "products": [],
                "amounts": [],
                "objections": [],
                "commitments": [],
                "competitors": [],
                "next_step": None,
            },
        }
    ],
}
RIGHT = {  # right, found, wanted
    "dates": {
        "due, in talk": (1, 2, 2),
        "none, in talk": (1, 1, 1),
        "due, future": (1, 1, 1),
        "window, future": (1, 1, 1),
    },
    "amounts": {
        "sums": (1, 2, 2),
        "roles": (1, 1, 1),
        "texts without one": (1, 1, 1),
        "percent": (1, 1, 1),
    },
    "memos": {"customer": (1, 1, 1)},
}


@pytest.fixture
def labelled(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    kind = request.node.callspec.params["kind"]
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS[kind]), "utf-8")
    return file


@pytest.mark.parametrize("kind", list(ROWS))
def test_as_json(labelled: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["eval", kind, str(labelled), "--json"]) == 0

    said = json.loads(capsys.readouterr().out)
    assert (said["rows"], said["items_without_source"]) == (len(ROWS[kind]), 0)
    found = {
        name: (one["right"], one["found"], one["wanted"])
        for name, one in said["fields"].items()
        if one["found"] or one["wanted"]
    }
    assert found == RIGHT[kind]


@pytest.mark.parametrize("kind", list(ROWS))
def test_as_a_table_with_its_errors(
    labelled: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["eval", kind, str(labelled)]) == 0
    plain = capsys.readouterr().out.splitlines()
    assert cli.main(["eval", kind, str(labelled), "--errors"]) == 0
    told = capsys.readouterr().out.splitlines()

    assert plain[0].split() == ["field", "P", "R", "F1", "right", "found", "wanted"]
    assert all(any(line.startswith(name) for line in plain) for name in RIGHT[kind])
    assert told[: len(plain)] == plain
    wrong = [line for line in told[len(plain) :] if line]
    assert [line.split()[0] for line in wrong] == ([] if kind == "memos" else ["b"])


@pytest.mark.parametrize("kind", list(ROWS))
@pytest.mark.parametrize("text", ["{", '{"text": "我周五给他报价"}', "[]"])
def test_a_file_that_is_no_labelled_one(
    kind: str, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "notes.jsonl"
    file.write_text(f"\n{text}\n", "utf-8")

    assert cli.main(["eval", kind, str(file)]) == 1

    said = capsys.readouterr()
    assert (said.out, str(file) in said.err) == ("", True)
    assert cli.main(["eval", kind, str(tmp_path / "nowhere")]) == 1
    assert "nowhere" in capsys.readouterr().err
