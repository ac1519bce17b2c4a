"""What the engine paints with, and how a request becomes running generators: models on their device, prompts encoded.

Owns device, dtype, inventory and residency. Refuses to know about batches and the wire.
"""

import logging
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from PIL.Image import Image
from torch import nn

from inference.api.errors import FailureCode
from inference.api.infotext import facts_of, write_infotext
from inference.api.lookup import choose_vae
from inference.api.request import GenerationRequest, UpscaleRequest
from inference.api.result import Device, ImageResult, Inventory, ModelFile
from inference.api.wire import EngineSettings, Submit
from inference.engine.bad_file import BadFile, BrokenModel
from inference.engine.checkpoint import Checkpoint
from inference.engine.conditions import encode_prompt
from inference.engine.discovery import discover
from inference.engine.forward import Forwards, PaintingModel
from inference.engine.generate import paint
from inference.engine.guidance import NoiseLevels
from inference.engine.job import Prepared, Refused, Track
from inference.engine.lexicon import Lexicon
from inference.engine.networks.activation import activate, lora_hashes
from inference.engine.networks.merge import AdapterSet
from inference.engine.picture import encode_png
from inference.engine.prompt.networks import NetworkTag, strip_networks
from inference.engine.residency import Residency
from inference.engine.sampling import ModelTable, model_calls
from inference.engine.source import BadSource, fit, open_source
from inference.engine.srvgg import BrokenUpscaler, load_upscaler
from inference.engine.upscale import RESAMPLERS, enlarge, tile_count

_log = logging.getLogger(__name__)


class Studio:
    """Everything a job needs. Made once, from the settings of Hello."""

    def __init__(self, settings: EngineSettings) -> None:
        if settings.threads:
            torch.set_num_threads(settings.threads)
        self._settings = settings
        self.device = torch.device(_device_kind(settings.device))
        self.dtype = torch.float16 if self.device.type == "cuda" else torch.float32
        self.forwards = Forwards()
        self.inventory = Inventory()
        self.refresh()
        limit = settings.memory_limit or self._memory()
        self._residency = Residency(device=self.device, dtype=self.dtype, memory_limit=limit)
        self._upscalers: dict[str, nn.Module] = {}
        self._users: Counter[str] = Counter()
        self._lexicon = Lexicon()

    def refresh(self) -> None:
        """Look at the models folders (again)."""
        roots = [Path(root) for root in self._settings.roots]
        self.inventory = discover(roots, Path(self._settings.cache))

    def describe(self) -> Device:
        """The machine that paints."""
        kind = self.device.type
        name = torch.cuda.get_device_name(self.device) if kind == "cuda" else f"CPU, {torch.get_num_threads()} threads"
        return Device(name, kind, self._memory(), str(self.dtype).removeprefix("torch."))

    def free(self) -> bool:
        """Give up models and caches that no job needs now; says whether there was anything to give up."""
        freed = self._residency.evict_unused(keep=()) > 0 or bool(self._upscalers)
        self._upscalers.clear()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        return freed

    def prepare(self, command: Submit) -> Prepared:
        """Load, encode and lay out what `command` asks for. Raises Refused."""
        match command.request:
            case GenerationRequest():
                return self._prepare_painting(command.request, command)
            case UpscaleRequest():
                return self._prepare_upscale(command.request, command)

    def _prepare_painting(self, request: GenerationRequest, command: Submit) -> Prepared:
        info = self._find_checkpoint(request)
        vae = self._find_vae(request, info)
        checkpoint = self._load(info, vae)
        text, tags = strip_networks(request.prompt.positive)
        adapters, notes = self._dress(checkpoint, tags)
        words = self._lexicon.words_for(checkpoint.text, self.inventory)
        notes += words.notes(f"{text}\n{request.prompt.negative}")
        model = PaintingModel(
            unet=checkpoint.unet,
            vae=checkpoint.vae,
            vae_scale=checkpoint.vae_scale,
            prediction=checkpoint.prediction,
            levels=NoiseLevels(checkpoint.alphas_cumprod),
            adapters=adapters,
            wear=lambda: self._wear(checkpoint, adapters),
        )
        source = _source_picture(request, command)
        with torch.inference_mode():
            guide = encode_prompt(
                request,
                checkpoint,
                text=text,
                dtype=model.unet.dtype,
                device=self.device,
                adapters=adapters,
                words=words,
            )
        k, canvas = model.downsampling, request.canvas
        shape = (1, model.channels, canvas.height // k, canvas.width // k)
        table = ModelTable(checkpoint.alphas_cumprod)
        tracks = [
            Track(
                paint(request, index, table=table, shape=shape, device=self.device, source=source),
                index=index,
                model=model,
                guide=guide,
            )
            for index in range(request.count)
        ]
        strength = request.source.denoising_strength if request.source is not None else None
        calls = model_calls(request.sampling, strength) * request.count

        def results(pictures: Sequence[Image]) -> tuple[ImageResult, ...]:
            extra = {} if vae is None else {"VAE hash": vae.hash, "VAE": Path(vae.path).name}
            if hashes := lora_hashes(adapters, self.inventory):
                extra["Lora hashes"] = hashes
            facts = [facts_of(request, index, model=info, extra=extra) for index in range(request.count)]
            return tuple(
                encode_png(picture, seed=fact.seed, infotext=write_infotext(fact))
                for picture, fact in zip(pictures, facts, strict=True)
            )

        self._residency.pinned.add(info.path)
        self._users[info.path] += 1
        return Prepared(tracks, calls, "painting", results, notes, release=lambda: self._unpin(info.path))

    def _unpin(self, path: str) -> None:
        self._users[path] -= 1
        if not self._users[path]:
            self._residency.pinned.discard(path)

    def _prepare_upscale(self, request: UpscaleRequest, command: Submit) -> Prepared:
        picture = _attachment(request.picture, command)
        network = None if request.upscaler in RESAMPLERS else self._upscaler(request.upscaler)
        scale: Any = 1 if network is None else network.scale
        calls = tile_count(picture, upscaler=request.upscaler, scale=request.scale, network_scale=scale)
        track = Track(enlarge(picture, upscaler=request.upscaler, scale=request.scale), upscaler=network)

        def results(pictures: Sequence[Image]) -> tuple[ImageResult, ...]:
            return tuple(encode_png(result, seed=0, infotext=request.infotext) for result in pictures)

        return Prepared([track], calls, "upscaling", results)

    def _find_checkpoint(self, request: GenerationRequest) -> ModelFile:
        wanted = request.model
        for file in self.inventory.checkpoints:
            if file.name == wanted.name and wanted.hash in ("", file.hash):
                return file
        for file in self.inventory.checkpoints:
            if wanted.hash and file.hash == wanted.hash:
                return file
        for file in self.inventory.checkpoints:
            if file.name == wanted.name:
                return file
        raise Refused(
            FailureCode.UNKNOWN_MODEL, f"There is no model called “{wanted.name}” here; choose one from the list."
        )

    def _find_vae(self, request: GenerationRequest, info: ModelFile) -> ModelFile | None:
        """The VAE file to paint with; None is the checkpoint's own."""
        try:
            return choose_vae(self.inventory, info, request.model.vae)
        except LookupError as error:
            raise Refused(FailureCode.UNKNOWN_MODEL, str(error)) from error

    def _load(self, info: ModelFile, vae: ModelFile | None) -> Checkpoint:
        try:
            return self._residency.acquire(info, vae=vae)
        except BrokenModel as error:
            raise Refused(FailureCode.BROKEN_MODEL, str(error)) from error
        except FileNotFoundError as error:
            raise Refused(
                FailureCode.UNKNOWN_MODEL, f"The file of the model “{info.name}” is gone; choose another."
            ) from error

    def _dress(self, checkpoint: Checkpoint, tags: Sequence[NetworkTag]) -> tuple[AdapterSet, tuple[str, ...]]:
        try:
            return activate(checkpoint, tags, self.inventory)
        except BrokenModel as error:
            raise Refused(FailureCode.BROKEN_MODEL, str(error)) from error

    def _wear(self, checkpoint: Checkpoint, adapters: AdapterSet) -> None:
        """Before a forward: the same networks as when the job was prepared, whoever painted in between."""
        try:
            checkpoint.wardrobe.wear(adapters)
        except (BadFile, OSError) as error:
            raise Refused(
                FailureCode.BROKEN_MODEL,
                "A LoRA of this picture was changed or removed while it was painted; try again.",
            ) from error

    def _upscaler(self, name: str) -> Any:
        if name not in self._upscalers:
            file = next((file for file in self.inventory.upscalers if file.name == name), None)
            if file is None:
                raise Refused(
                    FailureCode.UNKNOWN_MODEL, f"There is no upscaler called “{name}” here; choose one from the list."
                )
            try:
                self._upscalers[name] = load_upscaler(Path(file.path), device=self.device, dtype=self.dtype)
            except BrokenUpscaler as error:
                raise Refused(FailureCode.BROKEN_MODEL, str(error)) from error
        return self._upscalers[name]

    def _memory(self) -> int:
        """Bytes of the device's memory; of a CPU, half of the machine's, for the rest of the machine wants some."""
        if self.device.type == "cuda":
            return torch.cuda.get_device_properties(self.device).total_memory
        return _machine_memory() // 2


def _device_kind(wanted: str) -> str:
    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if wanted == "cuda" and not torch.cuda.is_available():
        _log.warning('config.toml asks for device = "cuda", but torch sees no CUDA device; painting on the CPU')
        return "cpu"
    return wanted


def _machine_memory() -> int:
    """Bytes of memory of this machine; 8 GiB where the system does not say."""
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return 8 << 30


def _attachment(picture: str, command: Submit) -> Image:
    if picture not in command.attachments:
        raise Refused(FailureCode.BAD_SOURCE, "The source picture did not arrive; send it again.")
    try:
        return open_source(command.attachments[picture])
    except BadSource as error:
        raise Refused(FailureCode.BAD_SOURCE, str(error)) from error


def _source_picture(request: GenerationRequest, command: Submit) -> Image | None:
    if request.source is None:
        return None
    size = request.canvas.width, request.canvas.height
    return fit(_attachment(request.source.picture, command), size, request.source.resize_mode)
