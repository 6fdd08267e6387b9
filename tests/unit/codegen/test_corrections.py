"""Overlays correct the extracted facts, and don't outlive what they correct."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from codegen.corrections import OVERLAYS, Correction, apply_corrections, load_corrections
from codegen.zeyos_facts import EntityFacts, FieldFacts, ZeyosFacts

FACTS = ZeyosFacts(
    sources={},
    operations=[],
    entities=[
        EntityFacts(
            name="boxes",
            singular="Box",
            plural="Boxs",
            documents=["spec"],
            fields=[
                FieldFacts(name="ID", kind="integer"),
                FieldFacts(name="flag", kind="integer", codes={0: "OPEN"}),
            ],
        )
    ],
)


def correction(**values: Any) -> Correction:
    """A correction with a reason."""
    return Correction(**{"entity": "boxes", "reason": "made up", **values})


def test_a_correction_of_an_entity() -> None:
    """Facts of the entity are replaced; its fields stay."""
    (box,) = apply_corrections(FACTS, [correction(set={"plural": "Boxes"})]).entities
    assert (box.plural, box.fields) == ("Boxes", FACTS.entities[0].fields)


def test_a_correction_of_a_field() -> None:
    """Facts of one field are replaced; codes, whose keys TOML has as text, become numbers."""
    (box,) = apply_corrections(
        FACTS, [correction(field="flag", set={"codes": {"0": "OPEN", "1": "SHUT"}})]
    ).entities
    assert box.fields[1].codes == {0: "OPEN", 1: "SHUT"}
    assert box.fields[0] == FACTS.entities[0].fields[0]


def test_corrections_add_up() -> None:
    """Each correction sees what those before it did."""
    corrected = apply_corrections(
        FACTS, [correction(set={"plural": "Boxes"}), correction(set={"tags": True})]
    )
    assert (corrected.entities[0].plural, corrected.entities[0].tags) == ("Boxes", True)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"set": {"plural": "Boxs"}}, "plural of boxes changes nothing"),
        ({"field": "flag", "set": {"codes": {"0": "OPEN"}}}, "codes of boxes.flag changes nothing"),
        ({"field": "flag", "set": {"required": True, "kind": "integer"}}, "changes nothing"),
        ({"field": "lid", "set": {"required": True}}, "boxes.lid: there is no such field"),
        ({"entity": "bags", "set": {"plural": "Bags"}}, "bags: there is no such entity"),
        ({"set": {"colour": "red"}}, "there is no such fact"),
    ],
)
def test_corrections_that_correct_nothing(values: dict[str, Any], message: str) -> None:
    """A correction that is stale, in part or as a whole, or misspelt, fails; it says which it is."""
    with pytest.raises(ValueError, match=message):
        apply_corrections(FACTS, [correction(**values)])


def test_reading_an_overlay(tmp_path: Path) -> None:
    """The file's entries become corrections; one without a reason is refused."""
    file = tmp_path / "overlay.toml"
    file.write_text('[[correction]]\nentity = "boxes"\nset = { plural = "Boxes" }\nreason = "spelling"\n')
    assert load_corrections(file) == [Correction(entity="boxes", set={"plural": "Boxes"}, reason="spelling")]
    file.write_text('[[correction]]\nentity = "boxes"\nset = { plural = "Boxes" }\n')
    with pytest.raises(TypeError, match="reason"):
        load_corrections(file)


def test_every_correction_of_ours_has_a_reason() -> None:
    """No correction without a sentence that says why."""
    overlays = sorted(OVERLAYS.glob("*.toml"))
    assert overlays
    assert all(
        len(correction.reason) > 10 for overlay in overlays for correction in load_corrections(overlay)
    )
