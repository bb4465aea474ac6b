"""A process that runs hostile inputs one after another and says of each what came of it, a line of JSON a case.

::

    python -m hostile.worker SCRATCH < cases    # a line "reader number" a case

Before each case it prints ``{"start": …}``, so that whoever watches knows which one hangs or kills the process.
"""

from __future__ import annotations

import contextlib
import faulthandler
import hashlib
import json
import os
import resource
import shutil
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

#: Bytes of address space above what the process has when it is warm; past it allocations fail instead of the machine.
SPACE: Final = 4 * 2**30

#: Bytes of memory above what the process had before the case that count as a fault.
MEMORY: Final = 2**30

#: Characters that a line for people may have.
LINE: Final = 2000

#: How a line on standard error may begin; what else is there comes from a library, or belongs to a longer message.
BEGINNINGS: Final = (
    "error: ", "warning: ", "note: ", "hint: ", "Error: ", "Usage: ", "Try ", "cannot use ", "interrupted", "passed over",
    "pictures with boxes: ", "videos with boxes: ",
)  # fmt: skip


def main() -> None:
    """Run the cases that standard input names."""
    scratch = Path(sys.argv[1]).resolve()
    sink = os.fdopen(os.dup(1), "w", encoding="utf-8")
    cases = sys.stdin.read().split("\n")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what libraries print when they load is nobody's answer
    _prepare(scratch, heavy=any(line.startswith(("checkpoint ", "words ")) for line in cases))
    from hostile import cases as made

    for line in filter(None, cases):
        reader, number = line.split()
        print(json.dumps({"start": line}), file=sink, flush=True)
        folder = scratch / f"{reader}-{number}"
        folder.mkdir()
        commands = made.build(reader, int(number), folder)
        found = _run(folder, commands)
        print(json.dumps({"done": line, **found}), file=sink, flush=True)
        if os.environ.get("HOSTILE_KEEP") is None:
            os.chdir(scratch)
            shutil.rmtree(folder, ignore_errors=True)


def _prepare(scratch: Path, *, heavy: bool) -> None:
    """Import what most cases need (torch takes longer than a case may), and set limits that nothing can leave."""
    os.environ.update(HOME=str(scratch), YOLO_CONFIG_DIR=str(scratch), MPLBACKEND="agg", COLUMNS="80")
    sys.addaudithook(_no_network)
    faulthandler.enable(os.fdopen(os.dup(2), "w"))
    from maskdet.cli.start_up import own_process, silence_libraries

    # As the command does where the process is its own.
    own_process()
    silence_libraries()
    import maskdet.detector.inference.model
    import maskdet.sources  # noqa: F401

    if heavy:
        with contextlib.suppress(ModuleNotFoundError):
            import ultralytics.nn.tasks  # noqa: F401
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 * 2**30, 2 * 2**30))
    _limit_space()


def _limit_space() -> None:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:  # no Linux: without this limit
        return
    space = pages * resource.getpagesize() + SPACE
    resource.setrlimit(resource.RLIMIT_AS, (space, space))


_asked: list[str] = []


def _no_network(event: str, arguments: tuple[Any, ...]) -> None:
    """Note every address asked for that is not this machine's own."""
    if event == "socket.getaddrinfo" or (event == "socket.connect" and isinstance(arguments[1], tuple)):
        host = str(arguments[0] if event == "socket.getaddrinfo" else arguments[1][0])
        if host not in {"127.0.0.1", "localhost", "::1", "0.0.0.0"}:
            _asked.append(host)


def _run(folder: Path, commands: list[list[str]]) -> dict[str, Any]:
    """Run a case's commands in its folder and return what is wrong with what they did."""
    os.chdir(folder)
    _asked.clear()
    before = _fingerprints(folder)
    memory = _memory("VmRSS:")
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    begun = time.monotonic()
    faults: list[str] = []
    code: object = None
    for words in commands:
        with _captured(folder) as (out, err):
            try:
                code = FUNCTIONS[words[0]](Path(words[1])) if words[0] in FUNCTIONS else _command(words)
            except BaseException:  # whatever it is, it is a fault
                code = None
                faults.append(f"traceback: {traceback.format_exc().splitlines()[-1][:300]}")
        faults += _of_messages(code, err.read_text("utf-8", "replace"), out.read_text("utf-8", "replace"))
        out.unlink()
        err.unlink()
    grown = _memory("VmHWM:") - memory
    if grown > MEMORY:
        faults.append(f"memory: {grown // 2**20} MB")
    faults += [f"network: {host}" for host in _asked]
    faults += _of_files(folder, before)
    return {"code": code, "seconds": round(time.monotonic() - begun, 2), "faults": faults, "commands": commands}


def _command(words: list[str]) -> object:
    from maskdet.cli import main as maskdet

    try:
        maskdet(words)
    except SystemExit as end:
        return end.code
    return "none"


def _read_results(path: Path) -> int:
    import maskdet

    try:
        for result in maskdet.read_results(path):
            result.to_json(), result.to_coco(1), result.to_voc(), result.to_yolo(), result.to_rows()
    except maskdet.SourceError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _read_manifest(path: Path) -> int:
    from maskdet.classifier.crops.manifest import read_manifest
    from maskdet.errors import DatasetError

    try:
        read_manifest(path)
    except DatasetError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


FUNCTIONS: Final[dict[str, Callable[[Path], int]]] = {"@read_results": _read_results, "@read_manifest": _read_manifest}


@contextlib.contextmanager
def _captured(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Let everything that is printed, by C code too, go into two files beside the folder."""
    paths = folder.with_suffix(".out"), folder.with_suffix(".err")
    numbers = 1, sys.stderr.fileno()
    kept = [os.dup(number) for number in numbers]
    for number, path in zip(numbers, paths, strict=True):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(handle, number)
        os.close(handle)
    try:
        yield paths
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        for number, old in zip(numbers, kept, strict=True):
            os.dup2(old, number)
            os.close(old)


def _of_messages(code: object, err: str, out: str) -> list[str]:
    """Return what is wrong with the exit code and the lines on standard error."""
    faults = []
    # 70 is an error that nobody expected, 1 belongs to --fail-on.
    if code not in (0, 1, 2):
        faults.append(f"exit code: {code} ({err.strip()[-300:]!r})")
    if "Traceback (most recent call last)" in err + out:
        faults.append(f"traceback: {err.strip().splitlines()[-1][:300] if err.strip() else ''}")
    if "not enough memory" in err:  # where the limit stopped it, on another machine nothing would have
        faults.append("memory: more than this process may have")
    lines = [line for line in err.split("\n") if line.strip()]
    said = [line for line in lines if line.startswith(("error: ", "Error: ", "cannot use "))]
    if code == 2 and not said:
        faults.append("exit code: 2 without a word")
    if code == 0 and said:
        faults.append(f"exit code: 0 beside {said[0][:200]!r}")
    for line in lines:
        if not line.startswith(BEGINNINGS) and not line.startswith("  "):
            faults.append(f"not one line: {line[:300]!r}")
            break
        # What a caller typed may be shown whole, as click does.
        if (len(line) > LINE and not line.startswith("Error: ")) or any(
            not one.isprintable() and one != "\t" for one in line
        ):
            faults.append(f"not one line: control characters or {len(line)} letters: {line[:120]!r}")
            break
    return faults


def _fingerprints(folder: Path) -> dict[Path, str]:
    """Return the digest of every regular file of the case."""
    return {path: _digest(path) for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _of_files(folder: Path, before: dict[Path, str]) -> list[str]:
    """Return inputs that were changed, files left half, outputs that are not whole, and what a stranger's code left."""
    from hostile.grammars import CANARY

    faults = [f"foreign code: {path.name}" for path in folder.rglob(CANARY)]
    after = _fingerprints(folder)
    faults += [f"input changed: {path.name}" for path, digest in before.items() if after.get(path) != digest]
    for path in sorted(after.keys() - before.keys()):
        if path.name.startswith(".") or path.suffix in {".part", ".tmp"}:
            faults.append(f"half file: {path.relative_to(folder)}")
        elif path.suffix in {".json", ".jsonl"}:
            try:
                for line in (
                    [path.read_text("utf-8")] if path.suffix == ".json" else path.read_text("utf-8").splitlines()
                ):
                    json.loads(line)
            except ValueError:
                faults.append(f"half file: {path.relative_to(folder)}")
    return faults


def _memory(field: str) -> int:
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith(field)), 0)


if __name__ == "__main__":
    main()
