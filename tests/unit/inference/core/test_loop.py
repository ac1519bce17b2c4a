"""The loop: batching like work, joining, cancelling, failing alone, running out of memory."""

from collections.abc import Sequence

import pytest
import torch
from PIL import Image
from torch import Tensor

from inference.api.errors import FailureCode
from inference.api.wire import Event, Failed, Finished, Preview, Progress
from inference.engine.forward import Forwards, PaintingModel, Row
from inference.engine.job import Prepared, Track
from inference.engine.loop import Engine
from inference.engine.work import Painting, Show, Together
from tests.unit.inference.core.paintings import descent, guide, kinds, prepared, submit, tiny_model

LONG, SHORT = (14.6, 5.0, 2.0, 0.5), (10.0, 1.0)


@pytest.fixture(scope="module")
def model() -> PaintingModel:
    """One model for all tests here; nothing changes it."""
    return tiny_model()


class Counted(Forwards):
    """Forwards that write down how many rows each UNet call had."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[int] = []

    def evaluate(self, model: PaintingModel, rows: Sequence[Row]) -> Tensor:
        """Note, then run."""
        self.batches.append(len(rows))
        return super().evaluate(model, rows)


class Narrow(Counted):
    """A device on which no more than `room` rows fit."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room

    def evaluate(self, model: PaintingModel, rows: Sequence[Row]) -> Tensor:
        """Refuse as CUDA does, or run."""
        if len(rows) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return super().evaluate(model, rows)


def engine_of(
    jobs: dict[int, Prepared], *, forwards: Forwards | None = None, preview_every: int = 0, max_rows: int = 16
):
    """An engine that knows `jobs`, and the list its events go to."""
    events: list[Event] = []
    return (
        Engine(
            prepare=lambda command: jobs[command.job],
            send=events.append,
            forwards=forwards,
            preview_every=preview_every,
            max_rows=max_rows,
        ),
        events,
    )


def run(engine: Engine) -> None:
    """Turn until nothing is left."""
    for _ in range(1000):
        if not engine.running:
            return
        engine.turn()
    raise AssertionError("the engine did not come to an end")


def track(model: PaintingModel, seed: int, sigmas: tuple[float, ...], finals: list[Tensor], **how: float) -> Track:
    """A picture painted by Euler's method."""
    return Track(descent(seed, sigmas, finals), model=model, guide=guide(seed=seed, **how))


def alone(model: PaintingModel, seed: int, sigmas: tuple[float, ...], **how: float) -> Tensor:
    """The final latent of a picture that nobody shares a batch with."""
    finals: list[Tensor] = []
    engine, _ = engine_of({1: prepared(track(model, seed, sigmas, finals, **how))})
    engine.submit(submit(1))
    run(engine)
    return finals[0]


def test_a_picture_does_not_depend_on_company(model: PaintingModel) -> None:
    """Latents agree to 1e-4 of their size whether a picture is painted alone or among others at other steps."""
    first: list[Tensor] = []
    second: list[Tensor] = []
    third: list[Tensor] = []
    engine, _ = engine_of(
        {
            1: prepared(track(model, 1, LONG, first)),
            2: prepared(track(model, 2, SHORT, second, cfg_scale=1.5)),
            3: prepared(track(model, 3, LONG, third, cfg_scale=12.0, tokens=154)),
        }
    )
    for job in (1, 2, 3):
        engine.submit(submit(job))
    run(engine)
    for finals, seed, sigmas, how in (
        (first, 1, LONG, {}),
        (second, 2, SHORT, {"cfg_scale": 1.5}),
        (third, 3, LONG, {"cfg_scale": 12.0, "tokens": 154}),
    ):
        expected = alone(model, seed, sigmas, **how)
        assert (finals[0] - expected).abs().max() <= 1e-4 * expected.abs().max().clamp(min=1)


def test_different_jobs_share_a_forward(model: PaintingModel) -> None:
    """Jobs with other steps, sigmas and CFG scales run as rows of one UNet call."""
    forwards = Counted()
    jobs = {1: prepared(track(model, 1, LONG, [])), 2: prepared(track(model, 2, LONG[:3], [], cfg_scale=2.0))}
    engine, events = engine_of(jobs, forwards=forwards)
    engine.submit(submit(1))
    engine.submit(submit(2))
    run(engine)
    assert forwards.batches == [4, 4, 4, 2]
    assert kinds(events).count("Finished") == 2


def test_unequal_lengths_are_two_calls(model: PaintingModel) -> None:
    """A longer prompt and a shorter negative go through the UNet apart, as in the webui, never padded."""
    forwards = Counted()
    engine, events = engine_of({1: prepared(track(model, 1, SHORT, [], tokens=154))}, forwards=forwards)
    engine.submit(submit(1))
    run(engine)
    assert forwards.batches == [1, 1, 1, 1]
    assert isinstance(events[-1], Finished)


def test_a_new_job_joins_at_the_next_step(model: PaintingModel) -> None:
    """A job that comes in the middle of another shares the very next forward."""
    forwards = Counted()
    engine, _ = engine_of(
        {1: prepared(track(model, 1, LONG, [])), 2: prepared(track(model, 2, SHORT, []))}, forwards=forwards
    )
    engine.submit(submit(1))
    engine.turn()
    engine.submit(submit(2))
    engine.turn()
    assert forwards.batches == [2, 4]


def test_cancel_frees_at_once(model: PaintingModel) -> None:
    """A cancelled job answers Failed before the next step, and takes no further part."""
    forwards = Counted()
    engine, events = engine_of(
        {1: prepared(track(model, 1, LONG, [])), 2: prepared(track(model, 2, LONG, []))}, forwards=forwards
    )
    engine.submit(submit(1))
    engine.submit(submit(2))
    engine.turn()
    engine.turn()
    engine.cancel(2)
    assert isinstance(events[-1], Failed)
    assert events[-1].code is FailureCode.CANCELLED
    assert engine.running == 1
    engine.turn()
    assert forwards.batches == [4, 4, 2]


def test_cancel_of_a_waiting_or_unknown_job(model: PaintingModel) -> None:
    """A job that was not begun can be cancelled; an unknown one is ignored."""
    engine, events = engine_of({1: prepared(track(model, 1, SHORT, []))})
    engine.submit(submit(1))
    engine.cancel(99)
    engine.cancel(1)
    assert [(event.job, event.code) for event in events if isinstance(event, Failed)] == [(1, FailureCode.CANCELLED)]
    assert engine.running == 0


def broken(sigmas: tuple[float, ...]):
    """A picture that raises after its first estimate."""
    finals: list[Tensor] = []
    painting = descent(5, sigmas, finals)
    answer = yield next(painting)
    del answer
    raise ZeroDivisionError("on purpose")


def test_a_failing_job_leaves_the_others_alone(model: PaintingModel, caplog: pytest.LogCaptureFixture) -> None:
    """A generator that raises ends its own job with `internal`; its neighbour's picture is as ever."""
    finals: list[Tensor] = []
    bad = Track(broken(LONG), model=model, guide=guide())
    engine, events = engine_of({1: prepared(bad), 2: prepared(track(model, 2, LONG, finals))})
    engine.submit(submit(1))
    engine.submit(submit(2))
    run(engine)
    failures = [event for event in events if isinstance(event, Failed)]
    assert [(failure.job, failure.code) for failure in failures] == [(1, FailureCode.INTERNAL)]
    assert "ZeroDivisionError" in caplog.text
    assert "ZeroDivisionError" not in failures[0].message
    torch.testing.assert_close(finals[0], alone(model, 2, LONG), atol=1e-4, rtol=1e-4)


def test_a_forward_that_fails_is_blamed_on_the_guilty(model: PaintingModel) -> None:
    """Where a batch raises, each of its jobs runs alone, and only the one that still raises ends."""

    class Poisoned(Counted):
        def evaluate(self, model: PaintingModel, rows: Sequence[Row]) -> Tensor:
            if any(row.sigma == 13.0 for row in rows):
                raise RuntimeError("a kernel failed")
            return super().evaluate(model, rows)

    jobs = {1: prepared(track(model, 1, LONG, [])), 2: prepared(track(model, 2, (13.0, 1.0), []))}
    engine, events = engine_of(jobs, forwards=Poisoned())
    engine.submit(submit(1))
    engine.submit(submit(2))
    run(engine)
    assert {type(event).__name__: event.job for event in events if isinstance(event, Failed | Finished)} == {
        "Failed": 2,
        "Finished": 1,
    }


def test_out_of_memory_shrinks_the_batch(model: PaintingModel) -> None:
    """When eight rows do not fit, four do; the width is remembered and the pictures are the same."""
    forwards, finals = Narrow(4), list[Tensor]()
    tracks = [track(model, seed, SHORT, finals) for seed in range(4)]
    engine, events = engine_of({1: prepared(*tracks)}, forwards=forwards)
    engine.submit(submit(1))
    run(engine)
    assert isinstance(events[-1], Finished)
    assert forwards.batches == [4, 4, 4, 4]
    torch.testing.assert_close(finals[2], alone(model, 2, SHORT), atol=1e-4, rtol=1e-4)


def test_out_of_memory_frees_first(model: PaintingModel) -> None:
    """What nobody uses is given up before a batch is made smaller."""
    forwards = Narrow(1)

    def free() -> bool:
        forwards.room = 16
        return True

    events: list[Event] = []
    job = prepared(track(model, 1, SHORT, []))
    engine = Engine(prepare=lambda _: job, send=events.append, forwards=forwards, free=free, preview_every=0)
    engine.submit(submit(1))
    run(engine)
    assert forwards.batches == [2, 2]
    assert isinstance(events[-1], Finished)


def test_out_of_memory_at_one_row_is_a_sentence(model: PaintingModel) -> None:
    """A picture that cannot fit at all fails with words, and the engine goes on."""
    forwards = Narrow(0)
    engine, events = engine_of(
        {1: prepared(track(model, 1, SHORT, [])), 2: prepared(track(model, 2, SHORT, []))}, forwards=forwards
    )
    engine.submit(submit(1))
    run(engine)
    assert isinstance(events[-1], Failed)
    assert events[-1].code is FailureCode.OUT_OF_MEMORY
    forwards.room = 16
    engine.submit(submit(2))
    run(engine)
    assert isinstance(events[-1], Finished)


def test_a_single_picture_is_not_starved(model: PaintingModel) -> None:
    """A picture of another lane and size is done long before sixteen of a busy lane are."""
    plot = [track(model, seed, LONG * 3, []) for seed in range(8)]
    single = Track(descent(50, SHORT, [], side=4), model=model, guide=guide(seed=50))
    engine, events = engine_of({1: prepared(*plot), 2: prepared(single)})
    engine.submit(submit(1, "busy"))
    engine.turn()
    engine.submit(submit(2, "quick"))
    for _ in range(8):
        engine.turn()
    assert [event.job for event in events if isinstance(event, Finished)] == [2]


def test_batches_keep_to_the_limit(model: PaintingModel) -> None:
    """No forward has more rows than the settings allow."""
    forwards = Counted()
    tracks = [track(model, seed, SHORT, []) for seed in range(5)]
    engine, _ = engine_of({1: prepared(*tracks)}, forwards=forwards, max_rows=4)
    engine.submit(submit(1))
    run(engine)
    assert max(forwards.batches) == 4
    assert sum(forwards.batches) == 5 * 2 * len(SHORT)


def test_progress_and_previews(model: PaintingModel) -> None:
    """Progress counts up to its total, and every second step shows a small JPEG."""
    engine, events = engine_of({1: prepared(track(model, 1, LONG, []))}, preview_every=2)
    engine.submit(submit(1))
    run(engine)
    assert kinds(events)[0] == "Started"
    assert [event.done for event in events if isinstance(event, Progress)] == [1, 2, 3, 4]
    previews = [event for event in events if isinstance(event, Preview)]
    assert len(previews) == 2
    assert all(preview.data.startswith(b"\xff\xd8") and preview.width == 64 for preview in previews)
    assert isinstance(events[-1], Finished)
    assert events[-1].timings.rows == 8


def fanned(finals: list[Tensor], *, fails: bool = False) -> Painting:
    """A picture of three parts that are painted together, each by Euler's method; it shows itself before and after."""
    yield Show(Image.new("RGB", (8, 8), "red"))
    parts = tuple(descent(seed, SHORT, finals) for seed in range(3))
    pictures = yield Together(parts + ((broken(SHORT),) if fails else ()))
    assert [picture.size for picture in pictures] == [(64, 64)] * 3
    yield Show(pictures[0].resize((8, 8)))
    return pictures[2]


def test_parts_of_a_picture_are_painted_together(model: PaintingModel) -> None:
    """Three parts share each batch, with another job's picture too; what they return comes back in order."""
    finals: list[Tensor] = []
    alone: list[Tensor] = []
    forwards = Counted()
    engine, events = engine_of(
        {
            1: prepared(Track(fanned(finals), model=model, guide=guide()), calls=6),
            2: prepared(track(model, 9, SHORT, alone), calls=2),
        },
        forwards=forwards,
        preview_every=1,
    )
    engine.submit(submit(1))
    engine.submit(submit(2))
    run(engine)
    assert forwards.batches == [8, 8], "four pictures with two rows each, twice"
    done = [event for event in events if isinstance(event, Progress) and event.job == 1]
    assert done[-1].done == done[-1].total == 6
    shown = [event for event in events if isinstance(event, Preview) and event.job == 1]
    assert [(event.width, event.height) for event in shown] == [(8, 8), (8, 8)], "no latents of parts"
    assert sum(isinstance(event, Finished) for event in events) == 2
    assert len(finals) == 3


def test_a_part_that_fails_ends_its_picture_and_no_other(model: PaintingModel) -> None:
    """The job is over once, with a sentence, and its other parts ask for nothing more."""
    finals: list[Tensor] = []
    alone: list[Tensor] = []
    jobs = {
        1: prepared(Track(fanned(finals, fails=True), model=model, guide=guide())),
        2: prepared(track(model, 9, LONG, alone)),
    }
    engine, events = engine_of(jobs)
    engine.submit(submit(1))
    engine.submit(submit(2))
    run(engine)
    (failed,) = [event for event in events if isinstance(event, Failed)]
    assert (failed.job, failed.code) == (1, FailureCode.INTERNAL)
    assert [event.job for event in events if isinstance(event, Finished)] == [2]
    assert finals == []


def test_nothing_together_is_nothing(model: PaintingModel) -> None:
    """A picture without parts goes on at once."""

    def painting() -> Painting:
        pictures = yield Together(())
        assert pictures == []
        return Image.new("RGB", (8, 8))

    engine, events = engine_of({1: prepared(Track(painting(), model=model, guide=guide()))})
    engine.submit(submit(1))
    run(engine)
    assert kinds(events)[-1] == "Finished"
