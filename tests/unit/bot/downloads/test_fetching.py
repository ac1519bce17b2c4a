"""Downloads over real sockets: whole ones, broken ones, lying servers, redirects to where nobody may go, and what is left."""

import asyncio
import hashlib
import json
import resource
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from bot.downloads.fetching import Fetched, Wanted, fetch
from bot.downloads.links import local_name
from bot.downloads.reach import PUBLIC, Reach
from bot.errors import RequestRefused
from bot.settings import PROJECT
from tests.unit.bot.downloads.shelf_server import HERE, Shelf, lora_bytes, only, serving

LIMIT = 1 << 20


@pytest.fixture
async def shelf() -> AsyncIterator[Shelf]:
    """A server with one LoRA."""
    async with serving(Shelf()) as running:
        yield running


async def get(shelf: Shelf, folder: Path, path: str = "files/fox.safetensors", **options) -> Fetched:
    """Fetch a file of the shelf's."""
    reach, pauses, heard = options.pop("reach", HERE), options.pop("pauses", ()), options.pop("heard", lambda *_: None)
    resolver = options.pop("resolver", None)

    def told(done: int, total: int | None) -> None:
        shelf.took(done)
        heard(done, total)

    url = options.pop("url", None) or shelf.url + path
    wanted = Wanted(
        url=URL(url), limit=options.pop("limit", LIMIT), name=lambda told: local_name("", told, insist=False), **options
    )
    return await fetch(wanted, folder, heard=told, reach=reach, pauses=pauses, resolver=resolver)


async def refusal(shelf: Shelf, folder: Path, *args: str, **options) -> str:
    """The sentence of one that is refused."""
    with pytest.raises(RequestRefused) as caught:
        await get(shelf, folder, *args, **options)
    return caught.value.sentence


def left(folder: Path) -> list[str]:
    """Endings of what lies in the folder."""
    return sorted(path.suffix for path in folder.iterdir()) if folder.is_dir() else []


async def test_a_whole_file(shelf: Shelf, tmp_path: Path) -> None:
    """It is there byte for byte, with its digest; progress begins at nothing and ends at all."""
    heard: list[tuple[int, int | None]] = []
    got = await get(shelf, tmp_path, heard=lambda *step: heard.append(step))
    size = len(shelf.data)
    assert got.partial.path.read_bytes() == shelf.data
    assert (got.name, got.bytes, got.sha256) == ("fox.safetensors", size, hashlib.sha256(shelf.data).hexdigest())
    assert heard[0] == (0, size)
    assert heard[-1] == (size, size)


async def test_a_broken_connection_is_gone_on_with(shelf: Shelf, tmp_path: Path) -> None:
    """Within one call, and by the next call: only what lacks is asked for, by Range and If-Range."""
    shelf.cut = [2000, 3000]
    got = await get(shelf, tmp_path, pauses=(0.0,))
    assert got.partial.path.read_bytes() == shelf.data
    assert [request.headers.get("Range") for request in shelf.seen] == [None, "bytes=2000-", "bytes=5000-"]
    assert {request.headers.get("If-Range") for request in shelf.seen[1:]} == {'"one"'}
    got.partial.remove()
    shelf.cut, shelf.seen = [4000], []
    said = await refusal(shelf, tmp_path)
    assert "MiB were downloaded, then the connection to 127.0.0.1 broke" in said
    assert "kept for a week; the same again goes on there" in said
    assert left(tmp_path) == [".json", ".part"]
    got = await get(shelf, tmp_path)
    assert got.sha256 == hashlib.sha256(shelf.data).hexdigest()
    assert shelf.seen[-1].headers["Range"] == "bytes=4000-"


async def test_a_whole_part_is_asked_about_by_its_last_byte(shelf: Shelf, tmp_path: Path) -> None:
    """What came whole and was not put away is not fetched anew: the server confirms it with one byte."""
    await get(shelf, tmp_path)
    got = await get(shelf, tmp_path)
    assert shelf.seen[-1].headers["Range"] == f"bytes={len(shelf.data) - 1}-"
    assert got.partial.path.read_bytes() == shelf.data


async def test_another_file_meanwhile(shelf: Shelf, tmp_path: Path) -> None:
    """With another ETag, or without parts, the server sends all of it anew; no bytes of two files are mixed."""
    for change in ({"etag": '"two"'}, {"ranges": False}):
        shelf.cut = [4000]
        await refusal(shelf, tmp_path)
        shelf.data = lora_bytes(rank=8, fill=b"\x01")
        for name, value in change.items():
            setattr(shelf, name, value)
        got = await get(shelf, tmp_path)
        assert got.partial.path.read_bytes() == shelf.data
        got.partial.remove()


async def test_what_cannot_be_gone_on_with_is_not_kept(shelf: Shelf, tmp_path: Path) -> None:
    """A weak ETag, or none, promises nothing: the part goes, and nothing says that it was kept."""
    for etag in ('W/"one"', ""):
        shelf.etag, shelf.cut = etag, [4000]
        assert (await refusal(shelf, tmp_path)).startswith("Nothing was downloaded: the connection to 127.0.0.1")
        assert left(tmp_path) == []


async def test_lengths_that_lie(shelf: Shelf, tmp_path: Path) -> None:
    """More or less than was announced, more than is allowed, announced or not: stopped, and nothing is left."""
    size = len(shelf.data)
    shelf.announced = size + 500
    assert "ended the connection early" in (said := await refusal(shelf, tmp_path)) or "broke" in said
    assert left(tmp_path) == [".json", ".part"]
    shelf.announced, shelf.etag = None, '"three"'
    assert f"would send {size:,} bytes where {size - 1:,} were announced" in await refusal(
        shelf, tmp_path, size=size - 1
    )
    assert "at most 0 may be downloaded ([downloads] in config.toml)" in await refusal(shelf, tmp_path, limit=5000)
    assert left(tmp_path) == []
    shelf.chunked = True
    assert "sends more than 0 MiB, the most that may be downloaded" in await refusal(shelf, tmp_path, limit=5000)
    assert left(tmp_path) == []
    got = await get(shelf, tmp_path)
    assert got.bytes == size


async def test_another_digest(shelf: Shelf, tmp_path: Path) -> None:
    """What is not what was wanted is thrown away, with both digests in the sentence."""
    said = await refusal(shelf, tmp_path, sha256="0" * 64)
    assert hashlib.sha256(shelf.data).hexdigest() in said
    assert "0" * 64 in said
    assert left(tmp_path) == []


async def test_a_page_instead_of_a_file(shelf: Shelf, tmp_path: Path) -> None:
    """HTML and pickles under a safetensors name end at their first bytes; packed answers and other names are refused too."""
    for data in (b"<!doctype html><title>Log in</title>" * 100, b"PK\x03\x04" + bytes(5000)):
        shelf.data = data
        assert "no safetensors file" in await refusal(shelf, tmp_path)
    shelf.data, shelf.headers = lora_bytes(), {"Content-Encoding": "gzip"}
    assert "sends the file packed" in await refusal(shelf, tmp_path)
    shelf.headers = {"Content-Disposition": 'attachment; filename="fox.exe"'}
    assert "does not say what kind" in await refusal(shelf, tmp_path)
    shelf.headers = {"Content-Disposition": 'attachment; filename="../../../fox.safetensors"'}
    assert "cannot be a file's name" in await refusal(shelf, tmp_path)
    shelf.headers = {"Content-Disposition": "attachment; filename*=UTF-8''f%C3%B6x.safetensors"}
    assert (await get(shelf, tmp_path)).name == "föx.safetensors"


async def test_statuses(shelf: Shelf, tmp_path: Path) -> None:
    """What each refusal of a server means, in words; one that is overburdened is asked again."""
    for status, words in ((404, "has no such file"), (403, "logged in"), (418, "status 418"), (503, "overburdened")):
        shelf.statuses = [status]
        assert words in await refusal(shelf, tmp_path)
    shelf.statuses = [503, 429]
    assert (await get(shelf, tmp_path, pauses=(0.0, 0.0))).name == "fox.safetensors"
    assert "127.0.0.1" in await refusal(shelf, tmp_path, url="http://127.0.0.1:1/fox.safetensors")


class Names(AbstractResolver):
    """Resolves every name to the given addresses, the next ones each time."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The next answer; the last for ever."""
        del family
        addresses = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return [
            ResolveResult(
                hostname=host,
                host=each,
                port=port,
                family=socket.AF_INET6 if ":" in each else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for each in addresses
        ]

    async def close(self) -> None:
        """Nothing to let go of."""


PRIVATE = (
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",  # noqa: S104 - nothing is bound
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fc00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:192.168.1.1",
    "2002:7f00:1::",
    "64:ff9b::a00:1",
    "2001:db8::1",
)


@pytest.mark.parametrize("address", PRIVATE)
async def test_addresses_that_are_not_public(shelf: Shelf, tmp_path: Path, address: str) -> None:
    """Written as numbers, or hidden behind a name: nothing is connected to, whatever port."""
    host = f"[{address}]" if ":" in address else address
    reach = Reach(schemes=("http", "https"))
    for url, names in (
        (f"http://{host}/fox.safetensors", None),
        ("http://models.example/fox.safetensors", Names([address])),
    ):
        said = await refusal(shelf, tmp_path, url=url, reach=reach, resolver=names)
        assert "is not a public address" in said
    assert shelf.seen == []


async def test_one_bad_address_among_good_ones(shelf: Shelf, tmp_path: Path) -> None:
    """A name that stands for a public and a private address is not connected to at all."""
    names = Names(["93.184.216.34", "127.0.0.1"])
    said = await refusal(
        shelf,
        tmp_path,
        url=shelf.url.replace("127.0.0.1", "models.example") + "x.safetensors",
        reach=Reach(("http",)),
        resolver=names,
    )
    assert "127.0.0.1, which is not a public address" in said
    assert shelf.seen == []


async def test_a_name_that_changes_its_mind(shelf: Shelf, tmp_path: Path) -> None:
    """What was checked is what is connected to: the name is asked once a hop, and a second answer that is private is refused."""
    url = shelf.url.replace("127.0.0.1", "models.example")
    names = Names(["127.0.0.1"], ["127.0.0.2"])
    got = await get(shelf, tmp_path, url=f"{url}files/fox.safetensors", reach=only("127.0.0.1"), resolver=names)
    assert names.asked == 1
    got.partial.remove()
    shelf.redirects = {"on": "http://other.example:1/fox.safetensors"}
    names = Names(["127.0.0.1"], ["127.0.0.2"])
    said = await refusal(shelf, tmp_path, url=f"{url}lead/on", reach=only("127.0.0.1"), resolver=names)
    assert "other.example leads to 127.0.0.2" in said


async def test_redirects(shelf: Shelf, tmp_path: Path) -> None:
    """Followed while each may be reached; to a private address, another scheme, a user's name or in circles they are refused."""
    shelf.redirects = {
        "on": "/lead/further",
        "further": "/files/fox.safetensors",
        "inside": "http://127.0.0.2:9/fox.safetensors",
        "file": "file:///etc/passwd",
        "user": "http://me:secret@127.0.0.1/fox.safetensors",
        "circle": "/lead/circle",
    }
    assert (await get(shelf, tmp_path, "lead/on", reach=only("127.0.0.1"))).bytes == len(shelf.data)
    for name, words in (
        ("inside", "127.0.0.2, which is not a public address"),
        ("file", "Only addresses that begin with http://"),
        ("user", "neither a user nor a password"),
        ("circle", "without an end"),
    ):
        assert words in await refusal(shelf, tmp_path, f"lead/{name}", reach=only("127.0.0.1"))
    assert "begin with https://" in await refusal(shelf, tmp_path, reach=PUBLIC)


async def test_a_token_stays_at_home(shelf: Shelf, tmp_path: Path) -> None:
    """The operator's token is sent to the host that was asked first, and to none that it leads to."""
    async with serving(Shelf()) as other:
        shelf.redirects = {"on": f"{other.url}files/fox.safetensors"}
        await get(shelf, tmp_path, "lead/on", token="secret")
        assert shelf.seen[0].headers["Authorization"] == "Bearer secret"
        assert "Authorization" not in other.seen[0].headers


async def test_one_at_a_time(shelf: Shelf, tmp_path: Path) -> None:
    """Two who fetch the same would write over each other: the second is told so."""
    begun = asyncio.Event()
    shelf.cut = [4000]
    first = asyncio.create_task(get(shelf, tmp_path, heard=lambda *_: begun.set(), pauses=(30.0,)))
    await begun.wait()
    assert "being downloaded already" in await refusal(shelf, tmp_path)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert (await get(shelf, tmp_path)).bytes == len(shelf.data)


LIMITED = """
import asyncio, resource, sys
from pathlib import Path
from yarl import URL
from bot.downloads.fetching import Wanted, fetch
from bot.errors import RequestRefused
from tests.unit.bot.downloads.shelf_server import HERE
resource.setrlimit(resource.RLIMIT_FSIZE, (6000, resource.RLIM_INFINITY))
wanted = Wanted(url=URL(sys.argv[1]), limit=1 << 20, name=lambda told: told)
try:
    asyncio.run(fetch(wanted, Path(sys.argv[2]), heard=lambda *_: None, reach=HERE))
except RequestRefused as error:
    print(error)
"""


async def test_no_room_half_way(shelf: Shelf, tmp_path: Path) -> None:
    """The system refuses to write on (a limit of 6,000 bytes a file): a sentence, and nothing is left."""
    assert hasattr(resource, "RLIMIT_FSIZE")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        LIMITED,
        f"{shelf.url}files/fox.safetensors",
        str(tmp_path),
        cwd=PROJECT,
        stdout=subprocess.PIPE,
    )
    said, _ = await process.communicate()
    assert b"is full. What had arrived was removed" in said
    assert left(tmp_path) == []


def test_a_damaged_stamp_is_no_stamp(tmp_path: Path) -> None:
    """What was written down of a part and cannot be read begins the download anew."""
    from bot.downloads.partial import Partial, Stamp

    partial = Partial(tmp_path, "https://x/y")
    partial.begin(Stamp('"a"', 10))
    assert partial.known() == (0, None)
    partial.path.write_bytes(b"12345")
    assert partial.known() == (5, Stamp('"a"', 10))
    next(tmp_path.glob("*.json")).write_text(json.dumps([1]))
    assert partial.known() == (0, None)
