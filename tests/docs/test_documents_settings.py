"""The page of settings says what the settings are, and files in the form it shows are read."""

import os
from pathlib import Path

import pytest
from documents import blocks, text_of
from settings_page import PAGE, parts, table

from trueup.settings import FILE_VARIABLE, read_settings


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("TRUEUP_")]:
        monkeypatch.delenv(name)


def test_settings_page__is_the_settings_own() -> None:
    assert parts(PAGE.read_text(encoding="utf-8"))[1] == table(), "`make docs` writes it anew"


@pytest.mark.parametrize("name", ["docs/settings.md", "docs/running.md"])
def test_documents__the_settings_they_show_are_read(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = blocks(text_of(name), "toml")
    assert shown
    for text in shown:
        (tmp_path / "trueup.toml").write_text(text)
        monkeypatch.setenv(FILE_VARIABLE, str(tmp_path / "trueup.toml"))
        assert read_settings({}) != read_settings({"host": "192.0.2.1"})


def test_settings__the_command_line_goes_before_the_environment_and_that_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "trueup.toml").write_text('host = "10.0.0.1"\nport = 1\nworkers = 3\n')
    monkeypatch.setenv(FILE_VARIABLE, str(tmp_path / "trueup.toml"))
    monkeypatch.setenv("TRUEUP_HOST", "10.0.0.2")
    monkeypatch.setenv("TRUEUP_PORT", "2")
    monkeypatch.setenv("TRUEUP_WORKERS", "")  # as a compose file leaves it
    read = read_settings({"host": "10.0.0.3"})
    assert (read.host, read.port, read.workers) == ("10.0.0.3", 2, 3)


def test_settings__lists_stand_in_the_environment_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUEUP_TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.7")
    assert [str(network) for network in read_settings({}).trusted_proxies] == ["10.0.0.0/8", "192.0.2.7/32"]
