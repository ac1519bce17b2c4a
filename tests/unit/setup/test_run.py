"""run.py, as a newcomer meets it: a copy of the real file in an empty folder, with real venv and real pip."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bot.settings import PROJECT

ECHO = "import sys\nprint('started with', sys.argv[1:], 'in', sys.prefix)\n"


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`python run.py …` in `folder`, cut off from any package server."""
    environment = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder)}
    command = [sys.executable, "run.py", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with run.py, nothing to install, and a program that says how it was started."""
    folder = tmp_path_factory.mktemp("easel")
    shutil.copy(PROJECT / "run.py", folder)
    (folder / "requirements.txt").write_text("# nothing\n")
    (folder / "requirements-dev.txt").write_text("# nothing\n")
    (folder / "bot").mkdir()
    (folder / "bot" / "__main__.py").write_text(ECHO)
    return folder


def test_the_first_start_makes_the_environment_and_the_second_does_nothing(project: Path) -> None:
    """One command sets up and starts; run again unchanged, it installs nothing and passes its arguments on at once."""
    first = run(project, "imagine", "a red apple", "--seed", "5")
    assert first.returncode == 0, first.stderr
    assert "Making .venv" in first.stdout
    assert "['imagine', 'a red apple', '--seed', '5']" in first.stdout
    assert str(project / ".venv") in first.stdout
    before = (project / ".venv" / "easel-run.stamp").stat().st_mtime_ns
    second = run(project)
    assert second.stdout.startswith("started with []")
    assert (project / ".venv" / "easel-run.stamp").stat().st_mtime_ns == before


def test_a_package_that_cannot_be_had_is_a_sentence(project: Path) -> None:
    """When pip fails, the person reads what to do and no traceback; the next start with mended pins goes on."""
    (project / "requirements.txt").write_text("easel-no-such-package==1.0\n")
    failed = run(project)
    assert failed.returncode != 0
    assert "The packages could not be installed. A pinned package has no build for this Python." in failed.stderr
    assert "Traceback" not in failed.stderr
    (project / "requirements.txt").write_text("# mended\n")
    assert run(project).stdout.rstrip().endswith(str(project / ".venv"))


def test_a_broken_environment_is_made_anew(project: Path) -> None:
    """If the interpreter inside .venv is gone, the next start makes the environment again by itself."""
    run(project)
    shutil.rmtree(project / ".venv" / "bin", ignore_errors=True)
    shutil.rmtree(project / ".venv" / "Scripts", ignore_errors=True)
    mended = run(project, "doctor")
    assert "Making .venv" in mended.stdout
    assert "started with ['doctor']" in mended.stdout


def test_an_old_python_is_told_so(project: Path) -> None:
    """A Python below 3.11 ends with its version and what to install."""
    program = "import sys; sys.version_info = (3, 10, 4); import run; run.check_python()"
    said = subprocess.run([sys.executable, "-c", program], cwd=project, capture_output=True, text=True, check=False)
    assert said.returncode == 1
    assert "3.11 or newer; this is 3.10.4" in said.stderr
    assert "Traceback" not in said.stderr
