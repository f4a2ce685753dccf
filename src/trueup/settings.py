"""The server's settings: by environment (TRUEUP_...), by a TOML file, or as they are here."""

from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Final

from pydantic import BeforeValidator, Field
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

DEFAULT_URL: Final = "sqlite:///trueup.db"
PREFIX: Final = "TRUEUP_"
FILE_VARIABLE: Final = "TRUEUP_SETTINGS"


class IpKept(StrEnum):
    """How much of a visitor's address is kept with the click."""

    WHOLE = "whole"
    TRUNCATED = "truncated"  # to its /24, or /48 for IPv6
    NONE = "none"


class LogForm(StrEnum):
    """How log lines are written."""

    TEXT = "text"
    JSON = "json"


def _parted(value: object) -> object:
    """A list stands as one text in the environment, with commas between."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _network(value: object) -> object:
    return ip_network(value) if isinstance(value, str) else value


Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)]
Networks = Annotated[list[Network], NoDecode, BeforeValidator(_parted)]


class Settings(BaseSettings):
    """What a server is told. Each can be given as TRUEUP_<NAME> in the environment, or in the settings file."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    database_url: str = Field(DEFAULT_URL, description="The database: sqlite:///FILE or postgresql://USER@HOST/NAME.")
    host: str = Field("127.0.0.1", description="The address to listen on; 0.0.0.0 for every one of this machine.")
    port: int = Field(8080, ge=0, le=65_535, description="The port to listen on.")
    workers: int = Field(1, ge=1, le=64, description="How many processes serve. More than one is for PostgreSQL.")
    public_url: str = Field("", description="Where the world reaches this server, such as https://t.example.com.")
    folder: Path = Field(Path("trueup-files"), description="Where sent files and the spool are kept.")

    trusted_proxies: Networks = Field(
        [], description="Proxies whose X-Forwarded-For is believed, as addresses or ranges."
    )
    country_header: str = Field("", description="A header in which a trusted proxy says the visitor's country.")
    country_database: Path | None = Field(None, description="A MaxMind file (.mmdb) to find the visitor's country in.")
    ip_kept: IpKept = Field(IpKept.TRUNCATED, description="How much of a visitor's address is kept with the click.")
    cookie_days: int = Field(30, ge=0, le=400, description="How long the pixel's cookie lasts; 0 sets none.")

    upload_bytes: int = Field(1 << 30, ge=1 << 10, description="The largest file that can be sent.")
    body_bytes: int = Field(16 << 20, ge=1 << 10, description="The largest body of any other API request.")
    postback_bytes: int = Field(64 << 10, ge=1 << 10, description="The largest body of a postback.")
    query_bytes: int = Field(8 << 10, ge=256, description="The longest query of a click, pixel or postback.")
    parameters: int = Field(100, ge=10, le=1_000, description="The most parameters of a click, pixel or postback.")
    waiting: int = Field(10_000, ge=100, description="How many clicks and postbacks may wait for the database.")
    spool_bytes: int = Field(64 << 20, ge=1 << 16, description="Room for clicks while the database cannot be written.")
    free_bytes: int = Field(256 << 20, ge=0, description="Less free disk than this, and /readyz says so.")
    api_per_minute: int = Field(600, ge=1, description="How many API requests a key may make in a minute.")
    refused_per_minute: int = Field(
        300, ge=1, description="How many refused postbacks or wrong keys an address may send in a minute."
    )

    log_form: LogForm = Field(LogForm.TEXT, description="How log lines are written.")
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="The least that is logged.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the base class hands it over
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the same
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What the command line says goes before the environment, and that before the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)
