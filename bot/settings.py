"""Settings: `config.toml`, then the environment, checked once and frozen.

The token comes from the environment only. Any other key can be overridden there too, as `EASEL_SECTION__KEY`.

Owns every key and its default. A default here and the same line in `config.toml` must agree; a test compares them.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot.errors import SetupError
from inference.api.wire import EngineSettings

PROJECT = Path(__file__).resolve().parent.parent
"""Folder of the project: relative paths in `config.toml` start here."""


class Section(BaseModel):
    """A `[section]`: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PathSettings(Section):
    """`[paths]`: where things lie."""

    data: Path = Path("data")
    models: Path = Path("models")
    extra_models: tuple[Path, ...] = ()


class InferenceSettings(Section):
    """`[inference]`: the worker."""

    backend: Literal["local", "fake"] = "local"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: Annotated[int, Field(ge=0, le=256)] = 0
    memory_limit_gib: Annotated[float, Field(ge=0)] = 0.0
    max_rows: Annotated[int, Field(ge=1, le=64)] = 16
    preview_every: Annotated[int, Field(ge=0, le=150)] = 4


class GenerationSettings(Section):
    """`[generation]`: what a bare `/imagine` means."""

    model: str = ""
    sampler: str = "euler_a"
    steps: Annotated[int, Field(ge=1, le=150)] = 20
    cfg_scale: Annotated[float, Field(ge=0, le=30)] = 7.0
    count: Annotated[int, Field(ge=1, le=4)] = 4
    negative: str = ""


class LimitSettings(Section):
    """`[limits]`: checked before a job is queued."""

    max_steps: Annotated[int, Field(ge=1, le=150)] = 60
    max_megapixels: Annotated[float, Field(gt=0, le=17)] = 4.2
    jobs_per_person: Annotated[int, Field(ge=1, le=100)] = 5
    jobs_per_guild: Annotated[int, Field(ge=1, le=10_000)] = 100
    controls: Annotated[int, Field(ge=1, le=10)] = 10
    series_cells: Annotated[int, Field(ge=2, le=1000)] = 100
    series_per_person: Annotated[int, Field(ge=1, le=20)] = 2
    upload_mib: Annotated[float, Field(gt=0, le=50)] = 10.0
    upload_megapixels: Annotated[float, Field(gt=0, le=100)] = 16.0


class DownloadSettings(Section):
    """`[downloads]`: models that are fetched from elsewhere."""

    max_gib: Annotated[float, Field(gt=0, le=500)] = 20.0
    attached_mib: Annotated[float, Field(gt=0, le=500)] = 100.0


class ModerationSettings(Section):
    """`[moderation]`: who looks after Easel everywhere, and what no server can allow without the operator."""

    operators: tuple[int, ...] = ()
    nsfw: bool = False
    nsfw_in_dms: bool = False


class DiscordSettings(Section):
    """`[discord]`: the bot's manners in a server."""

    guild: int = 0
    progress_seconds: Annotated[float, Field(ge=5, le=60)] = 5.0


class SandboxSettings(Section):
    """`[sandbox]`: the page on this machine that stands in for Discord when there is no token."""

    port: Annotated[int, Field(ge=0, le=65535)] = 0
    open_browser: bool = True
    openapi: Path = Path("../shared/reference/discord_openapi.json")


class Settings(BaseSettings):
    """Everything that can be set, one attribute per `[section]`."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix="EASEL_", env_nested_delimiter="__")

    token: SecretStr | None = Field(default=None, validation_alias=AliasChoices("EASEL_DISCORD_TOKEN"))
    paths: PathSettings = PathSettings()
    inference: InferenceSettings = InferenceSettings()
    generation: GenerationSettings = GenerationSettings()
    limits: LimitSettings = LimitSettings()
    downloads: DownloadSettings = DownloadSettings()
    moderation: ModerationSettings = ModerationSettings()
    discord: DiscordSettings = DiscordSettings()
    sandbox: SandboxSettings = SandboxSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file, whose values are passed at construction."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings

    @property
    def data(self) -> Path:
        """Folder of the database, the pictures and the caches."""
        return PROJECT / self.paths.data

    @property
    def model_folders(self) -> tuple[Path, ...]:
        """Folders of weights, wildcards and tags, the first of which wins."""
        return tuple(PROJECT / root for root in (self.paths.models, *self.paths.extra_models))

    def engine(self) -> EngineSettings:
        """What the worker is told when it starts."""
        return EngineSettings(
            roots=tuple(str(root) for root in self.model_folders),
            cache=str(self.data / "cache"),
            device=self.inference.device,
            threads=self.inference.threads,
            memory_limit=int(self.inference.memory_limit_gib * 2**30),
            max_rows=self.inference.max_rows,
            preview_every=self.inference.preview_every,
        )


def load_settings(path: Path) -> Settings:
    """Read and check `path`. Raises SetupError that names the key, what was found and what would be right."""
    try:
        with path.open("rb") as file:
            values: dict[str, Any] = tomllib.load(file)
    except FileNotFoundError as error:
        raise SetupError(
            f"There is no {path}. Take the config.toml that came with Easel, or begin an empty one."
        ) from error
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise SetupError(f"{path} is not a text in UTF-8; save it as such.") from error
    except tomllib.TOMLDecodeError as error:
        raise SetupError(f"{path} is not valid TOML: {error}.") from error
    for secret in ("token", "EASEL_DISCORD_TOKEN"):
        if secret in values:
            raise SetupError(
                f"Take the token out of {path}: it is read from the environment variable EASEL_DISCORD_TOKEN only."
            )
    try:
        return Settings(**values)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise SetupError(f"{path}: {key}: {first['msg']} (found {first.get('input')!r}).") from error
