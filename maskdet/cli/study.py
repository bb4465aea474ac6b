"""``maskdet study``: train and compare the crop study's networks, and write the report."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from maskdet.cli import EXIT_DONE, EXIT_ERROR
from maskdet.cli.options import option, options
from maskdet.cli.report_output import command_line, to_json, write_text
from maskdet.terminal.console import say

if TYPE_CHECKING:
    from maskdet.classifier.crops.crop_set import CropSet
    from maskdet.classifier.networks.specs import WeightsChoice
    from maskdet.classifier.study.run_study import Protocols
    from maskdet.classifier.study.train_plan import Plan
    from maskdet.classifier.training.recipe import RecipeName
    from maskdet.classifier.training.run import Epoch, NetworkRun
    from maskdet.errors import MaskdetError

#: Beside the runs: what was typed to make them, and where that was done.
COMMANDS_FILE, MACHINES_FILE = "commands.txt", "machines.txt"

_PATH: Final = click.Path(path_type=Path)


@dataclass(frozen=True, kw_only=True)
class StudyRun:
    """What one call of the command is asked to train and write."""

    list_only: bool = option("--list", is_flag=True, help="Print the networks and their parameters, train nothing.")
    networks: str | None = option(
        "--networks", metavar="NAME,…", help="Which to train.  [default: all seven, and maskdet-c]"
    )
    protocol: Protocols = option(
        "--protocol",
        type=click.Choice(["study", "grouped", "both"]),
        default="study",
        show_default=True,
        help="Divide by crop, in the study's sizes; or by photo, alike ones together.",
    )
    folds: int = option(
        "--folds", type=click.IntRange(1, 5), default=1, show_default=True, help="Grouped folds to test on."
    )
    recipe: RecipeName = option(
        "--recipe",
        type=click.Choice(["ours", "study"]),
        default="ours",
        show_default=True,
        help="How to train: our settings, or those the study prints.",
    )
    classes: str = option(
        "--classes",
        type=click.Choice(["2", "3"]),
        default="2",
        show_default=True,
        help="2: as the study, without masks worn incorrectly; 3: all. maskdet-c always has 3.",
    )
    weights: tuple[str, ...] = option(
        "--backbone-weights",
        metavar="FILE|none",
        multiple=True,
        help="torchvision's ImageNet file (several times for several networks), one that --ship wrote, or none.",
    )
    collapse: bool = option(
        "--collapse", is_flag=True, help="Try settings under which three of the study's networks never learnt."
    )
    rates: str = option(
        "--rates", metavar="RATE,…", default="0.001", show_default=True, help="With --collapse: learning rates of Adam."
    )
    ship: Path | None = option(
        "--ship",
        metavar="FILE.onnx|.pt",
        type=_PATH,
        help="Train maskdet-c on all crops; .pt is for other trainings to start from.",
    )
    leave_out: Path | None = option(
        "--leave-out",
        metavar="LIST",
        type=_PATH,
        help="With --ship: a text file of photo names, or a folder of photos, that take no part.",
    )
    report_only: bool = option("--report", is_flag=True, help="Train nothing, write the report of what is there.")
    out: Path = option("--out", metavar="DIR", type=_PATH, default=Path("study"), show_default=True, help="Report.")
    runs: Path | None = option(
        "--runs", metavar="DIR", type=_PATH, help="One folder a training, and checkpoints.  [default: OUT/runs]"
    )
    epochs: int | None = option("--epochs", type=click.IntRange(1, 1000), help="At most.  [default: each recipe's own]")
    seed: int = option(
        "--seed", type=click.IntRange(0, 2**31), default=0, show_default=True, help="Of weights and order."
    )
    device: str = option(
        "--device", default="cpu", show_default=True, help="cpu, or torch's name of a GPU, such as cuda:0."
    )
    json_target: str | None = option("--json", metavar="FILE|-", help="Write every figure (or the list) as JSON.")
    quiet: bool = option("--quiet", is_flag=True, help="No table, no progress: only what was asked for, and errors.")


@click.command()
@click.argument("source", metavar="VOC_DIR", type=_PATH, required=False)
@options(asked=StudyRun)
def study(source: Path | None, *, asked: StudyRun) -> int:
    """Train and compare the seven networks of the crop study, and write a report.

    VOC_DIR holds annotations/ and images/; its faces are cut out and told apart. Finished trainings are read, broken
    ones go on where they were: the same command again costs nothing and completes the report.

    \b
    maskdet study --list                                       the networks and their parameters
    maskdet study face-mask-detection --networks cnn-a         one network, the study's division
    maskdet study face-mask-detection --protocol both          everything; hours on a CPU
    maskdet study face-mask-detection --report                 the report once more
    """
    from maskdet.files.guard import Guard

    if asked.list_only:
        Guard().check_texts({"--json": asked.json_target})
        return _list(asked)
    if source is None:
        raise click.UsageError("which data? give the folder that holds annotations/ and images/, or --list")
    from maskdet.extras import require

    # What is missing should be said before hours of training, not after.
    for module in ("torch", "torchvision"):
        require(module, what="maskdet study", extra="train")
    require("matplotlib", what="the study's report", extra="plots")

    guard = Guard([source, *asked.weights, asked.leave_out])
    guard.check_texts({"--json": asked.json_target})
    guard.check_folders({"--out": str(asked.out)}, [asked.json_target])
    if asked.ship is not None:
        guard.check_model(asked.ship)
    return _Study(source, asked).run()


def _list(asked: StudyRun) -> int:
    from maskdet.classifier.networks.parameters import parameter_table, print_parameters

    rows = parameter_table()
    if asked.json_target:
        write_text(to_json([row.to_dict() for row in rows]), asked.json_target)
    if not asked.quiet and asked.json_target != "-":
        print_parameters(rows)
    return EXIT_DONE


class _Study:
    """One call of the command: trainings, the collapse experiment, the classifier that ships, and the report."""

    def __init__(self, source: Path, asked: StudyRun) -> None:
        """Check what is asked for."""
        from maskdet.classifier.networks.specs import NETWORKS, SHIPPED, find_network
        from maskdet.classifier.study import run_study

        run_study.check_source(source)
        self.source, self.asked = source, asked
        names = asked.networks.split(",") if asked.networks else list(NETWORKS)
        wanted = [find_network(name.strip()).name for name in names]
        also = ([SHIPPED] if asked.ship else []) + (["mobilenet_v2"] if asked.collapse else [])
        self.options = run_study.StudyOptions(
            networks=tuple(wanted),
            protocols=asked.protocol,
            folds=asked.folds,
            recipe=asked.recipe,
            task="binary" if asked.classes == "2" else "three",
            weights=run_study.assign_weights(asked.weights, [*wanted, *(name for name in also if name not in wanted)]),
            seed=asked.seed,
            epochs=asked.epochs,
            device=f"cuda:{asked.device}" if asked.device.isdigit() else asked.device,
        )
        self.runs, self.cache = (
            asked.runs or asked.out / run_study.RUNS_FOLDER,
            (asked.runs or asked.out) / run_study.CACHE_FOLDER,
        )
        self.models = (asked.runs or asked.out) / run_study.MODELS_FOLDER
        # The classifier that ships and the collapse experiment can be asked for alone.
        self.train = not asked.report_only and (asked.networks is not None or not (asked.ship or asked.collapse))
        if asked.leave_out is not None and asked.ship is None:
            raise click.UsageError("--leave-out belongs to --ship")
        self.rates = read_rates(asked.rates)
        self.left_out = frozenset() if asked.leave_out is None else read_names(asked.leave_out)
        self.absent: dict[str, str] = {}

    def run(self) -> int:
        """Train, report, and return the exit code."""
        from maskdet.classifier.crops.crop_set import read_crop_set
        from maskdet.classifier.study.run_study import keep_freed_memory, make_plans, run_plans
        from maskdet.classifier.study.train_plan import Surroundings
        from maskdet.classifier.training.run import load_runs, two_class_views

        crops = read_crop_set(self.source, quiet=self.asked.quiet)
        keep_freed_memory()
        plans = make_plans(self.options) if self.train else []
        tell = None if self.asked.quiet else lambda plan, epoch: _say(plan.folder, epoch)
        around = Surroundings(self.runs, self.cache, self.models, tell, self.asked.quiet)
        run_plans(plans, crops, around, self._failed)
        if self.asked.collapse and not self.asked.report_only:
            self._collapse(crops)
        found = load_runs(self.runs)
        if self.asked.ship:
            self._ship(self.asked.ship, crops, found)
            if not found:  # what others start from needs no run of its own
                return EXIT_DONE
        self._report(crops, [*found, *two_class_views(found)])
        return EXIT_ERROR if self.absent else EXIT_DONE

    def _failed(self, plan: Plan, error: MaskdetError) -> None:
        self.absent[plan.network] = "not run: weights unavailable"
        say(f"error: {plan.network}: {error}")

    def _weights(self, name: str) -> WeightsChoice:
        return self.options.weights.get(name, "imagenet")

    def _collapse(self, crops: CropSet) -> None:
        """Run what is missing of the experiment; every finished training is kept at once."""
        from maskdet.classifier.study.collapse import CollapseOptions, load_collapse, run_collapse, save_collapse
        from maskdet.classifier.study.run_study import COLLAPSE_FILE

        path = self.runs / COLLAPSE_FILE
        rows = load_collapse(path) if path.exists() else []
        options = CollapseOptions(
            weights=self._weights("mobilenet_v2"), rates=self.rates, cache=self.cache, quiet=self.asked.quiet
        )
        for row in run_collapse(crops, options, tuple(rows)):
            rows.append(row)
            save_collapse(rows, path)
            if not self.asked.quiet:
                setting = f"batch {row.batch}, {row.scaling}, rate {row.learning_rate:g}, seed {row.seed}"
                say(f"{setting}: collapsed {row.collapsed}")

    def _ship(self, file: Path, crops: CropSet, found: list[NetworkRun]) -> None:
        from maskdet.classifier.training.ship import CHECKPOINT_FILE, ship_classifier

        ship_classifier(
            crops,
            file,
            found,
            weights=self._weights("maskdet-c"),
            seed=self.options.seed,
            device=self.options.device,
            checkpoint=self.runs / CHECKPOINT_FILE,
            report=None if self.asked.quiet else partial(_say, "maskdet-c on all crops"),
            left_out=self.left_out,
            epochs=self.asked.epochs,
            quiet=self.asked.quiet,
        )
        (self.runs / CHECKPOINT_FILE).unlink(missing_ok=True)

    def _report(self, crops: CropSet, found: list[NetworkRun]) -> None:
        from maskdet.classifier.crops.crop import STUDY_CROPS
        from maskdet.classifier.study.collapse import load_collapse
        from maskdet.classifier.study.report import write_report
        from maskdet.classifier.study.report.terminal import print_study, to_dict
        from maskdet.classifier.study.run_study import COLLAPSE_FILE, describe_machine, earlier_folds
        from maskdet.classifier.study.sections import score_runs

        collapse = self.runs / COLLAPSE_FILE
        sections = score_runs(found, crops.records, earlier=earlier_folds(crops))
        places = {record.crop: at for at, record in enumerate(crops.records)}
        write_report(
            sections,
            self.asked.out,
            records=crops.records,
            pixels=lambda name: crops.cut(places[name], STUDY_CROPS),
            collapse=load_collapse(collapse) if collapse.exists() else None,
            commands=self._noted(COMMANDS_FILE, command_line({"quiet", "json_target"})),
            machine="; ".join(self._noted(MACHINES_FILE, describe_machine())),
            absent=self.absent,
        )
        if self.asked.json_target:
            write_text(to_json(to_dict(sections)), self.asked.json_target)
        if not self.asked.quiet and self.asked.json_target != "-":
            print_study(sections)
            say(f"report: {self.asked.out / 'report.md'}")

    def _noted(self, name: str, line: str) -> list[str]:
        """Return the lines of a file beside the runs; a call that may train adds its own, if it is new."""
        from maskdet.files.atomic import write_bytes

        path = self.runs / name
        known = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        if not self.asked.report_only and line not in known:
            known.append(line)
            write_bytes(path, ("\n".join(known) + "\n").encode())
        return known


def read_rates(text: str) -> tuple[float, ...]:
    """Return learning rates, given with commas between.

    Raises:
        UsageError: one is no number above 0.

    >>> read_rates("0.001, 0.01")
    (0.001, 0.01)
    """
    try:
        rates = tuple(float(part) for part in text.split(","))
    except ValueError:
        rates = ()
    if not rates or not all(0 < rate < float("inf") for rate in rates):
        raise click.UsageError(f"--rates {text!r}: give numbers above 0, such as 0.001,0.01")
    return rates


def read_names(path: Path) -> frozenset[str]:
    """Return the stems of the photos that a text file names, one a line, or that a folder holds.

    Raises:
        SourceError: it cannot be read, or names nothing.
    """
    from maskdet.errors import SourceError

    try:
        names = [child.name for child in path.iterdir()] if path.is_dir() else path.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(path, "cannot be read: give a text file of photo names, or a folder of photos") from error
    stems = frozenset(Path(name.strip()).stem for name in names if name.strip())
    if not stems:
        raise SourceError(path, "names no photo")
    return stems


def _say(name: str, epoch: Epoch) -> None:
    say(
        f"{name}: epoch {epoch.number}, {epoch.seconds:.0f} s, loss {epoch.train_loss:.4f}, "
        f"train accuracy {1 - epoch.train_error:.2%}, dev loss {epoch.dev_loss:.4f}, "
        f"dev accuracy {1 - epoch.dev_error:.2%}"
    )
