"""What help is there about: a table of topics, each with a few paragraphs and the commands that belong to it.

Owns the words. Which commands there are and what they take is read from the commands themselves (`help.reference`); a command
that no topic names stands under the last one, so that none is ever missing.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from bot.discord_ui.help.reference import Entry
from bot.requests.flags import FLAGS
from inference.api.catalog import SAMPLERS, SCHEDULES


class Topic(msgspec.Struct, frozen=True):
    """`words` are paragraphs of markdown; `commands` first words of slash commands and names of the Apps menu, or none."""

    id: str
    label: str
    emoji: str
    words: tuple[str, ...]
    commands: tuple[str, ...] = ()


_FLAGS: Final = ", ".join(f"`--{row.names[0]}`" for row in FLAGS if row.kind != "foreign")

TOPICS: Final = (
    Topic(
        "start",
        "Getting started",
        "👋",
        (
            "`/imagine prompt: a red apple on a table` paints four pictures. All other options may stay empty.",
            "Under the pictures: **U** takes one out, **V** varies it, 🔄 paints the same words with new seeds, ✏️ opens them "
            "in a form, ⭐ keeps a picture with your stars, ℹ️ shows all parameters, 🗑️ removes it.",
            "🛑 on the card of a job that waits or runs cancels it. `/queue` shows where your jobs stand; with `private` the "
            "pictures come by direct message. Buttons work for as long as the picture is there.",
        ),
        ("help", "imagine", "form", "queue"),
    ),
    Topic(
        "prompts",
        "Prompts",
        "💬",
        (
            "`(word)` and `(word:1.3)` pull harder, `[word]` less. `BREAK` begins a new window, `a AND b` paints both at once. "
            "`[a:b:0.5]` changes from a to b half-way, `[a|b]` takes turns.",
            "`{a|b}` chooses by chance, `{2$$a|b|c}` takes two, `__animal__` takes one from the wildcard of that name. "
            "`{a, b}` paints both; more than four jobs asks first.",
            f"Flags of other bots may stand behind the words: {_FLAGS}.",
            "`<lora:name:0.8>` puts a LoRA on; the name of an embedding in the prompt uses it.",
        ),
        ("wildcards",),
    ),
    Topic(
        "regions",
        "Words for places",
        "🗺️",
        (
            "`/regions left: a red cat right: a blue dog everywhere: in a meadow` gives parts of a picture words of their own. "
            "A card shows a map first; its nine buttons mark cells, and 🖌️ says what goes there.",
            "As text: `left: a red cat | top right: the moon | a1-b2: a tower | everywhere: night`. Places are sides, corners, "
            "`middle`, and cells `a1` to `c3`; two sides share the picture in halves, three in thirds. `feather` makes borders "
            "softer or, with 0, hard.",
            "🔀, 🔄 and ✏️ keep the places; in ✏️ they can be changed as text.",
        ),
        ("regions",),
    ),
    Topic(
        "faces",
        "Faces",
        "🩹",
        (
            "`--faces` in a prompt mends the faces of the finished picture, 🩹 under a single picture those of one that is "
            "there, `faces` in `/upscale` those of an enlargement.",
            "`on` is the best way here: a restorer such as GFPGAN where the operator has put one, else `repaint`: each face is "
            "enlarged, painted over by the same model in the same words, and laid back. `repaint, 0.3` leaves more of it, "
            "`repaint, 0.6, 80%` shows eight tenths of more. A picture without a face stays as it is.",
        ),
    ),
    Topic(
        "plots",
        "Plots",
        "📊",
        (
            "A plot compares: `/plot` paints a grid along up to three axes, such as Steps `10, 20, 30` or Sampler `Euler a, "
            "DDIM`. Values are lists, ranges `1-5`, ranges with a step `10-30 (+10)` or a count `0-1 [5]`.",
            "Before anything is painted a card says how many pictures that makes and what they cost; the grid grows while they "
            "are painted, and its menu opens any cell with all its buttons.",
        ),
        ("plot", "matrix", "prompts"),
    ),
    Topic(
        "gallery",
        "Gallery",
        "🖼️",
        (
            "Everything that you painted and starred, to be searched and sorted, kept in collections and sent as zip files. "
            "👪 on a picture leads to what it came from and what was made of it.",
        ),
        ("gallery",),
    ),
    Topic(
        "styles",
        "Styles and seeds",
        "🎨",
        (
            "A style is a name for words, and for a model, LoRAs, a sampler or a size if you like. `{prompt}` in it is where "
            "your words go; without it they come first. `style: ink, moody` applies several in order.",
            "A saved seed is a number with a name: `seed: fox` paints from it again.",
        ),
        ("style", "seed"),
    ),
    Topic(
        "loras",
        "Models and LoRAs",
        "🧩",
        (
            "`model` and `lora` suggest while you type what the operator put into the models folders; new files are found "
            "without a restart. A LoRA fits one family of models (SD 1, SD 2, SDXL); several go together as `ink:0.8, fur:0.5`.",
            "Who runs this Easel adds, converts, merges and checks models with `/admin model`; what is new is in the pickers "
            "at once.",
        ),
        ("model", "lora"),
    ),
    Topic(
        "img2img",
        "From a picture",
        "🖌️",
        (
            "`init_image` begins from a picture that you send, and `strength` says how far to leave it: 0.3 keeps most, 0.8 "
            "little. In the Apps menu of any message, **Remix** does the same with its picture, and **Image info** reads its "
            "parameters, whichever program wrote them.",
            "🖌️ Region paints a part of a picture anew, 🔍 zooms out, and the arrows go on beyond an edge.",
        ),
        ("inpaint", "Remix", "Image info"),
    ),
    Topic(
        "control",
        "Following a picture",
        "🕹️",
        (
            "`/control` paints a picture that follows another one: its edges, depth, pose or lines, as the `kind` says. First a "
            "card shows the map of them, for you alone; 🎚️ Change sets kind, thresholds, weight and span, ➕ adds one more, and "
            "nothing is painted before 🎨 Paint. With the kind `none` the picture is the map.",
            "**Use as control** in the Apps menu does it with the picture of any message. Under what was painted lies the map: 🗺️ "
            "uses it again, 🕹️ opens the controls, ⚙️ lists them with their weights.",
        ),
        ("control", "Use as control"),
    ),
    Topic(
        "upscaling",
        "Upscaling",
        "⬆️",
        (
            "Take a picture out with **U**; ⬆️ Upscale opens a form that is sent as it is for twice the size, or says which "
            "upscaler, how large (4x, or 2048x2048) and how. The reaction ⬆️ asks nothing. `/upscale` and **Upscale** in the Apps "
            "menu of any message do it with anybody's picture.",
            "“Enlarge only” leaves it to the upscaler, and stays true to the picture. “Redraw in tiles” (Ultimate SD upscale) "
            "paints the enlargement over tile by tile, by the picture's own prompt and seed where it tells them, and adds "
            "detail; a strength of 0.2 to 0.4 keeps what is there. Where tiles show, mend the seams. “SD upscale” is the older "
            "way.",
            "✉️ sends the PNG as it was painted, its parameters inside. For more detail at the first go, open the second form "
            "behind ✏️ and turn hires fix on: it paints once more, larger.",
        ),
        ("upscale", "Upscale"),
    ),
    Topic(
        "samplers",
        "Samplers and schedules",
        "⚙️",
        (
            "How noise becomes a picture. The sampler's own schedule is taken where none is said.",
            "\n".join(f"**{row.label}**: {row.help}" for row in SAMPLERS),
            "Schedules: " + ", ".join(row.label for row in SCHEDULES) + ".",
        ),
    ),
    Topic(
        "admin",
        "For who looks after a server",
        "🛡️",
        (
            "`/admin` needs Discord's right to manage the server. What is chosen there holds at once and stands in its log. "
            "Anybody may report a picture: Apps > Report picture.",
        ),
        ("admin", "Report picture"),
    ),
    Topic("more", "More", "➕", ("What belongs to none of the other topics.",)),
)
_CLAIMED: Final = {name: topic.id for topic in TOPICS for name in topic.commands}
_BY_ID: Final = {topic.id: topic for topic in TOPICS}
MENUS: Final = {
    "Upscale": "Make its pictures larger.",
    "Remix": "Begin from this message's picture.",
    "Use as control": "Let this message's picture steer the next one: its edges, depth, pose or lines.",
    "Image info": "Read the parameters in this message's picture, and paint them here.",
    "Report picture": "Tell those who look after the server.",
}
"""What the commands of the Apps menu do; Discord gives them no description of their own."""


def topic_named(name: str) -> Topic:
    """The topic of that id; the first for anything else."""
    return _BY_ID.get(name, TOPICS[0])


def belonging(topic: Topic, all_of_them: Iterable[Entry]) -> tuple[Entry, ...]:
    """What belongs to `topic`; to the last what no topic claims."""
    return tuple(entry for entry in all_of_them if _CLAIMED.get(entry.top, TOPICS[-1].id) == topic.id)


def worth_showing(all_of_them: Iterable[Entry]) -> tuple[Topic, ...]:
    """The topics; without the last where nothing belongs to it."""
    rest = belonging(TOPICS[-1], all_of_them)
    return TOPICS if rest else TOPICS[:-1]


def says(entry: Entry) -> str:
    """What an entry does, in a sentence."""
    return entry.help or MENUS.get(entry.name, "For the message that it is opened on.")
