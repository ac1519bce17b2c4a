"""What the doctor says about the painter: the real worker on tiny checkpoints, broken files, and gradients."""

from pathlib import Path

from bot.commands.checks.finding import Level
from bot.commands.checks.machine import Card
from bot.commands.checks.painter import LISTED, ask_painter, model_findings, painter_findings, unused_card_findings
from inference.api.result import Device, Inventory, ModelFile
from inference.api.wire import Ready
from tests.checkpoints import write_text_file, write_tiny_checkpoint
from tests.unit.bot.commands.conftest import Make

CPU = Ready(Device("CPU, 8 threads", "cpu", 8 << 30, "float32"), Inventory())
CARD = Card("NVIDIA GeForce RTX 4090", "580.95.05", 24564)


async def test_the_real_worker_tells_its_models_and_what_it_cannot_use(make: Make, tmp_path: Path) -> None:
    """The device, a line for the usable checkpoint with family and size, and a line with the reason for the broken file."""
    shelf = tmp_path / "models" / "Stable-diffusion"
    write_tiny_checkpoint(shelf / "tiny.safetensors")
    broken = write_text_file(shelf / "page.safetensors")
    settings = make(inference={"backend": "local", "device": "cpu", "threads": 1})
    ready, trouble = await ask_painter(settings)
    assert trouble == ""
    device, model, problem = painter_findings(ready, trouble, settings=settings)
    assert "computes in float32" in device.found
    assert model.found.startswith("tiny.safetensors [")
    assert model.found.endswith("]: sd1, made for 64 px")
    assert problem.level is Level.NOTE
    assert problem.found.startswith(f"{broken}: page.safetensors ")


async def test_gradients_are_not_passed_off_as_pictures(make: Make) -> None:
    """With the fake painter, the line says that it paints no pictures and which setting does."""
    settings = make()
    ready, trouble = await ask_painter(settings)
    device, *models = painter_findings(ready, trouble, settings=settings)
    assert device.level is Level.NOTE
    assert "gradients" in device.found
    assert 'set "local"' in device.advice
    assert [model.level for model in models] == [Level.OK, Level.OK]


def test_a_painter_that_does_not_start_is_a_fault(make: Make) -> None:
    """Its last words are in the line, and where to read on."""
    (finding,) = painter_findings(None, "The painter could not be started: it ended (status 1).", settings=make())
    assert finding.level is Level.FAULT
    assert "status 1" in finding.found
    assert "docs/operating.md" in finding.advice


def test_no_checkpoint_is_a_fault() -> None:
    """Without a checkpoint nothing can be painted; the line names the folder for one."""
    (finding,) = model_findings(Inventory(), folder="/easel/models")
    assert finding.level is Level.FAULT
    assert "/easel/models/Stable-diffusion" in finding.advice


def test_a_large_collection_is_counted() -> None:
    """Beyond a dozen, checkpoints are counted, and so are LoRAs and the rest."""
    checkpoints = tuple(ModelFile(f"m{n}", f"m{n}.safetensors", "0" * 10, "sdxl", native=1024) for n in range(20))
    loras = (ModelFile("a", "a.safetensors", "0" * 12, "sd1"),) * 3
    findings = model_findings(Inventory(checkpoints=checkpoints, loras=loras), folder="models")
    assert len(findings) == LISTED + 2
    assert findings[0].found == "m0.safetensors [0000000000]: sdxl, made for 1024 px"
    assert findings[LISTED].found.startswith("8 more checkpoints")
    assert findings[-1].found == "3 loras"


def test_a_card_that_torch_does_not_use_is_worth_a_word(make: Make) -> None:
    """The driver knows a card, the painter runs on the CPU and nobody asked for that: say what to do."""
    (finding,) = unused_card_findings(CPU, (CARD,), settings=make())
    assert "RTX 4090" in finding.found
    assert ".venv" in finding.advice
    assert unused_card_findings(CPU, (CARD,), settings=make(inference={"device": "cpu"})) == ()
    assert unused_card_findings(CPU, (), settings=make()) == ()
    assert unused_card_findings(None, (CARD,), settings=make()) == ()
