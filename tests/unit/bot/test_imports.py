"""The bot stays light: nothing that it imports brings tensors along."""

import json
import subprocess
import sys

from bot.settings import PROJECT

HEAVY = ("torch", "diffusers", "transformers", "safetensors", "numpy", "scipy", "cv2", "accelerate")
PROGRAM = """
import importlib, json, pkgutil, sys
names = []
for root in ("bot", "storage", "inference.client", "inference.api"):
    package = importlib.import_module(root)
    names += [root, *(module.name for module in pkgutil.walk_packages(package.__path__, root + "."))]
names = [name for name in names if not name.endswith("__main__") and ".migrations" not in name]
for name in names:
    importlib.import_module(name)
import bot.__main__
found = [name for name in sys.argv[1:] if name in sys.modules]
print(json.dumps({"modules": names, "found": found}))
"""
"""Imports every module of the bot's process; Alembic's scripts run only inside a migration."""


def test_the_bot_imports_no_tensors() -> None:
    """Every module that can be loaded into the bot's process leaves torch, numpy and their like where they are."""
    command = [sys.executable, "-c", PROGRAM, *HEAVY]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert {"bot.app", "bot.discord_ui.client", "inference.client.local", "storage"} <= set(said["modules"])
    assert said["found"] == []
