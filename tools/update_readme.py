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

from experiment_tables import close_ups_when, levers

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


def folds(report: dict[str, Any]) -> str:
    """Return the table of the grouped folds, ``maskdet val --folds``."""
    whole, data = report["sets"]["all"], report["data"]
    names = ["with_mask", "without_mask", "mask_weared_incorrect", "mean"]
    rows = []
    for name in names:
        cells = [_spread(whole["ap"][label]["all"][name]) for label in ("ap50", "ap50_95")]
        point = [whole["point"]["precision"][name], whole["recall"]["all"][name], whole["point"]["f1"][name]]
        pooled = whole["ap"]["ap50"]["all"][name]["pooled"]["value"]
        shown = [f"{figure['value']:.3f}" for figure in point]
        faces = f"{whole['faces']['all'][name]:,}"
        rows.append(f"| {name} | {faces} | {' | '.join(cells)} | {pooled:.3f} | {' | '.join(shown)} |")
    sizes = []
    for size, recall in whole["recall"].items():
        counted = [whole["ap"]["ap50"][size]["mean"], *(recall[name] for name in (*names[:3], "all"))]
        sizes.append(f"| {size} | {whole['faces'][size]['mean']:,} | {' | '.join(map(_spread, counted))} |")
    series = ""
    if "without_series" in report["sets"]:
        rest = report["sets"]["without_series"]["ap"]
        series = f"""
Without the {data["series_photos"]} photos of the selfie series: mAP50 {_spread(rest["ap50"]["all"]["mean"])}, mAP50-95
{_spread(rest["ap50_95"]["all"]["mean"])}, incorrect AP50 {_spread(rest["ap50"]["all"]["mask_weared_incorrect"])}.
"""
    return f"""{data["folds"]} grouped folds (alike photos and the selfie series in one fold), each tested by a detector of the same recipe that has
not seen it; {sum(whole["photos"])} photos in all. Mean of the folds ± standard deviation, in brackets its 95 % interval (bootstrap over
groups of alike photos); "pooled": all photos as one set; P, R and F1 above confidence {report["settings"]["conf"]}. By
`maskdet convert FACE_MASK_DETECTION {data["name"]} --folds {data["folds"]}` and `{report["command"]}`:

| class | faces | AP50 | AP50-95 | AP50, pooled | P | R | F1 |
|---|---|---|---|---|---|---|---|
{chr(10).join(rows)}

| face side | faces | mAP50 | recall, with_mask | without_mask | incorrect | all faces |
|---|---|---|---|---|---|---|
{chr(10).join(sizes)}
{series}"""


def _spread(figure: dict[str, Any]) -> str:
    """Return ``0.840 ± 0.031 (0.81–0.87)``, or a dash."""
    if figure["value"] is None:
        return "–"
    spread = "" if figure["sd"] is None else f" ± {figure['sd']:.3f}"
    interval = "" if figure["low"] is None else f" ({figure['low']:.2f}–{figure['high']:.2f})"
    return f"{figure['value']:.3f}{spread}{interval}"


#: Ways of calibrating, as the table calls them.
METHODS = {"none": "as trained", "temperature": "temperature", "temperature_and_bias": "temperature and bias"}
WAYS = {"shipped": "the default", "one": "chosen, one for all", "per_class": "chosen, one a class"}


def calibration(report: dict[str, Any]) -> str:
    """Return the tables of ``tools/calibrate_detector.py``."""

    def cell(figure: dict[str, Any]) -> str:
        interval = "" if figure["low"] is None else f" ({figure['low']:.3f}–{figure['high']:.3f})"
        return f"{figure['value']:.3f}{interval}"

    limits = list(report["methods"]["none"]["above"])
    rows = []
    for name, label in METHODS.items():
        method = report["methods"][name]
        cells = [f"{method['final'][key]:.3f}" for key in ("temperature", "bias")]
        for limit in limits:
            above = method["above"][limit]
            cells += [f"{above['detections']:,}", cell(above["ece"]), f"{above['adaptive_ece']:.3f}"]
        rows.append(f"| {label} | {' | '.join(cells)} |")
    heads = " | ".join(f"above {limit} | ECE | adaptive" for limit in limits)
    ways = []
    for name, label in WAYS.items():
        way = report["thresholds"][name]
        chosen = list(way["final"].values())
        shown = f"{chosen[0]:.2f}" if len(set(chosen)) == 1 else ", ".join(f"{one:.2f}" for one in chosen)
        figures = [f"{way['figures'][key]['mean']['value']:.3f}" for key in ("precision", "recall", "f1")]
        gain = "–" if name == "shipped" else _signed(way["f1_gain"]["mean"])
        ways.append(f"| {label} | {shown} | {' | '.join(figures)} | {gain} |")
    settings, data = report["settings"], report["data"]
    return f"""Expected calibration error ({settings["bins"]} bins of equal width; adaptive: of equal counts) of the detections on {data["photos"]} photos in
{data["folds"]} grouped folds, each fold calibrated by what the others say; a detection is right if it found a face of its class at IoU
{settings["match_iou"]}. In brackets the 95 % interval over groups of photos; temperature and bias are those fitted on all folds. By
`{report["command"]}`:

| | temperature | bias | {heads} |
|---|---|---|{"---|" * 3 * len(limits)}
{chr(10).join(rows)}

The confidence threshold with the best mean F1, on confidences calibrated by {METHODS[report["chosen"]]}; figures with the threshold that the
other folds choose, all folds together, mean of the classes:

| threshold | value | P | R | F1 | F1 beside the default |
|---|---|---|---|---|---|
{chr(10).join(ways)}
"""


#: Kinds of mistakes, as the table calls them.
MISTAKES = {
    "missed": "missed",
    "wrong_class": "found as another class",
    "misplaced": "box beside the face (IoU below 0.5)",
    "twice": "found twice",
    "no_face": "box where no face is labelled",
}


def mistakes(report: dict[str, Any]) -> str:
    """Return the table of ``tools/mistakes.py``."""
    names, settings = list(SHORT)[:3], report["settings"]
    sizes = list(report["faces"])[1:]
    rows = []
    for kind, label in {"": "labelled faces", **MISTAKES}.items():
        counts = report["mistakes"][kind] if kind else report["faces"]
        cells = [f"{counts[size][name]:,}" for name in names for size in sizes]
        rows.append(f"| {label} | {' | '.join(cells)} |")
    heads = " | ".join(f"{SHORT[name]}, {size}" for name in names for size in sizes)
    doubtful = report["doubtful"]
    return f"""What goes wrong on {report["data"]["photos"]} photos ({report["data"]["split"]}) above confidence {settings["conf"]}, each photo looked at by a detector that has
not seen it; boxes where no face is labelled are counted under their own class, all else under the label's. By
`{report["command"]}`:

| | {heads} |
|---|{"---|" * len(names) * len(sizes)}
{chr(10).join(rows)}

Labels worth a second look: {doubtful["wrong_class"]} faces that were found as another class, and {doubtful["no_face"]} boxes where no face is labelled, all with a
confidence from {settings["doubtful_conf"]} on.
"""


def folds_card(report: dict[str, Any]) -> str:
    """Return the same for the model's card, under a heading."""
    return f"## On photos like none it has seen\n{folds(report)}"


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


def scales(report: dict[str, Any]) -> str:
    """Return the table of one ``maskdet val --stress``."""

    def cell(figure: dict[str, float | None]) -> str:
        if figure["value"] is None:
            return "–"
        return f"{figure['value']:.3f} ({figure['low']:.2f}–{figure['high']:.2f})"

    names = ("with_mask", "without_mask", "mask_weared_incorrect")
    rows = []
    for bucket, found in report["buckets"].items():
        classes = found["classes"]
        faces = " / ".join(str(classes[name]["faces"]) for name in names)
        cells = [*(cell(classes[name]["recall"]) for name in names), cell(classes["mean"]["found"])]
        aps = " / ".join("–" if (ap := classes[name]["ap50"]["value"]) is None else f"{ap:.3f}" for name in names)
        rows.append(f"| {bucket} | {faces} | {' | '.join(cells)} | {aps} | {found['false_alarms']['value']:.2f} |")
    close = report["model"].get("close_ups")
    how = (
        "without close-ups" if close is None else f"with close-ups of {close['imgsz']} px from {close['share']:.0%} on"
    )
    if close and "below" in close:
        how += f" where the first look is below {close['below']:g}"
    data = report["data"]
    return f"""{report["model"]["name"]} {how}, by `{report["command"]}` ({data["photos"]} photos of `{data["split"]}`;
confidence {report["recall_conf"]}, IoU from 0.5; in brackets the 95 % interval over photos):

| share | faces with / without / incorrect | recall with_mask | without_mask | incorrect | any class, mean | AP50 with / without / incorrect | false alarms a picture |
|---|---|---|---|---|---|---|---|
{chr(10).join(rows)}
"""


def close_ups(report: dict[str, Any]) -> str:
    """Return what close-ups change and cost on photos as they are."""
    rows = []
    for way, row in report["ways"].items():
        ap = [row["ap50"][name] for name in ("with_mask", "without_mask", "mask_weared_incorrect")]
        cells = [*ap, *(row[key] for key in ("map50", "map50_95", "precision", "recall"))]
        shown = " | ".join(f"{cell:.4f}" for cell in cells)
        rows.append(f"| {way} | {shown} | {row['wrong']} | {row['cpu_ms']:.0f} |")
    data = report["data"]
    return f"""The {data["photos"]} photos of `{data["split"]}` as they are, one thread, by
`{report["command"]}`; close-ups take {report["cost_ratio"] - 1:.1%} more processor time ({report["machine"]}):

| | AP50 with_mask | without_mask | incorrect | mAP50 | mAP50-95 | precision | recall | wrong boxes | CPU ms a photo |
|---|---|---|---|---|---|---|---|---|---|
{chr(10).join(rows)}
"""


def close_ups_choice(report: dict[str, Any]) -> str:
    """Return the table that the numbers of close-ups were chosen by."""
    names = ("with_mask", "without_mask", "mask_weared_incorrect")
    buckets = ("25 %", "50 %", "75 %", "95 %")
    rows = []
    for way, row in report["ways"].items():
        recalls = (" / ".join(f"{row[bucket]['recall'][name]:.2f}" for name in names) for bucket in buckets)
        alarms = " / ".join(f"{row[bucket]['false_alarms']:.2f}" for bucket in buckets)
        shown = f"{row['map50']:.4f} / {row['map50_95']:.4f}"
        rows.append(f"| {way} | {' | '.join(recalls)} | {alarms} | {shown} | {row['wrong']:.0f} |")
    return f"""`{report["command"]}`: recall with / without / incorrect at confidence 0.25 on {report["pictures"]} re-framed pictures of training
photos, false alarms a picture in the same four buckets, and the figures on {report["photos"]} training photos as they are. The model
was trained on these photos: the rows rank, and say nothing of its accuracy.

| second look | 25 % | 50 % | 75 % | 95 % | false alarms | photos: mAP50 / mAP50-95 | wrong boxes |
|---|---|---|---|---|---|---|---|
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


#: A class or the mean, as sentences call it.
SHORT = {"with_mask": "with_mask", "without_mask": "without_mask", "mask_weared_incorrect": "incorrect", "mean": "mean"}


def compare_folds(report: dict[str, Any]) -> str:
    """Return the table of detector alone and chain over the grouped folds, and which wins where."""
    finders = {"shipped": "detector, as it ships", "detector": "detector, one box a face", "chain": "chain"}
    rows = []
    for finder, label in finders.items():
        table = report["ap"][finder]
        cells = [_spread(table["ap50"]["all"][name]) for name in SHORT]
        rows.append(f"| {label} | {' | '.join(cells)} | {_spread(table['ap50_95']['all']['mean'])} |")
    for finder in ("shipped", "detector"):
        table = report["ap_gain"][finder]
        cells = [_signed(table["ap50"]["all"][name]) for name in SHORT]
        label = f"chain minus {finders[finder]}"
        rows.append(f"| {label} | {' | '.join(cells)} | {_signed(table['ap50_95']['all']['mean'])} |")
    kinds = {"detector": "detector", "classifier": "classifier on its boxes", "chain": "chain"}
    named = []
    for namer, label in kinds.items():
        row = report["pooled"]["classes"]["all"][namer]
        cells = [
            f"{row[key]['value']:.3f} ({row[key]['low']:.3f}–{row[key]['high']:.3f})"
            for key in ("accuracy", "macro_f1")
        ]
        named.append(f"| {label} | {' | '.join(cells)} |")
    data, settings = report["data"], report["settings"]
    return f"""Detector alone, and chained with the classifier, on {data["folds"]} grouped folds ({data["photos"]} photos): each fold by a detector and a
classifier that have not seen it. AP50, mean of the folds ± standard deviation with the 95 % interval over groups of photos; the
gains are drawn in pairs. By `{report["command"]}`:

| | {" | ".join(SHORT.values())} | mAP50-95 |
|---|---|---|---|---|---|
{chr(10).join(rows)}

{_who_wins(report)}

The class on the {report["pooled"]["classes"]["all"]["detector"]["faces"]:,} faces found (confidence above {settings["conf"]}, IoU from {settings["match_iou"]}):

| | accuracy | macro-F1 |
|---|---|---|
{chr(10).join(named)}
"""


def _signed(figure: dict[str, Any]) -> str:
    """Return ``+0.021 (+0.003 to +0.040)``, or a dash."""
    if figure["value"] is None:
        return "–"
    interval = "" if figure["low"] is None else f" ({figure['low']:+.3f} to {figure['high']:+.3f})"
    return f"{figure['value']:+.3f}{interval}"


def _who_wins(report: dict[str, Any]) -> str:
    """Say where the interval of the chain's gain over the detector as it ships leaves out zero."""
    gains = report["ap_gain"]["shipped"]
    parts: dict[str, list[str]] = {"better": [], "worse": [], "open": []}
    for label, title in (("ap50", "AP50"), ("ap50_95", "AP50-95")):
        for name, short in SHORT.items():
            figure = gains[label]["all"][name]
            if figure["low"] is None:
                continue
            kind = "better" if figure["low"] > 0 else "worse" if figure["high"] < 0 else "open"
            parts[kind].append(f"{short} {title}")
    words = {
        "better": "the chain wins",
        "worse": "the detector alone wins",
        "open": "the data cannot tell (the interval holds zero)",
    }
    said = "; ".join(f"{words[kind]} at {', '.join(names)}" for kind, names in parts.items() if names)
    return f"Beside the detector as it ships: {said}."


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
        ("benchmarks/results/folds.json", folds),
        ("weights/maskdet-n.val.json", accuracy),
        ("weights/maskdet-c.val.json", classifier),
        ("benchmarks/results/compare_folds.json", compare_folds),
        ("benchmarks/results/classifier_speed.json", classifier_speed),
        ("docs/study/study.json", study),
        ("benchmarks/results/benchmark.json", benchmark),
        ("benchmarks/results/converter.json", converter),
        ("benchmarks/results/train_speed.json", lambda report: TRAINING + "\n" + train_speed(report)),
        ("benchmarks/results/train_accuracy.json", train_speed),
    ),
    "weights/maskdet-n.md": (("benchmarks/results/folds.json", folds_card),),
    "docs/accuracy.md": (
        ("benchmarks/results/calibration.json", calibration),
        ("benchmarks/results/mistakes.json", mistakes),
    ),
    "docs/small-faces.md": (("benchmarks/results/tiling.json", tiling),),
    "docs/scales.md": (
        ("benchmarks/results/stress.json", scales),
        ("benchmarks/results/close_ups.json", close_ups),
    ),
    "docs/experiments.md": (
        ("benchmarks/results/close_ups_choice.json", close_ups_choice),
        ("benchmarks/results/close_ups_when.json", close_ups_when),
    ),
    "docs/training.md": (("benchmarks/results/levers.json", levers),),
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
