"""Adding a model, from its name to its place: by links and from a hub that speaks Hugging Face's language, on loopback, with the
engine's real judgement of what arrived."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.downloads.adding import Added, Ways, Wish, add_bytes, add_model
from bot.downloads.links import HubName, local_name, read_source
from bot.downloads.partial import FOLDER
from bot.errors import RequestRefused
from tests.unit.bot.downloads.shelf_server import HERE, Shelf, lora_bytes, serving


@pytest.fixture
async def shelf() -> AsyncIterator[Shelf]:
    """A server with one LoRA, which is a hub too."""
    async with serving(Shelf()) as running:
        yield running


def ways(shelf: Shelf, models: Path, *, limit: int = 1 << 20) -> Ways:
    """The operator's side, for loopback."""
    return Ways(models=models, limit=limit, reach=HERE, hub=shelf.url.rstrip("/"), pauses=())


async def add(shelf: Shelf, models: Path, source: str = "", **options) -> Added:
    """Add the shelf's file."""
    wish = Wish(source=source or f"{shelf.url}files/fox.safetensors", **options)
    return await add_model(wish, ways(shelf, models), heard=lambda done, _: shelf.took(done))


async def refusal(shelf: Shelf, models: Path, source: str = "", **options) -> str:
    """The sentence of one that is refused."""
    with pytest.raises(RequestRefused) as caught:
        await add(shelf, models, source, **options)
    return caught.value.sentence


def files(models: Path) -> list[str]:
    """All that lies in the models folder, hidden things too."""
    return sorted(str(path.relative_to(models)) for path in models.rglob("*") if path.is_file())


async def test_a_link_comes_to_its_shelf(shelf: Shelf, tmp_path: Path) -> None:
    """Kind and folder are told by the content; a second one of the name gets a number; nothing else is left."""
    added = await add(shelf, tmp_path, sha256=hashlib.sha256(shelf.data).hexdigest().upper())
    assert added.path == tmp_path / "Lora" / "fox.safetensors"
    assert added.path.read_bytes() == shelf.data
    assert (added.label, added.shelf, added.renamed) == ("a LoRA for Stable Diffusion 1", "loras", False)
    again = await add(shelf, tmp_path, kind="lora")
    assert again.path.name == "fox (2).safetensors"
    assert again.renamed
    assert files(tmp_path) == ["Lora/fox (2).safetensors", "Lora/fox.safetensors"]


async def test_a_wrong_kind_and_what_is_no_model(shelf: Shelf, tmp_path: Path) -> None:
    """Nothing of it is kept, and the sentence says where it belongs or what it is."""
    said = await refusal(shelf, tmp_path, kind="checkpoint")
    assert "fox.safetensors is a LoRA, not a checkpoint; it belongs in models/Lora. Nothing was kept." in said
    shelf.data = shelf.data[:-100]
    assert "is cut off" in await refusal(shelf, tmp_path)
    assert files(tmp_path) == []


async def test_wishes_that_make_no_sense(shelf: Shelf, tmp_path: Path) -> None:
    """Unknown kinds, digests that are none, names that are none, addresses that are none: before anything is asked of anybody."""
    for options, words in (
        ({"kind": "lorra"}, "did you mean “lora”"),
        ({"sha256": "12ab"}, "64 digits"),
        ({"source": "a fox"}, "neither a link"),
        ({"source": "ftp://x/y.safetensors"}, "begin with http"),
        ({"source": "http://10.0.0.1/y.safetensors"}, "not a public address"),
    ):
        assert words in await refusal(shelf, tmp_path, **options)
    assert shelf.seen == []
    for name in ("../x", "CON", "a/b.safetensors", "x.ckpt"):
        assert await refusal(shelf, tmp_path, name=name)
    assert files(tmp_path) == []


async def test_a_part_is_gone_on_with(shelf: Shelf, tmp_path: Path) -> None:
    """What broke off is kept in a hidden folder and said; the same wish ends it."""
    shelf.cut = [3000]
    assert "kept for a week" in await refusal(shelf, tmp_path)
    assert [Path(name).parts[0] for name in files(tmp_path)] == [FOLDER, FOLDER]
    await add(shelf, tmp_path)
    assert shelf.seen[-1].headers["Range"] == "bytes=3000-"
    assert files(tmp_path) == ["Lora/fox.safetensors"]


def repository(*names: str, data: bytes = b"") -> dict[str, object]:
    """What the hub says of a repository with these files."""
    return {
        "_id": "1",
        "id": "ada/fox",
        "modelId": "ada/fox",
        "sha": "c0ffee",
        "siblings": [
            {
                "rfilename": name,
                "size": len(data),
                "lfs": {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 1},
            }
            for name in names
        ],
    }


async def test_the_hub(shelf: Shelf, tmp_path: Path) -> None:
    """The only file that fits, or the one that is named; a generic name becomes the repository's."""
    shelf.repository = repository("README.md", "pytorch_lora_weights.safetensors", data=shelf.data)
    added = await add(shelf, tmp_path, "ada/fox")
    assert added.path == tmp_path / "Lora" / "fox.safetensors"
    assert shelf.seen[-1].path == "/ada/fox/resolve/c0ffee/pytorch_lora_weights.safetensors"
    shelf.repository = repository("a/red.safetensors", "b/blue.safetensors", data=shelf.data)
    assert "has 2 files; say which: ada/fox:a/red.safetensors, ada/fox:b/blue.safetensors." in await refusal(
        shelf, tmp_path, "ada/fox"
    )
    assert "did you mean “b/blue.safetensors”" in await refusal(shelf, tmp_path, "ada/fox:b/bleu.safetensors")
    shelf.repository = repository("a.ckpt", data=shelf.data)
    assert "has no .safetensors file" in await refusal(shelf, tmp_path, "ada/fox")


async def test_a_hub_that_lies_or_knows_nothing(shelf: Shelf, tmp_path: Path) -> None:
    """Another file than it announced is thrown away; an unknown repository and no network are told."""
    shelf.repository = repository("fox.safetensors", data=lora_bytes(fill=b"\x02"))
    assert "is not what was wanted" in await refusal(shelf, tmp_path, "ada/fox")
    shelf.repository = repository("fox.safetensors", data=shelf.data + b"x")
    assert "would send" in await refusal(shelf, tmp_path, "ada/fox")
    shelf.repository = repository("fox.safetensors", data=shelf.data)
    assert "Hugging Face has that file with the sha256" in await refusal(shelf, tmp_path, "ada/fox", sha256="0" * 64)
    assert "There is no ada/wolf on Hugging Face" in await refusal(shelf, tmp_path, "ada/wolf")
    shelf.url = "http://127.0.0.1:1/"
    assert "Hugging Face cannot be reached" in await refusal(shelf, tmp_path, "ada/fox")
    assert files(tmp_path) == []


async def test_a_pickle_takes_insisting(shelf: Shelf, tmp_path: Path) -> None:
    """Without it the sentence says what to look for; with it, a pickle with code is refused all the same."""
    import pickle

    shelf.data = pickle.dumps({"state_dict": print}, protocol=2)
    source = f"{shelf.url}files/fox.ckpt"
    assert "is a pickle, which can hold code" in await refusal(shelf, tmp_path, source)
    assert "opening it would run" in await refusal(shelf, tmp_path, source, insist=True)
    assert files(tmp_path) == []


async def test_bytes_that_are_there_already(shelf: Shelf, tmp_path: Path) -> None:
    """A file that was sent goes the same way."""
    added = await add_bytes(lora_bytes(), Wish(source="fox.safetensors"), ways(shelf, tmp_path))
    assert added.path == tmp_path / "Lora" / "fox.safetensors"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("ada/fox", HubName("ada/fox")),
        ("ada/fox:a/b.safetensors", HubName("ada/fox", "a/b.safetensors")),
        ("ada/fox@v2:b.safetensors", HubName("ada/fox", "b.safetensors", "v2")),
        ("https://huggingface.co/ada/fox", HubName("ada/fox")),
        ("https://huggingface.co/ada/fox/blob/main/a/b.safetensors", HubName("ada/fox", "a/b.safetensors", "main")),
        (
            "https://huggingface.co/ada/fox/resolve/main/b.safetensors?download=true",
            HubName("ada/fox", "b.safetensors", "main"),
        ),
    ],
)
def test_what_is_named(text: str, wanted: HubName) -> None:
    """Names on the hub, and pages of it as a browser shows them."""
    assert read_source(text) == wanted


def test_names_here() -> None:
    """The person's name wins, with the server's ending where it has none."""
    assert local_name("", "fox.safetensors", insist=False) == "fox.safetensors"
    assert local_name("red", "fox.ckpt", insist=True) == "red.ckpt"
    assert local_name("red", "download", insist=False) == "red.safetensors"
    for wanted, told in (("red.safetensors", "fox.ckpt"), ("", "fox"), ("", "fox.ckpt")):
        with pytest.raises(RequestRefused):
            local_name(wanted, told, insist=False)
