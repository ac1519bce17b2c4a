"""Every action and what answers it; a test holds that none is forgotten."""

from collections.abc import Mapping

from bot.discord_ui import seeds
from bot.discord_ui.actions import Action
from bot.discord_ui.admin import chore_presses as chores
from bot.discord_ui.admin import presses as admin
from bot.discord_ui.admin import reports
from bot.discord_ui.control import beginning as control_beginning
from bot.discord_ui.control import presses as control
from bot.discord_ui.gallery import table as gallery
from bot.discord_ui.help import presses as help_
from bot.discord_ui.menus import image_info, remix, upscale
from bot.discord_ui.pickers import presses as pickers
from bot.discord_ui.presses import editing, moving, painting, pictures, places, queueing, regions
from bot.discord_ui.presses.press import Handler
from bot.discord_ui.series import presses as series
from bot.discord_ui.styles import presses as styles

HANDLERS: Mapping[Action, Handler] = {
    **pictures.HANDLERS,
    **painting.HANDLERS,
    **queueing.HANDLERS,
    **admin.HANDLERS,
    **chores.HANDLERS,
    **reports.HANDLERS,
    **editing.HANDLERS,
    **moving.HANDLERS,
    **regions.HANDLERS,
    **places.HANDLERS,
    **remix.HANDLERS,
    **upscale.HANDLERS,
    **image_info.HANDLERS,
    **gallery.HANDLERS,
    **styles.HANDLERS,
    **seeds.HANDLERS,
    **pickers.HANDLERS,
    **series.HANDLERS,
    **control.HANDLERS,
    **control_beginning.HANDLERS,
    **help_.HANDLERS,
}
