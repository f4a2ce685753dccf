"""What operations on sent files ask for: short looks at the ledger, and for how long to wait."""

from collections.abc import Callable
from typing import Annotated, Final, TypeVar

from fastapi import Depends, Query, Request

from trueup.ledger.database import Database
from trueup.live.readers import Readers

T = TypeVar("T")

WAIT_SECONDS_MAX: Final = 60

Wait = Annotated[
    float, Query(ge=0, le=WAIT_SECONDS_MAX, description="For how many seconds to wait for the end before answering.")
]


class Looking:
    """Short looks at the ledger, for requests that last longer than they read."""

    def __init__(self, request: Request) -> None:
        """Nothing is read before it is called.

        Args:
            request: The request.
        """
        self._readers: Readers = request.app.state.readers

    async def __call__(self, work: Callable[[Database], T]) -> T:
        """Read something.

        Args:
            work: A function of a connection that only reads.

        Returns:
            What the function returns.
        """
        return await self._readers.look(work)


Look = Annotated[Looking, Depends(Looking)]
