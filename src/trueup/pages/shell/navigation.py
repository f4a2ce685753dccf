"""Where one can go from every page: the sidebar, in its order, and the words by which search finds a page."""

from typing import Final, NamedTuple

from trueup.model.words import Role


class Place(NamedTuple):
    """A page in the sidebar."""

    title: str
    path: str
    icon: str
    keys: str  # after `g`
    words: str = ""  # other names of it, those of other trackers too
    needs: Role = Role.VIEWER


SECTIONS: Final[tuple[tuple[str, tuple[Place, ...]], ...]] = (
    (
        "See",
        (
            Place(
                "Conversions",
                "/conversions",
                "circle-check",
                "c",
                "conversion log, conversions log, events, sales, leads, goals, actions, payouts, click ids",
            ),
            Place("Clicks", "/clicks", "hand-click", "k", "click log, visits, visitors, hits, subids, import clicks"),
            Place(
                "Postbacks",
                "/postbacks",
                "webhook",
                "p",
                "postback log, incoming postbacks, s2s, server to server, pixel, refused, parked",
            ),
        ),
    ),
    (
        "Correct",
        (
            Place(
                "Upload",
                "/upload",
                "upload",
                "u",
                "import conversions, conversion upload, upload conversions, bulk upload, update conversions, csv",
                Role.EDITOR,
            ),
            Place("Uploads", "/uploads", "stack-2", "h", "batches, import history, uploads history, undo, redo, files"),
        ),
    ),
    ("Setup", (Place("Users", "/users", "users", "s", "people, team, invite, roles, sessions", Role.ADMIN),)),
)
# Pages that are reached from others, and that search knows, too.
APART: Final = (
    Place("Add conversions", "/conversions/add", "plus", "", "manual conversion, type or paste", Role.EDITOR),
    Place(
        "Update status",
        "/conversions/update-status",
        "refresh",
        "",
        "change status, approve, decline, reject, cancel, chargeback, hold, status update",
        Role.EDITOR,
    ),
    Place("Download template", "/conversions/template", "template", "", "sample file, example csv, csv template"),
    Place("Profile", "/profile", "user", "", "password, theme, dark, density, letter keys, sessions, preferences"),
)
