"""Whatever is typed as choices, braces and flags becomes prompts or one clear sentence, and soon."""

from collections.abc import Callable
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import RequestRefused
from bot.requests.braces import groups_of, permutations
from bot.requests.drafts import ImagineDraft
from bot.requests.dynamic import combine, draw, is_template
from bot.requests.flags import has_flags, understand
from bot.requests.wildcards import Wildcards

T = TypeVar("T")
PIECES = st.sampled_from(
    ["{", "}", "|", ",", "$$", "$", "%", "__", "2$$", "1-2$$", "-", "0.5::", "::", "${a=", "${a}", "${", "%{", "~", "!", "@",
     "a", "cat", " ", "\n", "#", "//", "/*", "*/", "...", "(", ")", "[a|b]", "<lora:x:1>", "\\", "é", "--ar", "3:2", "--seed",
     "—no", "--x", "5", "=", '"']
)  # fmt: skip
TYPED = st.one_of(st.text(max_size=120), st.lists(PIECES, max_size=40).map("".join))
NOTHING = Wildcards()
SIGNS = (
    "{", "}", "{}", "{,", "{a,", "__", "__a", "__a ", "$", "${", "%{", "|", "--", "--a ", "— ", "\\", '"', "--no ", "#", "a, ",
)  # fmt: skip


def outcome(act: Callable[[], T]) -> T | None:
    """What `act` gives, None where it is refused in a sentence."""
    try:
        return act()
    except RequestRefused as refused:
        said = refused.sentence
    assert said.endswith((".", "?"))
    assert len(said) < 600
    return None


@given(TYPED)
@settings(max_examples=150, deadline=None)
def test_any_template_is_drawn_or_refused(text: str) -> None:
    """No other error; the same seeds give the same words; a text that is no template is not touched."""
    drawn = outcome(lambda: draw(text, "", seeds=(1, 2, 1), wildcards=NOTHING))
    assert drawn is None or len(drawn) == 3
    if not is_template(text):
        assert drawn == ((text, ""),) * 3


@given(TYPED)
@settings(max_examples=100, deadline=None)
def test_any_template_is_combined_or_refused(text: str) -> None:
    """All combinations within the limit, or a sentence."""
    combined = outcome(lambda: combine(text, "", seed=1, limit=30, wildcards=NOTHING))
    assert combined is None or 1 <= len(combined) <= 30


@given(TYPED)
@settings(max_examples=200, deadline=None)
def test_any_braces_stand_for_prompts(text: str) -> None:
    """At least one, within the limit, and the text itself where no group permutes."""
    prompts = outcome(lambda: permutations(text, limit=40))
    assert prompts is None or 1 <= len(prompts) <= 40
    if not any(group.permutes for group in groups_of(text)):
        assert prompts == (text,)


@given(TYPED)
@settings(max_examples=200, deadline=None)
def test_any_flags_are_understood_or_refused(text: str) -> None:
    """A draft or a sentence; without flags the prompt is not touched."""
    found = outcome(lambda: understand(ImagineDraft(prompt=text)))
    if not has_flags(text):
        assert found is not None
        assert found.draft.prompt == text


def test_long_texts_take_no_longer_than_their_length() -> None:
    """Ten thousand signs of every kind are read at once: a test that took minutes here would be the failure."""
    for sign in SIGNS:
        text = (sign * 10_000)[:10_000]
        outcome(lambda text=text: permutations(text, limit=40))
        outcome(lambda text=text: understand(ImagineDraft(prompt=text)))
        outcome(lambda text=text: draw(text, "", seeds=(1,), wildcards=NOTHING))
