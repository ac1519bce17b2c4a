"""Set Easel up and start it: `python run.py`, `python run.py test`, `python run.py COMMAND …`.

Makes `.venv` beside this file, installs the pinned requirements with pip when they have changed, and hands its arguments
on to `python -m bot`. Standard library only, Python 3.11 or newer, Linux, macOS and Windows. An older Python 3 must be able
to read this file, or it could not say what is wrong: no syntax younger than 3.6, and compound annotations in quotes.
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
NEEDED_GIB = 3
ROOM = f"Easel needs about {NEEDED_GIB} GiB free where it lies, and 10 with the libraries of an NVIDIA card."
CUDA_INDEX = "https://download.pytorch.org/whl/cu130"
"""PyTorch's own index of CUDA builds: on Windows the general one has CPU builds only."""

NO_NETWORK = "There is no network. Connect, and run this again; what is done is kept."
NO_SERVER = "The package server cannot be reached. Check the network or the proxy, and run this again."
HINTS = (
    ("No space left", f"The disk, or the one for temporary files, is full. {ROOM}"),
    ("not enough space on the disk", f"The disk is full. {ROOM}"),
    ("Long Path support", "Windows forbids paths this long. Move Easel into a short one such as C:\\Easel."),
    ("being used by another process", "Easel still runs from this folder. Stop it, and run this again."),
    ("CERTIFICATE_VERIFY_FAILED", "The package server's certificate is not trusted. Check the clock and the proxy."),
    ("name resolution", NO_NETWORK),
    ("getaddrinfo failed", NO_NETWORK),
    ("nodename nor servname", NO_NETWORK),
    ("Name or service not known", NO_NETWORK),
    ("Network is unreachable", NO_NETWORK),
    ("No route to host", NO_NETWORK),
    ("Connection refused", NO_SERVER),
    ("Failed to establish a new connection", NO_SERVER),
    ("Read timed out", NO_SERVER),
    ("Max retries exceeded", NO_SERVER),
    ("ProxyError", NO_SERVER),
    (
        "No matching distribution",
        "A pinned package has no build for this Python. Use Python 3.11, 3.12 or 3.13 (64 bit).",
    ),
    ("Permission denied", f"Easel may not write to {VENV}. Give yourself the right, or move the folder."),
    ("ensurepip", "On Debian or Ubuntu, install the package python3-venv, and run this again."),
)
"""What pip and venv say, and what the person at the keyboard can do about it; the first that fits is shown."""


def stop(sentence: str) -> None:
    """End with a sentence instead of a traceback."""
    raise SystemExit(f"\n{sentence}\n")


def explain(said: str) -> str:
    """What to do about the words of pip or venv."""
    return next((what for mark, what in HINTS if mark in said), "Mend what is said above, and run this again.")


def check_python() -> None:
    """A Python that is too old, or a 32-bit one, cannot run torch."""
    if sys.version_info < (3, 11) or sys.maxsize < 2**32:
        found = ".".join(str(part) for part in sys.version_info[:3])
        stop(f"Easel needs a 64-bit Python 3.11 or newer; this is {found}. Install one, and run this with it.")


def wanted(*, testing: bool) -> "list[Path]":
    """The requirement files for this run; the last is installed alone."""
    names = ["requirements.txt", *(["requirements-dev.txt"] if testing else []), "requirements-alone.txt"]
    return [HERE / name for name in names]


def needs_cuda_index() -> bool:
    """Whether an NVIDIA card's driver is installed where the general index has no build for it."""
    return WINDOWS and shutil.which("nvidia-smi") is not None


def fingerprint(files: "list[Path]") -> str:
    """Changes when the pins, the interpreter, the place or the kind of torch do."""
    digest = hashlib.sha256(f"{sys.version_info[:2]} {VENV} {needs_cuda_index()}".encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def stamp(name: str) -> Path:
    """The file that says what an earlier run finished installing."""
    return VENV / f"easel-{name}.stamp"


def is_whole() -> bool:
    """Whether `.venv` was made where it lies now, by a Python that is still there: copies and scripts hold both paths."""
    try:
        lines = (VENV / "pyvenv.cfg").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    said = {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in lines)}
    return PYTHON.exists() and Path(said.get("home", "?")).is_dir() and said.get("command", "").endswith(str(VENV))


def is_done(name: str, mark: str) -> bool:
    """Whether an earlier run finished installing exactly this, and it can still be started."""
    file = stamp(name)
    return file.exists() and file.read_bytes() == mark.encode() and is_whole()


def make_venv() -> None:
    """A fresh virtual environment where there is none, or where the old one or its pip no longer starts."""
    if is_whole():
        command = [str(PYTHON), "-m", "pip", "--version"]
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            return
    if shutil.disk_usage(HERE).free < NEEDED_GIB * 2**30:
        stop(f"There is too little room on the disk of {HERE}. {ROOM} Make room, and run this again.")
    print("Making .venv …", flush=True)
    try:
        venv.create(VENV, clear=True, with_pip=True)
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        stop(f"The virtual environment could not be made: {error}. {explain(str(error))}")


def install(files: "list[Path]") -> None:
    """Install what is pinned in `files`; in the last are packages that declare more than they need, which is not installed."""
    print("Installing what Easel needs (once; 1 to 4 GB to download, some minutes) …", flush=True)
    options = []
    if needs_cuda_index():
        options = ["--extra-index-url", CUDA_INDEX, "--upgrade"]  # a CPU build that is there satisfies the same pin
    for file in files[:-1]:
        options += ["-r", str(file)]
    pip(options)
    pip(["--no-deps", "-r", str(files[-1])])


def pip(options: "list[str]") -> None:
    """Run `pip install`; its lines are the progress, and a failure becomes a sentence that says what to do."""
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-compile", *options]
    environment = {**os.environ, "PIP_USER": "0", "PIP_NO_INPUT": "1"}
    lines: list[str] = []
    with subprocess.Popen(
        command,
        cwd=HERE,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            lines.append(line)
            if line.strip().startswith(("Collecting", "Downloading", "Installing", "Successfully", "ERROR")):
                print("  " + line.strip()[:110], flush=True)
    if process.returncode == 0:
        return
    said = "".join(lines)
    print(said[-3000:], file=sys.stderr)
    stop(f"The packages could not be installed. {explain(said)}")


def prepare(*, testing: bool) -> None:
    """Bring `.venv` up to the pins. Does nothing, quickly, when nothing changed."""
    files = wanted(testing=testing)
    name, mark = "test" if testing else "run", fingerprint(files)
    if is_done(name, mark) or (not testing and is_done("test", fingerprint(wanted(testing=True)))):
        return
    make_venv()
    for old in ("run", "test"):  # from here until pip is through, nothing is certain
        if stamp(old).exists():
            stamp(old).unlink()
    install(files)
    stamp(name).write_bytes(mark.encode())


def start(arguments: "list[str]") -> int:
    """Run `python -m bot` in the environment, and give back its exit status. Ctrl-C is the child's to handle.

    The working folder stays the caller's, so that `--out a.png` means what it says; `-P` keeps that folder's modules out.
    """
    command = [str(PYTHON), "-P", "-m", "bot", *arguments]
    path = os.pathsep.join(filter(None, (str(HERE), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONUTF8": "1", "PYTHONPATH": path, "PYTHONPYCACHEPREFIX": str(VENV / "pycache")}
    # Without compiled files torch and diffusers take some twenty seconds more at each start of the painter. They lie in
    # .venv, so whoever wants none beside the sources still has none.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    if not WINDOWS:
        os.execve(str(PYTHON), command, environment)  # noqa: S606 - our own interpreter, no shell wanted
    process = subprocess.Popen(command, env=environment)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def main(arguments: "list[str]") -> int:
    """Check, prepare, start."""
    check_python()
    try:
        prepare(testing=arguments[:1] == ["test"])
    except KeyboardInterrupt:
        stop("Stopped. Run this again to go on; what is done is kept.")
    except OSError as error:
        stop(f"The set-up could not go on: {error}. {explain(str(error))} If .venv is damaged, delete that folder.")
    return start(arguments)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
