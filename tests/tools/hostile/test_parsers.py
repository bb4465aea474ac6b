"""The parsers that are ours, fed by Hypothesis with changed files and bare bytes: an answer, or their one error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from hostile import grammars, seeds
from hostile.mutations import mutate_bytes, mutate_text
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maskdet import read_results
from maskdet.classifier.crops.manifest import read_manifest
from maskdet.datasets.voc.parse import parse_voc
from maskdet.datasets.yolo.data_yaml import read_data_yaml
from maskdet.datasets.yolo.labels import read_labels
from maskdet.errors import AnnotationError, DatasetError, MaskdetError, SourceError
from maskdet.imaging.header import DamagedHeaderError, read_picture_header
from maskdet.imaging.jpeg import read_header

#: Reader, its kind of error, a valid file, and what else makes one.
TEXTS: dict[str, tuple[Callable[[Path], object], type[MaskdetError], str, Callable[[Random, Path], str] | None]] = {
    "voc": (parse_voc, AnnotationError, seeds.VOC, grammars.xml),
    "labels": (read_labels, AnnotationError, seeds.LABELS, grammars.labels),
    "data-yaml": (read_data_yaml, DatasetError, seeds.DATA_YAML, grammars.yaml),
    "results": (lambda path: list(read_results(path)), SourceError, seeds.results(), grammars.result_lines),
    "manifest": (read_manifest, DatasetError, seeds.MANIFEST, None),
}

fuzzed = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.mark.parametrize("name", TEXTS)
@fuzzed
@given(random=st.randoms(use_true_random=True), way=st.integers(0, 3), data=st.binary(max_size=300))
def test_a_text_is_read_or_refused(tmp_path: Path, name: str, random: Random, way: int, data: bytes) -> None:
    read, error, valid, grammar = TEXTS[name]
    if way and grammar is not None and random.random() < 0.5:
        data = grammar(random, tmp_path).encode(errors="surrogatepass")
    elif way:
        data = mutate_text(random, valid)
    path = tmp_path / "in"
    path.write_bytes(data)
    try:
        read(path)
    except error as caught:
        assert len(str(caught).splitlines()) == 1
        assert str(path) in str(caught)
    assert not (tmp_path / grammars.CANARY).exists()


@pytest.mark.parametrize("name", [name for name in TEXTS if name != "results"])
def test_the_valid_file_is_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / "in"
    path.write_text(TEXTS[name][2])
    assert TEXTS[name][0](path)


@fuzzed
@given(
    random=st.randoms(use_true_random=True),
    data=st.binary(max_size=300),
    ending=st.sampled_from(sorted(seeds.pictures())),
)
def test_a_header_has_a_size_or_is_refused(random: Random, data: bytes, ending: str) -> None:
    known = seeds.pictures()
    for one in (mutate_bytes(random, known[ending], list(known.values())), known[ending][:8] + data, data):
        try:
            header = read_picture_header(one)
        except DamagedHeaderError as error:
            assert len(str(error).splitlines()) <= 1
        else:
            assert header is None or min(header.size) >= 0
        size = read_header(one).size
        assert size is None or min(size) >= 0


@pytest.mark.parametrize("ending", sorted(seeds.bombs()))
def test_a_bombs_claim_is_seen(ending: str) -> None:
    try:
        header = read_picture_header(seeds.bombs()[ending])
    except DamagedHeaderError:
        return
    assert header is None or header.size[0] * header.size[1] >= 2_000_000_000
