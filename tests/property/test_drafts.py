"""Whatever people type, a draft becomes a request or one clear sentence."""

import math
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import RequestRefused
from bot.requests.derive import edited, picture_requests, vary
from bot.requests.drafts import ImagineDraft, read_loras, read_size
from bot.requests.resolve import canvas_for, resolve
from inference.api.request import MAX_SIDE, MIN_SIDE, GenerationRequest
from tests.unit.bot.requests.shelf import AROUND, LIMITS

WORDS = st.sampled_from(
    ["ink", "Fur:0.5", "vision", "grand", "euler_a", "DPM++ 2M Karras", "Ink", "soft", "1:1", "16:9", "lucky", "random",
     "keep", "variation", "-1", "7", "4294967295", "", " ", "(((", "<lora:ink:1>", "[a:b:0.5]", "{prompt}"]
)  # fmt: skip
TEXT = st.one_of(WORDS, st.text(max_size=40))
NUMBER = st.one_of(st.integers(-5, 200), st.integers())
REAL = st.one_of(st.floats(), st.floats(0, 1), st.floats(0, 30))
SIDE = st.one_of(st.integers(8, 64).map(lambda side: side * 8), NUMBER)
DRAFTS = st.builds(
    ImagineDraft,
    prompt=st.one_of(TEXT, st.text(max_size=300), st.integers(9_900, 10_100).map(lambda n: "(" * n)),
    negative=st.none() | TEXT,
    style=st.none() | TEXT,
    aspect=st.none() | TEXT,
    size=st.none() | st.tuples(SIDE, SIDE),
    count=st.none() | NUMBER,
    model=st.none() | TEXT,
    lora=st.none() | TEXT,
    seed=st.none() | TEXT,
    steps=st.none() | NUMBER,
    cfg=st.none() | REAL,
    sampler=st.none() | TEXT,
    strength=st.none() | REAL,
    init_image=st.none() | st.just("ab" * 32),
    init_size=st.none() | st.tuples(st.integers(1, 5000), st.integers(1, 5000)),
)


def check(request: GenerationRequest) -> None:
    """What every request keeps that a draft has become."""
    assert 1 <= request.count <= 4
    assert request.sampling.steps <= LIMITS.max_steps
    assert request.canvas.pixels <= LIMITS.max_megapixels * 1e6
    seeds = [request.seeds.seed + (0 if request.seeds.variation_strength else i) for i in range(request.count)]
    assert len(picture_requests(request, seeds)) == request.count


def outcome_of(draft: ImagineDraft) -> GenerationRequest | str:
    """The request that `draft` means, or the sentence that refuses it."""
    try:
        return resolve(draft, **AROUND)
    except RequestRefused as refused:
        return refused.sentence


@given(DRAFTS)
@settings(max_examples=300, deadline=None)
def test_any_draft_becomes_a_request_or_a_sentence(draft: ImagineDraft) -> None:
    """No other error, whatever is in it; and what comes out is within the server's limits."""
    outcome = outcome_of(draft)
    if isinstance(outcome, str):
        assert outcome.endswith((".", "?"))
        assert len(outcome) < 600
    else:
        check(outcome)


@given(DRAFTS, st.integers(0, 2**32 - 1), st.booleans())
@settings(max_examples=200, deadline=None)
def test_any_edit_becomes_a_request_or_a_sentence(changes: ImagineDraft, seed: int, varied: bool) -> None:
    """So does any form over any request, however often it is edited."""
    around = AROUND | {"random_seed": lambda: seed}
    request = resolve(ImagineDraft(prompt="a"), **around)
    if varied:
        request = vary(request, strong=True, count=3, random_seed=lambda: seed)
    with suppress(RequestRefused):
        request, told = edited(request, changes, **around)
        assert all(told)
    check(request)


@given(st.text(max_size=200))
def test_lists_and_sizes_are_read_or_refused(text: str) -> None:
    """The small parsers too."""
    with suppress(RequestRefused):
        assert all(name and (weight is None or math.isfinite(weight)) for name, weight in read_loras(text))
    with suppress(RequestRefused):
        assert min(read_size(text)) >= 0


@given(st.tuples(st.floats(0, 1e9), st.floats(0, 1e9)), st.sampled_from([64, 128, 256, 512, 768, 1024, 2048]))
def test_any_shape_has_a_canvas(shape: tuple[float, float], native: int) -> None:
    """Of about the pixels that the model was trained for."""
    canvas = canvas_for(shape, native=native)
    assert min(canvas.width, canvas.height) >= MIN_SIDE
    assert max(canvas.width, canvas.height) <= MAX_SIDE
    assert 0.5 * native**2 <= canvas.pixels <= 2 * native**2
