"""What every page answers: headers, errors, files for browsers to keep."""

import gzip
import re
from pathlib import Path

import pytest
from asking import Asker, text_of
from served import Served

from trueup import pages

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; font-src 'self'; "
    "img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@pytest.fixture
def asker(sample_site: Served) -> Asker:
    return Asker(sample_site)


@pytest.mark.parametrize(
    "path", ["/conversions", "/nowhere", "/sign-in", "/conversions?from=never", "/conversions.csv"]
)
def test_headers__let_nothing_in_that_is_not_ours(asker: Asker, path: str) -> None:
    answer = asker.get(path)
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert re.fullmatch("[0-9a-f]{16}", answer.headers["x-request-id"])


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/nowhere", 404, "There is no such page"),
        ("/conversions?from=never", 422, "'never' is not a date or a time"),
        ("/conversions?status=gone", 422, "No status is called 'gone'"),
        ("/conversions?batch=x", 422, "A batch is a number"),
        ("/conversions?after=x", 422, "names no page of this list"),
        ("/conversions?click_id=%00", 422, "NUL character"),
        ("/conversions.pdf", 404, "There is no such page"),
        (f"/search?q={'x' * 257}", 422, "256 characters"),
    ],
)
def test_errors__are_pages_that_say_what_happened_and_have_a_number(
    asker: Asker, path: str, status: int, says: str
) -> None:
    answer = asker.get(path)
    assert (answer.status, says in text_of(answer)) == (status, True), text_of(answer)
    assert answer.headers["x-request-id"] in answer.text
    assert "<aside" not in answer.text
    assert "Conversions" in text_of(answer)  # one can go on


def test_error__of_a_part_is_a_part(asker: Asker) -> None:
    answer = asker.get("/conversions?from=never", hx_request_type="partial")
    assert answer.status == 422
    assert "<html" not in answer.text


def test_error__for_a_program_is_a_line_of_text(sample_site: Served) -> None:
    answer = sample_site.get("/nowhere")
    assert (answer.status, answer.headers["content-type"]) == (404, "text/plain; charset=utf-8")


def test_assets__are_kept_for_ever_under_a_name_that_changes_with_them(asker: Asker, sample_site: Served) -> None:
    page = asker.get("/help").text
    names = re.findall(r'"(/assets/[0-9a-f]{12}/[^"#]+)', page)
    assert {name.rpartition("/")[2] for name in names} >= {
        "tabler.css",
        "shell.css",
        "shell.js",
        "htmx.js",
        "icons.svg",
    }
    for name in set(names):
        plain, packed = sample_site.get(name), sample_site.get(name, accept_encoding="gzip")
        assert plain.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert gzip.decompress(packed.body) == plain.body
    other = sample_site.get("/assets/000000000000/shell.css")
    assert (other.status, other.headers["cache-control"]) == (200, "no-cache")
    assert sample_site.get("/assets/000000000000/..%2fapp.py").status == 404


def test_pages__have_no_script_or_style_of_their_own(asker: Asker) -> None:
    for path in ("/conversions", "/help", "/search", "/nowhere", "/profile", "/users"):
        page = asker.get(path).text
        assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=", page), path


def test_change__asked_from_another_site_is_refused(asker: Asker) -> None:
    assert asker.post("/preferences", {"theme": "dark"}, origin="https://evil.example").status == 403


def test_icons__in_templates_are_in_the_sprite() -> None:
    from trueup.pages import asset_files  # noqa: PLC0415 - for its folder

    folder = asset_files._HERE  # noqa: SLF001 - the same
    known = set((folder / "assets" / "icons.txt").read_text(encoding="utf-8").split())
    texts = [path.read_text(encoding="utf-8") for path in (*folder.rglob("*.html"), *folder.rglob("*.py"))]
    named = {name for text in texts for name in re.findall(r'(?:icon|empty|drop)\("([a-z0-9-]+)"', text)}
    assert named - known == set()


def test_work_that_is_asked_after__is_asked_after_whatever_goes_wrong() -> None:
    folder = Path(pages.__file__).parent
    texts = [path.read_text(encoding="utf-8") for path in folder.rglob("*.html") if path.parent.name != "lists"]
    asking = [tag for text in texts for tag in re.findall(r'hx-get="[^>]*?hx-trigger="every [^>]*', text)]
    assert len(asking) >= 5
    # An error in place of the element that asks would be the end of it.
    assert [tag for tag in asking if 'hx-status:5xx="swap:none"' not in tag] == []
