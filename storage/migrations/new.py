"""Write the next migration from what changed in ``storage.tables``.

    python -m storage.migrations.new "words about it"

Read the file it writes before you commit it: renames look like a drop and an add.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from storage.database import make_engine
from storage.migrations import runner


def main(words: str) -> None:
    from alembic import command

    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'empty.db'}"
        if runner.versions():
            runner.migrate(url)
        engine = make_engine(url, writer=True)
        with engine.begin() as connection:
            config = runner.alembic_config(connection)
            number = f"{len(runner.versions()) + 1:04d}"
            command.revision(config, words, autogenerate=True, rev_id=number)
        engine.dispose()


if __name__ == "__main__":
    main(sys.argv[1])
