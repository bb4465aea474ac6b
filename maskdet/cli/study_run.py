"""One run of ``maskdet study``: trainings, the collapse experiment, the classifier that ships, and the report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from maskdet.cli import EXIT_DONE, EXIT_ERROR
from maskdet.cli.report_output import command_line, to_json, write_text
from maskdet.terminal.console import say

if TYPE_CHECKING:
    from maskdet.classifier.crops.crop_set import CropSet
    from maskdet.classifier.networks.specs import WeightsChoice
    from maskdet.classifier.study.run_study import StudyOptions
    from maskdet.classifier.study.train_plan import Plan
    from maskdet.classifier.training.run import Epoch, NetworkRun
    from maskdet.errors import MaskdetError

COMMANDS_FILE = "commands.txt"


class Study:
    """One call of the command."""

    def __init__(
        self,
        source: Path,
        *,
        networks: str | None,
        protocol: Any,
        folds: int,
        recipe: Any,
        weights: tuple[str, ...],
        collapse: bool,
        ship: Path | None,
        leave_out: Path | None,
        report_only: bool,
        out: Path,
        runs: Path | None,
        epochs: int | None,
        seed: int,
        device: str,
        quiet: bool,
    ) -> None:
        """Check the options; see the command's help."""
        from maskdet.classifier.study.run_study import (
            CACHE_FOLDER,
            RUNS_FOLDER,
            STUDY_NETWORKS,
            StudyOptions,
            assign_weights,
            check_source,
            resolve_name,
        )

        check_source(source)
        wanted = [resolve_name(name.strip()) for name in networks.split(",")] if networks else list(STUDY_NETWORKS)
        also = (["maskdet-c"] if ship else []) + (["mobilenet_v2"] if collapse else [])
        chosen = assign_weights(weights, [*wanted, *(name for name in also if name not in wanted)])
        self.options: StudyOptions = StudyOptions(
            tuple(wanted), protocol, folds, recipe, chosen, seed, epochs, _device(device)
        )
        self.source, self.out, self.quiet = source, out, quiet
        self.runs, self.cache = runs or out / RUNS_FOLDER, (runs or out) / CACHE_FOLDER
        self.collapse, self.ship, self.report_only = collapse, ship, report_only
        # The classifier that ships and the collapse experiment can be asked for alone.
        self.train = not report_only and (networks is not None or not (ship or collapse))
        if leave_out is not None and ship is None:
            raise click.UsageError("--leave-out belongs to --ship")
        self.left_out = frozenset() if leave_out is None else read_names(leave_out)
        self.absent: dict[str, str] = {}

    def run(self, json_target: str | None) -> int:
        """Train, report, and return the exit code."""
        from maskdet.classifier.crops.crop_set import read_crop_set
        from maskdet.classifier.study.run_study import keep_freed_memory, make_plans, run_plans
        from maskdet.classifier.study.train_plan import Surroundings
        from maskdet.classifier.training.run import load_runs, two_class_views

        crops = read_crop_set(self.source, quiet=self.quiet)
        keep_freed_memory()
        plans = make_plans(self.options) if self.train else []
        around = Surroundings(self.runs, self.cache, None if self.quiet else _say_epoch, self.quiet)
        run_plans(plans, crops, around, self._failed)
        if self.collapse and not self.report_only:
            self._collapse(crops)
        found = load_runs(self.runs)
        if self.ship:
            self._ship(crops, found)
        self._report(crops, [*found, *two_class_views(found)], json_target)
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
        options = CollapseOptions(weights=self._weights("mobilenet_v2"), cache=self.cache, quiet=self.quiet)
        for row in run_collapse(crops, options, tuple(rows)):
            rows.append(row)
            save_collapse(rows, path)
            if not self.quiet:
                say(f"batch {row.batch}, {row.scaling}, seed {row.seed}: collapsed {row.collapsed}")

    def _ship(self, crops: CropSet, found: list[NetworkRun]) -> None:
        from maskdet.classifier.training.ship import CHECKPOINT_FILE, ship_classifier

        assert self.ship is not None
        ship_classifier(
            crops,
            self.ship,
            found,
            weights=self._weights("maskdet-c"),
            seed=self.options.seed,
            device=self.options.device,
            checkpoint=self.runs / CHECKPOINT_FILE,
            report=None if self.quiet else _say_ship,
            left_out=self.left_out,
            quiet=self.quiet,
        )
        (self.runs / CHECKPOINT_FILE).unlink(missing_ok=True)

    def _report(self, crops: CropSet, found: list[NetworkRun], json_target: str | None) -> None:
        from maskdet.classifier.crops.crop import STUDY_CROPS
        from maskdet.classifier.study.collapse import load_collapse
        from maskdet.classifier.study.report import write_report
        from maskdet.classifier.study.report.terminal import print_study, to_dict
        from maskdet.classifier.study.run_study import COLLAPSE_FILE, describe_machine

        collapse = self.runs / COLLAPSE_FILE
        places = {record.crop: at for at, record in enumerate(crops.records)}
        write_report(
            found,
            self.out,
            records=crops.records,
            pixels=lambda name: crops.cut(places[name], STUDY_CROPS),
            collapse=load_collapse(collapse) if collapse.exists() else None,
            commands=self._commands(),
            machine=describe_machine(),
            absent=self.absent,
        )
        if json_target:
            # Scoring draws a thousand bootstrap samples: only where it was asked for.
            write_text(to_json(to_dict(found, crops.records)), json_target)
        if not self.quiet and json_target != "-":
            print_study(found, crops.records)
            say(f"report: {self.out / 'report.md'}")

    def _commands(self) -> list[str]:
        """Return this and every earlier command that made the runs, and remember it beside them."""
        from maskdet.files.atomic import write_bytes

        path = self.runs / COMMANDS_FILE
        known = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        if not self.report_only:
            line = command_line({"quiet", "json_target"})
            if line not in known:
                known.append(line)
                write_bytes(path, ("\n".join(known) + "\n").encode())
        return known


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


def _device(text: str) -> str:
    """Return torch's name of a device; a bare number is a GPU's."""
    return f"cuda:{text}" if text.isdigit() else text


def _say_epoch(plan: Plan, epoch: Epoch) -> None:
    _say(plan.folder, epoch)


def _say_ship(epoch: Epoch) -> None:
    _say("maskdet-c on all crops", epoch)


def _say(name: str, epoch: Epoch) -> None:
    say(
        f"{name}: epoch {epoch.number}, {epoch.seconds:.0f} s, loss {epoch.train_loss:.4f}, "
        f"dev loss {epoch.dev_loss:.4f}, dev error {epoch.dev_error:.2%}"
    )
