"""How hard the laws are looked at: a little by default, much under `long`."""

import os
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, settings

# A found example is shrunk only on a person's word: on a slow ledger that takes minutes.
_PHASES: Final = [Phase.explicit, Phase.reuse, Phase.generate, Phase.target]
_SHRINKING: Final = [*_PHASES, Phase.shrink] if os.environ.get("TRUEUP_TEST_SHRINK") else _PHASES

# The ledger is emptied for each example, so one ledger serves all examples of a test.
LITTLE: Final = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
    phases=_SHRINKING,
    derandomize=True,
    database=None,
)
MUCH: Final = settings(LITTLE, derandomize=False, max_examples=1_500)

on_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
