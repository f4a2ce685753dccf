"""Which columns of a list a person wants to see is remembered."""

import json
import re
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from trueup.access.preferences import COLUMNS
from trueup.access.users import keep_preferences
from trueup.live.readers import written
from trueup.model.words import Role
from trueup.pages.forms import read_form
from trueup.pages.gate import PageRoute, safe_next
from trueup.pages.rendering import pages_of, person_of

_NAME: Final = re.compile("[a-z0-9_-]{1,40}")
_COLUMNS_MOST: Final = 60


async def choose_columns(request: Request) -> Response:
    """Keep the columns that were ticked, and go back to the list.

    Raises:
        HTTPException: The form is not that of a list.
    """
    sent, person = await read_form(request), person_of(request)
    name, columns = sent.get("list", ""), [] if sent.get("usual") else sent.getlist("column")
    if not _NAME.fullmatch(name) or len(columns) > _COLUMNS_MOST or not all(map(_NAME.fullmatch, columns)):
        raise HTTPException(422, "These are no columns of a list.")
    if person:
        kept = {f"{COLUMNS}{name}": json.dumps(columns)}
        await written(pages_of(request).context, lambda database: keep_preferences(database, person.user_id, kept))
    return RedirectResponse(safe_next(sent.get("next")), status_code=303)


routes = [PageRoute("/preferences/columns", choose_columns, needs=Role.VIEWER, methods=("POST",))]
