from __future__ import annotations

import pytest

from maskdet.errors import MaskdetError
from maskdet.serve import settings
from maskdet.serve.settings import ServerSettings, check_exposure, parse_dialects, parse_rate, parse_size, parse_stream


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
def test_other_machines_are_let_in_with_a_key_only(host: str) -> None:
    with pytest.raises(MaskdetError, match=f"--host {host} lets other machines in: give a key"):
        check_exposure(ServerSettings(host=host), insecure=False)
    check_exposure(ServerSettings(host=host, keys=("key",)), insecure=False)
    check_exposure(ServerSettings(host=host), insecure=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_this_machine_needs_none(host: str) -> None:
    check_exposure(ServerSettings(host=host), insecure=False)


def test_keys_are_not_shown() -> None:
    assert "secret" not in repr(ServerSettings(keys=("secret",)))


@pytest.mark.parametrize("text", ["", "0", "-1", "20XB", "MB", "1e9", "9" * 12, "1.5MB"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="is no size"):
        parse_size(text)


@pytest.mark.parametrize("text", ["", "0/s", "20/d", "/s", "-1/s"])
def test_what_is_no_rate(text: str) -> None:
    with pytest.raises(ValueError, match="is no rate"):
        parse_rate(text)


@pytest.mark.parametrize("text", ["door", "=0", "door=", "a/b=0", "two words=0", "é=0", "x" * 41 + "=0"])
def test_what_names_no_stream(text: str) -> None:
    with pytest.raises(ValueError, match="write NAME=SOURCE"):
        parse_stream(text)


def test_what_is_no_dialect() -> None:
    assert parse_dialects(",".join(settings.DIALECTS)) == settings.DIALECTS
    with pytest.raises(ValueError, match="'french' is none of deepstack, compreface, label-studio"):
        parse_dialects("deepstack,french")
