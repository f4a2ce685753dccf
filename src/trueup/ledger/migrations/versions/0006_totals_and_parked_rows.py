"""Running totals, so that no sum goes through all counts, and an index of the rows that wait. A migration is frozen."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

WAITS = "outcome = 'parked_unknown_click' AND n > 0"
FROM_COUNTS = """
    INSERT INTO totals (shard, conversion_type, status, conversions, units, micros)
    SELECT 0, conversion_type, status, sum(conversions), sum(revenue / 1000000), sum(revenue % 1000000)
    FROM rollups WHERE clock = 'conversion' GROUP BY conversion_type, status
"""


def upgrade() -> None:
    op.create_table(
        "totals",
        *(sa.Column(name, sa.BigInteger, nullable=False, server_default="0") for name in ("shard",)),
        *(sa.Column(name, sa.Text, nullable=False, server_default="") for name in ("conversion_type", "status")),
        *(
            sa.Column(name, sa.BigInteger, nullable=False, server_default="0")
            for name in ("conversions", "units", "micros")
        ),
        sa.PrimaryKeyConstraint("shard", "conversion_type", "status"),
        sqlite_with_rowid=False,
    )
    op.execute(sa.text(FROM_COUNTS))
    op.create_index(
        "journal_parked",
        "journal",
        ["outcome", "click_id"],
        sqlite_where=sa.text(WAITS),
        postgresql_where=sa.text(WAITS),
    )
