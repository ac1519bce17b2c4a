"""What the engine paints with: device, precision, what lies in the models folders, and the forwards that all jobs share.

Made once, from the settings of Hello. Refuses to know how a request is prepared (`preparation`), about batches and the wire.
"""

import logging
import os
from pathlib import Path

import torch

from inference.api.control import PreprocessRequest
from inference.api.enlarging import UpscaleRequest
from inference.api.redraw import SdUpscale, UltimateUpscale
from inference.api.request import GenerationRequest
from inference.api.result import Device, Inventory
from inference.api.wire import EngineSettings, Submit
from inference.engine.annotators.preparing import prepare_preprocess
from inference.engine.discovery import discover
from inference.engine.forward import Forwards
from inference.engine.job import Prepared
from inference.engine.postprocessing import prepare_upscale
from inference.engine.preparation import prepare_painting
from inference.engine.redraw.preparing import prepare_redraw
from inference.engine.shelf import Shelf

_log = logging.getLogger(__name__)


class Studio:
    """Everything a job needs."""

    def __init__(self, settings: EngineSettings) -> None:
        if settings.threads:
            torch.set_num_threads(settings.threads)
        self._settings = settings
        self.device = torch.device(_device_kind(settings.device))
        self.dtype = torch.float16 if self.device.type == "cuda" else torch.float32
        self.forwards = Forwards()
        limit = settings.memory_limit or self._memory()
        roots, cache = [Path(root) for root in settings.roots], Path(settings.cache)
        self._shelf = Shelf(
            device=self.device, dtype=self.dtype, memory_limit=limit, look=lambda: discover(roots, cache)
        )

    @property
    def inventory(self) -> Inventory:
        """What was found when the folders were last looked at."""
        return self._shelf.inventory

    def refresh(self) -> None:
        """Look at the models folders (again)."""
        self._shelf.look_again()

    def describe(self) -> Device:
        """The machine that paints."""
        kind = self.device.type
        name = torch.cuda.get_device_name(self.device) if kind == "cuda" else f"CPU, {torch.get_num_threads()} threads"
        return Device(name, kind, self._memory(), str(self.dtype).removeprefix("torch."))

    def free(self) -> bool:
        """Give up models and caches that no job needs now; says whether there was anything to give up."""
        return self._shelf.free()

    def prepare(self, command: Submit) -> Prepared:
        """Load, encode and lay out what `command` asks for. Raises Refused."""
        match command.request:
            case GenerationRequest(redraw=UltimateUpscale() | SdUpscale()):
                return prepare_redraw(command.request, command.attachments, self._shelf)
            case GenerationRequest():
                return prepare_painting(command.request, command.attachments, self._shelf)
            case UpscaleRequest():
                return prepare_upscale(command.request, command.attachments, self._shelf)
            case PreprocessRequest():
                return prepare_preprocess(command.request, command.attachments, self._shelf)

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
