"""For how long a request waits for the work on sent files."""

from typing import Annotated, Final

from fastapi import Query

WAIT_SECONDS_MAX: Final = 60

Wait = Annotated[
    float, Query(ge=0, le=WAIT_SECONDS_MAX, description="For how many seconds to wait for the end before answering.")
]
