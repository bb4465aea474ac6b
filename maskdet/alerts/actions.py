"""What an alert does: run a command, or post to a URL. Both get the alert as one line of JSON.

A worker thread does it, so that a slow command never holds up the frames.
"""

from __future__ import annotations

import http.client
import json
import queue
import shlex
import shutil
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from maskdet.alerts import Alert

#: Seconds after which a command is ended, and a request given up.
COMMAND_SECONDS: Final = 30.0
POST_SECONDS: Final = 10.0


class ActionError(Exception):
    """An action that failed; its text is one line."""


#: Something to do about an alert, in at most its own time; it raises ``ActionError`` where it fails.
Action: TypeAlias = Callable[[Alert], None]


def payload(alert: Alert) -> bytes:
    """Return the alert as one line of JSON, with its newline; in ASCII, as a path may hold what UTF-8 cannot."""
    return json.dumps(alert.to_dict()).encode("ascii") + b"\n"


class RunCommand:
    """Runs a program, with the alert on its standard input.

    No shell is asked, so nothing in the command or in the alert is expanded. What the program prints on standard output
    is dropped: ours carries results.
    """

    def __init__(self, command: str, *, seconds: float = COMMAND_SECONDS) -> None:
        """Split ``command`` into words as a POSIX shell does.

        Raises:
            ValueError: no words, an open quote, or a program that is not found.
        """
        try:
            self._words = shlex.split(command)
        except ValueError as error:
            raise ValueError(f"{command!r} cannot be split into words ({error})") from error
        if not self._words:
            raise ValueError("the command is empty")
        if shutil.which(self._words[0]) is None:
            raise ValueError(f"no program {self._words[0]!r} on this machine")
        self._seconds = seconds

    def __call__(self, alert: Alert) -> None:
        """Run it and wait for its end.

        Raises:
            ActionError: it cannot be started, takes too long (it is ended), or fails.
        """
        name = self._words[0]
        try:
            done = subprocess.run(
                self._words,
                input=payload(alert),
                stdout=subprocess.DEVNULL,
                stderr=_standard_error(),
                timeout=self._seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ActionError(f"{name} was ended after {self._seconds:g} seconds") from error
        except OSError as error:
            raise ActionError(f"{name} cannot be run ({error.strerror})") from error
        if done.returncode:
            raise ActionError(f"{name} failed with exit code {done.returncode}")


def _standard_error() -> int | None:
    """Return where messages go, which need not be the second descriptor; None for that."""
    try:
        return None if sys.stderr is None else sys.stderr.fileno()
    except (OSError, ValueError):  # not a file
        return None


class PostJson:
    """Posts the alert to a URL as ``application/json``."""

    def __init__(self, url: str, *, seconds: float = POST_SECONDS) -> None:
        """Check ``url``.

        Raises:
            ValueError: not an http(s) address.
        """
        try:
            parts = urllib.parse.urlsplit(url)
            host, _ = parts.hostname, parts.port  # a port that is none is an error when it is read
        except ValueError as error:
            raise ValueError(f"{url!r} is not a URL ({error})") from error
        if parts.scheme not in ("http", "https") or not host or not url.isprintable() or " " in url:
            raise ValueError(f"{url!r} is not an http:// or https:// address")
        # Such addresses often hold a key in their path: messages name the host alone.
        self._url, self._host, self._seconds = url, host, seconds

    def __call__(self, alert: Alert) -> None:
        """Post it and wait for the answer.

        Raises:
            ActionError: no connection, no answer in time, or an answer that is an error.
        """
        headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "maskdet"}
        request = urllib.request.Request(self._url, payload(alert), headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=self._seconds):
                pass
        except urllib.error.HTTPError as error:
            error.close()
            raise ActionError(f"{self._host} answered {error.code} {error.reason}") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise ActionError(f"{self._host} was not reached ({reason})") from error


#: Alerts that may wait for their turn. More would be told too late to be of use.
WAITING: Final = 4

#: Seconds that the end of a run waits for actions still going on.
JOIN_SECONDS: Final = 10.0


class AlertWorker:
    """Does every action for every alert, in order, in a thread of its own."""

    def __init__(self, actions: Sequence[Action], note: Callable[[str], None], *, waiting: int = WAITING) -> None:
        """Get ready; the thread starts with the first alert.

        Args:
            actions: what to do about each alert, one after another; a failing one costs the others nothing.
            note: is told, in one line, what failed and what was dropped; called from either thread.
            waiting: alerts that may wait.
        """
        self._actions, self._note = actions, note
        # One place more than alerts may take, so that there is always room for the word that ends the thread.
        self._queue: queue.Queue[Alert | None] = queue.Queue(waiting + 1)
        self._waiting = waiting
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="maskdet-alerts", daemon=True)

    def submit(self, alert: Alert) -> bool:
        """Hand an alert over at once; where too many wait it is dropped, with a note, and False returned."""
        if self._queue.qsize() >= self._waiting:
            self._note(f"dropped, as {self._waiting} others still wait: {alert}")
            return False
        if self._thread.ident is None:
            self._thread.start()
        self._queue.put_nowait(alert)
        return True

    def close(self, seconds: float = JOIN_SECONDS) -> None:
        """Let the waiting alerts be done with, for at most ``seconds``; what then still waits is dropped, with a note.

        A command that still runs is left to end by itself.
        """
        if self._thread.ident is None:
            return
        self._queue.put_nowait(None)
        self._thread.join(seconds)
        if self._thread.is_alive():
            self._stop.set()
            left = self._queue.qsize() - 1
            self._note(f"alerts: the last one was still going on after {seconds:g} seconds, {left} more were dropped")

    def _work(self) -> None:
        while (alert := self._queue.get()) is not None and not self._stop.is_set():
            for action in self._actions:
                try:
                    action(alert)
                except ActionError as error:
                    self._note(f"alert: {error}")
