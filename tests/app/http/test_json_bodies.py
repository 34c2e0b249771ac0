"""JSON of requests: what is refused, with which sentence."""

from __future__ import annotations

import pytest

from lens_triage.app.http.json_bodies import DEEPEST, MOST_BYTES, fault_of, read_object
from lensing_core.errors import BadInputError

REFUSED = {
    b"[1]": "not a JSON object",
    b"{": "not JSON",
    b"\xff": "not JSON in UTF-8",
    b'{"a": NaN}': "NaN is not a JSON number",
    b'{"a": -Infinity}': "-Infinity is not a JSON number",
    b'{"a": 1e999}': "a: give a finite number",
    b'{"a": {"b": [1, 9223372036854775808]}}': "a.b: the whole number is too large",
    b'{"id": ' + b"9" * 5000 + b"}": "not JSON",
    b'{"a": "\\ud800"}': "a: the text contains half of a character",
    b'{"\\udfff": 1}': "name contains half of a character",
    b'{"a": ' + b"[" * 100_000: "nested too deeply",
    b'{"a": ' + b"[" * DEEPEST + b"]" * DEEPEST + b"}": "nested too deeply",
    b" " * (MOST_BYTES + 1): "bytes; send up to",
}


@pytest.mark.parametrize("body", REFUSED, ids=lambda body: body[:20].decode("latin-1"))
def test_what_no_field_takes_is_refused_with_a_sentence(body):
    with pytest.raises(BadInputError, match=REFUSED[body]):
        read_object(body)


def test_what_is_right_is_read():
    assert read_object(b"") == {}
    content = '{"a": [1.5, "\\u00e9\\ud83d\\ude00", null, true], "n": 9223372036854775807}'
    assert read_object(content.encode())["a"][1] == "é😀"
    deep = b'{"a": ' + b"[" * (DEEPEST - 2) + b"]" * (DEEPEST - 2) + b"}"
    assert fault_of(read_object(deep)) == ""


def test_a_lenient_reader_leaves_one_bad_part_to_its_caller():
    body = b'{"events": [{"x": NaN}, {"x": "\\ud800"}, {"x": 1}]}'
    assert len(read_object(body, lenient=True)["events"]) == 3
    with pytest.raises(BadInputError, match="deeply"):
        read_object(b'{"events": ' + b"[" * 50 + b"]" * 50 + b"}", lenient=True)
