"""Rows keep a local time as it was given; a network's zone acts, or is not set. A migration is frozen."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("journal", sa.Column("local_time", sa.BigInteger, nullable=True))
    op.add_column("journal", sa.Column("fallback_zone", sa.Text, nullable=False, server_default=""))
    # Until now a network's zone acted on nothing, and UTC was written where nobody had said one.
    op.execute("UPDATE affiliate_networks SET time_zone = '' WHERE time_zone = 'UTC'")
