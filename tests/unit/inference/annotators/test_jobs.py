"""Maps as jobs of their own, through the studio and the real loop: what comes back, company, cancelling, refusals."""

import hashlib
import io

import pytest
from PIL import Image

from bot.settings import PROJECT
from inference.api.control import Preprocessor, PreprocessRequest
from inference.api.errors import FailureCode
from inference.api.wire import EngineSettings, Event, Failed, Finished, Started, Submit
from inference.engine.loop import Engine
from inference.engine.studio import Studio
from tests.unit.inference.annotators.running import drawing, noise


def sent(picture: Image.Image) -> tuple[str, dict[str, bytes]]:
    """A picture's name, and as it travels beside a request."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    name = hashlib.sha256(buffer.getvalue()).hexdigest()
    return name, {name: buffer.getvalue()}


NAME, HOUSE = sent(drawing())


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """A studio over what ships with Easel."""
    cache = tmp_path_factory.mktemp("cache")
    return Studio(EngineSettings(roots=(str(PROJECT / "models"),), cache=str(cache), device="cpu"))


def asked(id: str, **how: object) -> PreprocessRequest:  # noqa: A002
    """For the map of the drawing."""
    return PreprocessRequest(picture=NAME, preprocessor=Preprocessor(id, **how))


def begun(
    studio: Studio, *requests: PreprocessRequest, sources: dict[str, bytes] = HOUSE
) -> tuple[Engine, list[Event]]:
    """An engine with these jobs, submitted and not turned yet, and where its events go."""
    events: list[Event] = []
    engine = Engine(prepare=studio.prepare, send=events.append, free=studio.free)
    for job, request in enumerate(requests):
        engine.submit(Submit(job, request, attachments=sources, lane=str(job)))
    return engine, events


def run(studio: Studio, *requests: PreprocessRequest, sources: dict[str, bytes] = HOUSE) -> list[Event]:
    """All events of jobs that were asked for at once."""
    engine, events = begun(studio, *requests, sources=sources)
    while engine.running:
        engine.turn()
    return events


def refused(studio: Studio, request: PreprocessRequest, *, sources: dict[str, bytes] = HOUSE) -> Failed:
    """How the job failed."""
    last = run(studio, request, sources=sources)[-1]
    assert isinstance(last, Failed), last
    return last


def test_a_map_comes_back_as_one_picture(studio: Studio) -> None:
    """Its text says which preprocessor made it and told what; the same text stands in the file."""
    started, finished = run(studio, asked("canny", resolution=128, threshold_a=50))
    assert isinstance(started, Started)
    assert isinstance(finished, Finished)
    (image,) = finished.images
    assert (image.width, image.height) == (171, 128)
    assert image.infotext == "Preprocessor: canny, Processor Res: 128, Threshold A: 50, Threshold B: 200, Size: 171x128"
    with Image.open(io.BytesIO(image.data)) as picture:
        assert picture.text["parameters"] == image.infotext
        assert len(picture.convert("RGB").getcolors()) == 2


def test_jobs_with_one_network_share_a_call(studio: Studio) -> None:
    """Two people ask for lines of pictures of different size at once: one forward for both."""
    other, more = sent(noise((80, 120)))
    request = PreprocessRequest(picture=other, preprocessor=Preprocessor("mlsd", resolution=64))
    engine, events = begun(studio, asked("mlsd", resolution=64), request, sources=HOUSE | more)
    calls = engine.forwards.calls
    while engine.running:
        engine.turn()
    assert engine.forwards.calls == calls + 1
    sizes = {
        event.job: (event.images[0].width, event.images[0].height) for event in events if isinstance(event, Finished)
    }
    assert sizes == {0: (85, 64), 1: (64, 96)}


def test_a_map_can_be_cancelled_before_its_network_runs(studio: Studio) -> None:
    """Once admitted it waits for the network like any other work, and ends at once when it is cancelled."""
    engine, events = begun(studio, asked("mlsd"), asked("mlsd"))
    engine.cancel(1)
    engine.turn()
    engine.cancel(0)
    assert not engine.running
    codes = [(event.job, event.code) for event in events if isinstance(event, Failed)]
    assert (1, FailureCode.CANCELLED) in codes


def test_nobody_in_the_picture_is_said(studio: Studio) -> None:
    """A pose of a picture without people is black, and the note says that nobody was found."""
    name, sources = sent(Image.new("RGB", (200, 100), "white"))
    last = run(studio, PreprocessRequest(picture=name, preprocessor=Preprocessor("openpose")), sources=sources)[-1]
    assert isinstance(last, Finished)
    assert "No person was found in the control picture" in last.notes[0]
    assert last.images[0].infotext.startswith("Preprocessor: openpose, Processor Res: 512")


@pytest.mark.parametrize(
    ("request_", "code", "words"),
    [
        (asked("canned"), FailureCode.BAD_REQUEST, "no preprocessor called “canned” here; choose one from the list."),
        (asked("softedge_hed"), FailureCode.UNKNOWN_MODEL, "can put ControlNetHED.pth into models/annotators."),
        (asked("depth_midas"), FailureCode.UNKNOWN_MODEL, "dpt_hybrid-midas-501f0c75.pt or a DPT folder"),
    ],
)
def test_what_cannot_be_made_is_refused(
    studio: Studio, request_: PreprocessRequest, code: FailureCode, words: str
) -> None:
    """An unknown preprocessor, or one whose network is not here, is a sentence with what would be right."""
    failure = refused(studio, request_)
    assert failure.code == code
    assert words in failure.message


def test_pictures_that_are_none_are_refused(studio: Studio) -> None:
    """One that did not come, one that is no picture, one that is far too long."""
    assert "did not arrive" in refused(studio, asked("canny"), sources={}).message
    assert "not a whole PNG, JPEG or WebP picture" in refused(studio, asked("canny"), sources={NAME: b"GIF89a"}).message
    name, sources = sent(Image.new("L", (20_000, 10)))
    failure = refused(studio, PreprocessRequest(picture=name, preprocessor=Preprocessor("canny")), sources=sources)
    assert failure.code == FailureCode.BAD_SOURCE
    assert "20,000 × 10" in failure.message


def test_a_picture_of_one_pixel(studio: Studio) -> None:
    """It has a map, whichever preprocessor is asked that can run here."""
    name, sources = sent(Image.new("RGBA", (1, 1), (9, 9, 9, 100)))
    for kind in ("none", "canny", "openpose", "mlsd", "shuffle", "tile_resample"):
        last = run(studio, PreprocessRequest(picture=name, preprocessor=Preprocessor(kind)), sources=sources)[-1]
        assert isinstance(last, Finished), kind
