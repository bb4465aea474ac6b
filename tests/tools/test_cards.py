from __future__ import annotations

from pathlib import Path
from types import ModuleType

from maskdet.weights import shipped_models


def test_the_committed_cards_are_what_the_tool_writes(tool: ModuleType) -> None:
    written = dict(tool.cards())
    assert {path.name for path in written} == {f"{name}.md" for name in shipped_models()}
    for path, text in written.items():
        assert path.read_text(encoding="utf-8") == text


def test_one_models_facts_are_in_no_other_card(tool: ModuleType) -> None:
    """The tool itself says nothing that is true of one model only: a card holds its own facts and no other's."""
    source = Path(tool.__file__).read_text(encoding="utf-8")
    for name in shipped_models():
        facts = tool.read_facts(name)
        card = (tool.WEIGHTS / f"{name}.md").read_text(encoding="utf-8")
        for key in ("about", "chosen", "figures", "limits"):
            if key in facts:
                assert facts[key].strip() in card
                assert facts[key].strip().splitlines()[0] not in source


def test_facts_hold_for_a_model_like_another_but_for_its_folds(tool: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "one.facts.yaml").write_text(
        "train: t\nlimits: blind\nchosen: by eye\nfolds: a.json\nfolds_recipe: long\n", encoding="utf-8"
    )
    (tmp_path / "two.facts.yaml").write_text("like: one\nchosen: by ear\n", encoding="utf-8")
    assert tool.read_facts("two", tmp_path) == {"train": "t", "limits": "blind", "chosen": "by ear"}
