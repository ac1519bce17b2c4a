"""/lora and /model with the real client: pages, families, several at once, weights, samples, and a model of one's own."""

import io
from collections.abc import AsyncIterator
from pathlib import Path

import discord
import msgspec
import pytest
import yarl
from discord.gateway import DiscordWebSocket
from PIL import Image as Pillow

from bot.discord_ui import view
from bot.discord_ui.actions import read_ticket
from bot.discord_ui.pickers import cards
from bot.discord_ui.pickers.shelves import page_of
from bot.discord_ui.pickers.spots import Shelf, Verb, key_of, read_spot
from bot.sandbox.driver import Exchange, Json, Person
from bot.sandbox.server import Loopback
from inference.api.request import GenerationRequest
from inference.api.result import Inventory, ModelFile
from inference.client.fake import FAKE_INVENTORY, FakeBackend
from storage.gallery_values import Query
from tests.e2e.easel import Studio, bytes_at, is_result, paint, parts_of, pictures_of, settings_in, studio_at, words_of


def lora(name: str, family: str = "sd1", **more: object) -> ModelFile:
    """A LoRA on the shelf."""
    return msgspec.structs.replace(ModelFile(name, f"models/Lora/{name}.safetensors", "a" * 12, family), **more)


def shelf(folder: Path, *, many: int = 0) -> Inventory:
    """Two models of SD 1 and one of SDXL, and LoRAs for both; `ink` has a red picture beside it."""
    Pillow.new("RGB", (64, 64), (255, 0, 0)).save(folder / "ink.png")
    return msgspec.structs.replace(
        FAKE_INVENTORY,
        checkpoints=(
            *FAKE_INVENTORY.checkpoints,
            ModelFile("grand", "models/Stable-diffusion/grand.safetensors", "abcdef0123", "sdxl", native=128),
        ),
        loras=(
            lora(
                "ink",
                triggers=("inkwash",),
                weight=0.7,
                negative="colour",
                preview=str(folder / "ink.png"),
                sha256="1" * 64,
            ),
            lora("fur", triggers=("furry",), notes="Made of fluff."),
            lora("glow", "unknown"),
            lora("wide", "sdxl"),
            lora("a,b"),
            *(lora(f"x{number:02}") for number in range(many)),
        ),
    )


@pytest.fixture
def painter(tmp_path: Path) -> FakeBackend:
    """A painter with LoRAs on its shelf."""
    return FakeBackend(inventory=shelf(tmp_path))


@pytest.fixture
async def studio(
    loopback: Loopback, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, painter: FakeBackend
) -> AsyncIterator[Studio]:
    """A studio in the loopback Discord."""
    monkeypatch.setattr(discord.http.Route, "BASE", loopback.urls.api)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(loopback.urls.gateway))
    now = iter(float(1_793_880_000 + 60 * number) for number in range(100_000))
    settings = settings_in(tmp_path / "data", count=1)
    async with studio_at(settings, token=loopback.token, painter=painter, now=lambda: next(now)) as running:
        yield running


async def browse(person: Person, command: str, where: str = "#paint", **options: object) -> Json:
    """The first page, which only the person sees."""
    answer = await (await person.slash(command, where, **options)).answered()
    assert answer["flags"] & 64
    return answer


async def after(person: Person, message: Json, exchange: Exchange) -> Json:
    """The card as it is once it is another one, or the message that says why it is not."""
    answer = await exchange.answered()
    if answer["id"] != message["id"]:
        return answer

    def other() -> Json | None:
        now = person.message(message)
        newer = person.messages(message["channel_id"])[-1]
        if newer["id"] != message["id"] and int(newer["id"]) > int(exchange.id):
            return newer
        return now if now is not None and now["components"] != message["components"] else None

    return await person.until(other)


async def click(person: Person, message: Json, label: str) -> Json:
    """The card after a press."""
    return await after(person, message, await person.click(message, label))


async def send(person: Person, message: Json, form: Exchange, **values: object) -> Json:
    """The card after a form was sent that it opened."""
    return await after(person, message, await person.submit(form, values))


def menu(message: Json, verb: Verb) -> Json:
    """The menu of a verb."""
    for part in parts_of(message):
        ticket = read_ticket(part.get("custom_id", ""))
        if part["type"] == 3 and ticket and read_spot(ticket.argument).verb is verb:
            return part
    raise AssertionError(verb)


async def choose(person: Person, message: Json, verb: Verb, *labels: str) -> Json:
    """The card after lines of a menu were chosen, by the ends of their labels."""
    found = menu(message, verb)
    values = [option["value"] for label in labels for option in found["options"] if option["label"].endswith(label)]
    return await after(person, message, await person.select(message, found["custom_id"], values))


async def newest(studio: Studio, person: Person) -> GenerationRequest:
    """What was painted last."""
    page = await studio.easel.desk.db.gallery.page(int(person.id), Query(), limit=1)
    request = page.images[0].request
    assert isinstance(request, GenerationRequest)
    return request


async def test_only_what_fits_is_shown(studio: Studio, ada: Person) -> None:
    """LoRAs of the checkpoint's family and of unknown ones are shown, with their words; menu, model and words change that."""
    card = await browse(ada, "lora browse")
    told = words_of(card)
    assert "4 LoRAs of 5" in told
    assert "**1.** ink · SD 1 · `inkwash`" in told
    assert "**3.** glow · any family" in told
    assert "wide" not in told
    card = await choose(ada, card, Verb.FAMILY, "SDXL")
    assert "1 LoRA of 5 · SDXL" in words_of(card)
    card = await choose(ada, card, Verb.FAMILY, "Every LoRA")
    assert "5 LoRAs of 5" in words_of(card)
    card = await browse(ada, "lora browse", model="grand")
    assert "what fits `grand`" in words_of(card)
    assert "wide · SDXL" in words_of(card)
    assert "ink ·" not in words_of(card)
    card = await browse(ada, "lora browse", model="gradient", search="FLUFF")
    assert "1 LoRA of 5 · what fits `gradient` · with `FLUFF`" in words_of(card)
    form = await ada.click(card, "Find")
    card = await send(ada, card, form, words="nothing like it")
    assert "Nothing is left" in words_of(card)
    form = await ada.click(card, "Find")
    assert "4 LoRAs" in words_of(await send(ada, card, form, words=""))
    offered = await ada.autocomplete("lora browse", "#paint", "model", "gra")
    assert [choice["name"] for choice in offered] == ["gradient · SD 1", "grand · SDXL"]
    assert [choice["value"] for choice in await ada.autocomplete("lora info", "#paint", "name", "f")] == ["fur"]


async def test_several_are_taken_weighed_and_painted_with(studio: Studio, ada: Person) -> None:
    """A menu takes several, a form weighs them; the prompt begins with their words, and the picture wears them."""
    card = await browse(ada, "lora browse")
    card = await choose(ada, card, Verb.PICK, "ink", "fur")
    assert "Taken: ink\\:0.7, fur\\:1" in words_of(card)
    assert "✅ 0.7" in words_of(card)
    form = await ada.click(card, "Weights")
    bad = await send(ada, card, form, list="ink:lots")
    assert "must be a number" in words_of(bad)
    form = await ada.click(card, "Weights")
    card = await send(ada, card, form, list="ink:0.4\n<lora:fur:0.9>")
    assert "Taken: ink\\:0.4, fur\\:0.9" in words_of(card)
    again = await browse(ada, "lora browse")
    assert "Taken: ink\\:0.4, fur\\:0.9" in words_of(again), "what was taken is there the next time"
    form = await ada.click(again, "Paint with these")
    assert form.modal is not None
    values = {row["component"]["custom_id"]: row["component"].get("value") for row in form.modal["components"]}
    assert values["prompt"] == "inkwash, furry, "
    assert (values["negative"], values["list"], values["model"]) == ("colour", "ink:0.4, fur:0.9", "gradient")
    await (await ada.submit(form, {"prompt": "inkwash, furry, a fox", "size": "64x128"})).answered()
    await ada.wait_for_message("#paint", is_result)
    request = await newest(studio, ada)
    assert request.prompt.positive == "inkwash, furry, a fox <lora:ink:0.4> <lora:fur:0.9>"
    assert (request.prompt.negative, request.model.name, request.canvas.height) == ("colour", "gradient", 128)
    card = await choose(ada, again, Verb.PICK, "ink")
    assert "Taken: ink\\:0.4" in words_of(card)
    assert "fur\\:" not in words_of(card)
    assert "Taken" not in words_of(await click(ada, card, "Take none"))


async def test_names_and_tags_may_be_typed(studio: Studio, ada: Person) -> None:
    """`name:0.8` and `<lora:…>` in the option mean the same."""
    await paint(ada, lora="ink:0.8, <lora:fur:0.3>")
    assert (await newest(studio, ada)).prompt.positive == "a red apple <lora:ink:0.8> <lora:fur:0.3>"


async def test_one_is_opened_taken_and_left(studio: Studio, ada: Person) -> None:
    """A LoRA's card has its picture, words and notes; it is taken and left there; one that no prompt can say is refused."""
    card = await browse(ada, "lora browse")
    (sheet,) = pictures_of(card)
    picture = Pillow.open(io.BytesIO(await bytes_at(sheet))).convert("RGB")
    assert picture.getpixel((200, 200))[0] > 200, "the red picture beside ink is the first of the sheet"
    opened = await choose(ada, card, Verb.OPEN, "ink")
    assert "`inkwash`" in words_of(opened)
    assert "**Keep out** `colour`" in words_of(opened)
    assert len(pictures_of(opened)) == 1
    taken = await click(ada, opened, "Take it")
    assert "✅ Taken, at 0.7" in words_of(taken)
    left = await click(ada, taken, "Leave it")
    assert "Taken" not in words_of(left)
    assert "4 LoRAs of 5" in words_of(await click(ada, left, "Back"))
    odd = await choose(ada, await browse(ada, "lora browse"), Verb.OPEN, "a,b")
    assert "cannot be named in a prompt" in words_of(await click(ada, odd, "Take it"))
    assert "Made of fluff" in words_of(await browse(ada, "lora info", name="fur"))
    assert "does not fit `gradient`" in words_of(await browse(ada, "lora info", name="wide"))
    assert "no LoRA called" in words_of(await browse(ada, "lora info", name="x" * 4000))


async def test_a_sample_is_painted_once_and_kept(studio: Studio, ada: Person, ben: Person) -> None:
    """Where there is no picture, whoever presses paints one; from then on everybody sees it, until its owner deletes it."""
    opened = await browse(ada, "lora info", name="fur")
    assert pictures_of(opened) == []
    await (await ada.click(opened, "Paint a sample")).answered()
    await ada.wait_for_message("#paint", is_result)
    request = await newest(studio, ada)
    assert request.prompt.positive.startswith("furry, a lighthouse")
    assert request.prompt.positive.endswith("<lora:fur:1>")
    assert (request.count, request.seeds.seed) == (1, 1)
    seen = await browse(ben, "lora info", name="fur")
    assert len(pictures_of(seen)) == 1
    assert "Paint a sample" not in [part.get("label") for part in parts_of(seen)]
    page = await studio.easel.desk.db.gallery.page(int(ada.id), Query(), limit=1)
    await studio.easel.desk.db.images.remove(page.images[0].id)
    gone = await browse(ben, "lora info", name="fur")
    assert pictures_of(gone) == []
    assert "Paint a sample" in [part.get("label") for part in parts_of(gone)]


async def test_a_model_of_ones_own(studio: Studio, painter: FakeBackend, ada: Person, ben: Person) -> None:
    """The model that somebody chose paints for them alone where they name none; when it is gone, the card says so."""
    card = await browse(ada, "model browse")
    assert "3 models of 3" in words_of(card)
    opened = await choose(ada, card, Verb.OPEN, "sunset")
    mine = await click(ada, opened, "Paint with it by default")
    assert "⭐ This is what paints for you" in words_of(mine)
    assert "⭐ yours" in words_of(await click(ada, mine, "Back"))
    await paint(ada)
    assert (await newest(studio, ada)).model.name == "sunset"
    await paint(ada, model="gradient")
    assert (await newest(studio, ada)).model.name == "gradient"
    await paint(ben)
    assert (await newest(studio, ben)).model.name == "gradient"
    whole = painter.inventory
    painter.inventory = msgspec.structs.replace(whole, checkpoints=whole.checkpoints[:1])
    await click(ada, await browse(ada, "model browse"), "Look again")
    told = words_of(await paint(ada)).replace("\\", "")
    assert "Your own model “sunset” is not here any more" in told
    painter.inventory = whole
    card = await click(ada, await browse(ada, "model browse"), "Look again")
    opened = await choose(ada, card, Verb.OPEN, "sunset")
    assert "⭐" not in words_of(await click(ada, opened, "Not mine any more"))
    grand = await browse(ada, "model info", name="grand")
    assert "wide · SDXL" in words_of(await click(ada, grand, "Its LoRAs"))
    form = await ada.click(await browse(ada, "model info", name="grand"), "Paint with it")
    await (await ada.submit(form, {"prompt": "a fox"})).answered()
    await ada.wait_for_message("#paint", lambda message: is_result(message) and "grand" in words_of(message))
    assert (await newest(studio, ada)).model.name == "grand"


async def test_files_come_and_go_without_a_restart(studio: Studio, painter: FakeBackend, ada: Person) -> None:
    """🔄 shows what came into the folders; a menu line of what went says so; an empty shelf says where files go."""
    card = await browse(ada, "lora browse")
    before = painter.inventory
    painter.inventory = shelf(Path(before.loras[0].preview).parent, many=40)
    card = await click(ada, card, "Look again")
    assert "The folders hold something else now" in words_of(card)
    assert "page 1 of 5" in words_of(card)
    seen = set[str]()
    for _ in range(5):
        seen |= {option["label"].partition(". ")[2] for option in menu(card, Verb.OPEN)["options"]}
        last = card
        buttons = {(part.get("emoji") or {}).get("name"): part for part in parts_of(card) if part["type"] == 2}
        if not buttons["▶️"].get("disabled"):
            card = await click(ada, card, "▶️")
    assert seen == {info.name for info in painter.inventory.loras} - {"wide"}
    painter.inventory = msgspec.structs.replace(before, loras=())
    await studio.easel.desk.found_more(again_after=0)
    gone = await choose(ada, last, Verb.OPEN, "x39")
    assert "That LoRA is not here any more" in words_of(gone)
    empty = await browse(ada, "lora browse")
    assert "`models/Lora`" in words_of(empty)
    assert "Nothing in the folders has changed" in words_of(await click(ada, empty, "Look again"))


async def test_a_picker_is_its_owners(studio: Studio, ada: Person, ben: Person) -> None:
    """Somebody else's buttons change nothing; in direct messages it works as in the server."""
    channel = studio.easel.client.get_channel(int(ada.channel("#paint")))
    assert isinstance(channel, discord.TextChannel)
    card = cards.page_card(await page_of(studio.easel.desk, int(ada.id), Shelf.LORAS, 1))
    await channel.send(view=view.layout(card), files=view.files(card))
    seen = await ben.wait_for_message("#paint", lambda message: "### LoRAs" in words_of(message))
    for label in ("Find", "Look again"):
        assert "somebody else's" in words_of(await click(ben, seen, label))
    chosen = await (await ben.select(seen, menu(seen, Verb.PICK)["custom_id"], [key_of(lora("fur"))])).answered()
    assert "somebody else's" in words_of(chosen)
    assert (await studio.easel.desk.db.palettes.get(int(ada.id))).picks == ()
    direct = await (await ben.slash("lora browse", ben.open_dm())).answered()
    assert "4 LoRAs of 5" in words_of(direct)
    assert "Taken: fur\\:1" in words_of(await choose(ben, direct, Verb.PICK, "fur"))
