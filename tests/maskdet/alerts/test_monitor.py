from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest

from maskdet.alerts import Alert, parse_rule
from maskdet.alerts.actions import ActionError
from maskdet.alerts.monitor import AlertMonitor
from maskdet.results import MaskResult

MakeResult = Callable[..., MaskResult]


class Clock:
    """A clock that stands still until it is told the time."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Gate:
    """An action that waits until it is let through."""

    def __init__(self) -> None:
        self.started, self.open = threading.Event(), threading.Event()
        self.done: list[Alert] = []

    def __call__(self, alert: Alert) -> None:
        self.started.set()
        assert self.open.wait(30)
        self.done.append(alert)


def test_a_rule_that_goes_on_holding_is_told_once_in_its_cooldown(make_result: MakeResult) -> None:
    clock, notes = Clock(), list[str]()
    rules = [parse_rule("without_mask>=1"), parse_rule("faces>=3")]
    with AlertMonitor(rules, [], notes.append, cooldown=60, clock=clock) as monitor:
        assert [str(alert.rule) for alert in monitor.check(make_result(0, 1))] == ["without_mask>=1"]
        clock.now = 59.9
        # The other rule has a cool-down of its own.
        assert [str(alert.rule) for alert in monitor.check(make_result(2, 1))] == ["faces>=3"]
        clock.now = 60.0
        assert [str(alert.rule) for alert in monitor.check(make_result(2, 1))] == ["without_mask>=1"]
        assert monitor.check(make_result(0, 0)) == []
    assert notes == [
        "alert: without_mask>=1 (without_mask is 1) in a.mp4, frame 7",
        "alert: faces>=3 (faces is 3) in a.mp4, frame 7",
        "alert: without_mask>=1 (without_mask is 1) in a.mp4, frame 7",
    ]


def test_a_rule_that_does_not_hold_uses_up_no_cooldown(make_result: MakeResult) -> None:
    with AlertMonitor([parse_rule("faces>=1")], [], lambda _: None, clock=Clock()) as monitor:
        assert monitor.check(make_result(0)) == []
        assert len(monitor.check(make_result(1))) == 1


def test_no_cooldown_tells_every_time(make_result: MakeResult) -> None:
    with AlertMonitor([parse_rule("faces>=1")], [], lambda _: None, cooldown=0, clock=Clock()) as monitor:
        assert [len(monitor.check(make_result(1))) for _ in range(3)] == [1, 1, 1]
    with pytest.raises(ValueError, match="cannot be -1"):
        AlertMonitor([], [], lambda _: None, cooldown=-1)


def test_actions_are_waited_for_and_get_no_pixels(make_result: MakeResult) -> None:
    done: list[Alert] = []
    notes: list[str] = []
    result = make_result(1)
    result = MaskResult(result.faces, result.image, result.model, 1.0, np.zeros((48, 64, 3), np.uint8))
    with AlertMonitor([parse_rule("faces>=1")], [done.append], notes.append) as monitor:
        monitor.check(result)
    assert [alert.result.pixels for alert in done] == [None]
    assert notes == []


def test_a_failing_action_is_noted_and_the_others_go_on(make_result: MakeResult) -> None:
    def fail(alert: Alert) -> None:
        raise ActionError("tell failed with exit code 3")

    done: list[Alert] = []
    notes: list[str] = []
    with AlertMonitor([parse_rule("faces>=1")], [fail, done.append], notes.append, cooldown=0) as monitor:
        monitor.check(make_result(1))
        monitor.check(make_result(1))
    assert notes == ["alert: tell failed with exit code 3"] * 2
    assert len(done) == 2


def test_a_slow_action_holds_up_nothing_and_what_it_cannot_do_is_dropped(make_result: MakeResult) -> None:
    gate, notes = Gate(), list[str]()
    with AlertMonitor([parse_rule("faces>=1")], [gate], notes.append, cooldown=0) as monitor:
        monitor.check(make_result(1, frame=0))
        assert gate.started.wait(30)
        for frame in range(1, 7):  # one is being done, four may wait, two are too many
            monitor.check(make_result(1, frame=frame))
        gate.open.set()
    assert [alert.result.image.frame for alert in gate.done] == [0, 1, 2, 3, 4]
    assert notes == [
        f"dropped, as 4 others still wait: alert: faces>=1 (faces is 1) in a.mp4, frame {frame}" for frame in (5, 6)
    ]


def test_the_end_waits_for_a_limited_time(make_result: MakeResult) -> None:
    gate, notes = Gate(), list[str]()
    with AlertMonitor([parse_rule("faces>=1")], [gate], notes.append, cooldown=0, join_seconds=0) as monitor:
        for _ in range(3):
            monitor.check(make_result(1))
        assert gate.started.wait(30)
    assert notes == ["alerts: the last one was still going on after 0 seconds, 2 more were dropped"]
    gate.open.set()


def test_an_interrupted_run_waits_for_nothing(make_result: MakeResult) -> None:
    gate, notes = Gate(), list[str]()
    with (
        pytest.raises(KeyboardInterrupt),
        AlertMonitor([parse_rule("faces>=1")], [gate], notes.append, join_seconds=60) as monitor,
    ):
        monitor.check(make_result(1))
        assert gate.started.wait(30)
        raise KeyboardInterrupt
    assert notes == ["alerts: the last one was still going on after 0 seconds, 0 more were dropped"]
    gate.open.set()
