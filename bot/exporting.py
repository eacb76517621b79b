"""Everything out: one zip of csv files, and a list of the sound and picture files."""

from __future__ import annotations

import csv
import io
import os
import zipfile
from pathlib import Path

from bot import sheets
from storage import office
from storage.database import Database, Session


def write(database: Database, file: Path, *, media: Path) -> tuple[int, int]:
    """Write *file*; how many tables and rows it holds.  It appears whole or not at all."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")

    def work(session: Session) -> tuple[int, int]:  # one snapshot for all tables
        tables = office.exportable()
        rows = 0
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
            for table in tables:
                header, lines = office.dump(session, table)
                text = io.StringIO(newline="")
                writer = csv.writer(text)
                writer.writerow(header)
                for line in lines:
                    writer.writerow([sheets.safe(cell) for cell in line])
                    rows += 1
                archive.writestr(f"{table}.csv", text.getvalue().encode("utf-8-sig"))
            archive.writestr("media-files.csv", _listing(media).encode("utf-8-sig"))
        return len(tables), rows

    try:
        counted = database.read(work)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
    return counted


def _listing(media: Path) -> str:
    lines = ["file,bytes"]
    for path in sorted(media.rglob("*")):
        if path.is_file():
            lines.append(f"{path.relative_to(media).as_posix()},{path.stat().st_size}")
    return "\n".join(lines) + "\n"
