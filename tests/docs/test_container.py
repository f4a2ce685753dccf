"""The container's files hang together with the program: settings exist, what is copied is there, YAML is YAML."""

import ast
import json
import re
from typing import Any

import pytest
import yaml
from documents import ROOT

from trueup.settings import PREFIX, Settings

VARIABLES = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
COMPOSES = ["compose.yaml", "compose.postgresql.yaml"]


def _services(name: str) -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))["services"]
    return services


def test_dockerfile__sets_only_what_are_settings() -> None:
    named = set(re.findall(r"\b(TRUEUP_\w+)=", DOCKERFILE))
    assert named
    assert named <= VARIABLES


def test_dockerfile__copies_what_is_there_and_not_left_out() -> None:
    taken = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copies = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    copied = [word for line in copies for word in line.split()]
    assert copied
    for name in copied:
        assert (ROOT / name).exists(), name
        assert f"!{name}" in taken, name


def test_dockerfile__asks_after_its_health_with_a_program_that_compiles() -> None:
    (words,) = re.findall(r"HEALTHCHECK .*? CMD (\[.*\])", DOCKERFILE)
    program, option, text = json.loads(words)
    assert (program, option) == ("python", "-c")
    assert "/healthz" in text
    ast.parse(text)


def test_dockerfile__runs_as_nobody_in_particular_with_a_python_that_will_do() -> None:
    assert "\nUSER trueup\n" in DOCKERFILE
    assert set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) == {"python:3.11-slim"}


@pytest.mark.parametrize("name", COMPOSES)
def test_compose__sets_only_what_are_settings_and_keeps_what_is_to_be_kept(name: str) -> None:
    trueup = _services(name)["trueup"]
    assert {key for key in trueup["environment"] if key.startswith(PREFIX)} <= VARIABLES
    assert "data:/data" in trueup["volumes"]
    assert all(port.startswith("127.0.0.1:") for port in trueup["ports"])


@pytest.mark.parametrize("name", COMPOSES)
def test_compose__gives_the_server_longer_to_stop_than_it_takes(name: str) -> None:
    from trueup.live.processes import STOP_SECONDS  # noqa: PLC0415 - slow to import

    assert int(_services(name)["trueup"]["stop_grace_period"].removesuffix("s")) > STOP_SECONDS


def test_compose__names_no_volume_that_it_does_not_make() -> None:
    for name in COMPOSES:
        told = yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))
        used = {volume.split(":")[0] for service in told["services"].values() for volume in service.get("volumes", [])}
        assert used == set(told["volumes"])
