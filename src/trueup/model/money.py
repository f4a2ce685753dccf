"""Money: integers of micros (1/1,000,000 of a currency unit), never floats. How it is read, and how it is written.

An amount is ASCII digits with an optional sign and at most 6 decimals, such as `1.20`, `.5`, `5.`, `-50`; a rate is
the same with at most 9. Zeros in front and at the end change nothing. Columns and single values are read by the same
patterns and limits, and agree on every text.
"""

import re
from functools import lru_cache
from typing import Final

import polars as pl

MICROS: Final = 1_000_000
DECIMALS: Final = 6  # the most an amount has
PAYOUT_MAX: Final = 9_000_000_000 * MICROS  # a click's 1,000 rows of this still fit 64 bits
RATE_SCALE: Final = 1_000_000_000  # rates are integers of billionths
RATE_DECIMALS: Final = 9
RATE_ONE: Final = RATE_SCALE

_SHOWN_DECIMALS: Final = 2  # the fewest an amount is written with
_WHOLE_DIGITS: Final = 18  # no amount of ours has more, zeros before them left out
BLANKS: Final = " \u00a0\u2009\u202f"
GROUPING: Final = f"'\u2019{BLANKS}"  # what may stand between thousands, besides the mark that no decimals stand behind
_POINT: Final = r"\."
_BEYOND: Final = f"is beyond {PAYOUT_MAX // MICROS:,}"
_TOO_LARGE: Final = "is too large"


def _many_decimals(decimals: int) -> str:
    return f"has more than {decimals} decimals"


def _no_number(example: str) -> str:
    return f"is not a number such as {example}"


# The patterns, in a syntax that Python and Polars share.
def _fit(decimals: int, mark: str = _POINT) -> str:
    whole = rf"0*[0-9]{{1,{_WHOLE_DIGITS}}}(?:{mark}[0-9]{{0,{decimals}}}0*)?"
    return rf"[+-]?(?:{whole}|{mark}[0-9]{{1,{decimals}}}0*)"


def _with_many_decimals(decimals: int, mark: str = _POINT) -> str:
    return rf"[+-]?[0-9]*{mark}[0-9]{{{decimals + 1},}}"


def _large(mark: str = _POINT) -> str:
    """A number, where it is not one of those above."""
    return rf"[+-]?[0-9]+{mark}?[0-9]*"


def _grouped(mark: str, between: str) -> str:
    """A number with the same sign between all its thousands."""
    whole = "|".join(f"[0-9]{{1,3}}(?:{each}[0-9]{{3}}){{1,6}}" for each in (re.escape(between), *GROUPING))
    return rf"[+-]?(?:{whole})(?:{mark}[0-9]*)?"


_GROUPED: Final = {False: re.compile(_grouped(_POINT, ",")), True: re.compile(_grouped(",", "."))}
_BETWEEN: Final = {False: re.compile(f"[,{GROUPING}]"), True: re.compile(f"[.{GROUPING}]")}
_SHORT: Final = 28  # a longer number may have zeros that it does not need
_FIT: Final = {decimals: re.compile(_fit(decimals)) for decimals in (DECIMALS, RATE_DECIMALS)}
_FINER: Final = re.compile(rf"({_POINT}[0-9]{{{DECIMALS}}})[0-9]+\Z")


@lru_cache  # most amounts come again and again
def amount(text: str) -> int | None:
    """Read an amount.

    Args:
        text: Trimmed.

    Returns:
        Micros; None where the text is no plain number of ours, or is beyond any amount that we keep.
    """
    micros = _scaled(text, DECIMALS)
    return micros if micros is not None and abs(micros) <= PAYOUT_MAX else None


def amount_cut(text: str) -> int | None:
    """Read an amount as `amount` does, decimals beyond the sixth cut off."""
    micros = amount(text)
    return amount(_FINER.sub(r"\1", text)) if micros is None else micros


def amounts(text: pl.Expr, *, decimal_comma: bool = False) -> pl.Expr:
    """Read a column as `amount` reads each text.

    Args:
        text: Trimmed.
        decimal_comma: Whether decimals stand behind a comma, and never behind a point.

    Returns:
        Micros, null where `amount` says None.
    """
    long = pl.when(text.str.len_bytes() > _SHORT).then(text)  # few or none: no time is spent on the others
    shortest = _shortest(_fit_cells(long, decimal_comma=decimal_comma))
    scaled = pl.coalesce(_scaled_cells(shortest), _scaled_cells(_fit_cells(text, decimal_comma=decimal_comma)))
    return pl.when(scaled.abs() <= PAYOUT_MAX).then(scaled).cast(pl.Int64)


def _fit_cells(text: pl.Expr, *, decimal_comma: bool) -> pl.Expr:
    """Text that is an amount, with a decimal point; null for other text."""
    fit = pl.when(text.str.contains(_whole(_fit(DECIMALS, _mark(decimal_comma=decimal_comma))))).then(text)
    return fit.str.replace(",", ".", literal=True) if decimal_comma else fit


def _scaled_cells(number: pl.Expr) -> pl.Expr:
    return number.cast(pl.Decimal(38, DECIMALS), strict=False).to_physical()


def _shortest(number: pl.Expr) -> pl.Expr:
    """Numbers without the zeros that change nothing: Polars reads so many digits and no more."""
    return number.str.replace(r"^([+-]?)0+([0-9])", "${1}${2}").str.replace(rf"(\.[0-9]{{1,{DECIMALS}}}?)0*$", "${1}")


def ungrouped(text: str, *, decimal_comma: bool = False) -> str:
    """Take out what stands between the thousands of an amount, such as `1,234.50`; other text stays as it is."""
    return _BETWEEN[decimal_comma].sub("", text) if _GROUPED[decimal_comma].fullmatch(text) else text


def ungrouped_cells(text: pl.Expr, *, decimal_comma: bool = False) -> pl.Expr:
    """Do with a column what `ungrouped` does with each text."""
    is_grouped = text.str.contains(_whole(_GROUPED[decimal_comma].pattern))
    return pl.when(is_grouped).then(text.str.replace_all(_BETWEEN[decimal_comma].pattern, "")).otherwise(text)


def amount_trouble(text: str, shown: str) -> str:
    """What is wrong with an amount.

    Args:
        text: One that `amount` could not read.
        shown: The same as a message shows it.
    """
    return f"{shown} {_why_unfit(text, DECIMALS, _BEYOND)}"


def amounts_trouble(text: pl.Expr, shown: pl.Expr, *, decimal_comma: bool = False) -> pl.Expr:
    """What is wrong with a column of amounts that `amounts` could not read, in the words of `amount_trouble`."""
    mark, example = _mark(decimal_comma=decimal_comma), "1,20" if decimal_comma else "1.20"
    return (
        pl.when(text.str.contains(_whole(_with_many_decimals(DECIMALS, mark))))
        .then(pl.format(f"{{}} {_many_decimals(DECIMALS)}", shown))
        .when(text.str.contains(_whole(_large(mark))))
        .then(pl.format(f"{{}} {_BEYOND}", shown))
        .otherwise(pl.format(f"{{}} {_no_number(example)}", shown))
    )


def micros_from_text(text: str) -> int:
    """Read an amount of any size, such as a person writes in a setup.

    Raises:
        ValueError: The text is no amount; the message says why.
    """
    return _read(text, DECIMALS)


def rate_from_text(text: str) -> int:
    """Read an exchange rate, such as `1.08`, into billionths.

    Raises:
        ValueError: It is not above 0, too large, or has more than 9 decimals; the message says which.
    """
    rate = _read(text, RATE_DECIMALS)
    if not 0 < rate <= RATE_SCALE * RATE_SCALE:
        raise ValueError(f"a rate is above 0 and at most {RATE_SCALE:,}")
    return rate


def _read(text: str, decimals: int) -> int:
    value = _scaled(text, decimals)
    if value is None:
        raise ValueError(f"{text!r} {_why_unfit(text, decimals, _TOO_LARGE)}")
    return value


def _scaled(text: str, decimals: int) -> int | None:
    if not _FIT[decimals].fullmatch(text):
        return None
    whole, _, fraction = text.partition(".")
    return int(whole + fraction[:decimals].ljust(decimals, "0"))


def _why_unfit(text: str, decimals: int, too_large: str) -> str:
    if re.fullmatch(_with_many_decimals(decimals), text):
        return _many_decimals(decimals)
    return too_large if re.fullmatch(_large(), text) else _no_number("1.20")


def _mark(*, decimal_comma: bool) -> str:
    return "," if decimal_comma else _POINT


def _whole(pattern: str) -> str:
    return f"^(?:{pattern})$"


def text_from_micros(micros: int) -> str:
    """Write micros as a decimal: at least two decimals, no more than needed: `1.20`, `-50.00`, `0.000001`."""
    return text_of_decimal(micros, DECIMALS, _SHOWN_DECIMALS)


def text_from_rate(rate: int) -> str:
    """Write a rate as the shortest decimal: `1.08`."""
    return text_of_decimal(rate, RATE_DECIMALS, 0)


def text_of_decimal(value: int, decimals: int, kept: int) -> str:
    """Write one whole number of 10^-`decimals` as `decimal_text` writes a column; with `kept` 0 as short as can be."""
    whole, fraction = divmod(abs(value), 10**decimals)
    digits = f"{fraction:0{decimals}d}"
    shown = digits[:kept] + digits[kept:].rstrip("0")
    return f"{'-' if value < 0 else ''}{whole}{'.' if shown else ''}{shown}"


def money_text(micros: pl.Expr) -> pl.Expr:
    """Write a column as `text_from_micros` writes each amount."""
    return decimal_text(micros, DECIMALS, _SHOWN_DECIMALS)


def decimal_text(number: pl.Expr, decimals: int, kept: int) -> pl.Expr:
    """Write whole numbers as decimals, exactly.

    Args:
        number: Integers of 10^-`decimals`.
        decimals: How many they carry.
        kept: How many are always written, at least 1.

    Returns:
        Text with no more decimals than needed, null for null.
    """
    scale = pl.lit(10**decimals, pl.Int128)
    size = number.cast(pl.Int128).abs()
    fraction = (size % scale).cast(pl.String).str.zfill(decimals)
    rest = fraction.str.slice(kept).str.strip_chars_end("0")
    sign = pl.when(number < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    return pl.concat_str(sign, (size // scale).cast(pl.String), pl.lit("."), fraction.str.slice(0, kept), rest)


def micros_of_sums(units: pl.Expr, rest: pl.Expr) -> pl.Expr:
    """Put together a sum of micros that was summed in two: it may leave 64 bits, where its parts do not.

    Args:
        units: Sums of `micros // MICROS`.
        rest: Sums of `micros % MICROS`.

    Returns:
        Micros of 128 bits.
    """
    return units.cast(pl.Int128) * MICROS + rest
