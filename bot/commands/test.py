"""`python run.py test`: style, types, layers and every test, in this order; the first that fails ends it."""

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bot.errors import SetupError
from bot.settings import PROJECT

SCRIPTS = Path(sys.executable).parent


def _script(name: str) -> str:
    """A tool of this environment; the set-up puts it there."""
    for candidate in (SCRIPTS / name, SCRIPTS / f"{name}.exe"):
        if candidate.exists():
            return str(candidate)
    raise SetupError(f"{name} is not installed. `python run.py test` installs it; run the tests that way.")


def check_all(arguments: Sequence[str]) -> int:
    """Run the checks and then pytest with `arguments`; with arguments only pytest runs. Returns an exit status."""
    checks = {
        "style": [_script("ruff"), "check", "."],
        "format": [_script("ruff"), "format", "--check", "."],
        "layers": [_script("lint-imports"), "--no-cache"],
        "types": [_script("basedpyright"), "--warnings"],
    }
    steps = {} if arguments else checks
    for name, command in {**steps, "tests": [sys.executable, "-m", "pytest", *arguments]}.items():
        print(f"— {name}", flush=True)
        began = time.perf_counter()
        status = subprocess.run(command, cwd=PROJECT, check=False).returncode
        if status:
            print(f"{name} failed", file=sys.stderr)
            return status
        print(f"  {name} passed in {time.perf_counter() - began:.0f} s", flush=True)
    return 0
