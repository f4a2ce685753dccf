"""What a person chooses for a file: from the form of the page to the choices, and back to what the form shows."""

from dataclasses import dataclass, field, replace
from typing import Any, Final

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
        flag = form.get("set", "")
        flags: dict[str, Any] = {flag: True} if flag in _FLAGS else {}
        return Chosen(replace(before, **flags))
    errors: dict[str, str] = {}
    kind = UploadKind(form["kind"]) if form["kind"] in set(UploadKind) else before.kind
    is_clicks = kind is UploadKind.CLICKS
    texts = {name: form.get(name, "").strip()[:_TEXT_CHARS] or None for name in _TEXTS}
    texts["time_format"] = form.get("time_pattern", "").strip()[:_TEXT_CHARS] or texts["time_format"]
    mode = form.get("duplicates", "")
    if texts["dialect"] and texts["dialect"] not in (CLICK_DIALECTS if is_clicks else DIALECTS):
        texts["dialect"] = None  # it was of the other kind of rows
    if texts["time_format"]:
        errors |= _time_format_errors(texts["time_format"])
    choices = UploadChoices(
        kind=kind,
        dialect=texts["dialect"],
        columns=_columns(form),
        duplicates=DuplicateMode(mode) if mode in set(DuplicateMode) and not is_clicks else None,
        time_zone=texts["time_zone"],
        time_format=texts["time_format"],
        decimal_comma=_is_ticked(form, "decimal_comma"),
        thousands=_is_ticked(form, "thousands"),
        encoding=texts["encoding"],
        sheet=texts["sheet"],
        force_status=_is_ticked(form, "force_status") and not is_clicks,
        without_conversion_ids=_is_ticked(form, "without_conversion_ids") and not is_clicks,
        create_missing=_is_ticked(form, "create_missing") and is_clicks,
        mapping=None if is_clicks else texts["mapping"],
        titles_line=None if is_clicks else _titles_line(form.get("titles_line", "").strip(), errors),
        again=before.again,
    )
    return Chosen(choices, errors)


def _is_ticked(form: Sent, name: str) -> bool:
    return form.get(name) == "on"


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
