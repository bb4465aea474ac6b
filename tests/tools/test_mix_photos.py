"""The mix that the shipped models are trained on: what is taken of each source, and what never is."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import yaml

from maskdet.imaging.encode import write_picture

BARE, MASKED = "1 0.5 0.5 0.2 0.2\n", "0 0.5 0.5 0.2 0.2\n"


def converted(folder: Path, photos: dict[str, str], split: str = "train") -> Path:
    """Write a converted folder: the photos' stems and their labels."""
    for kind in ("images", "labels"):
        (folder / kind / split).mkdir(parents=True, exist_ok=True)
    for stem, labels in photos.items():
        write_picture(folder / "images" / split / f"{stem}.jpg", np.zeros((8, 8, 3), np.uint8))
        (folder / "labels" / split / f"{stem}.txt").write_text(labels, encoding="utf-8")
    return folder


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path, Path]:
    main = converted(converted(tmp_path / "main", {"m1": MASKED, "m2": BARE}), {"kept_apart": BARE}, "val")
    bare = {f"xo_sv_{number:04}": BARE for number in range(100)}
    opened = converted(tmp_path / "open", {**bare, "xo_sv_1000": MASKED, "xo_fdg_0001": MASKED, "xo_ols_0001": BARE})
    painted = converted(tmp_path / "painted", {"painted_00000_xo_ols_0001": MASKED})
    return main, opened, painted


def test_a_part_of_a_source_is_taken_all_its_masks_and_nothing_of_what_is_left_out(
    tool: ModuleType, folders: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    main, opened, painted = folders
    chosen = [picture.stem for picture in tool.mix(tmp_path / "mix", main, opened, [painted], ["fdg"])]

    assert chosen[:4] == ["m1", "m2", "again_m1", "again_m2"]
    assert "xo_sv_1000" in chosen  # the only mask
    assert "xo_fdg_0001" not in chosen
    assert {"xo_ols_0001", "painted_00000_xo_ols_0001"} <= set(chosen)
    assert "kept_apart" not in chosen
    assert 15 <= sum(stem.startswith("xo_sv_0") for stem in chosen) <= 45  # three tenths of 100


def test_what_is_left_out_is_a_set_of_its_own_and_the_main_set_may_be_none(
    tool: ModuleType, folders: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    main, opened, _ = folders
    painted = converted(tmp_path / "more", {"painted_00000_xo_fdg_0001": MASKED, "painted_00001_xo_ols_0001": MASKED})
    both = [[p.stem for p in tool.mix(tmp_path / "mix", one, opened, [painted], ["fdg"])] for one in (main, None)]

    assert both[1] == [stem for stem in both[0] if "xo_" in stem]
    held = yaml.safe_load((tmp_path / "mix" / "heldout.yaml").read_text(encoding="utf-8"))
    assert (held["train"], held["val"]) == ("train.txt", "heldout.txt")
    listed = (tmp_path / "mix" / "heldout.txt").read_text(encoding="utf-8").splitlines()
    assert [Path(line).stem for line in listed] == ["xo_fdg_0001", "painted_00000_xo_fdg_0001"]


def test_everything_holds_what_was_held_out_and_half_of_the_rest(
    tool: ModuleType, folders: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    main, opened, painted = folders
    chosen = [
        p.stem
        for p in tool.mix(tmp_path / "all", main, opened, [painted], ["fdg"], part=0.5, once=True, everything=True)
    ]

    assert chosen[:3] == ["m1", "m2", "kept_apart"]
    assert {"xo_fdg_0001", "xo_sv_1000"} <= set(chosen)
    assert 4 <= sum(stem.startswith("xo_sv_0") for stem in chosen) <= 28  # 15 % of 100


def test_the_written_set_can_be_trained_on_and_the_repeated_photos_keep_their_labels(
    tool: ModuleType, folders: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    main, opened, painted = folders
    out = tmp_path / "mix"
    chosen = tool.mix(out, main, opened, [painted], ["fdg"])

    listed = (out / "train.txt").read_text(encoding="utf-8").splitlines()
    assert listed == [str(picture.absolute()) for picture in chosen]
    assert all(tool.labels_of(Path(line)).is_file() for line in listed)
    assert (out / "again" / "labels" / "train" / "again_m1.txt").read_text(encoding="utf-8") == MASKED
    data = yaml.safe_load((out / "data.yaml").read_text(encoding="utf-8"))
    assert data["val"] == str((main / "images" / "val").absolute())
    assert data["names"][2] == "mask_weared_incorrect"


def test_the_classifier_gets_the_detectors_photos_and_every_mask_but_none_held_out(
    tool: ModuleType, tmp_path: Path
) -> None:
    def voc(stem: str, *names: str) -> None:
        things = "".join(f"<object><name>{name}</name></object>" for name in names)
        for kind in ("annotations", "images"):
            (tmp_path / "voc" / kind).mkdir(parents=True, exist_ok=True)
        (tmp_path / "voc" / "annotations" / f"{stem}.xml").write_text(f"<annotation>{things}</annotation>")
        (tmp_path / "voc" / "images" / f"{stem}.jpg").write_bytes(b"")

    voc("main1", "with_mask")
    voc("main2", "with_mask")
    voc("xo_mw_0001", "with_mask")
    voc("xo_mw_0002", "without_mask")
    voc("xo_mw_0003", "without_mask")
    voc("xo_mw_0004")
    voc("xo_fdg_0001", "with_mask")
    voc("painted_00001_xo_mw_0001", "with_mask")

    out = tmp_path / "joined"
    count = tool.join(out, [tmp_path / "voc"], ["xo_mw_0002", "main1"], ["main2"], ["fdg"])

    assert count == 3
    assert sorted(link.stem for link in (out / "images").iterdir()) == ["main1", "xo_mw_0001", "xo_mw_0002"]
    assert sorted(link.name for link in (out / "annotations").iterdir())[0] == "main1.xml"
