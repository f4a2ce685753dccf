"""Who looks on while requests are answered and the writer works: the metrics and the log. By itself it does nothing."""

from collections.abc import Sequence

from trueup.model.traffic import RowResult


class WriterEvents:
    """What the writer says of its work."""

    def gathered(self, clicks: int, messages: int, seconds: float) -> None:
        """So many callers shared one commit, which took so long."""

    def recorded(self, told: Sequence[RowResult]) -> None:
        """What messages came to."""

    def sliced(self, seconds: float) -> None:
        """A slice of longer work took so long."""

    def spooled(self, kept: int, lost: int) -> None:
        """So many clicks went to the spool, and so many found no room."""

    def adopted(self, clicks: int) -> None:
        """So many clicks were taken from a file that another process had left."""

    def damaged(self, stretches: int) -> None:
        """So many stretches of a file of the spool are damaged. They are kept aside."""

    def laid_aside(self, trouble: str) -> None:
        """A click was laid aside: the database refuses it."""

    def unrecorded(self, address: str) -> None:
        """A click was not recorded: its address had had too many in this minute."""

    def failed(self, trouble: str) -> None:
        """The database or the spool could not be written."""

    def changed(self, state: str, before: str, why: str) -> None:
        """The state of the process is another one than before."""
