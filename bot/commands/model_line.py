"""The words of `python run.py models …`. What each does lives in `bot.commands.models` and `bot.commands.model_tools`.

Owns options and their help. Nothing heavy is imported before it is used.
"""

import asyncio
from collections.abc import Callable
from typing import Annotated

from cyclopts import App, Parameter

from bot.errors import RequestRefused
from bot.logs import set_up_logging
from bot.settings import PROJECT, Settings, load_settings
from inference.api.tools import Convert, Format, Letter, Merge, Method, Precision, Pruning, Treatment

app = App(name="models", help="List models, add them, convert, merge and check them.")
CONFIG = PROJECT / "config.toml"


@app.default
def models() -> int:
    """List the weights that were found: kind, name, hash, family."""
    from bot.commands.models import list_models

    set_up_logging()
    return asyncio.run(list_models(load_settings(CONFIG)))


@app.command
def convert(
    file: str,
    *,
    precision: Precision = "fp16",
    prune: Pruning = "no",
    unet: Treatment = "convert",
    vae: Treatment = "convert",
    clip: Treatment = "convert",
    other: Treatment = "convert",
    fix_clip: bool = False,
    drop_junk: bool = False,
    bake_vae: str = "",
    format: Annotated[tuple[Format, ...], Parameter(negative="")] = ("safetensors",),  # noqa: A002 - the option's name
    name: str = "",
    overwrite: bool = False,
) -> int:
    """Write a checkpoint anew: in another precision, smaller, mended, with another VAE. The source is never changed.

    Parameters
    ----------
    file
        A file, or the name of a checkpoint in the models folders.
    precision
        Of its numbers; fp32 leaves them as they are.
    prune
        no-ema leaves averaged weights out, ema-only puts them in place of the others.
    unet
        What becomes of this part.
    vae
        What becomes of this part.
    clip
        What becomes of this part.
    other
        What becomes of all the rest.
    fix_clip
        Write the right position ids into the text encoder, and say which were wrong.
    drop_junk
        Leave out what trainers and other programs left in.
    bake_vae
        Put this VAE into it: a file, or a name in the models folders.
    format
        May be said twice, for both.
    name
        Of the new file, without an ending; else the old one with what was done.
    overwrite
        Replace a file of that name, though never the source.
    """

    def command(settings: Settings) -> Convert:
        from bot.commands.model_files import CHECKPOINTS, VAES, file_named

        return Convert(
            source=str(file_named(file, settings, folders=CHECKPOINTS, kind="checkpoint")),
            precision=precision,
            pruning=prune,
            unet=unet,
            vae=vae,
            clip=clip,
            other=other,
            fix_clip=fix_clip,
            drop_junk=drop_junk,
            bake_vae=str(file_named(bake_vae, settings, folders=VAES, kind="VAE")) if bake_vae else "",
            formats=tuple(dict.fromkeys(format)),
            name=name,
            overwrite=overwrite,
        )

    return _make(command)


@app.command
def merge(
    a: str,
    b: str = "",
    c: str = "",
    *,
    method: Method = "weighted-sum",
    multiplier: float = 0.3,
    half: bool = False,
    bake_vae: str = "",
    discard: str = "",
    config: Letter = "A",
    format: Format = "safetensors",  # noqa: A002 - the option's name
    name: str = "",
    overwrite: bool = False,
) -> int:
    """Merge two or three checkpoints of one family into a new one.

    Parameters
    ----------
    a
        A file, or the name of a checkpoint in the models folders. One for inpainting must be this one.
    b
        The checkpoint that is mixed in.
    c
        The checkpoint that is taken away from B, for add-difference.
    method
        weighted-sum: A (1 - M) + B M; add-difference: A + M (B - C); none: A alone.
    multiplier
        M, from 0 to 1.
    half
        Store merged weights in half precision.
    bake_vae
        Put this VAE into it: a file, or a name in the models folders.
    discard
        Leave out weights whose names this regular expression finds.
    config
        Whose config is copied beside the new file.
    format
        Of the new file.
    name
        Of the new file, without an ending; else one that tells how it was merged.
    overwrite
        Replace a file of that name, though never a source.
    """

    def command(settings: Settings) -> Merge:
        from bot.commands.model_files import CHECKPOINTS, VAES, file_named

        def found(text: str) -> str:
            return str(file_named(text, settings, folders=CHECKPOINTS, kind="checkpoint")) if text else ""

        return Merge(
            a=found(a),
            b=found(b),
            c=found(c),
            method=method,
            multiplier=multiplier,
            half=half,
            bake_vae=str(file_named(bake_vae, settings, folders=VAES, kind="VAE")) if bake_vae else "",
            discard=discard,
            config=config,
            format=format,
            name=name,
            overwrite=overwrite,
        )

    return _make(command)


@app.command
def add(
    source: str, *, kind: str = "", sha256: str = "", name: str = "", insist: bool = False, max_gib: float | None = None
) -> int:
    """Download a model and put it into its folder. A download that broke off goes on where it was.

    Parameters
    ----------
    source
        A link (https://…), or a name on Hugging Face: owner/repo, or owner/repo:file.safetensors.
    kind
        checkpoint, lora, vae, embedding, upscaler, controlnet, hypernetwork, annotator or face; else told by the content.
    sha256
        The digest that it must have.
    name
        Of the file here.
    insist
        Take pickles (.ckpt, .pt, .pth, .bin) too; they are read without running what is in them.
    max_gib
        The most that may be downloaded; else max_gib in [downloads] of config.toml.
    """
    from msgspec.structs import replace

    from bot.commands.model_tools import GIB, add
    from bot.downloads.adding import Wish, ways_of

    set_up_logging()
    settings = load_settings(CONFIG)
    ways = ways_of(settings)
    if max_gib is not None:
        if not 0 < max_gib <= 10_000:
            raise RequestRefused(f"--max-gib is a size in GiB above 0, not {max_gib:g}.")
        ways = replace(ways, limit=int(max_gib * GIB))
    wish = Wish(source=source, kind=kind, sha256=sha256, name=name, insist=insist)
    return asyncio.run(add(settings, wish, ways=ways))


@app.command
def check() -> int:
    """Read every file of the models folders whole: damage, NaN, what lacks, hidden code, twins. Takes minutes."""
    from bot.commands.model_tools import check_models

    set_up_logging()
    return asyncio.run(check_models(load_settings(CONFIG)))


def _make(command: Callable[[Settings], Convert | Merge]) -> int:
    from bot.commands.model_tools import make

    set_up_logging()
    return asyncio.run(make(command(load_settings(CONFIG))))
