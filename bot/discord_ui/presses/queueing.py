"""🛑: ending a job that waits or runs, by who asked for it or by who manages messages there."""

from collections.abc import Mapping

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.answers import answer
from bot.discord_ui.cards import note_card
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.presses.press import Handler, Values
from bot.errors import NotAllowed, NotFound


async def stop(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """Cancel the job. Its card says so by itself; the person hears of it only where that card is not what they pressed."""
    del values
    job = await desk.db.jobs.get(ticket.id)
    if job is None:
        raise NotFound("That job has been forgotten.")
    if job.address.person != interaction.user.id and not interaction.permissions.manage_messages:
        raise NotAllowed("Only who asked for it, or somebody who manages messages here, can cancel this.")
    pressed_card = interaction.message is not None and interaction.message.id == job.card_message
    if pressed_card:
        await interaction.response.defer()
    if not await desk.dispatcher.cancel(job.id):
        raise NotFound("It has ended already.")
    if not pressed_card:
        await answer(interaction, note_card("🛑 Cancelled. It does not count against your limits."))


HANDLERS: Mapping[Action, Handler] = {Action.CANCEL: stop}
