"""An index in the order of the log, so that a page of it is found at once. A migration is frozen."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("conversions_converted_at", "conversions")
    op.create_index("conversions_converted_at", "conversions", ["converted_at", "click_id", "n"])
