"""How the study's report writes numbers and tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Final

from maskdet.printable import printable
from maskdet.statistics.figures import Figure

if TYPE_CHECKING:
    from maskdet.classifier.study.scores import Scores

NONE: Final = "–"
#: The three classes where there is little room, by class id.
SHORT_NAMES: Final = ("with", "without", "incorrect")


def percent(value: float | None, digits: int = 2) -> str:
    """Write a share as per cent.

    >>> percent(0.0203), percent(0.175, 0), percent(None)
    ('2.03 %', '18 %', '–')
    """
    return NONE if value is None else f"{_round(100 * value, digits)} %"


def ratio(value: float | None, digits: int = 3) -> str:
    """Write a figure between 0 and 1.

    >>> ratio(0.98549), ratio(None)
    ('0.985', '–')
    """
    return NONE if value is None else _round(value, digits)


def percent_interval(estimate: Figure) -> str:
    """Write an error with its interval.

    >>> percent_interval(Figure(0.033, 0.0194, 0.0556))
    '3.30 % (1.94–5.56)'
    """
    return estimate.written(percent, lambda end: _round(100 * end, 2))


def error_intervals(scores: Scores) -> str:
    """Write an error with both its intervals: Wilson's, which takes faces for independent, and by photo group."""
    by_face, by_group = scores.error, scores.error_by_group
    ends = [
        f"by {name} {_round(100 * one.low, 2)}–{_round(100 * one.high, 2)}"
        for name, one in (("face", by_face), ("group", by_group))
        if one.low is not None and one.high is not None
    ]
    return percent(by_face.value) + (f" ({', '.join(ends)})" if ends else "")


def ratio_interval(estimate: Figure) -> str:
    """Write a figure with its interval.

    >>> ratio_interval(Figure(0.9, 0.85, 0.9444))
    '0.900 (0.850–0.944)'
    """
    return estimate.written(ratio)


def p_value(value: float) -> str:
    """Write a p value.

    >>> p_value(0.0004), p_value(0.0312), p_value(0.5)
    ('< 0.001', '0.031', '0.50')
    """
    if value < 0.001:
        return "< 0.001"
    return f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def join_names(names: Sequence[str]) -> str:
    """Name several things in a sentence.

    >>> join_names(["a"]), join_names(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1) -> str:
    r"""Return a Markdown table, its first ``left`` columns aligned left, the others right.

    >>> print(table(["a", "b"], [["x|y", "1"]]))
    | a | b |
    |---|--:|
    | x\|y | 1 |
    """
    rule = ["---" if index < left else "--:" for index in range(len(columns))]
    lines = ["| " + " | ".join(columns) + " |", "|" + "|".join(rule) + "|"]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def plain_name(text: str) -> str:
    r"""Return a file's name for code in Markdown: on one line, and without what would end the code.

    >>> plain_name("with_mask/a`b\n_0.png")
    "with_mask/a'b\\n_0.png"
    """
    return printable(text).replace("`", "'")


def mark_best(values: Sequence[float | None], texts: Sequence[str], *, lowest: bool = False) -> list[str]:
    """Set the text of the best value in bold; with ties all of them, where there is only one value none.

    >>> mark_best([0.5, None, 0.75], ["a", "b", "c"])
    ['a', 'b', '**c**']
    """
    known = [value for value in values if value is not None]
    best = (min(known) if lowest else max(known)) if len(known) > 1 else None
    return [
        f"**{text}**" if value is not None and value == best else text
        for value, text in zip(values, texts, strict=True)
    ]


def _round(value: float, digits: int) -> str:
    """Round halves up, as people do, on the number as it prints."""
    return str(Decimal(repr(round(value, 10))).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP))
