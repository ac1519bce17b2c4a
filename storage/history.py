"""What is kept of somebody's jobs after they have been shown: everything, or nothing, as the person chose.

Owns what "nothing" means: the pictures go with their files, and of the job stays who asked, when, and what it cost, which
quotas and statistics are made of. Of each picture stays its number, so that its buttons can say why it is gone.
"""

from typing import Final

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from inference.api.request import Canvas, GenerationRequest, ModelRef, Prompt, Seeds
from storage.discards import note, remove_images
from storage.gallery_tables import unkept
from storage.rows import to_json
from storage.tables import images, job_sources, jobs, people

UNKEPT: Final = "unkept"
"""The kind of a job of which nothing is kept."""
_NOTHING: Final = to_json(
    GenerationRequest(prompt=Prompt(""), canvas=Canvas(64, 64), seeds=Seeds(0), model=ModelRef(""))
)


async def keeps_history(connection: AsyncConnection, person: int) -> bool:
    """Whether this person's pictures are kept; they are unless they chose otherwise."""
    chosen = (await connection.execute(select(people.c.history).where(people.c.id == person))).scalar_one_or_none()
    return chosen is None or bool(chosen)


async def let_go(connection: AsyncConnection, job: int) -> None:
    """Keep nothing of `job`, which has ended. Note its files; `Discards.clear` belongs after it."""
    theirs = images.c.job == job
    numbers = insert(unkept).prefix_with("OR IGNORE")
    await connection.execute(
        numbers.from_select(["image", "person"], select(images.c.id, images.c.person).where(theirs))
    )
    await remove_images(connection, theirs)
    sources = job_sources.c.job == job
    await note(connection, select(job_sources.c.sha256).where(sources))
    await connection.execute(delete(job_sources).where(sources))
    blank = {
        "kind": UNKEPT,
        "prompt": "",
        "request": _NOTHING,
        "notes": "[]",
        "styles": "[]",
        "parent": None,
        "origin": None,
        "interaction_token": "",
    }
    await connection.execute(update(jobs).where(jobs.c.id == job).values(blank))
