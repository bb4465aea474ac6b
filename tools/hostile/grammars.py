"""Files that are hostile by their structure: nested, endless, self-referring, or with commands in them."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from random import Random

from hostile.mutations import NUMBERS, ODD
from hostile.seeds import DATA_YAML, LABELS, NAMES, VOC, results

#: What text in a file of ours is to become when it is run: a file called so in the case's folder.
CANARY = "canary"


class Runs:
    """An object whose unpickling runs a command."""

    def __init__(self, command: str) -> None:
        """Take the command."""
        self._command = command

    def __reduce__(self) -> tuple[object, ...]:
        """Ask for ``os.system`` when read back."""
        import os

        return os.system, (self._command,)


def commands(folder: Path) -> str:
    """Return a shell command that leaves the canary."""
    return f"touch {folder / CANARY}"


def xml(random: Random, folder: Path) -> str:
    """Return a hostile annotation."""
    depth = random.choice((60, 5_000, 200_000))
    count = random.choice((300, 5_000))
    obj = VOC[VOC.index("<object>") : VOC.index("</object>") + 9]
    laughs = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 9))
    makers = (
        lambda: VOC.replace("<object>", "<object>" * depth, 1),
        lambda: "<annotation>" + "<part>" * depth + "</part>" * depth + "</annotation>",
        lambda: VOC.replace("</annotation>", obj * count + "</annotation>"),
        lambda: f'<!DOCTYPE x [<!ENTITY a0 "{"x" * 50}">{laughs}]>' + VOC.replace("a.png", "&a8;"),
        lambda: '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + VOC.replace("a.png", "&a;"),
        lambda: f'<!DOCTYPE x [<!ENTITY % a SYSTEM "http://127.0.0.1:9/x">%a;]>{VOC}',
        lambda: VOC.replace("with_mask", random.choice(("hat", "x" * 1_000_000, "", "with_mask,", random.choice(ODD)))),
        lambda: VOC.replace(
            "a.png", random.choice(("../../../etc/passwd", "/etc/passwd", "C:\\a.png", "", "b.png", "." * 500))
        ),
        lambda: (
            f'<?xml version="1.0" encoding="{random.choice(("utf-16", "x", "utf-7", "idna", "zlib", "rot13"))}"?>' + VOC
        ),
        lambda: VOC.replace(
            "<xmin>10</xmin>", f"<xmin>{random.choice(NUMBERS).replace('<', '')}</xmin>" * random.choice((0, 1, 2))
        ),
        lambda: VOC.replace("<width>96</width>", f"<width>{random.choice(NUMBERS)}</width>"),
        lambda: VOC.replace("<bndbox>", "<polygon><x1>1</x1><y1>2</y1></polygon><bndbox>" * random.choice((0, 1, 3))),
        lambda: VOC.replace("<annotation>", "<annotation " + " ".join(f'a{n}="{n}"' for n in range(count)) + ">"),
        lambda: VOC.replace("<name>", "<name><![CDATA[" + "]]]]><![CDATA[>" * count),
        lambda: VOC.replace("annotation", random.choice(("a:annotation", "dataset", "ANNOTATION", "html"))),
        lambda: "<!--" + "-" * 100_000 + "-->" + VOC + "\x00" * random.choice((0, 10)),
        lambda: random.choice(
            ("", " ", "<", "<a/>", "<annotation/>", "null", "{}", "<annotation><object/></annotation>")
        ),
    )
    return random.choice(makers)()


def yaml(random: Random, folder: Path) -> str:
    """Return a hostile data.yaml."""
    run = commands(folder)
    depth = random.choice((40, 2_000, 100_000))
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, random.choice((4, 9, 12)))
    )
    value = random.choice(
        (*NUMBERS, "[]", "{}", "[[]]", "[a, [b]]", "!!binary aGk=", "!!set {a}", "~", "'\\0'", "..", "/nowhere", "/dev")
    )
    odd_names = (
        "[]", "{}", "null", "3", "with_mask", "[with_mask]", "[a, a, a]", "{0: a, 2: b, 1: c}", "{a: 0, b: 1}", "{-1: a}",
        "{0: {x: y}}", "[[a], b]", "{99999999999: a}", "{0: null}", "{true: a, 0: b}", "{0.5: a}", "[with_mask, null, 7]",
        "{0: with_mask, 0: without_mask}", "['with_mask\\e[2J', a, b]", "[" + "a, " * 20_000 + "b]", "2020-01-01", "{? [a] : b}",
    )  # fmt: skip
    makers = (
        lambda: DATA_YAML + f"download: |\n  import os\n  os.system({run!r})\n",
        lambda: DATA_YAML + f"download: bash -c {run!r}\n",
        lambda: DATA_YAML.replace("images/val", "images/none") + f"download: import os; os.system({run!r})\n",
        lambda: DATA_YAML + f"extra: !!python/object/apply:os.system [{run!r}]\n",
        lambda: DATA_YAML.replace("path: .", f"path: !!python/object/apply:os.system [{run!r}]"),
        lambda: DATA_YAML + bomb,
        lambda: DATA_YAML[: DATA_YAML.index("names")] + bomb + "names: *a3\n",
        lambda: DATA_YAML + "deep: " + "[" * depth + "]" * random.choice((0, depth)),
        lambda: DATA_YAML + "deep:\n" + "".join(" " * n + "a:\n" for n in range(1, min(depth, 400))),
        lambda: DATA_YAML + "own: &o [*o]\nmap: &m {<<: *m}\n",
        lambda: DATA_YAML[: DATA_YAML.index("names")] + f"names: {random.choice(odd_names)}\n",
        lambda: DATA_YAML.replace("images/val", value),
        lambda: DATA_YAML.replace("path: .", f"path: {value}"),
        lambda: DATA_YAML.replace("nc: 3", f"nc: {value}"),
        lambda: DATA_YAML.replace(
            "val: images/val", f"val: {random.choice(('list.txt', 'data.yaml', '../', 'images', '[images/val, 3]'))}"
        ),
        lambda: random.choice(
            ("", "[]", "3", "null", "- a\n- b", "a: b: c", "\t", "---\n---\n", "names: [a]", "%YAML 9.9\n---\n")
        ),
        lambda: (
            "x: "
            + random.choice(("9" * 5000, "0" * 100_000, "1_" * 1000, "1e99999", "190:20:30" * 50, ".inf"))
            + "\n"
            + DATA_YAML
        ),
    )
    return random.choice(makers)()


def labels(random: Random, folder: Path) -> str:
    """Return a hostile label file."""
    makers = (
        lambda: LABELS * random.choice((100, 3_000)),
        lambda: f"{random.choice(NUMBERS)} 0.5 0.5 0.1 0.1\n",
        lambda: f"0 {random.choice(NUMBERS)} 0.5 {random.choice(NUMBERS)} 0.1\n",
        lambda: "0 " + "0.1 0.2 0.3 " * random.choice((2, 3, 1_000)) + "\n",
        lambda: "0 0.5 0.5 0.1\n0 0.5 0.5 0.1 0.1 0.9\n0\n\n \n",
        lambda: "with_mask 0.5 0.5 0.1 0.1\n",
        lambda: "0,0.5,0.5,0.1,0.1\n",
        lambda: "0 0.5 0.5 0.1 0.1 " + "9" * 1_000_000,
        lambda: random.choice(ODD) + LABELS,
        lambda: "0 50 50 20 20\n0 1.2 0.5 0.1 0.1\n0 0.5 0.5 -0.1 0.1\n0 0.5 0.5 0 0\n",
    )
    return random.choice(makers)()


def result_lines(random: Random, folder: Path) -> str:
    """Return hostile results: one value of a line replaced by something nobody would have written."""
    whole = json.loads(results().splitlines()[0])
    holders = [whole, whole["image"], whole["model"], whole["detections"][0], whole["detections"][0]["box"]]
    holder = random.choice(holders)
    key = random.choice(sorted(holder))
    values = (
        None, True, [], {}, "", "a\x00b", -1, 1e308, 10**400, 2**63, "nan", [[]], {"a": []}, [None], [3], 0.5, "9" * 99, float("nan"),
        float("inf"), whole["detections"] * 2_000,
    )  # fmt: skip
    way = random.randrange(4)
    if way == 0:
        del holder[key]
    elif way == 1:
        return random.choice(("[", '{"a":', "[{}," * 1)) * random.choice((100, 100_000))
    else:
        holder[key] = random.choice(values)
    try:
        return json.dumps(whole) + "\n"
    except ValueError:  # an integer of more digits than Python writes
        holder[key] = 1
        return json.dumps(whole).replace(": 1,", ": " + "9" * 6000 + ",") + "\n"


def pickled(random: Random, folder: Path) -> object:
    """Return what a checkpoint may hold that runs a command."""
    run = Runs(commands(folder))
    return random.choice((run, {"names": run}, [run, {"x": run}]))


def bare_pickle(random: Random, folder: Path) -> bytes:
    """Return a pickle without torch's wrapping that runs a command."""
    return pickle.dumps({"model": Runs(commands(folder))}, protocol=random.choice((0, 2, 4)))


def class_words(random: Random) -> str:
    """Return a value for ``--map``."""
    one = (*NAMES, "hat", "", "=", "0", *ODD, *NUMBERS)
    return random.choice((f"{random.choice(one)}={random.choice(one)}", random.choice(one), "a=b=c", "x" * 100_000))
