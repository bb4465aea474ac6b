from __future__ import annotations

import json
import shlex
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from maskdet.alerts import Alert, parse_rule
from maskdet.alerts.actions import ActionError, PostJson, RunCommand
from maskdet.results import MaskResult


@pytest.fixture
def alert(make_result: Callable[..., MaskResult]) -> Alert:
    return Alert(parse_rule("without_mask>=2"), 2, make_result(1, 2, 0, path="caf\u00e9 \udce9.mp4"))


def python(code: str, *arguments: str) -> str:
    """Return a command line that runs ``code``."""
    return shlex.join([sys.executable, "-c", code, *arguments])


def test_the_command_gets_the_alert_on_stdin_and_its_words_as_they_are(alert: Alert, tmp_path: Path) -> None:
    target = tmp_path / "got"
    code = "import sys; open(sys.argv[1], 'w').write(sys.argv[2] + '\\n' + sys.stdin.read())"
    RunCommand(python(code, str(target), "$(touch pwned); `id` > x | y && z"))(alert)
    word, line = target.read_text().splitlines()
    assert word == "$(touch pwned); `id` > x | y && z"
    assert json.loads(line) == alert.to_dict()
    assert [child.name for child in tmp_path.iterdir()] == ["got"]


def test_a_command_that_reads_nothing_is_no_failure(alert: Alert, capfd: pytest.CaptureFixture[str]) -> None:
    RunCommand(python("print('hello')"))(alert)
    assert capfd.readouterr().out == ""


def test_a_command_that_fails_or_lasts_says_so(alert: Alert) -> None:
    with pytest.raises(ActionError, match="failed with exit code 3"):
        RunCommand(python("raise SystemExit(3)"))(alert)
    with pytest.raises(ActionError, match=r"was ended after 0\.2 seconds"):
        RunCommand(python("import time; time.sleep(60)"), seconds=0.2)(alert)


def test_a_program_that_vanishes_says_so(alert: Alert, tmp_path: Path) -> None:
    program = tmp_path / "tell"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    action = RunCommand(str(program))
    program.unlink()
    with pytest.raises(ActionError, match="cannot be run"):
        action(alert)


@pytest.mark.parametrize(
    ("command", "reason"),
    [("", "is empty"), ("echo 'a", "cannot be split"), ("no-such-program-anywhere x", "no program 'no-such-program")],
)
def test_commands_that_cannot_be(command: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        RunCommand(command)


class Receiver(BaseHTTPRequestHandler):
    """Keeps what is posted; answers 500 below /broken."""

    got: list[tuple[str, str | None, bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append((self.path, self.headers["Content-Type"], body))
        self.send_response(500 if self.path == "/broken/key" else 204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve on this machine, and return the address."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    Receiver.got = []
    with HTTPServer(("127.0.0.1", 0), Receiver) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_post(alert: Alert, server: str) -> None:
    PostJson(f"{server}/hook?a=b")(alert)
    ((path, kind, body),) = Receiver.got
    assert (path, kind) == ("/hook?a=b", "application/json; charset=utf-8")
    assert json.loads(body) == alert.to_dict()


def test_a_post_that_fails_names_the_host_but_not_the_key(alert: Alert, server: str) -> None:
    with pytest.raises(ActionError, match=r"^127\.0\.0\.1 answered 500 Internal Server Error$"):
        PostJson(f"{server}/broken/key")(alert)


def test_nobody_listening(alert: Alert, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    # Port 9 (discard) of this machine: nothing listens there.
    with pytest.raises(ActionError, match=r"^127\.0\.0\.1 was not reached \("):
        PostJson("http://127.0.0.1:9/key")(alert)


@pytest.mark.parametrize(
    "url",
    ["", "example.org/x", "file:///etc/passwd", "ftp://a/b", "http://", "http://a:b/", "http://a/b c", "http://["],
)
def test_addresses_that_cannot_be(url: str) -> None:
    with pytest.raises(ValueError, match="is not a"):
        PostJson(url)
