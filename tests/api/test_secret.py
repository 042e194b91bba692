import copy
import dataclasses
import json
import marshal
import pickle
import pprint
import reprlib
import traceback
from collections.abc import Callable
from typing import Any

import pydantic
import pytest

from reconciler.api.secret import MASK, Credentials, Scrubber, Secret
from reconciler.errors import SettingsError

TOKEN = "eyJhbGci.OiJIUzI1NiJ9_-x=="


def test_a_secret_shows_itself_to_nobody() -> None:
    secret = Secret(TOKEN, cookie=True)
    text = f"{secret} {secret!r} {secret!s:>9} {[secret]} {Credentials(token=secret, password=secret)}"
    assert TOKEN not in text
    assert secret.reveal() == TOKEN
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_no_usual_way_to_write_a_value_down_shows_a_secret() -> None:
    credentials = Credentials(token=Secret(TOKEN, cookie=True), email="anna@example.edu", password=Secret("hush hush"))
    with pytest.raises(ValueError) as raised:
        float(str(credentials.token))
    text = "".join(traceback.TracebackException.from_exception(raised.value, capture_locals=True).format())
    text += f"%s %r {credentials} {credentials!r:>30}" % (credentials.token, credentials.password)
    text += pprint.pformat(credentials) + reprlib.repr([credentials]) + str(dir(credentials.token))
    assert "hush" not in text
    assert TOKEN not in text
    assert MASK in text
    ways: list[Callable[[Any], object]] = [
        copy.copy,
        copy.deepcopy,
        json.dumps,
        marshal.dumps,
        dataclasses.asdict,
        vars,
    ]
    for write_down in ways:
        with pytest.raises((TypeError, ValueError)):
            write_down(credentials.token)
    with pytest.raises(pydantic.ValidationError) as error_info:
        pydantic.TypeAdapter(dict[str, int]).validate_python({"token": credentials.token})
    assert TOKEN not in f"{error_info.value} {error_info.value.errors()} {error_info.value!r}"


@pytest.mark.parametrize("around", ["\n", "\r\n", " ", "\t\n"])
def test_white_space_around_a_token_is_dropped(around: str) -> None:
    assert Secret(f"{around}{TOKEN}{around}", cookie=True).reveal() == TOKEN


def test_a_password_keeps_its_spaces_and_loses_its_line_end() -> None:
    assert Secret(" pass word, ü;\r\n").reveal() == " pass word, ü;"


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("hush hush", "white space"),
        ("hush;hush", "`;`"),
        ("hush,hush", "`,`"),
        ("hush\x00hush", "control"),
        ("hush\r\nX: y", "control"),
        ("hush\x7f", "control"),
        ("hüsh", "ASCII"),
        ("auth-token=hush", "`auth-token=`"),
        ("  \n", "empty"),
    ],
)
def test_what_cannot_stand_in_a_cookie_is_refused_without_being_shown(value: str, says: str) -> None:
    with pytest.raises(SettingsError) as error_info:
        Secret(value, name="RECONCILER_AUTH_TOKEN", cookie=True)
    error = error_info.value
    assert says in error.message
    assert error.message.startswith("RECONCILER_AUTH_TOKEN ")
    text = "".join(traceback.format_exception_only(error)) + error.hint + repr(error)
    assert "hush" not in text
    assert "hüsh" not in text


def test_a_password_is_read_alike_where_the_locale_knows_no_utf_8() -> None:
    assert Secret("p\udcc3\udc9f").reveal() == "p\u00df"


@pytest.mark.parametrize("value", ["", "\n", "pass\nword", "pass\x1bword", "pass\udce9word"])
def test_what_cannot_be_a_password_is_refused(value: str) -> None:
    with pytest.raises(SettingsError, match="RECONCILER_PASSWORD"):
        Secret(value, name="RECONCILER_PASSWORD")


@pytest.mark.parametrize(
    "written",
    [
        '<b>&"ü/x',
        '{"password": "<b>&\\"\\u00fc/x"}',
        '{"password": "<b>&\\"\\u00fc\\/x"}',
        '{"password": "<b>&\\"ü/x"}',
        "p=%3Cb%3E%26%22%C3%BC%2Fx",
        "p=%3Cb%3E%26%22%C3%BC/x",
        "&lt;b&gt;&amp;&quot;ü/x",
    ],
)
def test_every_usual_spelling_of_a_secret_is_masked(written: str) -> None:
    cleaned = Scrubber('<b>&"ü/x').clean(f"it was {written}, yes")
    assert MASK in cleaned
    for part in ("&", "%C3", "ü", "u00fc"):
        assert part not in cleaned


def test_a_scrubber_learns() -> None:
    scrubber = Scrubber()
    assert scrubber.clean("tok-2") == "tok-2"
    scrubber.add("tok-2")
    scrubber.add("tok-22")
    assert scrubber.clean("tok-22 and tok-2") == f"{MASK} and {MASK}"
