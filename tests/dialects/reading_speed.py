"""How fast a large file is read, and in how much memory; run by hand, with a number of rows or without."""

import random
import resource
import sys
import time

from trueup.dialects.choices import Choices
from trueup.dialects.read import read_file

TYPES = ("conversion", "app_install", "upsell", "deposit", "correction")


def content(rows: int) -> bytearray:
    """A file as Voluum takes it: random click ids, five types, half of the rows with a transaction id."""
    rng = random.Random(1)  # noqa: S311 - sample rows need no secrets
    made = bytearray()
    for n in range(rows):
        transaction_id = f"t{n:06d}" if n % 2 else ""
        made += f"{rng.getrandbits(96):024x},{rng.randint(1, 999) / 100:.2f},{transaction_id},{TYPES[n % 5]}\n".encode()
    return made


def peak_mb() -> float:
    """The most memory that the process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Read one large file and print what it took."""
    made = content(int(sys.argv[1]) if len(sys.argv) > 1 else 2_200_000)
    before, start = peak_mb(), time.perf_counter()
    reading = read_file(made, Choices())
    seconds = time.perf_counter() - start
    print(f"{len(made) / 1e6:.0f} MB, {reading.rows.height:,} rows as {reading.dialect}: {seconds:.2f} s")
    print(f"peak {peak_mb():.0f} MB, {before:.0f} MB of it before reading")


if __name__ == "__main__":
    main()
