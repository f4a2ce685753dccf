"""Messages that wait together are recorded together, and what is wrong with one harms no other."""

from collections.abc import Callable, Sequence
from typing import Final

from trueup.ledger.database import DatabaseError, DatabaseRefusedError
from trueup.live.commit_queue import UnavailableError
from trueup.live.events import WriterEvents
from trueup.live.ledger_link import LedgerLink
from trueup.live.spool.drain import Drain
from trueup.model.traffic import IncomingConversion, RowResult
from trueup.recording.incoming import AbsentClicksError, GivenUpError

ResultOrError = RowResult | Exception

_TOO_LONG: Final = "it took too long"


class NotYetError(UnavailableError):
    """The click of a message may be in a spool that the ledger does not have yet."""


class MessageRecorder:
    """Records messages through the link to the ledger, and says what each is answered."""

    def __init__(
        self,
        link: LedgerLink,
        drain: Drain,
        is_wanted: Callable[[], bool],
        lose: Callable[[Exception], None],
        events: WriterEvents,
    ) -> None:
        """Nothing is recorded before it is asked for.

        Args:
            link: The link to the ledger.
            drain: Knows what waits in the spools of other processes.
            is_wanted: Whether anybody still waits for the answers.
            lose: Called where the database failed.
            events: Who looks on.
        """
        self._link, self._drain, self._is_wanted, self._lose, self._events = link, drain, is_wanted, lose, events

    def recorded(self, messages: Sequence[IncomingConversion], *, all_are_here: bool = False) -> list[ResultOrError]:
        """Record messages.

        Args:
            messages: Messages of one origin.
            all_are_here: No spool has a click that the ledger lacks.

        Returns:
            What each is answered, in their order. An exception is to be raised at its caller.
        """
        ledger = self._link.ledger
        if ledger is None or not messages:
            return [UnavailableError("the database was lost")] * len(messages)
        answers: list[ResultOrError]
        try:
            told = ledger.record(messages, self._is_wanted, all_are_here=all_are_here)
            self._link.note_setup()
            self._events.recorded(told)
            answers = list(told)
        except AbsentClicksError as error:
            answers = self._without(messages, error.places)
        except GivenUpError:
            answers = [UnavailableError(_TOO_LONG)] * len(messages)
        except DatabaseError as error:
            if isinstance(error, DatabaseRefusedError):
                answers = self._apart(messages, error)
            else:
                self._lose(error)
                answers = [UnavailableError(str(error))] * len(messages)
        except Exception as error:  # noqa: BLE001 - one message's trouble must end neither the others' nor the thread
            answers = self._apart(messages, error)
        return answers

    def _apart(self, messages: Sequence[IncomingConversion], error: Exception) -> list[ResultOrError]:
        """Part messages, to find the one that something is wrong with."""
        if len(messages) == 1:
            self._events.failed(f"{type(error).__name__}: {error}")
            return [UnavailableError("it could not be recorded")]
        half = len(messages) // 2
        return self.recorded(messages[:half]) + self.recorded(messages[half:])

    def _without(self, messages: Sequence[IncomingConversion], absent: frozenset[int]) -> list[ResultOrError]:
        """Put off messages whose clicks may still be in a spool, and record the others.

        What others had in their files may be in the ledger since the messages were decided: where their files are empty
        now, the messages are decided once more, and then for good.
        """
        clicks = [messages[place].row["click_id"] for place in absent]
        if not self._drain.may_be_on_its_way(self._link.ledger, clicks):
            return self.recorded(messages, all_are_here=True)
        here = [said for place, said in enumerate(messages) if place not in absent]
        answers = iter(self.recorded(here))
        not_yet = NotYetError("its click is not in the ledger yet")
        return [not_yet if place in absent else next(answers) for place in range(len(messages))]
