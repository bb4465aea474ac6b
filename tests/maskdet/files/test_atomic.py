from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from maskdet.errors import SourceError
from maskdet.files.atomic import create_beside, write_bytes

SIZE = 8_000_000
#: Writes one kind of byte after another over the same file, and says so after the first.
WRITE_FOR_EVER = f"""
import sys
from pathlib import Path
from maskdet.files.atomic import write_bytes
number = 0
while True:
    write_bytes(Path(sys.argv[1]), bytes([number % 256]) * {SIZE})
    number += 1
    print(number, flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
@pytest.mark.parametrize("after", [1, 2, 3])
def test_a_killed_writer_leaves_the_old_file_or_the_new(tmp_path: Path, after: int) -> None:
    path = tmp_path / "a.bin"
    process = subprocess.Popen([sys.executable, "-c", WRITE_FOR_EVER, str(path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    for _ in range(after):
        process.stdout.readline()
    process.kill()
    process.wait()
    process.stdout.close()
    data = path.read_bytes()
    assert len(data) == SIZE
    assert len(set(data)) == 1
    # What was being written is hidden and has another ending, so that no "*.bin" finds it.
    assert list(tmp_path.glob("*.bin")) == [path]


def test_rights_and_content(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_bytes(b"")
    path = write_bytes(tmp_path / "deep" / "a.txt", b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)
    assert write_bytes(path, b"newer").read_bytes() == b"newer"
    assert [file.name for file in path.parent.iterdir()] == ["a.txt"]


def test_the_process_keeps_its_umask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread creates its files meanwhile: the umask of the process is neither changed nor asked for."""
    before = os.umask(0o027)
    try:
        monkeypatch.setattr(os, "umask", lambda mask: pytest.fail("the process's umask was changed"))
        for name in ("a.txt", "a.mp4"):
            handle, path = create_beside(tmp_path / name, suffix=Path(name).suffix)
            os.close(handle)
            assert path.suffix == Path(name).suffix
            assert stat.S_IMODE(path.stat().st_mode) == 0o640
        assert stat.S_IMODE(write_bytes(tmp_path / "b.txt", b"").stat().st_mode) == 0o640
    finally:
        monkeypatch.undo()
        os.umask(before)


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(SourceError, match="cannot be written"):
        write_bytes(tmp_path / "a" / "b.txt", b"")
