"""What a killed run left is removed by the next one, and what another run works on is not."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from maskdet.files.atomic import _swept, create_beside, hidden_name, sweep_files, sweep_folders, whole_file, write_bytes
from maskdet.files.folder import whole_folder


def aged(path: Path, hours: float = 1) -> Path:
    """Let a path be so much older than this process."""
    then = time.time() - hours * 3600
    os.utime(path, (then, then))
    return path


def killed(code: str, folder: Path) -> None:
    """Run code in a folder, in a process that ends without tidying."""
    script = f"import os\nfrom pathlib import Path\n{code}\nos.kill(os.getpid(), 9)"
    assert subprocess.run([sys.executable, "-c", script], cwd=folder, check=False).returncode == -9


def test_a_file_of_a_killed_run(tmp_path: Path) -> None:
    killed("from maskdet.files.atomic import create_beside\ncreate_beside(Path('a.jpg'))", tmp_path)
    (left,) = tmp_path.iterdir()
    aged(left)
    own = tmp_path / ".notes.part"
    own.touch()
    aged(own)
    write_bytes(tmp_path / "b.jpg", b"b")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".notes.part", "b.jpg"]


def test_a_file_of_a_run_that_goes_on(tmp_path: Path) -> None:
    handle, path = create_beside(tmp_path / "long.mp4", suffix=".mp4")
    aged(path)
    _swept.clear()
    sweep_files(tmp_path)
    assert path.exists()
    os.close(handle)
    _swept.clear()
    sweep_files(tmp_path)
    assert not path.exists()


def test_a_file_that_is_younger_than_this_run(tmp_path: Path) -> None:
    handle, path = create_beside(tmp_path / "a.jpg")
    os.close(handle)
    _swept.clear()
    sweep_files(tmp_path)
    assert path.exists()


def test_a_folder_of_a_killed_run(tmp_path: Path) -> None:
    code = "from maskdet.files.folder import whole_folder\n"
    killed(f"{code}made = whole_folder(Path('out'))\n(made.__enter__() / 'half').touch()", tmp_path)
    (left,) = tmp_path.iterdir()
    aged(left)
    other = tmp_path / hidden_name("other")
    other.mkdir()
    aged(other)
    sweep_folders(tmp_path / "out")
    assert list(tmp_path.iterdir()) == [other]


def test_a_folder_that_is_being_written(tmp_path: Path) -> None:
    with whole_folder(tmp_path / "out") as folder:
        aged(folder)
        sweep_folders(tmp_path / "out")
        (folder / "file").touch()
    assert (tmp_path / "out" / "file").exists()


def test_what_was_there_before_comes_back(tmp_path: Path) -> None:
    old, fresh = tmp_path / hidden_name("out", ".old"), tmp_path / hidden_name("out")
    for path in (old, fresh):
        path.mkdir()
        (path / path.suffix).touch()
        aged(path)
    sweep_folders(tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == [".old"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_long_name_has_a_hidden_one(tmp_path: Path) -> None:
    name = "é" * 127
    with whole_folder(tmp_path / name) as folder:
        aged(folder)
        sweep_folders(tmp_path / name)
        assert folder.exists()
    write_bytes(tmp_path / name / ("x" * 251 + ".jpg"), b"x")
    assert len(list((tmp_path / name).iterdir())) == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError, ValueError])
def test_a_file_that_is_not_finished_leaves_the_earlier_one(error: type[BaseException], tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"earlier")
    with pytest.raises(error), whole_file(tmp_path / "a") as file:
        file.write(b"half")
        raise error
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"earlier"]
