"""Names of files: what passes is one part of a path that shows as what it is, on every system."""

import pytest

from inference.api.filenames import BadName, file_name


@pytest.mark.parametrize(
    "name", ["fox.safetensors", "0.7(a) + 0.3(b).ckpt", "föx v1.5.safetensors", "狐.pt", "a" * 188 + ".safetensors"]
)
def test_good_names_stay(name: str) -> None:
    """Letters of any script, brackets, signs, blanks inside."""
    assert file_name(name) == name


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "at least one"),
        (" . ", "at least one"),
        ("..", "at least one"),
        ("../x.pt", "must not contain /"),
        ("a\\b.pt", "must not contain"),
        ("C:x.pt", "must not contain :"),
        ("a\x00.pt", "not seen"),
        ("a\n.pt", "not seen"),
        ("x\u202etp.tnetsefas", "not seen"),
        ("a\u200b.pt", "not seen"),
        (".hidden", "begin or end"),
        ("a.pt ", "begin or end"),
        ("a.pt.", "begin or end"),
        ("\u3000a.pt", "begin or end"),
        ("con.pt", "Windows"),
        ("LPT9", "Windows"),
        ("com¹.pt", "Windows"),
        ("ｃｏｎ.pt", "Windows"),
        ("狐" * 70, "too long"),
    ],
)
def test_bad_names_are_told_why(name: str, words: str) -> None:
    """Parts of paths, devices, what is not seen, too many bytes; the sentence never carries what turns a line round."""
    with pytest.raises(BadName, match=words) as caught:
        file_name(name)
    assert "\u202e" not in str(caught.value)
    assert "\x00" not in str(caught.value)


def test_one_form() -> None:
    """Letters and their accents become one character, so that a name is found again."""
    assert file_name("fo\u0308x.pt") == "föx.pt"
