"""A bot that speaks like Easel, to try the page with: a queue card, progress, a gallery, buttons, a form, direct messages."""

import asyncio
import io

import discord
from discord import app_commands
from PIL import Image, ImageDraw

from bot.discord_ui.client import Listener

SAMPLERS = ("Euler", "Euler a", "DPM++ 2M", "DPM++ 2M Karras", "DDIM")
COLOURS = ((222, 96, 66), (66, 128, 190), (88, 158, 98), (224, 176, 64))


def painting(number: int) -> discord.File:
    """A small picture of an apple on a ground of its own."""
    image = Image.new("RGB", (192, 192), COLOURS[(number + 1) % 4])
    draw = ImageDraw.Draw(image)
    draw.ellipse((50, 58, 142, 152), fill=COLOURS[number % 4])
    draw.line((96, 62, 108, 34), fill=(70, 50, 30), width=6)
    data = io.BytesIO()
    image.save(data, "PNG")
    data.seek(0)
    return discord.File(data, f"apple-{number}.png", description=f"an apple, picture {number + 1} of 4")


class EditForm(discord.ui.Modal, title="Edit the prompt"):
    """A form with one field of each kind that fits."""

    words = discord.ui.TextDisplay("Everything you change makes a *new* picture.")
    prompt = discord.ui.Label(
        text="Prompt",
        description="What to paint",
        component=discord.ui.TextInput(custom_id="prompt", style=discord.TextStyle.paragraph, default="an apple"),
    )
    sampler = discord.ui.Label(
        text="Sampler",
        component=discord.ui.Select(
            custom_id="sampler", required=False, options=[discord.SelectOption(label=name) for name in SAMPLERS]
        ),
    )
    seed = discord.ui.Label(
        text="Seed",
        component=discord.ui.RadioGroup(
            custom_id="seed",
            options=[
                discord.RadioGroupOption(label="Keep", value="keep", default=True),
                discord.RadioGroupOption(label="New", value="new"),
            ],
        ),
    )
    start = discord.ui.Label(text="Start from", component=discord.ui.FileUpload(custom_id="start", required=False))

    async def on_submit(self, interaction: discord.Interaction) -> None:
        """Say what was filled in, to the one who did."""
        chosen = self.sampler.component.values
        files = self.start.component.values
        sizes = [len(await file.read()) for file in files]
        words = f"{self.prompt.component.value} · {chosen} · {self.seed.component.value} · {sizes}"
        await interaction.response.send_message(words, ephemeral=True)


class Press(discord.ui.DynamicItem[discord.ui.Button[discord.ui.LayoutView]], template=r"do:(?P<action>\w+)"):
    """Any of the buttons."""

    def __init__(
        self, action: str, label: str | None = None, emoji: str | None = None, *, disabled: bool = False
    ) -> None:
        super().__init__(
            discord.ui.Button(
                label=label or (None if emoji else action), emoji=emoji, custom_id=f"do:{action}", disabled=disabled
            )
        )
        self.action = action

    @classmethod
    async def from_custom_id(cls, _interaction, _item, match):
        """Make it again from what was pressed."""
        return cls(match["action"])

    async def callback(self, interaction: discord.Interaction) -> None:
        """The pencil opens the form, the rubbish bin deletes, the rest says what it would do."""
        if self.action == "edit":
            await interaction.response.send_modal(EditForm(custom_id="edit-form"))
        elif self.action == "bin":
            await interaction.response.defer()
            await interaction.message.delete()
        elif self.action != "mute":
            await interaction.response.send_message(f"**{self.action}** it is", ephemeral=True)


def queue_card(prompt: str, words: str) -> discord.ui.LayoutView:
    """A job that waits or runs."""
    view = discord.ui.LayoutView(timeout=None)
    text = discord.ui.TextDisplay(f"### {prompt}\n{words}")
    view.add_item(
        discord.ui.Container(text, discord.ui.ActionRow(Press("stop", "Cancel", "🛑")), accent_colour=0xE2653B)
    )
    return view


def result_card(user: discord.abc.User, prompt: str) -> discord.ui.LayoutView:
    """Four pictures and what can be done with them."""
    view = discord.ui.LayoutView(timeout=None)
    items = [
        discord.MediaGalleryItem(f"attachment://apple-{n}.png", description=f"{prompt}, picture {n + 1} of 4")
        for n in range(4)
    ]
    view.add_item(
        discord.ui.Container(
            discord.ui.TextDisplay(
                f"**{discord.utils.escape_markdown(prompt)}** for {user.mention}\n"
                "-# easel-painter · Euler a · 20 steps · seed `1234`"
            ),
            discord.ui.MediaGallery(*items),
            discord.ui.ActionRow(*(Press(f"U{n}") for n in range(1, 5))),
            discord.ui.ActionRow(*(Press(f"V{n}") for n in range(1, 5))),
            discord.ui.ActionRow(
                Press("again", None, "🔄"),
                Press("edit", None, "✏️"),
                Press("star", None, "⭐"),
                Press("mute", None, "ℹ️"),
                Press("bin", None, "🗑️"),
            ),
        )
    )
    return view


class PageBot(Listener):
    """The bot. A job waits at each of its `gates` until the test opens it."""

    def __init__(self) -> None:
        intents = discord.Intents.none()
        intents.guilds = intents.guild_reactions = intents.dm_reactions = True
        super().__init__(intents=intents, guild_ready_timeout=0.02)
        self.tree = app_commands.CommandTree(self)
        self.gates = [asyncio.Event(), asyncio.Event()]
        self.given: dict[str, object] = {}

    async def setup_hook(self) -> None:
        """Register everything."""
        self.add_dynamic_items(Press)
        register(self)
        await self.tree.sync()

    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        """✉️ sends the pictures in a direct message."""
        if str(event.emoji) == "✉️":
            user = await self.fetch_user(event.user_id)
            await user.send("Your pictures, seed `1234`", files=[painting(n) for n in range(4)])


def register(bot: PageBot) -> None:
    """The commands."""

    @bot.tree.command(description="Paint a picture from words")
    @app_commands.describe(
        prompt="What to paint",
        steps="How long to paint",
        sampler="How to paint",
        start="A picture to begin with",
        private="Show it to me only",
    )
    async def imagine(  # noqa: PLR0917 - the options of a command are its arguments
        interaction: discord.Interaction,
        prompt: app_commands.Range[str, 1, 1000],
        steps: app_commands.Range[int, 1, 150] = 20,
        sampler: str = "Euler a",
        start: discord.Attachment | None = None,
        private: bool = False,
    ) -> None:
        bot.given = {
            "prompt": prompt,
            "steps": steps,
            "sampler": sampler,
            "start": start and await start.read(),
            "private": private,
        }
        await interaction.response.send_message(view=queue_card(prompt, "Position **1** · ready <t:4102444800:R>"))
        await bot.gates[0].wait()
        await interaction.edit_original_response(view=queue_card(prompt, "Painting… **40 %**"))
        await bot.gates[1].wait()
        files = [painting(n) for n in range(4)]
        await interaction.followup.send(
            view=result_card(interaction.user, prompt),
            files=files,
            allowed_mentions=discord.AllowedMentions(users=[interaction.user]),
        )
        await interaction.delete_original_response()

    @imagine.autocomplete("sampler")
    async def samplers(_interaction: discord.Interaction, text: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=name, value=name) for name in SAMPLERS if text.lower() in name.lower()]

    @bot.tree.command(description="Page through what you made")
    async def gallery(interaction: discord.Interaction) -> None:
        embed = discord.Embed(title="Your gallery", description="Recent · Starred · Usage").set_image(
            url="attachment://apple-0.png"
        )
        await interaction.response.send_message(embed=embed, file=painting(0), ephemeral=True)

    @bot.tree.command(description="Say what was written, as it was written")
    async def words(interaction: discord.Interaction, text: str) -> None:
        await interaction.response.send_message(text, allowed_mentions=discord.AllowedMentions.none())

    @bot.tree.command(description="Never answers")
    async def silent(_interaction: discord.Interaction) -> None:
        return

    @bot.tree.context_menu(name="Image info")
    async def image_info(interaction: discord.Interaction, message: discord.Message) -> None:
        await interaction.response.send_message(f"about {message.id}", ephemeral=True)
