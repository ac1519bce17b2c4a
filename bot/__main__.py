"""Easel's command line: `python run.py` (the bot, or the sandbox without a token) and the commands beside it.

Owns the words of the command line. What a command does lives in `bot.commands` and `bot.app`.
"""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from bot.commands.model_line import app as models
from bot.errors import EaselError
from bot.logs import set_up_logging
from bot.settings import PROJECT, load_settings

app = App(
    name="run.py",
    help="Easel: a Stable Diffusion studio that lives in a Discord server.",
    version="0.1.0",
    result_action="return_value",
)
db = App(name="db", help="Look after the database: jobs, pictures, styles, seeds.")
app.command(db)
app.command(models)
CONFIG = PROJECT / "config.toml"


@app.default
def run(*, verbose: bool = False) -> int:
    """Start the bot. Without EASEL_DISCORD_TOKEN it opens a page that stands in for Discord.

    Parameters
    ----------
    verbose
        Log everything, discord.py's words too.
    """
    from bot.app import run_easel

    set_up_logging(verbose=verbose)
    return asyncio.run(run_easel(load_settings(CONFIG)))


@app.command
def imagine(
    prompt: str = "",
    *,
    negative: str = "",
    seed: int | None = None,
    steps: int | None = None,
    size: str | None = None,
    cfg: float | None = None,
    sampler: str | None = None,
    model: str | None = None,
    infotext: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    out: Path = Path("easel.png"),
) -> int:
    """Paint one picture from the shell, with the same engine and the same parameters in the file.

    Parameters
    ----------
    prompt
        What to paint.
    negative
        What to avoid.
    seed
        Whole number; a random one if none is given.
    steps
        Sampler steps.
    size
        Width and height, as in 512x768; the model's own size if none is given.
    cfg
        How strongly the prompt pulls.
    sampler
        Sampler by name.
    model
        Checkpoint by name or hash.
    infotext
        Paint what a text of parameters says: a text file, or a PNG, JPEG or WebP that carries one; - is standard input.
        Other options count more.
    out
        File to write: .png, .jpg or .webp, each with its parameters inside.
    """
    from bot.commands.imagine import Wish, paint_to_file, read_text

    set_up_logging()
    wish = Wish(
        prompt=prompt,
        negative=negative,
        seed=seed,
        steps=steps,
        size=size,
        cfg=cfg,
        sampler=sampler,
        model=model,
        infotext=None if infotext is None else read_text(infotext),
    )
    return asyncio.run(paint_to_file(load_settings(CONFIG), wish, out=out))


@app.command
def doctor() -> int:
    """Look at the machine, the models, the database and the token, and say what to do about each."""
    from bot.commands.doctor import examine

    set_up_logging()
    return asyncio.run(examine(load_settings(CONFIG)))


@db.command
def backup(target: Path) -> int:
    """Copy the database to a new file, also while the bot runs.

    Parameters
    ----------
    target
        File to write; it must not exist yet.
    """
    from bot.commands.db import back_up_database

    return back_up_database(load_settings(CONFIG), target)


@db.command
def check() -> int:
    """Check every page of the database and every picture file, also while the bot runs."""
    from bot.commands.db import check_database

    return check_database(load_settings(CONFIG))


@app.command
def test(*arguments: Annotated[str, Parameter(allow_leading_hyphen=True)]) -> int:
    """Check style, types and layers, then run every test. Arguments go to pytest.

    Parameters
    ----------
    arguments
        For example a folder of tests, or -k and a word.
    """
    from bot.commands.test import check_all

    return check_all(arguments)


def main() -> int:
    """Run the command line; an error that is ours becomes a sentence and the exit status 1."""
    try:
        return app() or 0
    except EaselError as error:
        print(error.sentence, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
