"""The engine's loop: holds all running generators, runs what they wait for in batches, and sends the answers back.

Each turn admits a few new jobs (so they join at the next step) and runs one batch of like work, whoever asked for it.
Cancel, progress, previews, fairness, failure and running out of memory exist here and nowhere else. Owns no models, no
sockets and no threads: `prepare` makes jobs, `send` takes events.
"""

import logging
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from inference.api.errors import FailureCode
from inference.api.result import Timings
from inference.api.wire import Event, Failed, Finished, Preview, Progress, Started, Submit
from inference.engine.bad_file import BrokenModel
from inference.engine.batching import Candidate, Ledger, choose
from inference.engine.control.units import Control
from inference.engine.forward import Forwards, OutOfMemory, Row, within_memory
from inference.engine.guidance import Asked
from inference.engine.job import Prepared, Refused, Running, Track
from inference.engine.preview import Previews, jpeg_of
from inference.engine.work import (
    Apply,
    Borrow,
    Decode,
    Encode,
    Evaluate,
    Painting,
    Show,
    TakeUp,
    Together,
    UpscaleTile,
)

_log = logging.getLogger(__name__)

DECODE_PIXELS = 1 << 20
"""Pixels that are decoded or encoded at once: one picture of 1024², or sixteen of 256²."""
ADMITTED = 4
"""New jobs at one turn: people who ask together share their first step, and nobody waits long for others to be prepared."""
CONTROLLED = 0.4
"""What a ControlNet's row costs in parts of a UNet's (by operations: 0.33 of SD 1.5's at 512², 0.44 of SDXL's)."""
_INTERNAL = "Something went wrong inside the painter while it made this picture; the operator's log says what."
_MEMORY = "The painter ran out of memory for this picture; ask for a smaller one, or fewer at once."


@dataclass(frozen=True, slots=True)
class Piece:
    """What one picture adds to a batch: for an Evaluate the numbers of its rows, else nothing."""

    job: Running
    track: Track
    rows: tuple[int, ...] = ()


class Engine:
    """Runs jobs. `free` gives back memory nobody uses and says whether there was any; `clock` is in seconds."""

    def __init__(
        self,
        *,
        prepare: Callable[[Submit], Prepared],
        send: Callable[[Event], None],
        forwards: Forwards | None = None,
        free: Callable[[], bool] = lambda: False,
        max_rows: int = 16,
        preview_every: int = 4,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._prepare, self._send, self._free, self._clock = prepare, send, free, clock
        self.forwards = forwards or Forwards()
        self._max_rows, self._preview_every = max_rows, preview_every
        self._waiting: list[Submit] = []
        self._jobs: dict[int, Running] = {}
        self._ledger = Ledger()
        self._previews = Previews()
        self._limits: dict[Hashable, int] = {}

    @property
    def running(self) -> int:
        """Jobs that were submitted and are not over."""
        return len(self._jobs) + len(self._waiting)

    def submit(self, command: Submit) -> None:
        """Take a job; its first work runs at a coming turn."""
        self._ledger.join(command.job, command.lane)
        self._waiting.append(command)

    def cancel(self, job: int) -> None:
        """End `job` with `cancelled` now; unknown jobs are ignored."""
        waiting = next((command for command in self._waiting if command.job == job), None)
        if waiting is not None:
            self._waiting.remove(waiting)
            self._over(job, waiting.lane)
            self._send(Failed(job, FailureCode.CANCELLED, "The job was cancelled."))
        elif job in self._jobs:
            self._fail(self._jobs[job], FailureCode.CANCELLED, "The job was cancelled.")

    def turn(self) -> None:
        """Admit a few of the jobs that wait, then run one batch."""
        for _ in range(min(ADMITTED, len(self._waiting))):
            self._admit(min(self._waiting, key=lambda command: self._ledger.lanes.get(command.lane, 0.0)))
        with torch.inference_mode():
            batch = choose(self._candidates(), ledger=self._ledger, limit=self._max_rows)
            if batch:
                self._run(batch)

    def _admit(self, command: Submit) -> None:
        self._waiting.remove(command)
        self._send(Started(command.job))
        try:
            prepared = self._prepare(command)
        except Refused as refusal:
            self._over(command.job, command.lane)
            self._send(Failed(command.job, refusal.code, str(refusal)))
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, it must end this job and no other
            code, sentence = _verdict(error)
            self._over(command.job, command.lane)
            self._send(Failed(command.job, code, sentence))
            return
        job = Running(command.job, command.lane, prepared, self._clock())
        self._jobs[job.id] = job
        with torch.inference_mode():
            for track in tuple(prepared.tracks):
                self._advance(job, track, None)

    def _candidates(self) -> list[Candidate[Piece]]:
        found: list[Candidate[Piece]] = []
        for job in self._jobs.values():
            for track in job.prepared.tracks:
                if track.wanted is not None:
                    found += (
                        Candidate(key, max(1, len(rows)), job.id, job.lane, Piece(job, track, rows))
                        for key, rows in self._kinds(track)
                    )
        return found

    def _kinds(self, track: Track) -> list[tuple[Hashable, tuple[int, ...]]]:
        """Batch keys of what `track` waits for, and which of its rows belong to each."""
        match track.wanted:
            case Evaluate(x=x):
                kinds: dict[int, list[int]] = {}
                assert track.asked is not None  # noqa: S101 - set whenever an Evaluate is wanted
                for number, conditions in enumerate(track.asked.rows):
                    if track.answers[number] is None:
                        kinds.setdefault(conditions.context.shape[1], []).append(number)
                model = track.model
                adapters = model.adapters if model is not None else ()
                unet = (id(model.unet), model.tiling, model.merging) if model is not None else (0, False, 0.0)
                hint = None if track.wanted.hint is None else track.wanted.hint.shape
                return [
                    (("evaluate", *unet, adapters, x.shape, hint, length), tuple(numbers))
                    for length, numbers in kinds.items()
                ]
            case Encode(pixels=tensor) | Decode(latent=tensor):
                vae = (id(track.model.vae), track.model.tiling) if track.model is not None else (0, False)
                return [((type(track.wanted).__name__, *vae, tensor.shape), ())]
            case UpscaleTile(network=network, tile=tile):
                return [(("upscale", id(network), tile.shape), ())]
            case Apply(network=network, inputs=inputs):
                return [(("apply", id(network), *(tensor.shape for tensor in inputs)), ())]
            case _:
                return []

    def _run(self, batch: Sequence[Candidate[Piece]]) -> None:
        """Run a batch. Where it fails, run each picture of it alone, so that only the guilty job ends."""
        try:
            answers = self._answers(batch)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must end one job and no other
            if len(batch) > 1:
                for candidate in batch:
                    if candidate.job in self._jobs:
                        self._run([candidate])
                return
            self._fail(batch[0].work.job, *_verdict(error))
            return
        touched: dict[int, Running] = {}
        before = {candidate.job: candidate.work.job.done for candidate in batch}
        at = 0
        for candidate in batch:
            piece, area = candidate.work, answers[at : at + candidate.rows]
            at += candidate.rows
            self._ledger.spend(candidate.job, lane=candidate.lane, cost=_cost(piece))
            piece.job.rows += len(piece.rows)
            if candidate.job in self._jobs:
                self._deliver(piece, area)
                touched[candidate.job] = piece.job
        for job in touched.values():
            if job.id in self._jobs and job.done != before[job.id]:
                self._send(Progress(job.id, min(job.done, job.prepared.calls), job.prepared.calls, self._stage(job)))

    def _stage(self, job: Running) -> str:
        wanted = [track.wanted for track in job.prepared.tracks if track.wanted is not None]
        return "decoding" if wanted and all(isinstance(work, Decode) for work in wanted) else job.prepared.stage

    def _answers(self, batch: Sequence[Candidate[Piece]]) -> Tensor:
        key, first = batch[0].key, batch[0].work.track
        model: Any = first.model
        run: Callable[[Sequence[Any]], Tensor]
        match first.wanted:
            case Evaluate():
                items: list[Any] = [row for candidate in batch for row in _rows(candidate.work)]
                run, limit = lambda rows: self.forwards.evaluate(model, rows), self._max_rows
            case Encode(pixels=pixels):
                items = [candidate.work.track.wanted.pixels for candidate in batch]  # type: ignore[union-attr]
                run, limit = lambda rows: self.forwards.encode(model, rows), _pixel_rows(pixels.shape, 1)
            case Decode(latent=latent):
                items = [candidate.work.track.wanted.latent for candidate in batch]  # type: ignore[union-attr]
                run, limit = (
                    lambda rows: self.forwards.decode(model, rows),
                    _pixel_rows(latent.shape, model.downsampling),
                )
            case Apply(network=network):
                items = [candidate.work.track.wanted.inputs for candidate in batch]  # type: ignore[union-attr]
                run, limit = lambda rows: self.forwards.apply(network, rows), self._max_rows
            case _:
                items = [candidate.work.track.wanted.tile for candidate in batch]  # type: ignore[union-attr]
                enlarger: Any = first.wanted.network  # type: ignore[union-attr]
                run, limit = (
                    lambda rows: self.forwards.upscale(enlarger, rows),
                    self.forwards.tiles_at_once(enlarger, self._max_rows),
                )
        limit = min(limit, self._limits.get(key, limit))
        answers, fitted = within_memory(run, items, limit=limit, free=self._free)
        if fitted < min(limit, len(items)):
            _log.warning("Memory ran out with %d rows at once; going on with %d", min(limit, len(items)), fitted)
            self._limits[key] = fitted
        return answers

    def _deliver(self, piece: Piece, area: Tensor) -> None:
        job, track, wanted = piece.job, piece.track, piece.track.wanted
        if not isinstance(wanted, Evaluate):
            if isinstance(wanted, UpscaleTile | Apply):
                job.done += 1
            self._advance(job, track, area)
            return
        asked, guide = track.asked, track.guide
        assert asked is not None and guide is not None  # noqa: S101, PT018 - set whenever an Evaluate is wanted
        for place, number in enumerate(piece.rows):
            track.answers[number] = area[place : place + 1]
        answers = [answer for answer in track.answers if answer is not None]
        if len(answers) < len(track.answers):
            return
        denoised = area if len(piece.rows) == len(answers) else torch.cat(answers)
        guided = guide.combine(asked, wanted.x, wanted.sigma, denoised)
        track.calls += 1
        job.done += 1
        due = self._preview_every and track.calls % self._preview_every == 0 and not track.shows
        if due and track.model is not None:
            self._send(Preview(job.id, track.index, *self._previews.draw(track.model, guided)))
        self._advance(job, track, (guided, denoised[asked.base : asked.base + 1]) if wanted.pair else guided)

    def _advance(self, job: Running, track: Track, answer: Any) -> None:
        """Send `answer` to the generator and note what it wants next. Its failure ends its job."""
        try:
            wanted = track.painting.send(answer)
            while isinstance(wanted, TakeUp | Borrow | Show):
                shown = self._show(job, track, wanted) if isinstance(wanted, Show) else track.answer(wanted)
                wanted = track.painting.send(shown)
            if isinstance(wanted, Evaluate):
                assert track.guide is not None  # noqa: S101 - who asks for estimates was prepared with guidance
                track.asked = track.guide.ask(track.calls, wanted.level)
                track.answers = [None] * len(track.asked.rows)
            track.wanted = None if isinstance(wanted, Together) else wanted
        except StopIteration as end:
            track.wanted, track.picture = None, end.value
            self._ended(job, track)
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, it must end this job and no other
            self._fail(job, *_verdict(error))
            return
        if isinstance(wanted, Together):
            self._branch(job, track, wanted.paintings)

    def _show(self, job: Running, track: Track, order: Show) -> None:
        track.shows = True
        if self._preview_every:
            self._send(Preview(job.id, track.index, *jpeg_of(order.picture)))

    def _branch(self, job: Running, track: Track, paintings: Sequence[Painting]) -> None:
        """Let `paintings` run beside each other; `track` goes on when all of them are done."""
        branches = track.branch(paintings)
        job.prepared.tracks.extend(branches)
        if not branches:
            self._advance(job, track, [])
        for branch in tuple(branches):
            if job.id in self._jobs:
                self._advance(job, branch, None)

    def _ended(self, job: Running, track: Track) -> None:
        """A picture is finished, or one of the parts that were painted together: with the last, its trunk goes on."""
        trunk = track.trunk
        if trunk is None:
            self._finish_if_done(job)
            return
        job.prepared.tracks.remove(track)
        pictures = [branch.picture for branch in trunk.branches if branch.picture is not None]
        if len(pictures) == len(trunk.branches):
            trunk.branches = []
            self._advance(job, trunk, pictures)

    def _finish_if_done(self, job: Running) -> None:
        pictures = [track.picture for track in job.prepared.tracks if track.picture is not None]
        if job.id not in self._jobs or len(pictures) < len(job.prepared.tracks):
            return
        try:
            results, maps = job.prepared.results(pictures), job.prepared.maps()
        except Exception as error:  # noqa: BLE001 - whatever it is, it must end this job and no other
            self._fail(job, *_verdict(error))
            return
        del self._jobs[job.id]
        job.prepared.release()
        self._over(job.id, job.lane)
        timings = Timings(self._clock() - job.began, job.rows)
        self._send(Finished(job.id, results, timings, tuple(job.prepared.notes), maps))

    def _fail(self, job: Running, code: FailureCode, sentence: str) -> None:
        if self._jobs.pop(job.id, None) is None:
            return
        for track in job.prepared.tracks:
            track.wanted = None
            track.painting.close()
        job.prepared.release()
        self._over(job.id, job.lane)
        self._send(Failed(job.id, code, sentence))

    def _over(self, job: int, lane: str) -> None:
        others = any(other.lane == lane for other in (*self._jobs.values(), *self._waiting))
        self._ledger.leave(job, lane=lane, last=not others)


def _rows(piece: Piece) -> list[Row]:
    wanted, asked = piece.track.wanted, piece.track.asked
    assert isinstance(wanted, Evaluate) and asked is not None  # noqa: S101, PT018 - the batch's key says so
    return [
        Row(wanted.x, wanted.sigma, asked.rows[number], wanted.timestep, wanted.hint, _acting(wanted, asked, number))
        for number in piece.rows
    ]


def _acting(wanted: Evaluate, asked: Asked, number: int) -> tuple[Control, ...]:
    """The controls that act on row `number` of `asked`: some leave the negative prompt's row alone."""
    unwanted = asked.uncond is not None and number == asked.base
    return tuple(control for control in wanted.controls if not (unwanted and control.wanted_only))


def _cost(piece: Piece) -> float:
    """What a piece of work costs, in latent pixels through the UNet (measured by operations: SD 1.5, 512²)."""
    match piece.track.wanted:
        case Evaluate(x=x, controls=controls):
            rows = len(piece.rows) * (1 + CONTROLLED * len(controls))
            return rows * x.shape[-1] * x.shape[-2]
        case Decode(latent=latent):
            return 3.0 * latent.shape[-1] * latent.shape[-2]
        case Encode(pixels=pixels):
            return 1.4 / 64 * pixels.shape[-1] * pixels.shape[-2]
        case UpscaleTile(cost=cost) | Apply(cost=cost):
            return cost
        case None:
            return 0.0


def _pixel_rows(shape: Sequence[int], downsampling: int) -> int:
    """How many of `shape` (1, C, h, w) may be decoded or encoded at once."""
    return max(1, DECODE_PIXELS // (shape[-1] * shape[-2] * downsampling * downsampling))


def _verdict(error: Exception) -> tuple[FailureCode, str]:
    """Code and sentence of a job that ended with `error`; what is nobody's fault but ours goes to the log."""
    if isinstance(error, Refused):
        return error.code, str(error)
    if isinstance(error, BrokenModel):
        return FailureCode.BROKEN_MODEL, str(error)
    if isinstance(error, OutOfMemory | MemoryError | torch.OutOfMemoryError):
        return FailureCode.OUT_OF_MEMORY, _MEMORY
    _log.error("A job failed", exc_info=error)
    return FailureCode.INTERNAL, _INTERNAL
