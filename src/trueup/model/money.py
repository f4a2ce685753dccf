"""Money: integers of micros (1/1,000,000 of a currency unit), never floats."""

import polars as pl

MICROS = 1_000_000
PAYOUT_MAX = 9_000_000_000 * MICROS  # a click's 1,000 rows of this still fit 64 bits
RATE_SCALE = 1_000_000_000  # rates are integers of billionths
RATE_ONE = RATE_SCALE


def micros_from_text(text: str) -> int:
    """Read a plain decimal amount.

    Takes: digits with an optional sign and at most 6 decimals, such as `1.20`, `.5`, `-50`.
    Returns: micros. Raises: ValueError when the text is anything else, saying what is wrong.
    """
    return _scaled(text, MICROS, 6)


def rate_from_text(text: str) -> int:
    """Read an exchange rate, such as `1.08`, into billionths.

    Raises ValueError unless it is above 0, with at most 9 decimals.
    """
    rate = _scaled(text, RATE_SCALE, 9)
    if not 0 < rate <= RATE_SCALE * RATE_SCALE:
        raise ValueError(f"a rate is above 0 and at most {RATE_SCALE:,}")
    return rate


def _scaled(text: str, scale: int, decimals: int) -> int:
    digits = text[1:] if text[:1] in "+-" else text
    whole, dot, fraction = digits.partition(".")
    if not digits.isascii() or not (whole + fraction).isdigit() or (dot and not fraction and not whole):
        raise ValueError(f"{text!r} is not a number such as 1.20")
    if len(fraction) > decimals:
        raise ValueError(f"{text!r} has more than {decimals} decimals")
    if len(whole) > 18:  # noqa: PLR2004 - no amount of ours has more digits
        raise ValueError(f"{text!r} is too large")
    value = int(whole or "0") * scale + int(fraction.ljust(decimals, "0") or "0")
    return -value if text.startswith("-") else value


def text_from_micros(micros: int) -> str:
    """Write micros as a decimal: at least two decimals, no more than needed: `1.20`, `-50.00`, `0.000001`."""
    return _text(micros, MICROS, 6, 2)


def text_from_rate(rate: int) -> str:
    """Write a rate as the shortest decimal: `1.08`."""
    return _text(rate, RATE_SCALE, 9, 0)


def _text(value: int, scale: int, decimals: int, kept: int) -> str:
    whole, fraction = divmod(abs(value), scale)
    digits = f"{fraction:0{decimals}d}"
    shown = digits[:kept] + digits[kept:].rstrip("0")
    return f"{'-' if value < 0 else ''}{whole}{'.' if shown else ''}{shown}"


def decimal_text(number: pl.Expr, decimals: int, kept: int) -> pl.Expr:
    """Write whole numbers as decimals, exactly.

    Takes: integers of 10^-`decimals`. Returns: text with at least `kept` decimals and no more than needed, null for
    null.
    """
    scale = pl.lit(10**decimals, pl.Int128)
    size = number.cast(pl.Int128).abs()
    fraction = (size % scale).cast(pl.String).str.zfill(decimals)
    rest = fraction.str.slice(kept).str.strip_chars_end("0")
    sign = pl.when(number < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    return pl.concat_str(sign, (size // scale).cast(pl.String), pl.lit("."), fraction.str.slice(0, kept), rest)


def money_text(micros: pl.Expr) -> pl.Expr:
    """Micros as a decimal amount, such as `1.20`, `-50.00`, `0.000001`."""
    return decimal_text(micros, 6, 2)
