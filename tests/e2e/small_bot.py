"""A small discord.py bot with one of everything that Easel uses, to try the loopback Discord with the unmodified client."""

import asyncio
import io

import discord
from discord import app_commands

from bot.discord_ui.client import Listener

SAMPLERS = ("Euler", "Euler a", "DPM++ 2M", "DPM++ 2M Karras", "DPM++ SDE", "DDIM")
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000002000000030802000000368849d60000000c4944415408d763600002000005000106fbd3ef0000"
    "000049454e44ae426082"
)
"""Two by three pixels by its head."""


def picture(name: str = "picture.png") -> discord.File:
    """A file to post, with words for those who do not see it."""
    return discord.File(io.BytesIO(PNG), name, description="two by three pixels")


class EditForm(discord.ui.Modal, title="Edit prompt"):
    """A form with a text, a menu and a file."""

    prompt = discord.ui.Label(text="Prompt", component=discord.ui.TextInput(custom_id="prompt", default="a cat"))
    size = discord.ui.Label(
        text="Size",
        component=discord.ui.Select(
            custom_id="size", options=[discord.SelectOption(label=s) for s in ("512", "768")], required=False
        ),
    )
    start = discord.ui.Label(text="Start", component=discord.ui.FileUpload(custom_id="start", required=False))

    async def on_submit(self, interaction: discord.Interaction) -> None:
        """Say back what came."""
        files = self.start.component.values
        data = await files[0].read() if files else b""
        await interaction.response.defer(thinking=True)
        words = f"{self.prompt.component.value} {self.size.component.values} {len(data)}"
        await interaction.followup.send(words)


class Keep(discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"keep:(?P<number>\d+)"):
    """A button whose state is in its custom_id."""

    def __init__(self, number: int) -> None:
        super().__init__(discord.ui.Button(label="Keep", custom_id=f"keep:{number}"))
        self.number = number

    @classmethod
    async def from_custom_id(cls, _interaction, _item, match):
        """Make it again from what was pressed."""
        return cls(int(match["number"]))

    async def callback(self, interaction: discord.Interaction) -> None:
        """Say which one was kept, to the one who pressed."""
        await interaction.response.send_message(f"kept {self.number}", ephemeral=True)


class Buttons(discord.ui.View):
    """Classic buttons and a menu under a picture."""

    def __init__(self) -> None:
        super().__init__(timeout=None)
        self.add_item(Keep(7))

    @discord.ui.button(label="Again", emoji="🔁", custom_id="again")
    async def again(self, interaction: discord.Interaction, _button: discord.ui.Button) -> None:
        """Defer without a sign, then post another."""
        await interaction.response.defer()
        await interaction.followup.send("again", file=picture("again.png"))

    @discord.ui.button(label="Edit", custom_id="edit")
    async def edit(self, interaction: discord.Interaction, _button: discord.ui.Button) -> None:
        """Open the form."""
        await interaction.response.send_modal(EditForm(custom_id="edit-form"))

    @discord.ui.button(label="Delete", custom_id="delete", style=discord.ButtonStyle.danger)
    async def delete(self, interaction: discord.Interaction, _button: discord.ui.Button) -> None:
        """Take the picture away."""
        await interaction.response.defer()
        await interaction.delete_original_response()

    @discord.ui.button(label="Send", custom_id="send")
    async def send(self, interaction: discord.Interaction, _button: discord.ui.Button) -> None:
        """Send the picture in a direct message, or say that it cannot be."""
        try:
            await interaction.user.send("yours", file=await interaction.message.attachments[0].to_file())
        except discord.Forbidden as error:
            await interaction.response.send_message(f"no: {error.code}", ephemeral=True)
        else:
            await interaction.response.send_message("sent", ephemeral=True)

    @discord.ui.select(custom_id="scale", options=[discord.SelectOption(label="2x", value="2")])
    async def scale(self, interaction: discord.Interaction, menu: discord.ui.Select) -> None:
        """Change the message itself."""
        await interaction.response.edit_message(content=f"scaled {menu.values[0]}x")


def card() -> discord.ui.LayoutView:
    """A Components V2 card with a gallery and buttons."""
    view = discord.ui.LayoutView(timeout=None)
    gallery = discord.ui.MediaGallery(discord.MediaGalleryItem("attachment://picture.png", description="a cat"))
    row = discord.ui.ActionRow(Keep(1), Keep(2))
    view.add_item(discord.ui.Container(discord.ui.TextDisplay("**a cat** for you"), gallery, row))
    return view


class SmallBot(Listener):
    """The bot. `heard` is what its events told it."""

    def __init__(self) -> None:
        intents = discord.Intents.none()
        intents.guilds = intents.guild_reactions = intents.dm_reactions = intents.dm_messages = True
        super().__init__(intents=intents, guild_ready_timeout=0.02)
        self.tree = app_commands.CommandTree(self)
        self.heard: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    async def setup_hook(self) -> None:
        """Register everything."""
        self.add_view(Buttons())
        self.add_dynamic_items(Keep)
        register(self.tree)
        await self.tree.sync()

    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        """❌ deletes one of our messages."""
        if event.user_id == self.user.id:
            return
        channel = self.get_channel(event.channel_id) or await self.fetch_channel(event.channel_id)
        message = await channel.fetch_message(event.message_id)
        if str(event.emoji) == "❌":
            await message.delete()
        self.heard.put_nowait(("reaction", str(event.emoji)))

    async def on_message(self, message: discord.Message) -> None:
        """Answer in direct messages."""
        if message.author != self.user:
            self.heard.put_nowait(("message", message.content))
            await message.channel.send(f"you said {message.content}")


def register(tree: app_commands.CommandTree) -> None:
    """The commands."""

    @tree.command(description="Paint")
    @app_commands.describe(prompt="What", start="Begin with")
    async def paint(  # noqa: PLR0917 - the options of a command are its arguments
        interaction: discord.Interaction,
        prompt: app_commands.Range[str, 1, 100],
        steps: app_commands.Range[int, 1, 150] = 20,
        sampler: str = "Euler a",
        start: discord.Attachment | None = None,
        private: bool = False,
    ) -> None:
        await interaction.response.defer(thinking=True, ephemeral=private)
        size = len(await start.read()) if start else 0
        embed = discord.Embed(title="done").set_image(url="attachment://picture.png")
        words = f"{prompt} {steps} {sampler} {size}"
        await interaction.edit_original_response(content=words, attachments=[picture()], embed=embed, view=Buttons())

    @paint.autocomplete("sampler")
    async def samplers(_interaction: discord.Interaction, text: str) -> list[app_commands.Choice[str]]:
        found = [name for name in SAMPLERS if text.lower() in name.lower()]
        return [app_commands.Choice(name=name, value=name) for name in found]

    @tree.command(name="card", description="A card")
    async def show_card(interaction: discord.Interaction) -> None:
        await interaction.response.send_message(view=card(), file=picture())

    @tree.command(description="Never answers")
    async def silent(_interaction: discord.Interaction) -> None:
        return

    style = app_commands.Group(name="style", description="Styles")

    @style.command(description="Save one")
    async def save(interaction: discord.Interaction, name: str) -> None:
        await interaction.response.send_message(f"saved {name}", ephemeral=True)

    tree.add_command(style)

    @tree.context_menu(name="Reuse")
    async def reuse(interaction: discord.Interaction, message: discord.Message) -> None:
        await interaction.response.send_message(f"reuse {message.content}", ephemeral=True)
