"""Set Easel up and start it: `python run.py`, `python run.py test`, `python run.py COMMAND …`.

Makes `.venv` beside this file, installs the pinned requirements with pip when they have changed, and hands its arguments
on to `python -m bot`. Standard library only, Python 3.11 or newer, Linux, macOS and Windows.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
WINDOWS = os.name == "nt"
PYTHON = VENV / ("Scripts/python.exe" if WINDOWS else "bin/python")
NEEDED_GIB = 6
CUDA_INDEX = "https://download.pytorch.org/whl/cu130"
"""PyTorch's own index of CUDA builds: on Windows the general one has CPU builds only."""

HINTS = (
    ("No space left", f"The disk is full. Easel needs about {NEEDED_GIB} GiB free where it lies."),
    ("Temporary failure in name resolution", "There is no network. Connect, and run this again; what is done is kept."),
    ("getaddrinfo failed", "There is no network. Connect, and run this again; what is done is kept."),
    ("Network is unreachable", "There is no network. Connect, and run this again; what is done is kept."),
    ("Connection refused", "The package server cannot be reached. Check the network or the proxy, and run this again."),
    (
        "Max retries exceeded",
        "The package server cannot be reached. Check the network or the proxy, and run this again.",
    ),
    (
        "No matching distribution",
        "A pinned package has no build for this Python. Use Python 3.11, 3.12 or 3.13 (64 bit).",
    ),
    ("Permission denied", f"Easel may not write to {VENV}. Give yourself the right, or move the folder."),
)
"""What pip says, and what the person at the keyboard can do about it."""


def stop(sentence: str) -> None:
    """End with a sentence instead of a traceback."""
    raise SystemExit(f"\n{sentence}\n")


def check_python() -> None:
    """A Python that is too old, or a 32-bit one, cannot run torch."""
    if sys.version_info < (3, 11) or sys.maxsize < 2**32:
        found = ".".join(str(part) for part in sys.version_info[:3])
        stop(f"Easel needs a 64-bit Python 3.11 or newer; this is {found}. Install one, and run this with it.")


def wanted(*, testing: bool) -> list[Path]:
    """The requirement files for this run."""
    names = ["requirements.txt", *(["requirements-dev.txt"] if testing else [])]
    return [HERE / name for name in names]


def fingerprint(files: list[Path]) -> str:
    """Changes when the pins, the interpreter or the place do."""
    digest = hashlib.sha256(f"{sys.version_info[:2]} {VENV}".encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def is_done(name: str, mark: str) -> bool:
    """Whether an earlier run finished installing exactly this, and its interpreter is still there."""
    stamp = VENV / f"easel-{name}.stamp"
    return PYTHON.exists() and stamp.exists() and stamp.read_text() == mark


def has_nvidia() -> bool:
    """Whether a driver for an NVIDIA card is installed."""
    return shutil.which("nvidia-smi") is not None


def make_venv() -> None:
    """A fresh virtual environment where there is none, or where the old one no longer starts."""
    works = (
        PYTHON.exists()
        and subprocess.run([PYTHON, "-c", "import pip"], capture_output=True, check=False).returncode == 0
    )
    if works:
        return
    if shutil.disk_usage(HERE).free < NEEDED_GIB * 2**30:
        stop(
            f"Easel needs about {NEEDED_GIB} GiB free on the disk of {HERE}; there is less. Make room, and run this again."
        )
    print("Making .venv …", flush=True)
    try:
        venv.create(VENV, clear=True, with_pip=True)
    except (OSError, subprocess.CalledProcessError) as error:
        stop(
            f"The virtual environment could not be made: {error}. On Debian or Ubuntu, install python3-venv and run this again."
        )


def install(files: list[Path]) -> None:
    """Run pip on `files`; its lines are the progress, and a failure becomes a sentence that says what to do."""
    print("Installing what Easel needs (once; about 1 GB, some minutes) …", flush=True)
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-compile"]
    if WINDOWS and has_nvidia():
        command += ["--extra-index-url", CUDA_INDEX]
    for file in files:
        command += ["-r", str(file)]
    process = subprocess.Popen(
        command, cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    lines: list[str] = []
    for line in process.stdout or ():
        lines.append(line)
        if line.startswith(("Collecting", "Installing", "Successfully", "ERROR")):
            print("  " + line.rstrip()[:110], flush=True)
    if process.wait() == 0:
        return
    said = "".join(lines)
    hint = next(
        (what for mark, what in HINTS if mark in said), "pip's own words are above; run this again after mending that."
    )
    print(said[-3000:], file=sys.stderr)
    stop(f"The packages could not be installed. {hint}")


def prepare(*, testing: bool) -> None:
    """Bring `.venv` up to the pins. Does nothing, quickly, when nothing changed."""
    files = wanted(testing=testing)
    name, mark = "test" if testing else "run", fingerprint(files)
    if is_done(name, mark) or (not testing and is_done("test", fingerprint(wanted(testing=True)))):
        return
    make_venv()
    install(files)
    (VENV / f"easel-{name}.stamp").write_text(mark)


def start(arguments: list[str]) -> int:
    """Run `python -m bot` in the environment, and give back its exit status. Ctrl-C is the child's to handle."""
    command = [str(PYTHON), "-m", "bot", *arguments]
    environment = os.environ | {"PYTHONUTF8": "1"}
    if not WINDOWS:
        os.chdir(HERE)
        os.execve(PYTHON, command, environment)  # noqa: S606 - our own interpreter, no shell wanted
    process = subprocess.Popen(command, cwd=HERE, env=environment)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def main(arguments: list[str]) -> int:
    """Check, prepare, start."""
    check_python()
    try:
        prepare(testing=arguments[:1] == ["test"])
    except KeyboardInterrupt:
        stop("Stopped. Run this again to go on; what is done is kept.")
    except OSError as error:
        stop(f"The set-up could not go on: {error}. If .venv is damaged, delete that folder and run this again.")
    return start(arguments)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
