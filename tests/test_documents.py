"""The documents and the code say the same: recipe keys, formats, commands with their options, links."""

import re
import shlex
import tomllib
from pathlib import Path
from typing import get_args

import pytest
import typer
from pydantic import BaseModel

from hsrdiff.cli.app import app
from hsrdiff.cubes import FORMATS
from hsrdiff.cubes.formats import FIELDS
from hsrdiff.fusers.kriging import LearnedKernelConfig
from hsrdiff.networks.ablations import UNetConfig
from hsrdiff.training.kriging import KernelRecipe, shipped_kernel_recipes
from hsrdiff.training.kriging.recipe import KernelData, KernelTraining
from hsrdiff.training.recipe import Recipe, shipped_recipes
from hsrdiff.training.residual import is_residual_recipe
from hsrdiff.training.residual.recipe import ResidualRecipe

ROOT = Path(__file__).parent.parent
DOCUMENTS = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))
}
RECIPES = DOCUMENTS["docs/recipes.md"]
FORMAT_PAGE = DOCUMENTS["docs/formats.md"]
# Titles of the columns in docs/formats.md and what they stand for in `can_keep`.
COLUMNS = {
    "wavelength": "wavelength",
    "fwhm": "fwhm",
    "good bands": "good_band",
    "band names": "band_name",
    "CRS": "crs",
    "transform": "transform",
    "nodata": "nodata",
    "number type, scale, offset": "packing",
    "scale and offset for each band": "band_packing",
    "attributes": "attributes",
}
# Options of other programs that the documents speak of.
FOREIGN_OPTIONS = {"--num_processes"}


def section(text, title):
    """The text under a heading, up to the next one of the same rank."""
    rank = title.split()[0]
    return re.split(rf"^{rank} ", text.split(f"{title}\n")[1], maxsplit=1, flags=re.MULTILINE)[0]


def rows(text):
    """The cells of every table row but the rule."""
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    return [row for row in found if not set("".join(row)) <= set("-: ")]


def code_lines(text):
    """Lines of indented and fenced blocks."""
    fenced = False
    for line in text.splitlines():
        if line.startswith("```"):
            fenced = not fenced
        elif fenced or line.startswith("    "):
            yield line.strip()


def code_spans(text):
    """What stands between back quotes in the running text."""
    prose = "\n".join(line for line in text.splitlines() if not line.startswith("    "))
    return re.findall(r"`([^`\n]+)`", re.sub(r"(?ms)^```.*?^```$", "", prose))


# Recipes


def models(model, place=""):
    """Every section of a recipe: place -> model."""
    found = {place: model}
    for name, field in model.model_fields.items():
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                found |= models(kind, f"{place}.{name}".lstrip("."))
    return found


def documented_keys():
    """place -> key -> text of the default."""
    parts = re.split(r"^\*\*([^*\n]+)\*\*.*$", section(RECIPES, "## Every key"), flags=re.MULTILINE)
    return {
        "" if title == "Top level" else title.strip("`[]"): {row[0].strip("`"): row[1] for row in rows(body)[1:]}
        for title, body in zip(parts[1::2], parts[2::2], strict=True)
    }


MODELS = models(Recipe) | {"network.shape": UNetConfig}
RESIDUAL = models(ResidualRecipe)


def test_the_sections_of_a_recipe_are_those_documented():
    assert set(documented_keys()) == set(MODELS)
    assert {"", "data", "network", "network.custom", "diffusion", "training", "training.stages"} <= set(MODELS)


@pytest.mark.parametrize("place", MODELS)
def test_the_keys_of_each_section_are_those_documented(place):
    keys = {key for key in MODELS[place].model_fields if f"{place}.{key}".lstrip(".") not in MODELS}
    assert set(documented_keys()[place]) == keys


@pytest.mark.parametrize("place", RESIDUAL)
def test_the_keys_of_residual_recipes_are_documented(place):
    section = RECIPES.partition("## Recipes of residual mode")[2]
    for key in RESIDUAL[place].model_fields:
        assert f"`{key}`" in section or f"[{key}]" in section, f"{place}.{key}"


@pytest.mark.parametrize("place", MODELS)
def test_documented_defaults_are_those_of_the_code(place):
    for key, text in documented_keys()[place].items():
        field = MODELS[place].model_fields[key]
        if text.startswith("`"):
            stated = tomllib.loads(f"v = {text.strip('`')}")["v"]
            assert stated == (list(field.default) if isinstance(field.default, tuple) else field.default), key
        elif text:  # "whole scene" and the like: nothing given
            assert not field.is_required(), key
            assert field.default in (None, ()), key
        else:
            assert field.is_required() or field.default is None, key


def test_the_recipe_in_the_document_is_one():
    (text,) = re.findall(r"(?ms)^```toml\n(.*?)^```$", RECIPES)
    assert Recipe.model_validate(tomllib.loads(text)).training.stages


def test_shipped_recipes_are_those_documented():
    assert {row[0].strip("`") for row in rows(section(RECIPES, "## Shipped recipes"))[1:]} == set(shipped_recipes())


def test_the_table_of_kernel_recipes_and_their_keys_is_that_of_the_code():
    recipes, keys = re.split(r"\nIts keys:\n", section(RECIPES, "## Learned kernels"))
    assert {row[0].strip("`") for row in rows(recipes)[1:]} == set(shipped_kernel_recipes())
    parts = {"": KernelRecipe, "kernel": LearnedKernelConfig, "data": KernelData, "training": KernelTraining}
    known = {
        f"{place}.{key}".lstrip("."): field
        for place, model in parts.items()
        for key, field in model.model_fields.items()
        if place or key not in parts
    }
    stated = {row[0].strip("`"): row[1] for row in rows(keys)[1:]}
    assert set(stated) == set(known)
    for key, text in stated.items():
        if text == "required":
            assert known[key].is_required(), key
        else:
            value = tomllib.loads(f"v = {text.strip('`')}")["v"]
            assert (tuple(value) if isinstance(value, list) else value) == known[key].default, key


# Formats


def test_the_table_of_formats_is_that_of_the_code():
    (titles, *lines) = rows(section(FORMAT_PAGE, "## What each format keeps"))
    assert titles[:3] == ["format", "name", "endings"]
    assert [COLUMNS[title] for title in titles[3:]] == list(COLUMNS.values())
    assert set(COLUMNS.values()) == FIELDS
    assert sorted(row[1].strip("`") for row in lines) == sorted(FORMATS)
    for row in lines:
        known = FORMATS[row[1].strip("`")]
        assert len(row) == len(titles), row
        assert known.can_write == (row[3] != "read only"), row
        if known.can_write:
            assert {cell.split()[0] for cell in row[3:]} <= {"yes", "no"}, row
        kept = {COLUMNS[title] for title, cell in zip(titles[3:], row[3:], strict=True) if cell.startswith("yes")}
        assert kept == known.can_keep, row
        if row[2] != "NAME_ms":
            assert tuple(row[2].split()) == known.suffixes, row


def test_the_table_of_options_is_that_of_the_code():
    modules = {title: module for module in FORMATS.values() for title in (module.title, module.title.split("-")[0])}
    stated, option = {}, ""
    for cells in rows(section(FORMAT_PAGE, "## Options of writing"))[1:]:
        option = cells[0].strip("`") or option
        values = re.findall(r"`([^`]+)`", cells[2])
        assert set(values) == {str(value) for value in modules[cells[1]].options[option]}, cells
        stated.setdefault(modules[cells[1]].title, set()).add(option)
    assert stated == {module.title: set(module.options) for module in FORMATS.values() if module.options}


# Commands

COMMANDS = typer.main.get_command(app).commands
OPTIONS = {
    name: {text for each in command.params for text in (*each.opts, *each.secondary_opts) if text.startswith("-")}
    | {"--help"}
    for name, command in COMMANDS.items()
}
CALL = re.compile(r"(?:^|[\s:(])\"?(?:\$\(which )?hsrdiff\)?\"? +([a-zA-Z]+)((?: .*)?)$")
OPTION = re.compile(r"(?<![\w-])--?[a-zA-Z][\w-]*")


def calls(lines):
    """(command, what follows) for every line that runs the program."""
    matches = [CALL.search(line.partition(" # ")[0]) for line in lines]
    return [(match[1], match[2]) for match in matches if match]


SHOWN = [
    (name, command, rest)
    for name, text in DOCUMENTS.items()
    for command, rest in calls([*code_lines(text), *code_spans(text)])
]
SHOWN += [
    (f"hsrdiff {name} --help", shown, rest)
    for name, command in COMMANDS.items()
    for shown, rest in calls(line.removeprefix("Example: ") for line in command.epilog.splitlines())
]


def test_calls_are_found_where_they_stand():
    text = (
        "    hsrdiff fuse a b -o c  # why\n\n"
        '    run 2 "$(which hsrdiff)" train r\n\n'
        "See `hsrdiff info --help`.\n\n"
        "    x = hsrdiff.fuse(a)\n"
    )
    found = calls([*code_lines(text), *code_spans(text)])
    assert found == [("fuse", " a b -o c "), ("train", " r"), ("info", " --help")]
    assert {command for _, command, _ in SHOWN} >= {"info", "simulate", "fuse", "evaluate", "train", "demo"}


@pytest.mark.parametrize(("place", "command", "rest"), SHOWN)
def test_every_command_shown_exists_with_its_options(place, command, rest):
    options = set(OPTION.findall(rest))
    if command == "COMMAND":
        assert all(options <= known for known in OPTIONS.values())
        return
    assert command in COMMANDS, f"{place} shows 'hsrdiff {command}'"
    assert options <= OPTIONS[command], f"{place}: hsrdiff {command}{rest}"
    if "[" not in rest and "`" not in rest and rest.strip() not in {"", "--help"}:
        # The line is a whole call: the command line takes it, down to the types of the values.
        COMMANDS[command].make_context(command, shlex.split(rest))


def test_every_option_named_alone_is_one_of_some_command():
    known = set().union(*OPTIONS.values()) | FOREIGN_OPTIONS
    for place, text in DOCUMENTS.items():
        for span in code_spans(text):
            if span.startswith("--"):
                assert set(OPTION.findall(span)) <= known, f"{place}: {span}"


@pytest.mark.parametrize("place", DOCUMENTS)
def test_keys_set_on_the_command_line_are_keys_of_a_recipe(place):
    for _, rest in [call for call in calls(code_lines(DOCUMENTS[place])) if call[0] == "train"]:
        known = RESIDUAL if is_residual_recipe(rest.split()[0]) else MODELS
        for key in re.findall(r"--set ([a-z_.]+)=", rest):
            section_name, _, name = key.rpartition(".")
            assert name in known[section_name].model_fields, f"{place}: {key}"


# Links


def anchors(text):
    """The names under which a page's headings can be linked to."""
    titles = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("place", DOCUMENTS)
def test_every_relative_link_points_to_something(place):
    page = ROOT / place
    for target in re.findall(r"\]\(([^)\s]+)\)", DOCUMENTS[place]):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        linked = page.parent / file if file else page
        assert linked.exists(), f"{place} links to {target}"
        if anchor:
            assert anchor in anchors(linked.read_text(encoding="utf-8")), f"{place} links to {target}"
