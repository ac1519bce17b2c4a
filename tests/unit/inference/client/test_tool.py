"""A tool's program, started for real: its outcome, its refusals, a full disk, and ends in the middle that leave nothing."""

import asyncio
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from bot.settings import PROJECT
from inference.api.tools import (
    Advanced,
    Check,
    Checked,
    Convert,
    Finding,
    Made,
    Refused,
    decode_command,
    decode_report,
    frame,
)
from inference.api.wire import HEADER, WireError
from inference.client.tool import COMMAND, ToolFailed, run_tool

WEIGHTS = 96 << 20
"""Bytes of a file that takes a moment to be written."""


def large_file(path: Path) -> Path:
    """A safetensors file of zeros in fp32, in many tensors, made without torch."""
    import json
    import struct

    each = 1 << 20
    names = [f"model.diffusion_model.{number}" for number in range(WEIGHTS // each)]
    fields = {
        name: {"dtype": "F32", "shape": [each // 4], "data_offsets": [place * each, (place + 1) * each]}
        for place, name in enumerate(names)
    }
    header = json.dumps(fields).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        file.truncate(8 + len(header) + WEIGHTS)
    return path


async def test_an_outcome_and_what_is_told_on_the_way(tmp_path: Path) -> None:
    """A conversion of a file of zeros: progress, then what was made."""
    heard: list[Advanced | Finding] = []
    made = await run_tool(Convert(source=str(large_file(tmp_path / "a.safetensors"))), Made, heard=heard.append)
    assert (tmp_path / "a-fp16.safetensors").stat().st_size == made.bytes
    assert heard[-1] == Advanced(WEIGHTS // 2, WEIGHTS // 2, "writing")


async def test_a_refusal_is_a_sentence() -> None:
    """What a tool refuses is told in its words; another outcome than was wanted is no success."""
    with pytest.raises(ToolFailed, match=r"There is no file /nowhere/a\.safetensors\."):
        await run_tool(Convert(source="/nowhere/a.safetensors"), Made)
    with pytest.raises(ToolFailed, match="something else"):
        await run_tool(Check(roots=(), cache="/nowhere"), Made)
    assert (await run_tool(Check(roots=(), cache="/nowhere"), Checked)).files == 0


async def test_given_up_in_the_middle(tmp_path: Path) -> None:
    """Cancelled while it writes, the program is gone when the call returns, and nothing of the new file is there."""
    source = large_file(tmp_path / "a.safetensors")
    begun = asyncio.Event()
    task = asyncio.create_task(
        run_tool(Convert(source=str(source), formats=("safetensors", "ckpt")), Made, heard=lambda _: begun.set())
    )
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [path.name for path in tmp_path.iterdir()] == ["a.safetensors"]


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("signal", ["KILL", "TERM"])
async def test_the_program_is_ended_by_force(tmp_path: Path, signal: str) -> None:
    """Killed from outside while it writes, nothing is left, and the person reads that."""
    source = large_file(tmp_path / "a.safetensors")
    begun = asyncio.Event()
    task = asyncio.create_task(
        run_tool(Convert(source=str(source), formats=("safetensors", "ckpt")), Made, heard=lambda _: begun.set())
    )
    await begun.wait()
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    (pid,) = [each for each in children if b"inference.engine.tools" in Path(f"/proc/{each}/cmdline").read_bytes()]
    subprocess.run(["kill", f"-{signal}", pid], check=True)  # noqa: ASYNC221 - returns at once
    with pytest.raises(ToolFailed, match="nothing of it is left"):
        await task
    assert [path.name for path in tmp_path.iterdir()] == ["a.safetensors"]


async def test_whoever_asked_is_gone(tmp_path: Path) -> None:
    """When its input closes, the program ends by itself and removes what it was making."""
    source = large_file(tmp_path / "a.safetensors")
    process = await asyncio.create_subprocess_exec(
        *COMMAND, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=PROJECT
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(frame(Convert(source=str(source), formats=("safetensors", "ckpt"))))
    await process.stdout.readexactly(HEADER.size)
    process.stdin.close()
    await process.stdout.read()
    assert await process.wait() == 130
    assert [path.name for path in tmp_path.iterdir()] == ["a.safetensors"]


LIMITED = """
import asyncio, resource, sys
from inference.api.tools import Convert, Made
from inference.client.tool import ToolFailed, run_tool
resource.setrlimit(resource.RLIMIT_FSIZE, (20 << 20, resource.RLIM_INFINITY))
try:
    asyncio.run(run_tool(Convert(source=sys.argv[1], formats=(sys.argv[2],)), Made))
except ToolFailed as error:
    print(error)
"""


@pytest.mark.parametrize("form", ["safetensors", "ckpt"])
def test_no_room_half_way(tmp_path: Path, form: str) -> None:
    """The system refuses to write on (a limit of 20 MiB a file): a sentence, and nothing is left."""
    assert hasattr(resource, "RLIMIT_FSIZE")
    source = large_file(tmp_path / "a.safetensors")
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(source), form], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert (
        f"a-fp16.{form} could not be written: the disk, or what Easel may use of it, is full. Nothing of it"
        in done.stdout
    )
    assert [path.name for path in tmp_path.iterdir()] == ["a.safetensors"]


MEASURED = """
import resource, sys
from inference.api.tools import Convert
from inference.engine.tools.convert import convert
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
convert(Convert(source=sys.argv[1], formats=("safetensors",)), lambda report: None)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in KiB there")
def test_memory_is_that_of_a_tensor(tmp_path: Path) -> None:
    """Converting 96 MiB in tensors of one takes less than a third of that more than torch alone takes."""
    source = large_file(tmp_path / "a.safetensors")
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(source)], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) * 1024 < WEIGHTS // 3


def test_frames() -> None:
    """What is no command and no report is refused; both go there and back."""
    command = Convert(source="/a", formats=("ckpt",))
    assert decode_command(frame(command)[HEADER.size :]) == command
    assert decode_report(frame(Refused("no"))[HEADER.size :]) == Refused("no")
    for decode in (decode_command, decode_report):
        with pytest.raises(WireError):
            decode(b"\xc1")
