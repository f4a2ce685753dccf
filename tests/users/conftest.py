"""Pages for each test that asks for some."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from site_of_pages import Site

NewSite = Callable[..., Site]


@pytest.fixture
def new_site(url: str, tmp_path: Path) -> Iterator[NewSite]:
    """Make the pages of servers on the ledger of `url`, with settings: `new_site(session_days=1)`."""
    made: list[Site] = []

    def make(**settings: Any) -> Site:  # noqa: ANN401 - whatever a setting holds
        made.append(Site(url, tmp_path / f"files{len(made)}", **settings))
        return made[-1]

    yield make
    for site in made:
        site.stop()


@pytest.fixture
def site(new_site: NewSite) -> Site:
    """The pages of a server on the ledger of `url`."""
    return new_site()
