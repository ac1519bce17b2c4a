"""Every action of the gallery and what answers it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bot.discord_ui.actions import Action
from bot.discord_ui.gallery import exporting, keeping, presses, searching, sharing
from bot.discord_ui.presses.press import Handler

HANDLERS: Final[Mapping[Action, Handler]] = MappingProxyType(
    {**presses.HANDLERS, **searching.HANDLERS, **keeping.HANDLERS, **sharing.HANDLERS, **exporting.HANDLERS}
)
