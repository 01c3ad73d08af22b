"""docs/paper.md and the labels P1..Pn in the code say the same."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAPER = (ROOT / "docs" / "paper.md").read_text(encoding="utf-8")
SOURCES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in sorted((ROOT / "src").rglob("*.py"))
}
TAG = re.compile(r"# P(\d+):")
PLACE = re.compile(r"`(src/hsrdiff/[\w/.]+)`: `(\w+)`(, tag)?")


def sections(text):
    """Label number -> its section."""
    parts = re.split(r"^### P(\d+): .+$", text, flags=re.MULTILINE)
    return {int(number): body for number, body in zip(parts[1::2], parts[2::2], strict=True)}


def tags(sources):
    """(label number, file) for every tag in the sources."""
    return {(int(number), path) for path, text in sources.items() for number in TAG.findall(text)}


SECTIONS = sections(PAPER)


def test_labels_are_numbered_upwards_from_one():
    assert next(iter(SECTIONS)) == 1
    assert list(SECTIONS) == sorted(set(SECTIONS))
    assert len(SECTIONS) == len(re.findall(r"^### ", PAPER, flags=re.MULTILINE))


def test_range_named_in_the_text_is_that_of_the_list():
    assert set(re.findall(r"P1 to P(\d+)", PAPER)) == {str(max(SECTIONS))}


def test_every_tag_in_the_code_is_listed_with_its_file():
    named = {(number, place[0]) for number, body in SECTIONS.items() for place in PLACE.findall(body)}
    assert tags(SOURCES) <= named


def test_every_tag_that_the_list_claims_is_in_that_file():
    claimed = {(number, path) for number, body in SECTIONS.items() for path, _, tag in PLACE.findall(body) if tag}
    assert claimed <= tags(SOURCES)
    assert len(claimed) >= 17


@pytest.mark.parametrize("number", SECTIONS)
def test_section_says_what_why_and_where(number):
    body = SECTIONS[number]
    for heading in ("**Paper:**", "**Chosen:**", "**Why:**", "**Where:**"):
        assert body.count(f"- {heading} ") == 1, heading
    where = body.split("**Where:**")[1]
    assert PLACE.search(where) or "not in the code" in where


@pytest.mark.parametrize(("path", "name"), sorted({place[:2] for place in PLACE.findall(PAPER)}))
def test_place_named_in_the_document_exists(path, name):
    text = (ROOT / path).read_text(encoding="utf-8")
    assert re.search(rf"\b{name}\b", text), f"{path} has no {name}"


def test_every_equation_has_a_place():
    table = PAPER.split("## Where each equation lives")[1].split("\n## ")[0]
    for number in range(1, 9):
        row = next(line for line in table.splitlines() if line.startswith(f"| Eq. ({number}) |"))
        assert PLACE.search(row), row


def test_tags_are_read_as_the_code_writes_them():
    text = "# P99: open\nx = 1  # P3: see Eq. (6)\n# Numerics: P4 holds\n# P: no number"
    assert tags({"a.py": text}) == {(99, "a.py"), (3, "a.py")}
