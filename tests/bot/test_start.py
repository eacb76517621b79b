"""``bash start`` on machines that lack something, played with stand-ins for Python."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ("bash", "cat", "dirname", "grep", "rm")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout beside a ``bin`` that is the whole PATH."""
    project = tmp_path / "project"
    (project / "scripts").mkdir(parents=True)
    for name in ("start", "pyproject.toml", "constraints.txt", "scripts/venv.sh"):
        shutil.copy(ROOT / name, project / name)
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found
        (tmp_path / "bin" / tool).symlink_to(found)
    return project


def script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/usr/bin/env bash\n{text}\n")
    path.chmod(0o755)


def start(project: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(project.parent / "bin" / "bash"), str(project / "start"), *options],
        env={"PATH": str(project.parent / "bin"), "HOME": str(project)},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("old", [False, True])
def test_without_a_python_that_will_do(checkout: Path, old: bool) -> None:
    if old:
        script(checkout.parent / "bin" / "python3", "exit 1")

    done = start(checkout)

    assert done.returncode == 1
    assert "Python 3.11" in done.stderr
    assert "apt-get install python3" in done.stderr
    assert not (checkout / ".venv").exists()


def test_a_python_without_venv(checkout: Path) -> None:
    script(
        checkout.parent / "bin" / "python3",
        'case "$2" in *venv*) exit 1 ;; *) exit 0 ;; esac',
    )

    done = start(checkout)

    assert done.returncode == 1
    assert "apt-get install python3-venv" in done.stderr


def installed(checkout: Path, stamp: str, name: str = "installed") -> None:
    """An environment whose Python knows the sum and must never run pip."""
    wanted = hashlib.sha256(
        (checkout / "pyproject.toml").read_bytes() + (checkout / "constraints.txt").read_bytes()
    ).hexdigest()
    script(
        checkout / ".venv/bin/python",
        'if [ "$1" = -m ]; then echo "pip was run" >&2; exit 9; fi\n'
        f'case "$2" in *hashlib*) cat > /dev/null; echo {wanted} ;; esac',
    )
    script(checkout / ".venv/bin/genjin", 'echo "genjin $*"')
    (checkout / ".venv" / name).write_text((wanted if stamp == "fits" else stamp) + "\n")


@pytest.mark.parametrize("name", ["installed", "installed-dev"])
def test_a_second_time_runs_no_pip(checkout: Path, name: str) -> None:
    installed(checkout, "fits", name)

    done = start(checkout, "--port", "1234")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "genjin up --demo --port 1234\n"


def test_changed_versions_are_installed_and_a_failure_is_told(checkout: Path) -> None:
    installed(checkout, "another")

    done = start(checkout)

    assert done.returncode == 1
    assert "pip was run" in done.stderr
    assert "The installation failed" in done.stderr
