"""Imports that take a while, made quicker: what is imported lives as long as the process."""

import gc
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

Made = TypeVar("Made")


@contextmanager
def loading() -> Iterator[None]:
    """Have the collector pass over all that is made meanwhile, now and at the process' end.

    Looking through it, in vain, takes a third of the time that the imports themselves take.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


class Later(Generic[Made]):
    """A function for another process, which imports what the function needs when it calls it, and not before."""

    def __init__(self, make: Callable[[], Made]) -> None:
        """Keep the function, which is pickled."""
        self._pickled = pickle.dumps(make)

    def __call__(self) -> Made:
        """Call it."""
        with loading():
            make: Callable[[], Made] = pickle.loads(self._pickled)  # noqa: S301 - this program's own
            return make()
