"""A job whose pictures have words of their own paints each as a job of that picture alone would."""

from pathlib import Path

import msgspec
import pytest

from inference.api.errors import RequestInvalid
from inference.api.infotext import parse_parameters
from inference.api.request import Drawn, GenerationRequest, Prompt
from inference.api.single import single
from inference.api.wire import Event, Finished, Submit
from inference.engine.loop import Engine
from inference.engine.studio import Studio
from tests.unit.inference.models.test_dressed_jobs import apart, picture, request, studio

__all__ = ["studio"]

TEXTS = (
    ("a fox <lora:bold:0.8>", "fog"),
    ("a fox", "fog"),
    ("a fox <lora:bold:-0.3>, zorblat", "fog"),
    ("a fox", "fog"),
)


def drawn_job() -> GenerationRequest:
    """Four pictures of four texts, of which two are the same."""
    words = Drawn("a fox {<lora:bold:{0.8|-0.3}>|}", "fog", TEXTS)
    return msgspec.structs.replace(request(""), prompt=Prompt(*TEXTS[0]), count=4, drawn=words)


def finished(studio: Studio, *requests: GenerationRequest) -> list[Finished]:
    """What comes of jobs that are painted one after the other."""
    events: list[Event] = []
    engine = Engine(prepare=studio.prepare, send=events.append, forwards=studio.forwards, free=studio.free)
    for job, each in enumerate(requests):
        engine.submit(Submit(job, each))
        while engine.running:
            engine.turn()
    return [event for event in events if isinstance(event, Finished)]


def test_each_picture_is_painted_from_its_own_words(studio: Studio, tmp_path: Path) -> None:
    """The pictures, and their texts with hashes of LoRAs and learned words, are those of four jobs of one picture."""
    job = drawn_job()
    together, *alone = finished(studio, job, *(single(job, index) for index in range(4)))
    assert len(together.images) == len(alone) == 4
    for index, (image, other) in enumerate(zip(together.images, alone, strict=True)):
        assert image.infotext == other.images[0].infotext
        assert image.infotext.startswith(TEXTS[index][0])
        assert ("Lora hashes" in image.infotext) == ("lora" in TEXTS[index][0])
        assert ("TI hashes" in image.infotext) == ("zorblat" in TEXTS[index][0])
        own = msgspec.structs.replace(together, images=(image,))
        assert apart(picture(own), picture(other)) <= 1


def test_the_text_tells_the_template_and_is_read_without_it() -> None:
    """A picture's own request keeps the template; its prompt, and what a reader of the text gets, are the words drawn."""
    one = single(drawn_job(), 2)
    assert isinstance(one, GenerationRequest)
    assert one.prompt == Prompt(*TEXTS[2])
    assert one.drawn == Drawn("a fox {<lora:bold:{0.8|-0.3}>|}", "fog")
    text = 'a fox\nNegative prompt: fog\nSteps: 3, Sampler: Euler, CFG scale: 3, Template: "a {fox|cat}", Negative Template: fog'
    read = parse_parameters(text)
    assert (read["Prompt"], read["Template"]) == ("a fox", "a {fox|cat}")


def test_words_are_for_every_picture_or_for_none() -> None:
    """A job of four pictures cannot have words for three."""
    with pytest.raises(RequestInvalid, match="some for each picture"):
        msgspec.structs.replace(drawn_job(), count=3)
