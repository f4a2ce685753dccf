"""Local times to moments: a clock change makes some of them happen never, and some twice."""

import polars as pl


def is_known(zone: str) -> bool:
    """Whether a zone of this name exists here: an older table of zones lacks the newest."""
    try:
        pl.select(moment(pl.lit(0, pl.Int64), zone))
    except pl.exceptions.ComputeError:
        return False
    return True


def moment(local_time: pl.Expr, zone: str) -> pl.Expr:
    """The moments of local times.

    Args:
        local_time: microseconds from the epoch to what a clock shows, as if in UTC.
        zone: the IANA name of the clock's zone.

    Returns:
        Microseconds since the epoch; null where a clock change skipped or repeated the time.
    """
    return _in_zone(local_time, zone, "null")


def clock_change(local_time: pl.Expr, zone: str, shown: pl.Expr) -> pl.Expr:
    """Say why local times are no moments, for a person.

    Args:
        local_time: as `moment` takes it, of times that it made null.
        zone: as `moment` takes it.
        shown: the times as the person knows them.

    Returns:
        Which clock change it was.
    """
    return (
        pl.when(_in_zone(local_time, zone, "earliest").is_null())
        .then(pl.format(f"{{}} never was in {zone}: a clock change skipped it. Give its offset", shown))
        .otherwise(pl.format(f"{{}} was twice in {zone}: a clock change repeated it. Give its offset", shown))
    )


def _in_zone(local_time: pl.Expr, zone: str, ambiguous: str) -> pl.Expr:
    if zone == "UTC":
        return local_time
    clock = local_time.cast(pl.Datetime("us"))
    return clock.dt.replace_time_zone(zone, ambiguous=pl.lit(ambiguous), non_existent="null").to_physical()
