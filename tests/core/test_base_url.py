import pytest

from reconciler.core.base_url import check_base_url
from reconciler.errors import SettingsError


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("https://agents.example.edu/api", "https://agents.example.edu/api"),
        (" https://agents.example.edu/api/ ", "https://agents.example.edu/api"),
        ("http://localhost:3000/api", "http://localhost:3000/api"),
        ("http://127.8.9.10/", "http://127.8.9.10"),
        ("http://[::1]:3000/api", "http://[::1]:3000/api"),
        ("HTTPS://Agents.example.edu:443/API", "https://agents.example.edu/API"),
        ("https://agents.example.edu:80/api", "https://agents.example.edu:80/api"),
        ("http://[::1]:80/api", "http://[::1]/api"),
    ],
)
def test_a_good_url_has_one_spelling(url: str, text: str) -> None:
    assert check_base_url(url, allow_insecure_http=False).text == text


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "No API URL"),
        ("ftp://agents.example.edu/api", "http://"),
        ("agents.example.edu/api", "http://"),
        ("https:///api", "no host"),
        ("https://agents.example.edu:99999/api", "cannot be read"),
        ("https://agents.example.edu:0/api", "cannot be read"),
        ("https://[::1/api", "cannot be read"),
        ("https://agents.exa mple.edu/api", "cannot be read"),
        ("https://agents.example.edu/a\npi", "cannot be read"),
        ("https://agents.example.edu/api\u200b", "an invisible character"),
        ("https://agents.example.edu\\@evil.example/api", "cannot be read"),
        ("https://anna:hush@agents.example.edu/api", "user name or a password"),
        ("anna:hush@agents.example.edu/api", "user name or a password"),
        ("https://agents.example.edu/api?key=hush", "`?`"),
        ("https://agents.example.edu/api#hush", "`#`"),
        ("https://agents.example.edu/api?", "`?`"),
        ("http://agents.example.edu/api", "plain http"),
        ("http://127.1/api", "plain http"),
        ("http://localhost.example.edu/api", "plain http"),
    ],
)
def test_an_unusable_url_is_refused_with_what_to_do(url: str, says: str) -> None:
    with pytest.raises(SettingsError) as error_info:
        check_base_url(url, allow_insecure_http=False)
    assert says in error_info.value.message
    assert "hush" not in error_info.value.message
    assert error_info.value.hint


def test_plain_http_beyond_this_machine_can_be_allowed() -> None:
    assert not check_base_url("http://agents.example.edu/api", allow_insecure_http=True).loopback
