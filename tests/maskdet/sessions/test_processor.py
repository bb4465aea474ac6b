"""Counts of cores: of the process's control groups and affinity, not of the machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from maskdet.sessions import processor
from maskdet.sessions.processor import cgroup_quota, usable_cores


def tree(tmp_path: Path, groups: str, **files: str) -> float | None:
    """Return the quota of a process in these groups, with files named by their place, ``__`` for ``/``."""
    (tmp_path / "groups").write_text(groups)
    for name, text in files.items():
        path = tmp_path / "root" / name.replace("__", "/").replace("_max", ".max").replace("_cfs", ".cfs")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return cgroup_quota(tmp_path / "groups", tmp_path / "root")


def test_version_2(tmp_path: Path) -> None:
    assert tree(tmp_path, "0::/a/b\n", a__b__cpu_max="max 100000\n", a__cpu_max="150000 100000\n") == 1.5


def test_version_2_in_a_container(tmp_path: Path) -> None:
    assert tree(tmp_path, "0::/\n", cpu_max="200000 100000\n") == 2
    assert tree(tmp_path, "0::/../../system\n", cpu_max="50000 100000\n") == 0.5


def test_version_1(tmp_path: Path) -> None:
    groups = "4:memory:/m\n3:cpu,cpuacct:/docker/x\n0::/\n"
    files = {"cpu__cpu_cfs_quota_us": "300000\n", "cpu__cpu_cfs_period_us": "100000\n"}
    assert tree(tmp_path, groups, **files) == 3


@pytest.mark.parametrize("text", ["max 100000", "-1 100000", "", "many few", "5 0"])
def test_no_limit(text: str, tmp_path: Path) -> None:
    assert tree(tmp_path, "0::/\n", cpu_max=text) is None


def test_no_groups_at_all(tmp_path: Path) -> None:
    assert cgroup_quota(tmp_path / "nowhere", tmp_path) is None


@pytest.mark.parametrize(("quota", "cores"), [(0.2, 1), (1.0, 1), (2.5, 3), (64.0, 4), (None, 4)])
def test_the_least_of_both(quota: float | None, cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    monkeypatch.setattr(processor, "_own_quota", lambda: quota)
    assert usable_cores() == cores
