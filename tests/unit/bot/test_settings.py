"""config.toml and the settings that are made of it."""

import tomllib
from pathlib import Path

import pytest

from bot.errors import SetupError
from bot.settings import PROJECT, Settings, load_settings


def test_every_line_of_the_config_file_is_a_default() -> None:
    """config.toml, untouched, holds every key and changes none."""
    written = tomllib.loads((PROJECT / "config.toml").read_text(encoding="utf-8"))
    defaults = Settings().model_dump(mode="json", exclude={"token"})
    assert written == defaults


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[limits]\nmax_steps = 10000", "limits.max_steps"),
        ("[limits]\nmax_step = 10", "limits.max_step"),
        ("[inference]\ndevice = 'gpu'", "'auto', 'cuda' or 'cpu'|'auto', 'cpu' or 'cuda'"),
        ("[nonsense]\na = 1", "nonsense"),
        ("[limits", "not valid TOML"),
        ("token = 'abc'", "EASEL_DISCORD_TOKEN only"),
    ],
)
def test_a_wrong_key_is_named_in_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    """A mistake in config.toml stops the start with the key, what was found and what would be right."""
    file = tmp_path / "config.toml"
    file.write_text(text)
    with pytest.raises(SetupError, match=said):
        load_settings(file)


def test_the_environment_gives_the_token_and_wins_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token comes from the environment; a key set there replaces the file's and leaves its neighbours alone."""
    file = tmp_path / "config.toml"
    file.write_text("[inference]\ndevice = 'cuda'\nthreads = 3")
    monkeypatch.setenv("EASEL_DISCORD_TOKEN", "secret")
    monkeypatch.setenv("EASEL_INFERENCE__DEVICE", "cpu")
    settings = load_settings(file)
    assert settings.token is not None
    assert settings.token.get_secret_value() == "secret"
    assert (settings.inference.device, settings.inference.threads) == ("cpu", 3)
    assert "secret" not in repr(settings)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    """Without config.toml the person is told where to take one from."""
    with pytest.raises(SetupError, match=r"There is no .*config\.toml"):
        load_settings(tmp_path / "config.toml")
