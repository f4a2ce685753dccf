"""How numbers, money and moments are written on pages."""

import re
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

MINUS: Final = "\u2212"
NOTHING: Final = "\u2013"  # unknown, or not defined; never 0
_MICROS: Final = 1_000_000
_DECIMALS: Final = 6
_OF_CONVERSION: Final = re.compile(r"Conversion [A-Za-z0-9_.~-]+-\d+(?:: | is | )(.+)", re.DOTALL)


def brief(message: str) -> str:
    """The message of a row beside whose conversion it stands: without naming that again."""
    found = _OF_CONVERSION.fullmatch(message)
    return f"{found[1][:1].upper()}{found[1][1:]}" if found else message


def count(number: int | None) -> str:
    """Write a count, its thousands parted."""
    return NOTHING if number is None else f"{number:,}".replace("-", MINUS)


def decimals_of(amounts: list[int], least: int = 2) -> int:
    """How many decimals a column of amounts needs, so that nothing of any is left out.

    Args:
        amounts: Micros.
        least: How many there are at least.
    """
    needed = (len(_fraction(amount).rstrip("0")) for amount in amounts)
    return max(least, *needed) if amounts else least


def money(micros: int | None, decimals: int | None = None) -> str:
    """Write an amount.

    Args:
        micros: The amount; None for unknown.
        decimals: How many decimals to write, rounded half to even; None for all there are, two at least.
    """
    if micros is None:
        return NOTHING
    kept = decimals_of([micros]) if decimals is None else decimals
    parts = _rounded(abs(micros), kept)
    whole, rest = divmod(parts, 10**kept)
    text = f"{whole:,}" + (f".{rest:0{kept}d}" if kept else "")
    return f"{MINUS}{text}" if micros < 0 and parts else text


def change(micros: int, decimals: int | None = None) -> str:
    """Write by how much money changed: always with a sign, but for no change at all."""
    text = money(micros, decimals)
    return f"+{text}" if micros > 0 and not text.startswith(MINUS) else text


def count_change(number: int) -> str:
    """Write by how much a count changed."""
    return f"+{number:,}" if number > 0 else count(number)


def moment(micros: int | None, zone: str) -> str:
    """Write a moment as a clock in a zone shows it, to the second.

    Args:
        micros: Microseconds since the epoch; None for unknown.
        zone: The IANA name.
    """
    return NOTHING if micros is None else _local(micros, zone).strftime("%Y-%m-%d %H:%M:%S")


def exact_moment(micros: int, zone: str) -> str:
    """Write a moment for programs, with its offset."""
    return _local(micros, zone).isoformat()


def _local(micros: int, zone: str) -> datetime:
    seconds, rest = divmod(micros, _MICROS)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest).astimezone(ZoneInfo(zone))


def _fraction(micros: int) -> str:
    return str(abs(micros) % _MICROS).zfill(_DECIMALS)


def _rounded(micros: int, decimals: int) -> int:
    """Whole units of the last decimal, halves to the even one."""
    unit: int = 10 ** (_DECIMALS - decimals)
    whole, rest = divmod(micros, unit)
    return whole + (rest * 2 > unit or (rest * 2 == unit and whole % 2 == 1))
