"""The words and colours of what has a chip: statuses, outcomes, states, labels. An icon goes with each colour."""

from typing import Final, NamedTuple

from trueup.model.words import BatchState, ClickOutcome, Label, Outcome, Status, UploadState


class Chip(NamedTuple):
    """How a word is shown."""

    text: str
    tone: str  # approved, pending, declined, other, neutral or info: the tokens of the style sheet
    icon: str
    is_outlined: bool = False


_STATUSES: Final = {
    Status.APPROVED: Chip("Approved", "approved", "circle-check"),
    Status.PENDING: Chip("Pending", "pending", "clock"),
    Status.DECLINED: Chip("Declined", "declined", "circle-x"),
    Status.OTHER: Chip("Other", "other", "diamond"),
}
_STATES: Final = {
    UploadState.RECEIVED: Chip("Received", "neutral", "file"),
    UploadState.PREVIEWING: Chip("Previewing", "info", "loader"),
    UploadState.PREVIEWED: Chip("Previewed", "info", "eye"),
    UploadState.APPLYING: Chip("Applying", "info", "loader"),
    UploadState.DONE: Chip("Done", "approved", "circle-check"),
    UploadState.CANCELLED: Chip("Cancelled", "neutral", "ban"),
    UploadState.FAILED: Chip("Failed", "declined", "circle-x"),
    BatchState.RUNNING: Chip("Running", "info", "loader"),
    BatchState.STOPPED: Chip("Stopped", "neutral", "ban"),
    "undone": Chip("Undone", "neutral", "arrow-back-up"),
}
_ICONS_OF_OUTCOMES: Final = {
    "refused": "circle-x",
    "parked": "clock",
    "ignored": "circle-minus",
    "created": "circle-plus",
}


def words_of(code: str) -> str:
    """A code as words: `refused_unknown_click` as `Refused unknown click`."""
    return code.replace("_", " ").capitalize()


def chip_of(code: str) -> Chip:
    """How a status, an outcome, a state of a file or a batch, or a label is shown.

    Args:
        code: The word as it is stored.
    """
    if code in _STATUSES:
        return _STATUSES[Status(code)]
    if code in _STATES:
        return _STATES[code]
    if code in tuple(Label):
        return Chip(words_of(code), "neutral", "repeat" if code == Label.REPEATED else "tag", is_outlined=True)
    return _of_outcome(code)


def _of_outcome(code: str) -> Chip:
    first = code.split("_", maxsplit=1)[0]
    tones = {"refused": "declined", "parked": "pending"}
    is_known = code in {*Outcome, *ClickOutcome}
    icon = _ICONS_OF_OUTCOMES.get(first, "circle-dashed") if is_known else "circle-dashed"
    return Chip(words_of(code), tones.get(first, "neutral") if is_known else "neutral", icon)
