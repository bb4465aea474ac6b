from __future__ import annotations

import signal
import threading

import pytest

from maskdet.cli.interrupt import Interrupt

BOTH = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])


@BOTH
def test_outside_it_comes_at_once(number: signal.Signals) -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), Interrupt():
        signal.raise_signal(number)
        done.append(1)
    assert done == []


@BOTH
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


def test_an_error_inside_is_not_hidden() -> None:
    with pytest.raises(ValueError, match="disk"), Interrupt() as interrupt, interrupt.held():
        signal.raise_signal(signal.SIGINT)
        raise ValueError("disk")


def test_handlers_are_put_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with Interrupt():
        pass
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_in_another_thread_nothing_changes() -> None:
    seen = []

    def run() -> None:
        with Interrupt() as interrupt, interrupt.held():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGTERM)]
