"""What a search finds, and what it says of all that it cannot or need not look at."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from maskdet.errors import SourceError
from maskdet.sources import Missed, Picture, PictureFile, find_files, is_single, pictures
from maskdet.sources.files import search

WritePng = Callable[..., Path]

needs_links = pytest.mark.skipif(os.name != "posix", reason="needs symbolic links and rights")


def said(source: str | Path) -> list[str]:
    """Return what a search says of the things it met, without the folder's own name."""
    return [one.error.reason for one in search(source) if isinstance(one, Missed)]


def test_what_looks_like_a_picture_and_cannot_be_read_is_counted(tmp_path: Path, write_png: WritePng) -> None:
    write_png("a.png")
    for name in ("b.heic", "c.HEIC", "d.dng", "deep/e.jp2", "notes.txt", "page.html"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"data")
    (line,) = said(tmp_path)
    assert line.startswith("4 pictures cannot be read (2 .heic, 1 .dng, 1 .jp2), first ")
    assert line.endswith("b.heic; pip install pillow-heif reads .heic")
    assert [file.path.name for file in find_files(tmp_path)] == ["a.png"]


def test_a_folder_of_such_alone_is_an_error_of_these(tmp_path: Path) -> None:
    (tmp_path / "b.dng").write_bytes(b"data")
    assert said(tmp_path) == [f"1 picture cannot be read (1 .dng), first {tmp_path / 'b.dng'}"]


def test_a_jpeg_called_heic_is_read_and_one_without_an_ending_is_said(tmp_path: Path, astronaut: Path) -> None:
    for name in ("a.heic", "photo", "b.jpg_large", "c.dng"):
        (tmp_path / name).write_bytes(astronaut.read_bytes())
    (tmp_path / "notes").write_text("text")
    assert [file.path.name for file in find_files(tmp_path)] == ["a.heic"]
    assert said(tmp_path) == [
        f"1 picture cannot be read (1 .dng), first {tmp_path / 'c.dng'}",
        f"passed over: 2 pictures without a picture's ending, first {tmp_path / 'b.jpg_large'}",
    ]


def test_mpo_is_read(tmp_path: Path, astronaut: Path) -> None:
    (tmp_path / "a.mpo").write_bytes(astronaut.read_bytes())
    (file,) = find_files(tmp_path)
    assert isinstance(file, PictureFile)
    (picture,) = pictures(file)
    assert isinstance(picture, Picture)
    assert picture.info.width == 512


@needs_links
def test_links_that_lead_nowhere_or_elsewhere_are_said(tmp_path: Path, write_png: WritePng) -> None:
    write_png("in/a.png")
    write_png("elsewhere/b.png")
    (tmp_path / "in" / "gone.jpg").symlink_to("nothing")
    (tmp_path / "in" / "latest").symlink_to("nothing")  # no picture's name
    (tmp_path / "in" / "more").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "in" / "round").symlink_to(".")
    (tmp_path / "in" / "self.png").symlink_to("self.png")
    os.mkfifo(tmp_path / "in" / "pipe.jpg")
    folder = tmp_path / "in"
    assert said(folder) == [
        f"2 links lead nowhere, first {folder / 'gone.jpg'}",
        f"1 name that is no file, first {folder / 'pipe.jpg'}",
        f"passed over: 1 link to a folder, first {folder / 'more'}",
    ]
    assert [file.path.name for file in find_files(folder)] == ["a.png"]


@needs_links
def test_patterns_do_not_go_round_and_round(tmp_path: Path, write_png: WritePng) -> None:
    write_png("loop/face.png")
    write_png("loop/deep/face.png")
    for name in "ab":
        (tmp_path / "loop" / name).symlink_to(".")
    everything = [str(file.path) for file in find_files(tmp_path / "loop")]
    assert len(everything) == 2
    for pattern in ("loop/**/*.png", "loop/**/**/face.png", "**/*.png", "loop/**"):
        assert sorted(str(file.path) for file in find_files(str(tmp_path / pattern))) == everything, pattern
    # One step through a link is what was asked for.
    names = [file.path.parent.name for file in find_files(str(tmp_path / "loop/*/face.png"))]
    assert names == ["a", "b", "deep"]


def test_patterns_match_as_glob_does(tmp_path: Path, write_png: WritePng, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a1.png", "a[1].png", "b/a2.png", "b/c/a3.png", ".hidden.png", ".dir/a4.png"):
        write_png(name)
    monkeypatch.chdir(tmp_path)
    expected = {
        "*.png": ["a1.png", "a[1].png"],
        "a?.png": ["a1.png"],
        "a[[]1].png": ["a[1].png"],
        "./*.png": ["a1.png", "a[1].png"],
        "b/../a?.png": ["b/../a1.png"],
        "*/*.png": ["b/a2.png"],
        "**/a[23].png": ["b/a2.png", "b/c/a3.png"],
        ".h*.png": [".hidden.png"],
        ".dir/*": [".dir/a4.png"],
    }
    for pattern, names in expected.items():
        assert [file.path.as_posix() for file in find_files(pattern)] == names, pattern


def test_our_own_folder_is_never_searched_but_may_be_named(tmp_path: Path, write_png: WritePng) -> None:
    for name in ("a.png", "maskdet-out/a.png", "deep/maskdet-out/a.png", "out/a.png"):
        write_png(name)
    found = search(tmp_path, own={tmp_path.resolve() / "out"})
    assert [one.path for one in found if isinstance(one, PictureFile)] == [tmp_path / "a.png"]
    assert said(tmp_path) == [
        f"passed over: 2 folders of earlier outputs, first {tmp_path / 'maskdet-out'}",
    ]
    matched = search(str(tmp_path / "**" / "*.png"), own={tmp_path.resolve() / "out"})
    assert [one.path for one in matched if isinstance(one, PictureFile)] == [tmp_path / "a.png"]
    with pytest.raises(SourceError, match="no file matches"):
        search(str(tmp_path / "*" / "*.png"), own={tmp_path.resolve() / "out"})
    assert [file.path.parent.name for file in find_files(tmp_path / "maskdet-out")] == ["maskdet-out"]
    assert [file.path.parent.name for file in find_files(str(tmp_path / "maskdet-out" / "*"))] == ["maskdet-out"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs a user whom rights bind")
def test_a_closed_folder_is_said_and_the_rest_found(tmp_path: Path, write_png: WritePng) -> None:
    write_png("a.png")
    closed = write_png("closed/b.png").parent
    closed.chmod(0)
    try:
        reason = "cannot be read (Permission denied)"
        assert said(tmp_path) == [reason]
        for source in (closed / "b.png", str(closed / "*.png"), closed):
            with pytest.raises(SourceError, match="Permission denied"):
                for one in search(source):
                    if isinstance(one, Missed):
                        raise one.error
    finally:
        closed.chmod(0o755)


def test_an_error_of_rights_names_the_folder(
    tmp_path: Path, write_png: WritePng, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_png("a.png")
    closed = write_png("closed/b.png").parent
    scandir = os.scandir

    def refuse(path: Path) -> object:
        if Path(path) == closed:
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    for source in (tmp_path, str(tmp_path / "**" / "*.png")):
        found = search(source)
        assert [one.path for one in found if isinstance(one, PictureFile)] == [tmp_path / "a.png"]
        assert [str(one.error) for one in found if isinstance(one, Missed)] == [
            f"{closed}: cannot be read (Permission denied)"
        ]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("", "the name is empty"),
        ("a" * 300, f"{'a' * 40}…{'a' * 20}: no such file or folder"),
        ("é" * 200, f"{'é' * 40}…{'é' * 20}: no such file or folder"),
        ("1" * 5000, f"{'1' * 40}…{'1' * 20}: no such file or folder"),
        ("a\0b", r"a\x00b: no such file or folder"),
        ("no\x1b]0;title\x07pe\n.jpg", r"no\x1b]0;title\x07pe\n.jpg: no such file or folder"),
    ],
)
def test_names_that_are_none_give_one_line(name: str, line: str) -> None:
    with pytest.raises(SourceError) as caught:
        search(name)
    assert str(caught.value) == line
    assert is_single(name) or name == ""


def test_a_list_of_names(tmp_path: Path, write_png: WritePng, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("here.png", "set/beside.png", "set/deep/a.png", "odd \udce9.png"):
        write_png(name)
    monkeypatch.chdir(tmp_path)
    names = [
        "here.png",
        "",
        "  beside.png ",
        "gone.png",
        "deep/*.png",
        "./deep",
        "odd \udce9.png",
        str(tmp_path / "no"),
    ]
    (tmp_path / "set" / "list.txt").write_bytes(b"\xef\xbb\xbf" + "\r\n".join(names).encode(errors="surrogateescape"))
    found = [Path(file.path).as_posix() for file in find_files("set/list.txt")]
    assert found == ["here.png", "set/beside.png", "set/deep/a.png", "set/deep/a.png", "odd \udce9.png"]
    assert said("set/list.txt") == ["2 of 7 names are not there, first gone.png"]
    assert not is_single("set/list.txt")
    (tmp_path / "list.csv").write_text("source\nhere.png\n")
    assert [file.path.name for file in find_files("list.csv")] == ["here.png"]
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(SourceError, match="a list without a name in it"):
        find_files("empty.txt")
