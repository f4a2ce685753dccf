"""Forms with parts, however they are cut into chunks."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from effort import law
from hypothesis import given
from hypothesis import strategies as st

from trueup.live.multipart import Field, FilePart, FormError, FormTooLargeError, MultipartForm

TYPE = "multipart/form-data; boundary=b"
FORM = (
    b'--b\r\nContent-Disposition: form-data; name="kind"\r\n\r\nclicks\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nc1,1\r\n--bc2,2\r\n\r\n'
    b'--b\r\nContent-Disposition: form-data; name="n"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\na=3Db\r\n'
    b'--b\r\nContent-Disposition: form-data; name=""\r\n\r\n\r\n--b--\r\nwhat comes after'
)


def read(*chunks: bytes, **limits: int) -> tuple[list[Field], list[FilePart], bytes]:
    files: list[FilePart] = []
    content = bytearray()

    def open_file(part: FilePart) -> Callable[[bytes], object]:
        files.append(part)
        return content.extend

    form = MultipartForm(TYPE, open_file, **limits)
    for chunk in chunks:
        form.write(chunk)
    form.end()
    return form.fields, files, bytes(content)


@law
@given(cuts=st.sets(st.integers(0, len(FORM)), max_size=8))
def test_form__is_the_same_however_it_is_cut(cuts: set[int]) -> None:
    places = [0, *sorted(cuts), len(FORM)]
    chunks = [FORM[start:end] for start, end in pairwise(places)]
    fields = [Field(b"kind", b"clicks"), Field(b"n", b"a=b"), Field(b"", b"")]
    assert read(*chunks) == (fields, [FilePart(b"file", b"a.csv")], b"c1,1\r\n--bc2,2\r\n")


@pytest.mark.parametrize("ends", range(4, FORM.index(b"--b--") + 4, 7))
def test_form__that_breaks_off_is_none(ends: int) -> None:
    with pytest.raises(FormError):
        read(FORM[:ends])


def test_form__has_limits() -> None:
    assert read(FORM, fields_most=3, field_bytes=6)
    with pytest.raises(FormTooLargeError, match="more than 2 fields"):
        read(FORM, fields_most=2)
    with pytest.raises(FormTooLargeError, match="'kind' is too long"):
        read(FORM, field_bytes=5)


def test_form__has_names_for_its_fields() -> None:
    with pytest.raises(FormError, match="no name"):
        read(FORM.replace(b'; name="kind"', b""))


@pytest.mark.parametrize("content_type", ["multipart/form-data", "", f"{TYPE}{'b' * 300}"])
def test_form__needs_a_boundary(content_type: str) -> None:
    with pytest.raises(FormError):
        MultipartForm(content_type, lambda _: len)
