"""The server's settings: from the command line, the environment (TRUEUP_...), a TOML file, or the defaults here."""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from trueup.ledger.database import DEFAULT_URL
from trueup.model.nearest import nearest_words

PREFIX: Final = "TRUEUP_"
FILE_VARIABLE: Final = "TRUEUP_SETTINGS"
_SHOWN_MOST: Final = 60
_SQLITE: Final = "sqlite:///"
_FILES: Final = "trueup-files"
_SECRET: Final = frozenset({"database_url", "metrics_token"})  # nothing of these is ever shown


class SettingsError(Exception):
    """Some settings cannot be used. The message has a line for each: which setting, where it is set, what to write."""


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
    """Part a list that the environment gives as one text with commas."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _network(value: object) -> object:
    return ip_network(value) if isinstance(value, str) else value


def _origin(url: str) -> str:
    if url and not re.fullmatch(r"https?://[^\s/?#@]+/?", url):
        raise ValueError("it is a scheme and a host, such as https://t.example.com")
    return url.rstrip("/")


def _beside(given: Mapping[str, Any]) -> Path:
    """The default folder of a database's server. Two databases in one place must not share a folder."""
    url = str(given.get("database_url", ""))
    return Path(f"{url.removeprefix(_SQLITE)}-files" if url.startswith(_SQLITE) else _FILES)


LogLevel = Literal["debug", "info", "warning", "error"]
Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)]
Networks = Annotated[list[Network], NoDecode, BeforeValidator(_parted)]


class Settings(BaseSettings):
    """What a server is told. Each can be given as TRUEUP_<NAME> in the environment, or in the settings file."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True)

    database_url: str = Field(DEFAULT_URL, description="The database: sqlite:///FILE or postgresql://USER@HOST/NAME.")
    host: str = Field("127.0.0.1", description="The address to listen on; 0.0.0.0 for every one of this machine.")
    port: int = Field(8080, ge=0, le=65_535, description="The port to listen on.")
    workers: int = Field(1, ge=1, le=64, description="How many processes serve. More than one needs PostgreSQL.")
    public_url: Annotated[str, AfterValidator(_origin)] = Field(
        "", description="Where the world reaches this server, such as https://t.example.com."
    )
    folder: Path = Field(
        default_factory=_beside,
        description=f"Where sent files and the spool are kept; else beside a SQLite file as FILE-files, or {_FILES}.",
    )

    trusted_proxies: Networks = Field(
        [], description="Proxies whose X-Forwarded-For is believed, as addresses or ranges."
    )
    country_header: str = Field("", description="A header in which a trusted proxy says the visitor's country.")
    country_database: Path | None = Field(None, description="A MaxMind file (.mmdb) to find the visitor's country in.")
    ip_kept: IpKept = Field(
        IpKept.TRUNCATED, description="How much of a visitor's address is kept: whole, truncated or none."
    )
    cookie_days: int = Field(30, ge=0, le=400, description="How long the pixel's cookie lasts; 0 sets none.")

    upload_bytes: int = Field(1 << 30, ge=1 << 10, description="The largest file that can be sent.")
    sent_file_days: int = Field(
        30, ge=0, le=36_500, description="How long a sent file is kept after it is applied or cancelled; 0 for ever."
    )
    body_bytes: int = Field(16 << 20, ge=1 << 10, description="The largest body of any other API request.")
    postback_bytes: int = Field(64 << 10, ge=1 << 10, description="The largest body of a postback.")
    query_bytes: int = Field(8 << 10, ge=256, description="The longest query of a click, pixel or postback.")
    parameters: int = Field(100, ge=10, le=1_000, description="The most parameters of a click, pixel or postback.")
    waiting: int = Field(10_000, ge=100, description="How many clicks and postbacks may wait for the database.")
    spool_bytes: int = Field(64 << 20, ge=1 << 16, description="Room for clicks that the ledger does not have yet.")
    free_bytes: int = Field(
        256 << 20, ge=0, description="With less free disk than this, /readyz says so, and no files are taken."
    )
    metrics_from: Networks = Field(
        [ip_network("127.0.0.0/8"), ip_network("::1/128")],
        description="From where /metrics is answered without a token; with a public_url, from nowhere by default.",
    )
    metrics_token: SecretStr = Field(
        SecretStr(""), description="A secret of your choice; whoever brings it as a Bearer token sees /metrics."
    )
    api_per_minute: int = Field(600, ge=1, description="How many API requests a key may make in a minute.")
    refused_per_minute: int = Field(
        300, ge=1, description="How many refused postbacks or wrong keys an address may send in a minute."
    )

    clicks_per_minute: int = Field(
        600, ge=0, description="How many clicks of an address are recorded in a minute; 0 for all."
    )

    session_idle_hours: int = Field(
        12, ge=1, le=8_760, description="How many hours a person stays signed in without asking for a page."
    )
    session_days: int = Field(
        14, ge=1, le=365, description="After how many days a person signs in again, whatever they did meanwhile."
    )
    invitation_days: int = Field(7, ge=1, le=90, description="How long the link of an invitation or a reset works.")
    wrong_passwords_per_minute: int = Field(
        10, ge=1, description="How many wrong passwords an address may send in a minute."
    )
    wrong_passwords_per_hour: int = Field(
        50, ge=1, description="How many wrong passwords an account takes in an hour from browsers it does not know."
    )

    log_form: LogForm = Field(LogForm.TEXT, description="How log lines are written: text or json.")
    log_level: LogLevel = Field("info", description="The least that is logged: debug, info, warning or error.")

    @property
    def sqlite_file(self) -> Path | None:
        """The database's file, None for a database that is no file."""
        file = self.database_url.removeprefix("sqlite:///")
        return None if file == self.database_url else Path(file)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the base class hands it over
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the same
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The command line comes before the environment, and the environment before the file."""
        file = TomlConfigSettingsSource(settings_cls, os.environ.get(FILE_VARIABLE) or None)
        return init_settings, env_settings, file


def read_settings(given: Mapping[str, object]) -> Settings:
    """Read the settings (docs/settings.md).

    Args:
        given: Those of the command line, by name.

    Returns:
        The settings.

    Raises:
        SettingsError: Some cannot be used.
    """
    file = os.environ.get(FILE_VARIABLE)
    try:
        if file:
            tomllib.loads(Path(file).read_text(encoding="utf-8"))
        return Settings(**given)  # type: ignore[arg-type]  # each is checked by its field
    except ValidationError as error:
        raise SettingsError("\n".join(_mistakes(error, given, file))) from None
    except (OSError, ValueError) as error:
        raise SettingsError(f"{file}: it cannot be read as a TOML file: {error}") from None


def unknown_variables() -> list[str]:
    """Variables of the environment that look like settings and are none, such as one with a letter missing."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | {FILE_VARIABLE}
    return sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)


def _mistakes(error: ValidationError, given: Mapping[str, object], file: str | None) -> Iterator[str]:
    for mistake in error.errors(include_url=False):
        name = str(mistake["loc"][0])
        variable = f"{PREFIX}{name.upper()}"
        place = f"--{name}" if name in given else variable if os.environ.get(variable) else f"{file}: {name}"
        field = Settings.model_fields.get(name)
        if field is None:
            near = nearest_words(name, Settings.model_fields, most=1)
            yield f"{place}: there is no such setting" + (f"; did you mean {near[0]}?" if near else "")
        else:
            reason = mistake["msg"].removeprefix("Value error, ")
            shown = "what is given" if name in _SECRET else _shown(mistake["input"])
            yield f"{place} cannot be {shown}: {reason}. What it is: {field.description}"


def _shown(value: Any) -> str:  # noqa: ANN401 - a mistake can be any value
    return repr(value) if len(repr(value)) <= _SHOWN_MOST else f"{repr(value)[:_SHOWN_MOST]}..."
