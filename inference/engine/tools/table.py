"""The tools by the command that asks for them. Each is imported when it is asked for: only a check needs all of the engine."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from inference.api.tools import Check, Command, Convert, Identify, Merge, Outcome, Report

TOOLS: Final = {Convert: "convert", Merge: "merge", Check: "check", Identify: "identify"}
"""Modules of this package with a function of the same name."""


def tool_for(command: Command) -> Callable[[Any, Callable[[Report], None]], Outcome]:
    """What does `command`."""
    name = TOOLS[type(command)]
    return getattr(import_module(f"inference.engine.tools.{name}"), name)
