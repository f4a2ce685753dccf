"""An API for each test that asks for one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from calling import Api, NewApi


@pytest.fixture
def new_api(url: str, tmp_path: Path) -> Iterator[NewApi]:
    """Make APIs on the ledger of `url`, with settings: `new_api(api_per_minute=3)`."""
    made: list[Api] = []

    def make(**settings: Any) -> Api:  # noqa: ANN401 - whatever a setting holds
        made.append(Api(url, tmp_path / "files", **settings))
        return made[-1]

    yield make
    for api in made:
        api.stop()


@pytest.fixture
def api(new_api: NewApi) -> Api:
    """An API on the ledger of `url`."""
    return new_api()
