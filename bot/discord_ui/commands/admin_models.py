"""`/admin model`: models added, converted, merged and checked from Discord, for who has this Easel.

Owns the commands and their options. Who may is `admin.machine`'s; how it goes on is `admin.chore_runs`'.
"""

from pathlib import Path
from typing import Any, Final, cast

import discord
from discord import app_commands

from bot.discord_ui import options
from bot.discord_ui.admin.chore_cards import added_card, checked_card, jobs_card, made_card
from bot.discord_ui.admin.chore_runs import run_chore
from bot.discord_ui.admin.chores import Chore
from bot.discord_ui.admin.machine import check_machine
from bot.discord_ui.answers import answer
from bot.discord_ui.cards import note_card
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.markup import code
from bot.discord_ui.reply import Reply
from bot.discord_ui.styles.keeping import with_shelf
from bot.downloads.adding import SHELVES, Wish, add_bytes, add_model
from bot.downloads.links import local_name, shown_source
from bot.errors import RequestRefused
from bot.requests.naming import checkpoint_named, unknown
from inference.api.lookup import find_vae
from inference.api.result import Inventory
from inference.api.tools import METHODS, PRECISIONS, Advanced, Check, Checked, Convert, Finding, Made, Merge
from inference.client.tool import run_tool

Group = app_commands.Group
MEBIBYTE: Final = 1 << 20
_KINDS: Final = [app_commands.Choice(name=kind, value=kind) for kind in SHELVES]
_PRECISIONS: Final = [app_commands.Choice(name=f"{name}: {about}", value=name) for name, about in PRECISIONS.items()]
_METHODS: Final = [app_commands.Choice(name=f"{name}: {about}", value=name) for name, about in METHODS.items()]
_PRUNING: Final = [
    app_commands.Choice(name="no: keep everything", value="no"),
    app_commands.Choice(name="no-ema: leave averaged weights out", value="no-ema"),
    app_commands.Choice(name="ema-only: averaged weights in place of the others", value="ema-only"),
]
_FORMATS: Final = [app_commands.Choice(name=name, value=name) for name in ("safetensors", "ckpt")]
_ONE: Final = "Give a link or name as source, or attach a file: one of the two."


def add_models(group: Group, desk: Desk) -> None:
    """Add `/admin model` to `group`."""
    models = Group(
        name="model", description="Models on the operator's machine: for this Easel's operators", parent=group
    )
    _add_add(models, desk)
    _add_convert(models, desk)
    _add_merge(models, desk)
    _add_check(models, desk)
    _add_jobs(models, desk)


def _add_add(models: Group, desk: Desk) -> None:
    @models.command(name="add", description="Download a model, or take an attached one, and put it into its folder")
    @app_commands.describe(
        source="A link (https://…), or a name on Hugging Face: owner/repo or owner/repo:file.safetensors",
        file="In its place: a LoRA, an embedding or the like",
        kind="What it is; else told by its content",
        sha256="The digest that it must have",
        name="What it is called here",
        insist="Take a pickle too; it is read without running what is in it",
    )
    @app_commands.choices(kind=_KINDS)
    async def add(  # noqa: PLR0917 - the options of a command are its arguments
        interaction: Asked,
        source: str = "",
        file: discord.Attachment | None = None,
        kind: str = "",
        sha256: str = "",
        name: str = "",
        insist: bool = False,
    ) -> None:
        check_machine(desk, interaction)
        if bool(source.strip()) == (file is not None):
            raise RequestRefused(_ONE)
        named = file.filename if file is not None else shown_source(source)
        wish = Wish(source=source if file is None else named, kind=kind, sha256=sha256, name=name, insist=insist)

        async def work(chore: Chore) -> tuple[Reply, str]:
            if file is not None:
                added = await add_bytes(await _attached(file), wish, desk.ways)
            else:
                added = await add_model(wish, desk.ways, heard=lambda done, of: chore.move(done, of, "downloading"))
            return added_card(
                chore, added
            ), f"Added {code(added.path.name)}, {added.label}, from {code(named, limit=200)}"

        if file is not None:
            _check_attached(desk, file, wish)
        await run_chore(desk, interaction, f"Adding {code(named, limit=200)}", work, kept=file is None)


def _check_attached(desk: Desk, file: discord.Attachment, wish: Wish) -> None:
    """Raise RequestRefused for what is not fetched at all."""
    limit = desk.settings.downloads.attached_mib
    if file.size > limit * MEBIBYTE:
        raise RequestRefused(
            f"That file has {file.size / MEBIBYTE:,.1f} MiB; at most {limit:g} are taken. Give a link instead."
        )
    local_name(wish.name, file.filename, insist=wish.insist)


async def _attached(file: discord.Attachment) -> bytes:
    try:
        return await file.read()
    except discord.HTTPException as error:
        raise RequestRefused("That file could not be fetched from Discord; send it again.") from error


def _add_convert(models: Group, desk: Desk) -> None:
    @models.command(description="Write a checkpoint anew: another precision, smaller, mended, another VAE")
    @app_commands.describe(
        model="Which one; it stays as it is",
        precision="Of its numbers; half precision if none is chosen",
        prune="What becomes of averaged weights",
        bake_vae="A VAE that is put into it",
        fix_clip="Write the right position ids into its text encoder",
        drop_junk="Leave out what trainers left in",
        name="Of the new file; else it tells what was done",
        format="Of the new file",
    )
    @app_commands.choices(precision=_PRECISIONS, prune=_PRUNING, format=_FORMATS)
    async def convert(  # noqa: PLR0917 - the options of a command are its arguments
        interaction: Asked,
        model: str,
        precision: str = "fp16",
        prune: str = "no",
        bake_vae: str = "",
        fix_clip: bool = False,
        drop_junk: bool = False,
        name: str = "",
        format: str = "safetensors",  # noqa: A002 - the option's name
    ) -> None:
        check_machine(desk, interaction)
        source = await with_shelf(desk, lambda shelf: checkpoint_named(model.strip() or " ", shelf))
        command = Convert(
            source=_absolute(source.path),
            precision=cast("Any", precision),
            pruning=cast("Any", prune),
            fix_clip=fix_clip,
            drop_junk=drop_junk,
            bake_vae=await _vae(desk, bake_vae),
            formats=(cast("Any", format),),
            name=name.strip(),
        )
        await _make(desk, interaction, command, title=f"Converting {code(source.name)}")

    @convert.autocomplete("model")
    async def suggest(interaction: Asked, typed: str) -> list[app_commands.Choice[str]]:
        del interaction
        return _models(desk, typed)

    @convert.autocomplete("bake_vae")
    async def suggest_vae(interaction: Asked, typed: str) -> list[app_commands.Choice[str]]:
        del interaction
        return _vaes(desk, typed)


def _add_merge(models: Group, desk: Desk) -> None:
    @models.command(description="Merge two or three checkpoints of one family into a new one")
    @app_commands.describe(
        a="The first; one for inpainting must be this one",
        b="The one that is mixed in",
        c="The one that is taken away from B, for add-difference",
        method="How; a weighted sum if none is chosen",
        multiplier="M, from 0 to 1; 0.3 if none is said",
        half="Store merged weights in half precision",
        bake_vae="A VAE that is put into it",
        discard="Leave out weights whose names this regular expression finds",
        name="Of the new file; else it tells how it was merged",
    )
    @app_commands.choices(method=_METHODS)
    async def merge(  # noqa: PLR0917 - the options of a command are its arguments
        interaction: Asked,
        a: str,
        b: str = "",
        c: str = "",
        method: str = "weighted-sum",
        multiplier: float = 0.3,
        half: bool = False,
        bake_vae: str = "",
        discard: str = "",
        name: str = "",
    ) -> None:
        check_machine(desk, interaction)

        async def found(text: str) -> str:
            if not text.strip():
                return ""
            return _absolute((await with_shelf(desk, lambda shelf: checkpoint_named(text, shelf))).path)

        command = Merge(
            a=await found(a),
            b=await found(b),
            c=await found(c),
            method=cast("Any", method),
            multiplier=multiplier,
            half=half,
            bake_vae=await _vae(desk, bake_vae),
            discard=discard,
            name=name.strip(),
        )
        sides = ", ".join(code(Path(path).stem) for path in (command.a, command.b, command.c) if path)
        await _make(desk, interaction, command, title=f"Merging {sides}")

    for option in ("a", "b", "c"):

        @merge.autocomplete(option)
        async def suggest(interaction: Asked, typed: str) -> list[app_commands.Choice[str]]:
            del interaction
            return _models(desk, typed)

    @merge.autocomplete("bake_vae")
    async def suggest_vae(interaction: Asked, typed: str) -> list[app_commands.Choice[str]]:
        del interaction
        return _vaes(desk, typed)


def _add_check(models: Group, desk: Desk) -> None:
    @models.command(name="check", description="Read every model file whole, and say what is wrong with each")
    async def check(interaction: Asked) -> None:
        check_machine(desk, interaction)
        roots = tuple(map(str, desk.settings.model_folders))
        command = Check(roots=roots, cache=str(desk.settings.data / "cache"))

        async def work(chore: Chore) -> tuple[Reply, str]:
            findings: list[Finding] = []

            def heard(report: Advanced | Finding) -> None:
                if isinstance(report, Finding):
                    findings.append(report)
                else:
                    chore.move(report.done, report.total, report.stage)

            return checked_card(await run_tool(command, Checked, heard=heard), findings), ""

        await run_chore(desk, interaction, "Checking the models", work)


def _add_jobs(models: Group, desk: Desk) -> None:
    @models.command(description="What is being done to the models, and how far it is")
    async def jobs(interaction: Asked) -> None:
        check_machine(desk, interaction)
        await answer(interaction, jobs_card(desk.chores.running))

    @models.command(description="End something that is being done to the models")
    @app_commands.describe(job="Its number")
    async def cancel(interaction: Asked, job: int) -> None:
        check_machine(desk, interaction)
        chore = desk.chores.cancel(job)
        await answer(interaction, note_card(f"🛑 {chore.title} is being cancelled."))

    @cancel.autocomplete("job")
    async def suggest(interaction: Asked, typed: str) -> list[app_commands.Choice[int]]:
        del interaction
        shown = ((f"{chore.number}: {chore.title}".replace("`", ""), chore.number) for chore in desk.chores.running)
        return [app_commands.Choice(name=name[:100], value=number) for name, number in shown if str(typed) in name]


async def _make(desk: Desk, asked: Asked, command: Convert | Merge, *, title: str) -> None:
    async def work(chore: Chore) -> tuple[Reply, str]:
        def heard(report: Advanced | Finding) -> None:
            if isinstance(report, Advanced):
                chore.move(report.done, report.total, report.stage)

        made = await run_tool(command, Made, heard=heard)
        names = ", ".join(code(Path(path).name) for path in made.paths)
        return made_card(chore, made), f"{title} gave {names}"

    await run_chore(desk, asked, title, work)


async def _vae(desk: Desk, text: str) -> str:
    """The path of the VAE that `text` means; empty for none. Raises Unknown."""
    if not text.strip():
        return ""

    def named(shelf: Inventory) -> str:
        found = find_vae(shelf, text)
        if found is None:
            raise unknown("VAE", text, (info.name for info in shelf.vaes))
        return found.path

    return _absolute(await with_shelf(desk, named))


def _absolute(path: str) -> str:
    return str(Path(path).absolute())


def _models(desk: Desk, typed: str) -> list[app_commands.Choice[str]]:
    desk.look()
    return [app_commands.Choice(name=each.name, value=each.value) for each in options.models(desk.shelf(), typed)]


def _vaes(desk: Desk, typed: str) -> list[app_commands.Choice[str]]:
    desk.look()
    found = options.names((info.name for info in desk.shelf().vaes), typed)
    return [app_commands.Choice(name=each.name, value=each.value) for each in found]
