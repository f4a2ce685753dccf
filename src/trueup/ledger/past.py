"""The past of clicks, as it is decided again from: their rows, and how the clicks themselves arrived."""

from collections.abc import Sequence

from trueup.ledger.arrivals import read_arrivals
from trueup.ledger.database import Readable
from trueup.ledger.policies import read_policies
from trueup.ledger.snapshot import read_journal
from trueup.model.frames import ARRIVAL_FACTS, ArrivalFacts, JournalRows
from trueup.model.past import Past


def read_past(database: Readable, click_ids: Sequence[str]) -> Past:
    """Read everything that deciding these clicks again starts from."""
    rows = read_journal(database, click_ids)
    return past_of(database, rows, read_arrivals(database, click_ids, ARRIVAL_FACTS))


def past_of(database: Readable, rows: JournalRows, arrivals: ArrivalFacts) -> Past:
    """The same of what is read already.

    Args:
        database: The ledger.
        rows: JOURNAL.
        arrivals: ARRIVAL_FACTS of their clicks.
    """
    return Past(rows, arrivals, read_policies(database, rows["policy_id"].unique().to_list()))
