"""Ten thousand hostile inputs for every reader: what breaks, hangs, runs a stranger's code or says more than one line.

Each input is made from a small valid file by its number, so that any of them can be had again; they run in watched
processes with limits of memory and time (``tools/hostile``). Prints each fault, and at the end the counts::

    python benchmarks/hostile.py --count 10000
    python benchmarks/hostile.py --case "voc 17" --keep folder      # one input, left there to be looked at
    python benchmarks/hostile.py --server 2000                      # requests to maskdet serve instead
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))

from hostile.cases import READERS, plan
from hostile.watch import SECONDS, watch


def main() -> None:
    """Run the inputs and print what came of them; exit code 1 where something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000, help="inputs, shared among the readers")
    parser.add_argument("--readers", nargs="*", choices=sorted(READERS), help="only these")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="that an input may take")
    parser.add_argument("--case", help="one input: its reader and number")
    parser.add_argument("--keep", type=Path, help="an empty folder where the inputs stay")
    parser.add_argument("--server", type=int, metavar="COUNT", help="requests to maskdet serve instead, and the bars")
    options = parser.parse_args()
    if options.server:
        sys.exit(_server(options.server))
    if options.keep is not None:
        options.keep.mkdir(parents=True, exist_ok=True)
    cases = plan(options.count)
    if options.case:
        reader, number = options.case.split()
        cases = [(reader, int(number))]
    elif options.readers:
        cases = [case for case in cases if case[0] in options.readers]
    summary = watch(
        cases,
        workers=options.workers,
        keep=options.keep,
        seconds=options.seconds,
        tell=lambda case, fault: print(f"{case}: {fault}", flush=True),
    )
    print(f"exit codes {dict(sorted(summary.codes.items()))}, the slowest {summary.slowest[1]}: {summary.slowest[0]} s")
    print(summary.line())
    sys.exit(1 if summary.faults else 0)


def _server(count: int) -> int:
    """Attack a server and print what came of it; 1 where a bar of ``docs/serve/index.md`` is missed."""
    from hostile.server import attack, serving

    words = ("--dialect", "deepstack,compreface,label-studio", "--metrics", "--max-body", "20MB")
    with serving(*words) as (port, process):
        attack(port, process, count=150, idle=0)  # what a server that has worked holds when it is idle
        found = attack(port, process, count=count, idle=1000)
    for fault in found.faults:
        print(fault)
    print(found.line())
    missed = max(found.health, default=1) > 0.1 or found.memory_after > 1.5 * found.memory_before
    return 1 if missed or found.faults else 0


if __name__ == "__main__":
    main()
