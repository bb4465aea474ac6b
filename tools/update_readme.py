"""Write the figures into the README and the docs from the JSON that the commands wrote; ``--check`` only compares.

::

    python tools/update_readme.py
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
START, END = "<!-- figures: start -->\n", "<!-- figures: end -->"

#: The best published result of a nano model on the public split (YOLO11n).
PUBLISHED = {"map50": 0.793, "map50_95": 0.549, "mask_weared_incorrect": 0.611}


def read(path: str) -> dict[str, Any] | None:
    """Return a JSON file of the repository, or None where it was not made yet."""
    file = ROOT / path
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None


def accuracy(report: dict[str, Any]) -> str:
    """Return the accuracy table of one ``maskdet val`` report."""

    def cell(figure: dict[str, float | None]) -> str:
        return f"{figure['value']:.3f} ({figure['low']:.2f}–{figure['high']:.2f})"

    rows = [
        f"| {name} | {row['faces']} | {cell(row['ap50'])} | {cell(row['ap50_95'])} |"
        for name, row in report["ap"]["all"].items()
    ]
    best = PUBLISHED
    photos = report["data"]["photos"]
    return f"""Accuracy of the shipped model on the public split (683 photos to train, these {photos} held out), in brackets the 95 %
bootstrap interval over photos. Made by `maskdet convert FACE_MASK_DETECTION public --split public`, then
`{report["command"]}`:

| class | faces | AP50 | AP50-95 |
|---|---|---|---|
{chr(10).join(rows)}

Best published nano model on this split: mAP50 {best["map50"]}, mAP50-95 {best["map50_95"]}, incorrect AP50
{best["mask_weared_incorrect"]}. Six of the 19 incorrectly worn masks have a near copy among the training photos, for every model on this split alike.
"""


def benchmark(report: dict[str, Any]) -> str:
    """Return the tables of ``maskdet benchmark``: every section, the figures that all can be compared by."""
    machine = report["machine"]
    parts = [
        f"Speed, side by side in one run of `{report['command']}` ({machine['processor']}, {machine['cores']} cores; "
        "targets in the headings; what the rows mean: [speed](docs/benchmark.md)):"
    ]
    for section in report["sections"]:
        wanted = [key for key in section["columns"] if any(key in row["figures"] for row in section["rows"])]
        heads = [
            section["columns"][key] + (f" ({section['targets'][key]})" if key in section["targets"] else "")
            for key in wanted
        ]
        rows = [
            f"| {row['name']} | " + " | ".join(_figure(row["figures"].get(key)) for key in wanted) + " |"
            for row in section["rows"]
        ]
        parts.append(
            "\n".join([f"| {section['title']} | {' | '.join(heads)} |", "|---" * (len(wanted) + 1) + "|", *rows])
        )
    return "\n\n".join(parts) + "\n"


def converter(report: dict[str, Any]) -> str:
    """Return the table of the converter at every size, maskdet and the plain script side by side."""
    machine = report["machine"]
    (section,) = report["sections"]
    rows = []
    pairs = zip(section["rows"][::2], section["rows"][1::2], strict=True)
    for ours, plain in ((ours["figures"], plain["figures"]) for ours, plain in pairs):
        cells = [ours["wall_s"], plain["wall_s"], ours["times_faster"], ours["cpu_s"], plain["cpu_s"]]
        cells += [ours["peak_mb"], plain["peak_mb"]]
        rows.append(f"| {ours['files']:,.0f} | {' | '.join(map(_figure, cells))} |")
    return f"""`maskdet convert` beside a [plain script](maskdet/benchmark/plain_convert.py) that parses and writes one file after another, which checks
no picture and no box ({machine["processor"]}, {machine["cores"]} cores; `{report["command"]}`, the public data over and over; target {section["targets"]["times_faster"]} times faster
at 85,300 files). In brackets the script; peak MB is that of the largest process:

| files | wall, s | (script) | times faster | CPU, s | (script) | peak MB | (script) |
|---|---|---|---|---|---|---|---|
{chr(10).join(rows)}
"""


def _figure(value: float | None) -> str:
    """Return three digits that mean something."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def train_speed(report: dict[str, Any]) -> str:
    """Return the table of one training benchmark."""
    rows = []
    for tool, figures in report["tools"].items():
        score = f"{figures['map50_mean']:.3f} ± {figures['map50_sd']:.3f}" if "map50_mean" in figures else "–"
        rows.append(f"| `{tool}` | {figures['epoch_seconds']:.0f} s | {score} |")
    share = f" ({', '.join(report['settings'])})" if report["settings"] else ""
    seeds = f"{len(report['seeds'])} seeds" if len(report["seeds"]) > 1 else "one seed"
    return f"""{report["epochs"]} epochs at {report["imgsz"]} px on {report["photos"]} photos{share}, {seeds}, {report["machine"]}, by
`{report["command"]}`:

| | mean epoch | mAP50 (mean ± standard deviation) |
|---|---|---|
{chr(10).join(rows)}

An epoch is {report["times_faster"]:.2f} times faster.
"""


def classifier(report: dict[str, Any]) -> str:
    """Return the table of the shipped classifier's figures."""

    def cell(figure: dict[str, float | None]) -> str:
        interval = "" if figure["low"] is None else f" ({figure['low']:.3f}–{figure['high']:.3f})"
        return f"{figure['value']:.3f}{interval}"

    rows = [
        f"| {name} | {row['support']:,} | {row['precision']['value']:.3f} | {row['recall']['value']:.3f} | {row['f1']['value']:.3f} |"
        for name, row in report["classes"].items()
    ]
    return f"""The classifier on true face boxes, {report["data"]["crops"]:,} crops of {report["data"]["photos"]} photos; {report["data"]["split"]}. By `{report["command"]}`:
accuracy {cell(report["accuracy"])}, macro-F1 {cell(report["macro_f1"])}, balanced accuracy {cell(report["balanced_accuracy"])}.

| class | crops | precision | recall | F1 |
|---|---|---|---|---|
{chr(10).join(rows)}
"""


def tiling(report: dict[str, Any]) -> str:
    """Return the table of the tiling benchmark."""
    rows = []
    for way, row in report["ways"].items():
        ap = [row["ap50"][name] for name in ("with_mask", "without_mask", "mask_weared_incorrect")]
        cells = [*ap, *(row[key] for key in ("map50", "precision", "recall", "recall_small"))]
        rows.append(f"| {way} | {' | '.join(f'{cell:.3f}' for cell in cells)} | {row['cpu_seconds']:.2f} |")
    width, height = report["size"]
    return f"""AP50 on {report["pictures"]} mosaics of {width}×{height} pixels, laid together from the {report["photos"]} held-out photos of the public split
({sum(report["faces"].values())} faces, {report["small_faces"]} of them under 16 px, median {report["median_side"]:.0f} px), shipped model, one thread, by
`{report["command"]}`. Precision and recall are at confidence {report["conf"]} and IoU 0.5. Only
{report["faces"]["mask_weared_incorrect"]} faces wear the mask wrongly.

| | with_mask | without_mask | incorrect | mAP50 | precision | recall | recall under 16 px | CPU s a picture |
|---|---|---|---|---|---|---|---|---|
{chr(10).join(rows)}
"""


TASKS = {"binary": "two classes", "three": "three classes"}
PROTOCOLS = {"study": "by crop", "grouped": "by photo group"}


def study(report: dict[str, Any]) -> str:
    """Return the study's networks in short."""
    rows = []
    for section in report["sections"]:
        division = f"{TASKS[section['task']]}, {PROTOCOLS[section['protocol']]}"
        for network in section["networks"]:
            error, balanced = network["error"], network["balanced_accuracy"]
            rows.append(
                f"| {network['label']} | {division} | {network['wrong']} of {network['crops']}: {error['value']:.1%} "
                f"({error['low']:.1%}–{error['high']:.1%}) | {balanced['value']:.3f} | {network['floor']['error']:.1%} |"
            )
    return f"""The crop study's networks, as far as they were trained here ([report](docs/study/report.md), by the commands in it); in
brackets the 95 % interval, the floor is always giving the most frequent answer:

| network | division | test error | balanced accuracy | floor |
|---|---|---|---|---|
{chr(10).join(rows)}
"""


def compare(report: dict[str, Any]) -> str:
    """Return the table of detector alone and chain."""

    def cell(figure: dict[str, float | None]) -> str:
        return f"{figure['value']:.3f} ({figure['low']:.2f}–{figure['high']:.2f})"

    finders = {"shipped": "detector, as it ships", "detector": "detector, one box a face", "chain": "chain"}
    names = ["with_mask", "without_mask", "mask_weared_incorrect", "mean"]
    rows = []
    for finder, label in finders.items():
        whole = report["ap"][finder]["all"]
        cells = [cell(whole[name]["ap50"]) for name in names]
        rows.append(f"| {label} | {' | '.join(cells)} | {whole['mean']['ap50_95']['value']:.3f} |")
    kinds = {"detector": "detector", "classifier": "classifier on its boxes", "chain": "chain"}
    named = []
    for namer, label in kinds.items():
        row = report["classes"]["all"][namer]
        named.append(f"| {label} | {cell(row['accuracy'])} | {cell(row['macro_f1'])} |")
    return f"""Detector alone, and chained with the classifier ({report["data"]["photos"]} photos of the public split; this classifier, made by
`maskdet study … --ship maskdet-c-public.onnx --leave-out public/images/val`, has not seen them; the rule was chosen on
training photos, see [experiments](docs/experiments.md)). By `{report["command"]}`, AP50 with the 95 % interval over photos:

| | with_mask | without_mask | incorrect | mean | mAP50-95 |
|---|---|---|---|---|---|
{chr(10).join(rows)}

The class on the faces found (confidence above {report["settings"]["conf"]}, IoU from {report["settings"]["match_iou"]}):

| | accuracy | macro-F1 |
|---|---|---|
{chr(10).join(named)}
"""


def classifier_speed(report: dict[str, Any]) -> str:
    """Return the classifier's speed in one line."""
    batch = report["crop_ms"]["16"]
    return f"""One face crop in a batch of 16 takes {batch["from crops"]:.2f} ms from pixels to answer, {batch["network alone"]:.2f} ms of it the network ({report["machine"]}), by
`{report["command"]}`.
"""


TRAINING = """Training on a CPU, `maskdet train` beside `yolo train` as it ships, in turn on the same machine. The gain comes from using
every core (ultralytics leaves torch one thread) and from running the first half of the epochs at 0.65 of the size; on
processors with bfloat16 instructions its autocast comes on top, which these machines could not measure.
"""


#: Page -> its parts in order: the JSON, and what is made of it.
PAGES: dict[str, tuple[tuple[str, Callable[[dict[str, Any]], str]], ...]] = {
    "README.md": (
        ("weights/maskdet-n.val.json", accuracy),
        ("weights/maskdet-c.val.json", classifier),
        ("benchmarks/results/compare.json", compare),
        ("benchmarks/results/classifier_speed.json", classifier_speed),
        ("docs/study/study.json", study),
        ("benchmarks/results/benchmark.json", benchmark),
        ("benchmarks/results/converter.json", converter),
        ("benchmarks/results/train_speed.json", lambda report: TRAINING + "\n" + train_speed(report)),
        ("benchmarks/results/train_accuracy.json", train_speed),
    ),
    "docs/small-faces.md": (("benchmarks/results/tiling.json", tiling),),
}


def figures(page: str) -> str:
    """Return everything between a page's markers."""
    parts = []
    for path, render in PAGES[page]:
        report = read(path)
        if report is not None:
            parts.append(render(report))
    return "\n".join(parts)


def updated(page: str, text: str) -> str:
    """Return a page with its figures replaced."""
    before, rest = text.split(START)
    return before + START + figures(page) + END + rest.split(END, 1)[1]


def main() -> None:
    """Write, or with ``--check`` exit with 1 where a page is out of date."""
    stale = []
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        new = updated(page, text)
        if new != text and "--check" in sys.argv:
            stale.append(page)
        elif new != text:
            (ROOT / page).write_text(new, encoding="utf-8")
    if stale:
        sys.exit(f"{', '.join(stale)}: figures out of date; run python tools/update_readme.py")


if __name__ == "__main__":
    main()
