"""Regions in whole jobs: on txt2img, in the second pass, beside other jobs, and in the picture's text."""

import msgspec
import numpy as np

from inference.api.infotext import read_infotext
from inference.api.regional import Region, Regional
from inference.api.request import GenerationRequest, Hires, Prompt
from inference.api.wire import Event, Finished, Submit
from inference.engine.loop import Engine
from inference.engine.studio import Studio
from tests.unit.inference.models.test_drawn_words import finished
from tests.unit.inference.models.test_dressed_jobs import apart, picture, request, studio

__all__ = ["studio"]

HALVES = Regional(
    (
        Region((1, 2), rows=(0, 1), columns=(0, 1), weight=1.0),
        Region((1, 2), rows=(0, 1), columns=(1, 2), weight=1.0),
    ),
    end_step=30,
)
WORDS = Prompt("a fox AND a very old lighthouse", "fog")


def halves(regional: Regional | None = HALVES) -> GenerationRequest:
    """A fox on the left, a lighthouse on the right."""
    return msgspec.structs.replace(request(""), prompt=WORDS, regional=regional)


def test_regions_change_the_picture_and_are_told(studio: Studio) -> None:
    """The picture is another one than without regions, and its text says where they were."""
    with_regions, without = finished(studio, halves(), halves(None))
    assert with_regions.images[0].data != without.images[0].data
    said = read_infotext(with_regions.images[0].infotext).parameters["Latent Couple"]
    assert said == "divisions=1:2,1:2 positions=0:0,0:1 weights=1,1 end at step=30"


def test_a_job_with_regions_shares_its_steps_with_others(studio: Studio) -> None:
    """Painted beside a job without regions, both are what they are alone (to the rounding of a batch), in fewer forwards."""
    jobs = (halves(), halves(None))
    before = studio.forwards.calls
    alone = finished(studio, *jobs)
    needed = studio.forwards.calls - before
    events: list[Event] = []
    engine = Engine(prepare=studio.prepare, send=events.append, forwards=studio.forwards, free=studio.free)
    for number, job in enumerate(jobs):
        engine.submit(Submit(number, job))
    while engine.running:
        engine.turn()
    assert studio.forwards.calls - before - needed < needed
    together = sorted((event for event in events if isinstance(event, Finished)), key=lambda event: event.job)
    for one, other in zip(alone, together, strict=True):
        assert apart(picture(one), picture(other)) <= 2


def test_the_second_pass_has_regions_on_its_own_grid(studio: Studio) -> None:
    """Hires fix keeps the places: its picture differs from one whose second pass guides everywhere."""
    hires = Hires(scale=2.0, denoising_strength=0.9, upscaler="latent")
    kept = msgspec.structs.replace(halves(), hires=hires)
    elsewhere = msgspec.structs.replace(halves(Regional(HALVES.regions, end_step=0)), hires=hires)
    first, second = finished(studio, kept, elsewhere)
    assert first.images[0].width == 2 * kept.canvas.width
    assert first.images[0].data != second.images[0].data


def test_places_keep_to_themselves(studio: Studio) -> None:
    """With the end beyond the last step, other words on the right change the right half more than the left one."""
    other = msgspec.structs.replace(halves(), prompt=Prompt("a fox AND a green balloon in the sky", "fog"))
    one, two = (picture(each) for each in finished(studio, halves(), other))
    difference = np.abs(one - two)
    width = difference.shape[1] // 2
    assert difference[:, width:].mean() > difference[:, :width].mean() > 0
