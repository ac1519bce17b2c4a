"""Requests whose prompts leave choices become requests in which everything is chosen."""

from pathlib import Path

import msgspec
import pytest

from bot.errors import LimitReached, RequestRefused
from bot.requests.chosen import MOST, chosen, combined, drawn_again, leaves_choices
from bot.requests.derive import again, vary
from bot.requests.drafts import ImagineDraft
from bot.requests.dynamic import draw
from bot.requests.orders import read_order
from bot.requests.resolve import resolve
from bot.requests.safety import check_request
from bot.requests.wildcards import Wildcards
from inference.api.request import SEED_LIMIT, Drawn, GenerationRequest
from inference.api.single import single
from tests.unit.bot.requests.shelf import AROUND

NOTHING = Wildcards()


def asked(prompt: str, *, count: int = 4, seed: int = 10, negative: str = "") -> GenerationRequest:
    """A resolved request for `prompt`."""
    return resolve(ImagineDraft(prompt=prompt, count=count, seed=str(seed), negative=negative), **AROUND)


def test_each_picture_has_the_words_that_its_own_seed_draws() -> None:
    """Picture i of four has what a job with seed + i alone would have; its template stays with it."""
    made = chosen(asked("a {red|green|blue} {cat|dog}", negative="{fog|rain}"), NOTHING)
    for index in range(4):
        alone = chosen(asked("a {red|green|blue} {cat|dog}", count=1, seed=10 + index, negative="{fog|rain}"), NOTHING)
        assert single(made, index) == alone
        assert alone.drawn == Drawn("a {red|green|blue} {cat|dog}", "{fog|rain}")


def test_a_prompt_without_choices_is_the_same_request() -> None:
    """Nothing is touched, not even copied."""
    request = asked("a [cat|dog] (x:1.2), 50% # no")
    assert not leaves_choices(request)
    assert chosen(request, NOTHING) is request
    assert combined(request, NOTHING) == (request,)


def test_the_same_words_everywhere_are_the_prompt() -> None:
    """A choice of one leaves no texts of single pictures."""
    made = chosen(asked("a {cat}"), NOTHING)
    assert (made.prompt.positive, made.drawn) == ("a cat", Drawn("a {cat}"))


def test_again_draws_anew_and_variations_keep_their_words() -> None:
    """Fresh noise means fresh words; a variation strength keeps them, as in the webui's extension."""
    made = chosen(asked("a {red|green|blue|black|white} cat"), NOTHING)
    redrawn = drawn_again(again(made, 1000), NOTHING)
    wanted = draw("a {red|green|blue|black|white} cat", "", seeds=range(1000, 1004), wildcards=NOTHING)
    assert redrawn.drawn is not None
    assert redrawn.drawn.texts == wanted
    one = single(made, 2)
    varied = vary(one, strong=False, count=4, random_seed=lambda: 3)
    assert {varied.prompt_of(index) for index in range(4)} == {made.prompt_of(2)}
    frozen = chosen(
        msgspec.structs.replace(
            varied, prompt=msgspec.structs.replace(varied.prompt, positive="a {red|green|blue} cat")
        ),
        NOTHING,
    )
    assert len({frozen.prompt_of(index) for index in range(4)}) == 1


def test_combinations_are_one_job_while_a_card_can_show_them() -> None:
    """Up to four are the pictures of one job, more are a job each; picture i has seed + i either way."""
    (four,) = combined(asked("{a|b} {c|d}", count=1), NOTHING)
    assert [four.prompt_of(index).positive for index in range(four.count)] == ["a c", "a d", "b c", "b d"]
    six = combined(asked("{a|b} {c|d|e}"), NOTHING)
    assert [(job.prompt.positive, job.seeds.seed, job.count) for job in six] == [
        ("a c", 10, 1), ("a d", 11, 1), ("a e", 12, 1), ("b c", 13, 1), ("b d", 14, 1), ("b e", 15, 1),
    ]  # fmt: skip
    last = combined(asked("{a|b} {c|d|e}", count=1, seed=SEED_LIMIT - 1), NOTHING)
    assert last[-1].seeds.seed == SEED_LIMIT - 1


@pytest.mark.parametrize("where", ["prompt", "negative"])
def test_what_is_drawn_is_checked(where: str, tmp_path: Path) -> None:
    """Words that come out of a wildcard's file are refused as if they had been typed; so are texts that are too long."""
    (tmp_path / "who.txt").write_text("naked child\n", "utf-8")
    (tmp_path / "long.txt").write_text("word " * 2_500, "utf-8")
    wildcards = Wildcards([tmp_path])
    if where == "prompt":
        with pytest.raises(RequestRefused, match="never paints"):
            chosen(asked("a __who__"), wildcards)
    with pytest.raises(RequestRefused, match="at most 10,000 characters"):
        chosen(asked("a __long__") if where == "prompt" else asked("a", negative="__long__"), wildcards)


def test_the_gate_reads_the_words_of_every_picture() -> None:
    """A job is refused for what any of its pictures says."""
    request = asked("a cat", count=2)
    with pytest.raises(RequestRefused, match="never paints"):
        check_request(msgspec.structs.replace(request, drawn=Drawn("x", "", (("a cat", ""), ("naked child", "")))))


def test_an_order_is_a_draft_for_each_job() -> None:
    """Braces with commas first, then flags, then repeats; what was understood is told once."""
    order = read_order(ImagineDraft(prompt="a {red, blue} cat --ar {1:1, 3:2} --seed 5 --niji"))
    assert [(draft.prompt, draft.aspect, draft.seed) for draft in order.drafts] == [
        ("a red cat", "1:1", "5"), ("a red cat", "3:2", "5"), ("a blue cat", "1:1", "5"), ("a blue cat", "3:2", "5"),
    ]  # fmt: skip
    assert order.notes == ("ar 1:1", "seed 5", "left out --niji (Midjourney's)", "ar 3:2")
    assert read_order(ImagineDraft(prompt="a cat")).drafts == (ImagineDraft(prompt="a cat"),)
    assert len(read_order(ImagineDraft(prompt="a {b,c} --repeat 3")).drafts) == 6
    assert read_order(ImagineDraft(prompt="{a|b} --all")).combine
    with pytest.raises(LimitReached, match=f"more than {MOST} prompts"):
        read_order(ImagineDraft(prompt="{a,b,c,d,e}{a,b,c,d,e}{a,b,c,d,e}"))
    with pytest.raises(LimitReached, match="asks for 120 jobs"):
        read_order(ImagineDraft(prompt="{a,b,c} --repeat 40"))
