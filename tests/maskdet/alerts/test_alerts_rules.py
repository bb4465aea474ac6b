from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskdet.alerts import COMPARISONS, SUBJECTS, Alert, Rule, parse_rule
from maskdet.results import MaskResult


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("without_mask>=3", Rule("without_mask", ">=", 3)),
        (" faces  >  10 ", Rule("faces", ">", 10)),
        ("compliance<.8", Rule("compliance", "<", 0.8)),
        ("mask_weared_incorrect==1", Rule("mask_weared_incorrect", "==", 1)),
        ("with_mask<=0", Rule("with_mask", "<=", 0)),
    ],
)
def test_rules_are_read(text: str, rule: Rule) -> None:
    assert parse_rule(text) == rule


@given(st.sampled_from(SUBJECTS), st.sampled_from(sorted(COMPARISONS)), st.integers(0, 1))
def test_a_rule_is_read_as_it_is_written(subject: str, comparison: str, number: int) -> None:
    rule = Rule(subject, comparison, number)
    assert parse_rule(str(rule)) == rule


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is not a rule"),
        ("without_mask", "is not a rule"),
        ("without_mask>=", "is not a rule"),
        ("without_mask=>3", "is not a rule"),
        ("without_mask!=3", "is not a rule"),
        ("faces>-1", "is not a rule"),
        ("faces>nan", "is not a rule"),
        ("faces>3 people", "is not a rule"),
        ("nomask>3", "nomask is none of with_mask, without_mask, mask_weared_incorrect, faces, compliance"),
        ("compliance<80", "compliance is a share from 0 to 1"),
    ],
)
def test_what_is_no_rule_is_one_clear_line(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as error:
        parse_rule(text)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("without_mask>=2", True),
        ("without_mask>2", False),
        ("without_mask==2", True),
        ("with_mask<1", False),
        ("mask_weared_incorrect<=0", True),
        ("faces>=3", True),
        ("faces<3", False),
        ("compliance<0.5", True),
        ("compliance>0.5", False),
    ],
)
def test_rules_hold(text: str, holds: bool, make_result: Callable[..., MaskResult]) -> None:
    # One face with a mask, two without: a third is compliant.
    assert parse_rule(text).holds(make_result(1, 2, 0)) is holds


def test_nobody_has_no_compliance(make_result: Callable[..., MaskResult]) -> None:
    assert not parse_rule("compliance<1").holds(make_result(0, 0, 0))
    assert not parse_rule("compliance>=0").holds(make_result(0, 0, 0))
    assert parse_rule("faces==0").holds(make_result(0, 0, 0))


def test_an_alert_says_what_and_where(make_result: Callable[..., MaskResult]) -> None:
    alert = Alert(parse_rule("compliance<0.5"), 1 / 3, make_result(1, 2, 0))
    assert str(alert) == "alert: compliance<0.5 (compliance is 0.3333) in a.mp4, frame 7"
    entry = alert.to_dict()
    assert entry["alert"] == {"rule": "compliance<0.5", "value": 0.3333}
    assert {key: value for key, value in entry.items() if key != "alert"} == make_result(1, 2, 0).to_dict()
