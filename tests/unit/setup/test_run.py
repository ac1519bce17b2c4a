"""run.py, as a newcomer meets it: a copy of the real file in an empty folder, with real venv and real pip."""

import ast
import os
import shutil
import signal
import socket
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.settings import PROJECT

ECHO = "import os, sys\nprint('started with', sys.argv[1:], 'in', os.getcwd(), 'by', sys.prefix)\n"
NO_INDEX = {"PIP_NO_INDEX": "1"}
UNREACHABLE = {
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
    "PIP_EXTRA_INDEX_URL": "",
    "PIP_RETRIES": "1",
}
"""A package server where nobody listens, whatever this machine has configured."""


def run(
    project: Path, *arguments: str, cwd: Path | None = None, environment: Mapping[str, str] = NO_INDEX
) -> subprocess.CompletedProcess[str]:
    """`python run.py …` of `project`, cut off from any package server unless `environment` says otherwise."""
    command = [sys.executable, str(project / "run.py"), *arguments]
    outer = {**os.environ, **environment}
    return subprocess.run(command, cwd=cwd or project, env=outer, capture_output=True, text=True, check=False)


def program(project: Path, *lines: str) -> subprocess.CompletedProcess[str]:
    """Lines of Python that import run.py, in a process of their own."""
    command = [sys.executable, "-c", "\n".join(("import sys, run", *lines))]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)


def furnish(folder: Path) -> Path:
    """run.py, nothing to install, and a program that says how it was started; returns `folder`."""
    shutil.copy(PROJECT / "run.py", folder)
    (folder / "requirements.txt").write_text("# nothing\n")
    (folder / "requirements-dev.txt").write_text("# nothing\n")
    (folder / "requirements-alone.txt").write_text("# nothing\n")
    (folder / "bot").mkdir()
    (folder / "bot" / "__init__.py").touch()  # a package, which nothing on a longer path takes the name of
    (folder / "bot" / "__main__.py").write_text(ECHO)
    return folder


def pin(project: Path, line: str) -> None:
    """Change what is to be installed."""
    (project / "requirements.txt").write_text(f"{line}\n")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A furnished folder, shared, so that the environment is made as seldom as can be."""
    return furnish(tmp_path_factory.mktemp("easel"))


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


def test_what_is_compiled_is_kept_inside_the_environment(project: Path) -> None:
    """The second start of the painter need not compile torch again, even where nothing may be written beside the sources."""
    said = run(project, environment={**NO_INDEX, "PYTHONDONTWRITEBYTECODE": "1"})
    assert said.returncode == 0, said.stderr
    assert not (project / "bot" / "__pycache__").exists()
    assert list((project / ".venv" / "pycache").rglob("*.pyc"))


def test_it_may_be_started_from_anywhere(project: Path, tmp_path: Path) -> None:
    """Files that are named on the command line are the caller's; a folder `bot` that lies there is not mistaken for ours."""
    (tmp_path / "bot").mkdir()
    (tmp_path / "bot" / "__init__.py").write_text("raise SystemExit('the wrong one')")
    said = run(project, "doctor", cwd=tmp_path)
    assert said.returncode == 0, said.stderr
    assert f"started with ['doctor'] in {tmp_path}" in said.stdout.splitlines()[-1]


def test_a_package_that_cannot_be_had_is_a_sentence(project: Path) -> None:
    """When pip fails, the person reads what to do and no traceback; the next start with mended pins goes on."""
    pin(project, "easel-no-such-package==1.0")
    failed = run(project)
    assert failed.returncode != 0
    assert "The packages could not be installed. A pinned package has no build for this Python." in failed.stderr
    assert "Traceback" not in failed.stderr
    pin(project, "# mended")
    assert run(project).stdout.rstrip().endswith(str(project / ".venv"))


def test_a_half_done_installation_is_not_taken_for_whole(project: Path) -> None:
    """When an update fails and the pins go back to what they were, pip looks again instead of trusting the old stamp."""
    pin(project, "# as before")
    run(project)
    pin(project, "easel-no-such-package==1.0")
    assert run(project).returncode != 0
    pin(project, "# as before")
    assert "Installing what Easel needs" in run(project).stdout


def wheel(folder: Path, name: str, *, needs: str = "") -> Path:
    """A package of one module, as pip takes it; `needs` is what it declares."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    more = f"Requires-Dist: {needs}\n" if needs else ""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", "here = True\n")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{more}")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return path


def test_what_is_installed_alone_brings_nothing_along(project: Path, tmp_path: Path) -> None:
    """A package that declares what Easel does not want is installed without that, and again only when its pin changes."""
    alone = project / "requirements-alone.txt"
    alone.write_text(f"easel_alone @ {wheel(tmp_path, 'easel_alone', needs='easel-no-such-package').as_uri()}\n")
    first = run(project)
    assert first.returncode == 0, first.stderr
    assert "Installing what Easel needs" in first.stdout
    assert list((project / ".venv").rglob("easel_alone.py"))
    assert run(project).stdout.startswith("started with []")
    alone.write_text("easel-no-such-package==1.0\n")
    failed = run(project)
    assert failed.returncode != 0
    assert "The packages could not be installed." in failed.stderr
    alone.write_text("# mended\n")
    assert run(project).returncode == 0


def test_no_package_server_is_a_sentence(project: Path) -> None:
    """Cut off from the server, the person reads that it is the network, not that the package does not exist."""
    pin(project, "easel-no-such-package==1.0")
    failed = run(project, environment=UNREACHABLE)
    assert failed.returncode != 0
    assert "The package server cannot be reached. Check the network or the proxy" in failed.stderr
    pin(project, "# mended")


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C cannot be sent to one process there")
def test_ctrl_c_in_the_middle_leaves_no_traceback(project: Path) -> None:
    """Stopped while a package is on its way, it says so and ends; the next start goes on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        pin(project, f"easel-slow @ http://127.0.0.1:{server.getsockname()[1]}/easel_slow-1-py3-none-any.whl")
        process = subprocess.Popen(
            [sys.executable, "run.py"], cwd=project, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        connection, _ = server.accept()
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)
        connection.close()
    assert process.returncode == 1
    assert "Stopped. Run this again to go on" in said
    assert "Traceback" not in said
    pin(project, "# mended")
    assert run(project).returncode == 0


def test_a_broken_environment_is_made_anew(project: Path) -> None:
    """If the interpreter inside .venv is gone, the next start makes the environment again by itself."""
    run(project)
    shutil.rmtree(project / ".venv" / "bin", ignore_errors=True)
    shutil.rmtree(project / ".venv" / "Scripts", ignore_errors=True)
    mended = run(project, "doctor")
    assert "Making .venv" in mended.stdout
    assert "started with ['doctor']" in mended.stdout


def test_an_environment_whose_python_or_place_is_gone_is_not_whole(project: Path) -> None:
    """After Python was replaced, or Easel's folder moved, the old environment is not trusted, whatever its stamp says."""
    run(project)
    assert program(project, "print(run.is_whole())").stdout == "True\n"
    config = project / ".venv" / "pyvenv.cfg"
    whole = config.read_text()
    config.write_text(whole.replace("home = ", "home = /gone"))
    assert program(project, "print(run.is_whole())").stdout == "False\n"
    config.write_text(whole.replace(str(project), "/elsewhere"))
    assert program(project, "print(run.is_whole())").stdout == "False\n"
    config.write_text(whole)
    assert run(project).stdout.startswith("started with []")


def test_a_broken_pip_is_mended(project: Path) -> None:
    """If pip does not start any more when something is to be installed, the environment is made again."""
    run(project)
    (found,) = (project / ".venv").rglob("pip/__init__.py")
    found.write_text("raise ImportError('half of pip is missing')\n")
    pin(project, "# something new")
    mended = run(project)
    assert "Making .venv" in mended.stdout
    assert mended.stdout.splitlines()[-1].startswith("started with []")


def test_too_little_room_is_said_before_anything_is_written(tmp_path: Path) -> None:
    """On a disk that cannot hold Easel, nothing is begun."""
    furnish(tmp_path)
    said = program(tmp_path, "run.NEEDED_GIB = 10**6", "run.main([])")
    assert said.returncode == 1
    assert "too little room" in said.stderr
    assert "Traceback" not in said.stderr
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "is full"),
        ("[WinError 112] There is not enough space on the disk", "is full"),
        ("Retrying … [Errno -3] Temporary failure in name resolution … No matching distribution", "no network"),
        ("ReadTimeoutError(\"HTTPSConnectionPool(host='…', port=443): Read timed out.\")", "cannot be reached"),
        ("[WinError 32] … because it is being used by another process", "still runs"),
        ("HINT: … does not have Windows Long Path support enabled", "short one"),
        ("Command '[…, '-m', 'ensurepip', '--upgrade']' returned non-zero exit status 1.", "python3-venv"),
        ("something that nobody has seen yet", "Mend what is said above"),
    ],
)
def test_what_goes_wrong_is_explained(tmp_path: Path, words: str, advice: str) -> None:
    """What pip and venv say on a full disk, without a network, on Windows or on a bare Debian comes with what to do."""
    furnish(tmp_path)
    assert advice in program(tmp_path, f"print(run.explain({words!r}))").stdout


def test_an_old_python_is_told_so(project: Path) -> None:
    """A Python below 3.11 ends with its version and what to install."""
    said = program(project, "sys.version_info = (3, 10, 4)", "run.check_python()")
    assert said.returncode == 1
    assert "3.11 or newer; this is 3.10.4" in said.stderr
    assert "Traceback" not in said.stderr


def test_an_old_python_can_read_the_file() -> None:
    """Nothing in run.py is beyond Python 3.7's grammar, and no annotation is looked up that came later."""
    tree = ast.parse((PROJECT / "run.py").read_text(encoding="utf-8"), feature_version=(3, 7))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    notes = [argument.annotation for node in functions for argument in (*node.args.args, *node.args.kwonlyargs)]
    assert len(functions) > 10
    for annotation in (*notes, *(node.returns for node in functions)):
        assert isinstance(annotation, ast.Name | ast.Constant), (
            ast.unparse(annotation) if annotation else "no annotation"
        )
