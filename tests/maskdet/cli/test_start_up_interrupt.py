from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from maskdet.cli import main
from maskdet.cli.start_up import Interrupt

ALL = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
EACH = pytest.mark.parametrize("number", ALL)


@EACH
def test_outside_it_comes_at_once(number: signal.Signals) -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), Interrupt():
        signal.raise_signal(number)
        done.append(1)
    assert done == []


@EACH
def test_inside_it_waits(number: signal.Signals) -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), Interrupt() as interrupt:
        with interrupt.held():
            signal.raise_signal(number)
            done.append("inside")
        done.append("behind")
    assert done == ["inside"]


def test_the_second_does_not_wait() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), Interrupt() as interrupt, interrupt.held():
        signal.raise_signal(signal.SIGINT)
        done.append("first")
        signal.raise_signal(signal.SIGINT)
        done.append("second")
    assert done == ["first"]


@pytest.mark.parametrize("number", ALL[1:])
def test_a_second_one_from_the_system_leaves_the_tidying_alone(number: signal.Signals) -> None:
    tidied = []
    with Interrupt() as interrupt:
        try:
            signal.raise_signal(signal.SIGTERM)
        except KeyboardInterrupt:
            signal.raise_signal(number)
            tidied.append(1)
        assert interrupt.came
    assert tidied == [1]


def test_an_error_inside_is_not_hidden() -> None:
    with pytest.raises(ValueError, match="disk"), Interrupt() as interrupt, interrupt.held():
        signal.raise_signal(signal.SIGINT)
        raise ValueError("disk")


def test_handlers_are_put_back() -> None:
    before = [signal.getsignal(number) for number in ALL]
    with Interrupt():
        pass
    assert [signal.getsignal(number) for number in ALL] == before


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no terminals that hang up")
def test_what_nohup_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interrupt() as interrupt:
            signal.raise_signal(signal.SIGHUP)
        assert not interrupt.came
    finally:
        signal.signal(signal.SIGHUP, before)


def test_in_another_thread_nothing_changes() -> None:
    seen = []

    def run() -> None:
        with Interrupt() as interrupt, interrupt.held():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGTERM)]


@pytest.mark.parametrize(
    ("number", "module"), [(ALL[0], "maskdet.cli.group"), (ALL[1], "cv2"), (ALL[-1], "numpy")], ids=str
)
def test_while_modules_load(number: signal.Signals, module: str, astronaut: Path) -> None:
    code = f"""
import signal, sys
def hook(event, args):
    if event == "import" and args[0] == {module!r}:
        signal.raise_signal({int(number)})
sys.addaudithook(hook)
from maskdet.cli import main
main()
"""
    command = [sys.executable, "-c", code, "detect", str(astronaut), "--no-save"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")


def test_an_interrupt_that_a_library_makes_its_own_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def gather() -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
        except KeyboardInterrupt:
            raise ImportError("cut short") from None

    monkeypatch.setattr("maskdet.cli.info.gather", gather)
    with pytest.raises(SystemExit) as stop:
        main(["info"])
    assert (stop.value.code, capsys.readouterr().err) == (130, "interrupted\n")
