"""What a person chooses for a file: from the form of the page to the choices, and back to what the form shows."""

from dataclasses import asdict, dataclass, field
from typing import Final

from trueup.dialects.click_presets import CLICK_DIALECTS
from trueup.dialects.dialects import DIALECTS
from trueup.model.time_formats import time_format
from trueup.model.upload import UploadChoices
from trueup.model.words import DuplicateMode, UploadKind
from trueup.pages.forms import Sent

COLUMN: Final = "column:"  # before the number of a column, in the name of its control
TITLE: Final = "title:"  # the same, for the hidden field that holds its title
AUTOMATIC: Final = "auto"  # of a column: as it is recognised
_TEXTS: Final = ("dialect", "time_zone", "time_format", "encoding", "sheet", "mapping")
_FLAGS: Final = ("decimal_comma", "thousands", "force_status", "without_conversion_ids", "create_missing")
_NOT_OF_CLICKS: Final = ("force_status", "without_conversion_ids")
_TEXT_CHARS: Final = 200
_DIGITS: Final = 4  # of the number of a line


@dataclass(frozen=True)
class Chosen:
    """What came of a form."""

    choices: UploadChoices
    errors: dict[str, str] = field(default_factory=dict)  # by field


def chosen_by(form: Sent, before: UploadChoices) -> Chosen:
    """Read the choices of the page's form.

    Args:
        form: What was sent. A form without the field `kind` is of a single button, which sets one choice.
        before: What was chosen so far.
    """
    if "kind" not in form:
        flags = {name: True for name in _FLAGS if form.get("set") == name}
        return Chosen(UploadChoices(**{**_kept(before), **flags}))
    errors: dict[str, str] = {}
    kind = UploadKind(form["kind"]) if form["kind"] in set(UploadKind) else before.kind
    is_clicks = kind is UploadKind.CLICKS
    texts = {name: form.get(name, "").strip()[:_TEXT_CHARS] or None for name in _TEXTS}
    texts["time_format"] = form.get("time_pattern", "").strip()[:_TEXT_CHARS] or texts["time_format"]
    flags = {name: form.get(name) == "on" for name in _FLAGS}
    mode = form.get("duplicates", "")
    if texts["dialect"] and texts["dialect"] not in (CLICK_DIALECTS if is_clicks else DIALECTS):
        texts["dialect"] = None  # it was of the other kind of rows
    if texts["time_format"]:
        errors |= _time_format_errors(texts["time_format"])
    choices = UploadChoices(
        kind=kind,
        columns=_columns(form),
        duplicates=DuplicateMode(mode) if mode in set(DuplicateMode) and not is_clicks else None,
        titles_line=None if is_clicks else _titles_line(form.get("titles_line", "").strip(), errors),
        again=before.again,
        **{**texts, **({"mapping": None} if is_clicks else {})},
        **{name: value and not (is_clicks and name in _NOT_OF_CLICKS) for name, value in flags.items()}
        | {"create_missing": flags["create_missing"] and is_clicks},
    )
    return Chosen(choices, errors)


def _kept(choices: UploadChoices) -> dict[str, object]:
    return {**asdict(choices), "columns": dict(choices.columns)}


def _columns(form: Sent) -> dict[str, str]:
    """Which column was chosen to be which field, '' to leave it out; without those that stay as recognised."""
    chosen = {}
    for name, value in form.items():
        if name.startswith(COLUMN) and value != AUTOMATIC:
            title = form.get(TITLE + name.removeprefix(COLUMN), "").strip()
            if title:
                chosen[title] = value.strip()
    return chosen


def _time_format_errors(stated: str) -> dict[str, str]:
    try:
        time_format(stated)
    except ValueError as error:
        return {"time_pattern": str(error)}
    return {}


def _titles_line(text: str, errors: dict[str, str]) -> int | None:
    if not text:
        return None
    if text.isascii() and text.isdecimal() and len(text) <= _DIGITS:
        return int(text)
    errors["titles_line"] = "This is the number of a line; 0 where the file has no titles."
    return None
