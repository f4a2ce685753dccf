"""How hard laws are looked at: a few examples by default, many in the long run; never the same ones on purpose."""

import os
from collections.abc import Callable
from typing import Any, Final, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings

Test = TypeVar("Test", bound=Callable[..., Any])

_TIMES: Final = settings().max_examples // settings.get_profile("default").max_examples  # 100 in the long run
IN_LONG_RUN: Final = _TIMES > 1

# A found example is shrunk only on a person's word: on a slow ledger that takes minutes.
_PHASES: Final = [Phase.explicit, Phase.reuse, Phase.generate, Phase.target]
_SHRINKING: Final = [*_PHASES, Phase.shrink] if os.environ.get("TRUEUP_TEST_SHRINK") else _PHASES

# An example is a whole story, so that there are a tenth of what the profile says. The ledger is emptied for each, so
# that one ledger serves all examples of a test.
LAW: Final = settings(
    max_examples=settings().max_examples // 10,
    phases=_SHRINKING,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
# Nothing but memory: an example takes some milliseconds, so that there are many.
PURE_LAW: Final = settings(max_examples=2 * settings().max_examples, suppress_health_check=[HealthCheck.too_slow])


def tried(count: int, **others: Any) -> Callable[[Test], Test]:  # noqa: ANN401 - whatever a setting holds
    """Mark a test that holds for whatever comes, and needs little but memory.

    Args:
        count: How many examples are tried by default; in the long run it is a hundred times as many.
        others: Other settings of Hypothesis.
    """
    marks = settings(max_examples=count * _TIMES, **others)

    def marked(test: Test) -> Test:
        found: Test = pytest.mark.law(marks(test))
        return found

    return marked


def law(test: Test) -> Test:
    """Mark a test that holds for whatever comes, and plays each example on a ledger."""
    marked: Test = pytest.mark.law(LAW(test))
    return marked


# Where both kinds of database are looked at only in the long run.
on_sqlite_at_least = pytest.mark.parametrize(
    "database_kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)], indirect=True
)
on_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
