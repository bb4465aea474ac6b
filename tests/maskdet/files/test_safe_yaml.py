from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskdet.files.safe_yaml import MAX_BYTES, YamlError, load_yaml, read_yaml

#: Nine lists, each ten times the one before: 10⁹ words in half a kilobyte.
BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
)
MERGES = "a0: &a0 {k: v, j: w}\n" + "".join(
    f"a{n}: &a{n} {{<<: [{','.join([f'*a{n - 1}'] * 10)}]}}\n" for n in range(1, 9)
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (BOMB, "aliases written out"),
        (MERGES, "aliases written out"),
        ("a: &a [*a]", "stands for nothing whole"),
        ("a: *b", "stands for nothing whole"),
        ("a: " + "[" * 5000, "nest"),
        ("\n".join(" " * depth + "a:" for depth in range(100)), "nested more than 32 deep"),
        ("a: " + "9" * 6000, "more than 4096 characters"),
        ("a: " + ":".join(["59"] * 300_000), "more than 4096 characters"),
        ("a: !!int abc", "invalid literal"),
        ("a: !!int ''", "cannot be read as YAML"),
        ("a: !!bool maybe", "cannot be read as YAML"),
        ("a: !!timestamp x", "cannot be read as YAML"),
        ("a: !!python/object/apply:os.system [ls]", "could not determine a constructor"),
        ("a: 2001-99-99", "month must be in 1..12"),
        ("a: 2001-12-14t21:59:43.10-99:00", "cannot be read as YAML"),
        ("{[a]: b}", "unhashable"),
        ("a:\n\t- b", "line 2: found character"),
        ("a: 1\n---\nb: 2", "another document"),
        ("#" * (MAX_BYTES + 1), "larger than 1 MiB"),
    ],
)
def test_what_yaml_cannot_make_is_one_line(text: str, reason: str) -> None:
    with pytest.raises(YamlError, match=reason) as caught:
        load_yaml(text)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300


def test_aliases_and_merges_of_ordinary_size_are_read() -> None:
    assert load_yaml("a: &a {x: 1}\nb: {<<: *a, y: 2}\nc: [*a, *a]\nd: 1\nd: 2\n") == {
        "a": {"x": 1},
        "b": {"x": 1, "y": 2},
        "c": [{"x": 1}, {"x": 1}],
        "d": 2,
    }


@pytest.mark.parametrize(
    ("data", "names"),
    [
        ("names: [é, 口罩]".encode(), ["é", "口罩"]),
        ("names: [é, 口罩]".encode("utf-8-sig"), ["é", "口罩"]),
        ("names: [é, 口罩]".encode("utf-16"), ["é", "口罩"]),
        (b"names: [a\x00b, \xe9c]", ["ab", "c"]),
    ],
    ids=["utf-8", "mark", "utf-16", "stray bytes"],
)
def test_encodings(tmp_path: Path, data: bytes, names: list[str]) -> None:
    path = tmp_path / "data.yaml"
    path.write_bytes(data)
    assert read_yaml(path)["names"] == names


@given(st.one_of(st.text(alphabet="ab:-[]{}&*!<>|'\"#%?, \n\t019.", max_size=60), st.text(max_size=40)))
def test_any_text_is_values_or_one_error(text: str) -> None:
    try:
        load_yaml(text)
    except YamlError as error:
        assert str(error).isprintable()
