"""Tables that people keep: xlsx and csv files as rows of text with their line numbers."""

from __future__ import annotations

import csv
import io
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from bot import words

MAX_BYTES = 60 * 2**20
MAX_ROWS = 200_000
_ENCODINGS = ("utf-8-sig", "gb18030")  # what Chinese Excel writes, newest first
_BOM16 = (b"\xff\xfe", b"\xfe\xff")


class SheetError(Exception):
    """The file cannot be read as a table; the message is Chinese and complete."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row.  ``cells`` are trimmed text; ``problem`` is why the row cannot be used, or ''."""

    number: int  # as the spreadsheet shows it, the first is 1
    cells: tuple[str, ...]
    problem: str = ""


def read(path: Path) -> list[Line]:
    """All rows that hold anything.

    Raises:
        SheetError: with the reason in words.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SheetError(words.SHEET_MISSING.format(file=path, why=error.strerror)) from error
    if len(data) > MAX_BYTES:
        raise SheetError(words.SHEET_TOO_BIG.format(file=path.name, mb=MAX_BYTES // 2**20))
    if not data.strip():
        raise SheetError(words.SHEET_EMPTY.format(file=path.name))
    if data[:4] == b"PK\x03\x04":  # by content: a renamed file is still what it is
        lines = _xlsx(data, path.name)
    elif data[:4] == b"\xd0\xcf\x11\xe0":
        raise SheetError(words.SHEET_XLS.format(file=path.name))
    else:
        lines = _csv(data, path.name)
    found = [line for line in lines if any(line.cells) or line.problem]
    if len(found) > MAX_ROWS:
        raise SheetError(words.SHEET_TOO_LONG.format(file=path.name, rows=MAX_ROWS))
    return found


def write_csv(path: Path, header: Sequence[str], rows: Iterator[Sequence[str]]) -> None:
    """With a byte order mark, so that Excel shows Chinese."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([safe(cell) for cell in header])
        writer.writerows([safe(cell) for cell in row] for row in rows)


def safe(text: str) -> str:
    """A cell that a spreadsheet will not run as a formula."""
    return (
        f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") and not _number(text) else text
    )


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _csv(data: bytes, name: str) -> list[Line]:
    text = _decoded(data, name)
    head = text[:4096].splitlines()[:5]
    delimiter = max(",\t;", key=lambda mark: sum(line.count(mark) for line in head))
    lines: list[Line] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        before = 0
        for row in reader:
            # A quoted cell may hold line breaks: a row is known by its first line.
            lines.append(Line(before + 1, tuple(_clean(cell) for cell in row)))
            before = reader.line_num
    except csv.Error as error:
        raise SheetError(words.SHEET_BROKEN.format(file=name, why=f"{before + 1}")) from error
    return lines


def _decoded(data: bytes, name: str) -> str:
    encodings = ("utf-16",) if data[:2] in _BOM16 else _ENCODINGS
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise SheetError(words.SHEET_NO_TEXT.format(file=name))


def _xlsx(data: bytes, name: str) -> list[Line]:
    import openpyxl

    try:
        with (
            closing(openpyxl.load_workbook(io.BytesIO(data), data_only=True)) as values,
            closing(openpyxl.load_workbook(io.BytesIO(data))) as formulas,
        ):
            shown, written = values.worksheets[0], formulas.worksheets[0]
            cells: dict[tuple[int, int], str] = {}
            problems: dict[int, str] = {}
            for row in shown.iter_rows():
                for cell in row:
                    cells[cell.row, cell.column] = _text(cell.value)
                    if cell.data_type == "e":
                        problems[cell.row] = words.FORMULA_ERROR.format(cell=cell.coordinate)
            for row in written.iter_rows():
                for cell in row:
                    where = (cell.row, cell.column)
                    if cell.data_type == "f" and not cells.get(where):
                        problems[cell.row] = words.FORMULA.format(cell=cell.coordinate)
            for area in shown.merged_cells.ranges:
                first = cells.get((area.min_row, area.min_col), "")
                trouble = problems.get(area.min_row, "") if not first else ""
                for number in range(area.min_row, area.max_row + 1):
                    if trouble:
                        problems[number] = trouble
                    for column in range(area.min_col, area.max_col + 1):
                        cells[number, column] = first
            height, width = shown.max_row, shown.max_column
    except SheetError:
        raise
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, TypeError, IndexError) as error:
        raise SheetError(words.SHEET_BROKEN_XLSX.format(file=name)) from error
    return [
        Line(
            number,
            tuple(cells.get((number, column), "") for column in range(1, width + 1)),
            problems.get(number, ""),
        )
        for number in range(1, height + 1)
    ]


def _text(value: Any) -> str:
    """A cell as its reader would type it: no ``.0`` behind whole numbers, days as ISO."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time().isoformat() == "00:00:00" else str(value)
    if isinstance(value, date):
        return value.isoformat()
    return _clean(str(value))


def _clean(text: str) -> str:
    """Trimmed, full-width letters and digits made plain, invisible characters gone."""
    kept = "".join(
        unicodedata.normalize("NFKC", char) if "！" <= char <= "～" and char.isalnum() else char
        for char in text
        if unicodedata.category(char) not in ("Cf", "Cc") or char in "\n\t"
    )
    return " ".join(kept.replace("\u3000", " ").split())
