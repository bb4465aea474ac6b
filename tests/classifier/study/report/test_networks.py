from __future__ import annotations

from types import ModuleType

from maskdet.classifier.study.report.networks import network_tables
from maskdet.classifier.study.report.text import percent
from maskdet.classifier.study.sections import score_runs


def test_a_table_and_a_sentence_a_network(made: ModuleType) -> None:
    records = made.crop_records(24)
    runs = [made.one_run(records), made.one_run(records, "vgg19", weights="random")]
    runs += [made.one_run(records, protocol="grouped", fold=fold) for fold in range(3)]
    sections = score_runs(runs, records, resamples=0)
    text = network_tables(sections)
    assert text.count("### ") == 2
    cnn = text.partition("### CNN-A")[2].partition("### ")[0]
    # As printed 3, 4 and 2 %: 3 points above people, dev 1 point above train.
    assert "| the study printed | 0.00 % | 3 % | 4 % | 2 % |" in cnn
    assert (
        "Bias and variance: as the study printed it, bias dominates (3.00 against 1.00); of CNN-A, two classes" in cnn
    )
    by_crop, grouped = sections[0].entries[0], sections[1].entries[0]
    for entry, title in ((by_crop, sections[0].title), (grouped, sections[1].title)):
        errors = f"{percent(entry.train_error)} | {percent(entry.dev_error)} | {percent(entry.scores.error.value)}"
        assert f"| {entry.name}, {title} | 0.00 % | {errors} (" in cnn
