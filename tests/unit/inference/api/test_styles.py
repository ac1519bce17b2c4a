"""`styles.csv`: written as it is read."""

from inference.api.styles import Style, read_styles, write_styles

STYLES = (
    Style("ink", "{prompt}, ink, “thick” lines", "colour"),
    Style("two, words", 'a "quoted" word\non two lines', ""),
    Style("日本", "", "ぼやけ"),
)


def test_what_is_written_is_read_again() -> None:
    """Commas, quotes, line ends and every script survive; the header is the webui's."""
    text = write_styles(STYLES)
    assert text.startswith("name,prompt,negative_prompt\r\n")
    assert read_styles(text) == STYLES
    assert read_styles(text.encode("utf-8-sig").decode()) == STYLES


def test_a_file_of_today_and_one_of_long_ago() -> None:
    """A byte order mark, spaces after commas and `#` rows are the webui's; the old header had `text`; the last name counts."""
    text = '\ufeffname, prompt, negative_prompt\n# ---, , \nink, "a, b", c\nfog, x, \nink, d, e\n'
    assert read_styles(text) == (Style("ink", "d", "e"), Style("fog", "x"))
    assert read_styles("name,text\nink,a\n") == (Style("ink", "a"),)
    assert read_styles("") == ()
