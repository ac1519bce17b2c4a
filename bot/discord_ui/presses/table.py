"""Every action and what answers it; a test holds that none is forgotten."""

from collections.abc import Mapping

from bot.discord_ui import seeds
from bot.discord_ui.actions import Action
from bot.discord_ui.admin import presses as admin
from bot.discord_ui.admin import reports
from bot.discord_ui.gallery import presses as gallery
from bot.discord_ui.presses import editing, painting, pictures, queueing
from bot.discord_ui.presses.press import Handler
from bot.discord_ui.series import presses as series
from bot.discord_ui.styles import presses as styles
from bot.discord_ui.series import presses as series

HANDLERS: Mapping[Action, Handler] = {
    **pictures.HANDLERS,
    **painting.HANDLERS,
    **queueing.HANDLERS,
    **admin.HANDLERS,
    **reports.HANDLERS,
    **editing.HANDLERS,
    **gallery.HANDLERS,
    **series.HANDLERS,
    **styles.HANDLERS,
    **seeds.HANDLERS,
    **series.HANDLERS,
}
