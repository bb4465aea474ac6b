from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from maskdet.classifier.crops.crop_set import CropSet
from maskdet.classifier.networks.build import build_network
from maskdet.classifier.networks.specs import NETWORKS, find_network
from maskdet.classifier.study import train_plan as study_training
from maskdet.classifier.study.run_study import StudyOptions, assign_weights, earlier_folds, make_plans, run_plans
from maskdet.classifier.study.train_plan import Plan, Surroundings, train_plan
from maskdet.classifier.training.division import divide
from maskdet.classifier.training.recipe import Augment, Recipe, choose_recipe
from maskdet.classifier.training.run import PARTS, load_run, two_class_views
from maskdet.errors import MaskdetError, WeightsError

torch = pytest.importorskip("torch")

SHORT = Recipe(learning_rate=1e-3, batch=16, epochs=1, patience=1)


def test_recipes_as_the_study_has_them() -> None:
    own = choose_recipe(NETWORKS["cnn-a"], "study", frozen=False)
    assert (own.learning_rate, own.batch, own.patience, own.scaling) == (1e-3, 32, 2, "unit")
    transfer = choose_recipe(NETWORKS["vgg19"], "study", frozen=True)
    assert (transfer.learning_rate, transfer.batch, transfer.patience, transfer.scaling) == (1e-3, 1, 3, "unit")
    assert own.augment == transfer.augment == Augment()


def test_plans_are_every_network_under_every_division() -> None:
    plans = make_plans(StudyOptions(("cnn-a", "vgg19", "maskdet-c"), "both", folds=2, weights={"vgg19": "none"}))
    assert [plan.folder for plan in plans] == [
        "cnn-a-study", "cnn-a-fold1", "cnn-a-fold2",
        "vgg19-study-scratch", "vgg19-fold1-scratch", "vgg19-fold2-scratch",
        "maskdet-c-study", "maskdet-c-fold1", "maskdet-c-fold2",
    ]  # fmt: skip
    assert [plan.frozen for plan in plans] == [False] * 9
    assert Plan("vgg19").frozen and Plan("vgg19").origin == "imagenet"
    assert (Plan("maskdet-c").spec.task, Plan("cnn-a").spec.task) == ("three", "binary")
    assert (Plan("cnn-a", recipe_name="study", seed=3).folder) == "cnn-a-study-as-printed-seed3"


def test_a_network_is_trained_once_and_then_read(many_faces: CropSet, tmp_path: Path) -> None:
    plan = Plan("cnn-a", recipe=SHORT)
    run = train_plan(plan, many_faces, Surroundings(tmp_path, quiet=True))
    assert [len(run.parts[part].crops) for part in PARTS] == [64, 8, 8]
    assert (run.parameters, run.trainable, run.weights, run.fold) == (8_620_441, 8_620_441, "random", None)
    again = train_plan(plan, many_faces, Surroundings(tmp_path, report=lambda *_: pytest.fail("trained"), quiet=True))
    for part in PARTS:
        assert again.parts[part].crops == run.parts[part].crops
        assert np.allclose(again.parts[part].probabilities, run.parts[part].probabilities, atol=1e-6)
    assert not (tmp_path / "cnn-a-study" / "checkpoint.pt").exists()
    assert load_run(tmp_path / "cnn-a-study").name == "cnn-a"


def test_a_frozen_backbone_runs_once(many_faces: CropSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    weights = tmp_path / "mobilenet.pth"
    torch.save(build_network("mobilenet_v2", "none").backbone.state_dict(), weights)
    recipe = replace(SHORT, scaling="imagenet", views=1, augment=Augment(flip=1.0))
    around = Surroundings(tmp_path / "runs", tmp_path / "cache", quiet=True)
    names = {record.photo for record in many_faces.records[:24]}
    count = sum(photo.picture.path.name in names for photo in many_faces.photos)
    few = replace(
        many_faces,
        records=many_faces.records[:24],
        patches=many_faces.patches[:24],
        boxes=many_faces.boxes[:24],
        photos=many_faces.photos[:count],
        groups=many_faces.groups[:count],
    )
    first = train_plan(Plan("mobilenet_v2", weights=weights, recipe=recipe), few, around)
    assert (first.parameters, first.trainable, first.frozen) == (18_321_665, 16_097_793, True)
    kept = np.load(next((tmp_path / "cache").glob("features-*.npy")))
    assert kept.shape == (2, 24, 62_720) and kept.dtype == np.float16
    # Another division of the same crops reads what was computed.
    monkeypatch.setattr(
        "maskdet.classifier.networks.build.TransferNet.features", lambda *_: pytest.fail("computed twice")
    )
    monkeypatch.setattr(study_training, "_speed", lambda *_: 1.0)
    second = train_plan(Plan("mobilenet_v2", weights=weights, recipe=recipe, seed=0, protocol="grouped"), few, around)
    assert second.fold == 0


def test_missing_weights_stop_nobody_else(many_faces: CropSet, tmp_path: Path) -> None:
    plans = [
        Plan("vgg19", weights=tmp_path / "none.pth"),
        Plan("vgg19", "grouped", weights=tmp_path / "none.pth"),
        Plan("cnn-a", recipe=SHORT),
    ]
    failed: list[tuple[str, str]] = []
    runs = run_plans(
        plans,
        many_faces,
        Surroundings(tmp_path, quiet=True),
        lambda plan, error: failed.append((plan.network, str(error))),
    )
    assert [run.name for run in runs] == ["cnn-a"]
    assert [name for name, _ in failed] == ["vgg19"]
    assert "no such file" in failed[0][1] and "--backbone-weights none" in failed[0][1]


def test_files_find_their_network(tmp_path: Path) -> None:
    torch.manual_seed(0)
    path = tmp_path / "some.pth"
    torch.save(build_network("mobilenet_v2", "none").backbone.state_dict(), path)
    networks = ("cnn-a", "vgg19", "mobilenet_v2", "maskdet-c")
    assert assign_weights([str(path)], networks) == {"mobilenet_v2": path, "maskdet-c": path}
    assert assign_weights(["none", str(path)], networks) == {
        "vgg19": "none", "mobilenet_v2": path, "maskdet-c": path,
    }  # fmt: skip
    assert assign_weights([f"VGG19={path}"], networks) == {"vgg19": path}
    with pytest.raises(WeightsError, match="mobilenet_v2's weights, and no such network takes part"):
        assign_weights([str(path)], ("cnn-a", "vgg19"))
    other = tmp_path / "other.pth"
    torch.save({"weight": torch.zeros(3)}, other)
    with pytest.raises(WeightsError, match="none of the four"):
        assign_weights([str(other)], networks)


def test_names() -> None:
    assert [find_network(name).name for name in ("CNN_A", "MaskDet-C", "vgg19")] == ["cnn-a", "maskdet-c", "vgg19"]
    with pytest.raises(MaskdetError, match=r"unknown network 'alexnet'.*maskdet-c"):
        find_network("alexnet")


def test_folds_of_another_making_are_noticed(many_faces: CropSet, made: ModuleType) -> None:
    """Of two runs on fold 1 one was tested on what is fold 1 today, the other on what is fold 2."""
    names = [record.crop for record in many_faces.records]
    folds = [divide(many_faces, task="binary", protocol="grouped", fold=fold)["test"] for fold in (1, 2)]
    base = made.one_run(made.crop_records(24), protocol="grouped", fold=1)
    runs = [
        replace(base, parts=base.parts | {"test": replace(base.parts["test"], crops=tuple(names[at] for at in fold))})
        for fold in folds
    ]
    assert list(map(earlier_folds(many_faces), runs)) == [False, True]


def test_a_network_of_the_study_with_three_classes(many_faces: CropSet, tmp_path: Path) -> None:
    plan = Plan("cnn-a", "grouped", 1, asked="three", seed=2)
    run = train_plan(replace(plan, recipe=SHORT), many_faces, Surroundings(tmp_path, quiet=True))
    # Two more outputs, each of 128 weights and a bias.
    assert (run.task, run.parameters) == ("three", 8_620_441 + 2 * 129)
    assert run.parts["test"].probabilities.shape[1] == 3
    assert set(run.parts["train"].labels.tolist()) == {0, 1, 2}
    seedless = divide(many_faces, task="three", protocol=plan.protocol, fold=plan.fold, own_dev=True)["test"]
    assert run.parts["test"].crops == tuple(many_faces.records[at].crop for at in seedless)
    assert two_class_views([run]) == []


def test_folders_tell_classes_and_recipes_apart() -> None:
    options = StudyOptions(("cnn-a", "maskdet-c"), "grouped", task="three", recipe="study", seed=1)
    assert [plan.folder for plan in make_plans(options)] == [
        "cnn-a-fold1-as-printed-three-seed1", "maskdet-c-fold1-seed1",
    ]  # fmt: skip
