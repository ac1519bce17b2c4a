"""Maps that are looked at before painting: past the queue, so many at once, and a sentence where one cannot be made."""

import asyncio
import hashlib
import io

import pytest
from PIL import Image

from bot.errors import LimitReached, RequestRefused
from bot.jobs.maps import WAITING, MapMaker
from inference.api.backend import BackendUnavailable
from inference.api.control import Preprocessor, PreprocessRequest
from inference.api.errors import Failure, FailureCode
from inference.client.fake import FakeBackend
from inference.client.gates import HeldGate


def png() -> bytes:
    """A small picture."""
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(buffer, "PNG")
    return buffer.getvalue()


def request() -> PreprocessRequest:
    """Its edges."""
    return PreprocessRequest(picture=hashlib.sha256(png()).hexdigest(), preprocessor=Preprocessor("canny"))


async def test_a_map_is_made() -> None:
    """A PNG of the painter's; without a painter there is none."""
    painter = FakeBackend()
    maker = MapMaker(painter)
    with pytest.raises(BackendUnavailable):
        await maker.make(request(), picture=png(), person=1, guild=None)
    await painter.start()
    with Image.open(io.BytesIO(await maker.make(request(), picture=png(), person=1, guild=2))) as made:
        assert made.size == (64, 64)


async def test_one_person_waits_for_so_many() -> None:
    """One more is refused, another person's is not; when one is done there is room again."""
    gate = HeldGate()
    painter = FakeBackend(gate=gate)
    await painter.start()
    maker = MapMaker(painter)
    waiting = [asyncio.create_task(maker.make(request(), picture=png(), person=1, guild=None)) for _ in range(WAITING)]
    for number in range(WAITING):
        await gate.reached(-1 - number)
    with pytest.raises(LimitReached, match="are being made"):
        await maker.make(request(), picture=png(), person=1, guild=None)
    other = asyncio.create_task(maker.make(request(), picture=png(), person=2, guild=None))
    await gate.reached(-1 - WAITING)
    gate.open()
    await asyncio.gather(*waiting, other)
    assert await maker.make(request(), picture=png(), person=1, guild=None)


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        (Failure(FailureCode.UNKNOWN_MODEL, "Its network is not here."), "Its network is not here"),
        (Failure(FailureCode.WORKER_DIED, "…"), "broke down while it made the map"),
        (Failure(FailureCode.INTERNAL, ""), "Something went wrong on our side"),
    ],
)
async def test_what_cannot_be_made_is_a_sentence(failure: Failure, sentence: str) -> None:
    """The painter's own, or ours; and the person may try again."""
    gate = HeldGate()
    painter = FakeBackend(gate=gate)
    await painter.start()
    maker = MapMaker(painter)
    making = asyncio.create_task(maker.make(request(), picture=png(), person=1, guild=None))
    point = await gate.reached(-1)
    painter.fail(point.job, failure)
    with pytest.raises(RequestRefused, match=sentence):
        await making
    gate.open()
    assert await maker.make(request(), picture=png(), person=1, guild=None)
