"""Settings that are allowed one by one and odd together, or odd on this machine. Pure, but for looking whether folders exist."""

import os
from collections.abc import Callable, Iterator

from bot.commands.checks.finding import Finding, fault, note, ok
from bot.settings import PROJECT, Settings
from inference.api.catalog import SAMPLERS
from inference.api.lookup import find_checkpoint, title
from inference.api.result import ModelFile
from inference.api.wire import Ready

Check = Callable[[Settings, Ready], Iterator[Finding]]


def default_model(settings: Settings, ready: Ready) -> ModelFile | None:
    """The checkpoint of those who choose none; None when there is none, or none of the name that is set."""
    wanted, checkpoints = settings.generation.model, ready.inventory.checkpoints
    if wanted:
        return find_checkpoint(ready.inventory, wanted)
    return checkpoints[0] if checkpoints else None


def _model(settings: Settings, ready: Ready) -> Iterator[Finding]:
    chosen, wanted = default_model(settings, ready), settings.generation.model
    if chosen is not None:
        yield ok("Default", f"{title(chosen)} paints where no model is chosen")
    elif wanted:
        advice = "Write the name of one of the models above into `model` of [generation], or leave it empty."
        yield fault("Default", f"there is no model “{wanted}”", advice)


def _size(settings: Settings, ready: Ready) -> Iterator[Finding]:
    chosen, limit = default_model(settings, ready), settings.limits.max_megapixels
    if chosen is not None and chosen.native**2 > limit * 1e6:
        found = (
            f"the default model paints {chosen.native} × {chosen.native}, more than max_megapixels = {limit:g} allows"
        )
        yield fault("Limits", found, f"Set max_megapixels in [limits] to at least {chosen.native**2 / 1e6:.2f}.")


def _sampler(settings: Settings, ready: Ready) -> Iterator[Finding]:
    del ready
    known = [row.id for row in SAMPLERS]
    if settings.generation.sampler not in known:
        advice = f"Set `sampler` in [generation] to one of {', '.join(known)}."
        yield fault("Defaults", f"there is no sampler “{settings.generation.sampler}”", advice)


def _steps(settings: Settings, ready: Ready) -> Iterator[Finding]:
    del ready
    steps, most = settings.generation.steps, settings.limits.max_steps
    if steps > most:
        advice = "Lower `steps` in [generation] or raise `max_steps` in [limits]."
        yield fault("Defaults", f"{steps} steps are the default, but max_steps allows {most}", advice)
    if settings.inference.preview_every > most:
        advice = f"Set preview_every in [inference] to something below {most}, or to 0 if you want no previews."
        yield note("Previews", "preview_every is larger than max_steps: there will be none", advice)


def _queue(settings: Settings, ready: Ready) -> Iterator[Finding]:
    del ready
    person, guild = settings.limits.jobs_per_person, settings.limits.jobs_per_guild
    if person > guild:
        advice = "Raise jobs_per_guild or lower jobs_per_person in [limits]."
        yield note("Limits", f"one person may queue {person} jobs, a whole server only {guild}", advice)


def _device(settings: Settings, ready: Ready) -> Iterator[Finding]:
    wanted, device = settings.inference.device, ready.device
    if wanted == "cuda" and device.kind == "cpu":
        advice = 'Update NVIDIA\'s driver, or set device = "auto" in [inference].'
        yield note("Device", 'config.toml asks for "cuda", but torch sees no such device: the CPU paints', advice)
    limit = settings.inference.memory_limit_gib * 2**30
    if device.kind == "cuda" and limit > device.memory:
        advice = "Lower memory_limit_gib in [inference], or set 0 for what there is."
        yield note("Device", f"memory_limit_gib is more than the card has ({device.memory / 2**30:.1f} GiB)", advice)
    threads, cores = settings.inference.threads, os.cpu_count() or 1
    if threads > cores:
        found = f"threads = {threads}, but this machine has {cores} cores"
        yield note("Device", found, "Set threads in [inference] to 0.")


def _folders(settings: Settings, ready: Ready) -> Iterator[Finding]:
    del ready
    for folder in (settings.paths.models, *settings.paths.extra_models):
        if not (PROJECT / folder).is_dir():
            advice = "Correct the path in [paths] of config.toml, or make the folder."
            yield note("Folders", f"there is no folder {PROJECT / folder}", advice)


CHECKS: tuple[Check, ...] = (_model, _size, _sampler, _steps, _queue, _device, _folders)


def choice_findings(settings: Settings, ready: Ready) -> tuple[Finding, ...]:
    """The default model, and everything odd."""
    return tuple(finding for check in CHECKS for finding in check(settings, ready))
