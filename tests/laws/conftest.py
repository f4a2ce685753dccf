"""What all laws are played with: the ledger's small bounds are smaller still, so that stories reach them."""

from collections.abc import Iterator

import pytest

from trueup.ledger import segments


@pytest.fixture(autouse=True, scope="module")
def loose_rows_become_segments_soon() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(segments, "_ENOUGH", 6)
        patched.setattr(segments, "_LOOKS", 1)
        patched.setattr(segments, "_MERGED", 3)
        yield
