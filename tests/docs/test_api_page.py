"""The page on the API has all that it is about: every problem, every scope."""

import re

from documents import first_cells, section, text_of

from trueup.access.keys import KeyScope
from trueup.api.http.problems import ProblemKind


def test_problems__each_has_a_row_with_its_status() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \| ([0-9]{3}) \|", text_of("docs/api.md"), re.MULTILINE)
    assert rows == [(kind.word, str(kind.status)) for kind in ProblemKind]


def test_scopes__each_has_a_row() -> None:
    assert first_cells(section(text_of("docs/api.md"), "Keys")) == [scope.value for scope in KeyScope]
