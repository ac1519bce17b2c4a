"""Settings for commands whose data and models lie in a folder of the test's own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.settings import Settings

Make = Callable[..., Settings]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Settings with the painter of gradients; `**sections` are the tables of config.toml."""

    def settings(**sections: dict[str, object]) -> Settings:
        (tmp_path / "models").mkdir(exist_ok=True)
        paths = {"data": tmp_path / "data", "models": tmp_path / "models", **sections.pop("paths", {})}
        inference = {"backend": "fake", **sections.pop("inference", {})}
        return Settings.model_validate({"paths": paths, "inference": inference, **sections})

    return settings
