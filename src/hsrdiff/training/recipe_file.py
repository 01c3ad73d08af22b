"""A recipe's file: TOML in, values replaced, and what is wrong with it said in one sentence."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from hsrdiff.errors import RecipeError, did_you_mean

FOLDER = Path(__file__).parent.parent / "recipes"


def explain(error: ValidationError, source: str, recipe: type[BaseModel]) -> RecipeError:
    """Turn pydantic's errors into one sentence: a misspelt key first, since it makes another one missing.

    Args:
        error: What pydantic found.
        source: The recipe in words.
        recipe: The class that was to be filled.

    Returns:
        The error to raise.
    """
    first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
    place = [str(p) for p in first["loc"]]
    where = ".".join(place)
    if first["type"] == "extra_forbidden":
        section: Any = recipe
        for part in place[:-1]:
            if part.isdigit():
                continue
            field = section.model_fields[part]
            inner = [
                t for t in (field.annotation, *getattr(field.annotation, "__args__", ())) if hasattr(t, "model_fields")
            ]
            section = inner[0]
        return RecipeError(f"{source} has an unknown key '{where}'", do=did_you_mean(place[-1], section.model_fields))
    if first["type"] == "missing":
        return RecipeError(f"{source} lacks '{where}'", do="add it; docs/recipes.md lists every key")
    message = first["msg"].removeprefix("Value error, ")
    return RecipeError(
        f"{source} has '{where}' = {first['input']!r}" if where else source,
        expected=message[0].lower() + message[1:],
        do="correct it",
    )


def read_toml(path: Path, asked: str, overrides: Mapping[str, str] | None) -> dict[str, Any]:
    """Read a TOML file and replace values.

    Args:
        path: The file.
        asked: What the user named, for messages.
        overrides: Dotted keys and TOML values.

    Returns:
        The content, unchecked.

    Raises:
        RecipeError: If the file is missing or not TOML, or a key leads nowhere.
    """
    source = f"recipe '{path.name}'"
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as e:
        raise RecipeError(
            f"recipe '{asked}' could not be read ({e.strerror})",
            do="give a TOML file, or " + did_you_mean(asked, sorted(p.stem for p in FOLDER.rglob("*.toml"))),
        ) from e
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise RecipeError(f"{source} is not valid TOML ({e})", do="correct that line") from e
    for key, text in (overrides or {}).items():
        *sections, last = key.split(".")
        target = content
        for part in sections:
            target = target.setdefault(part, {})
            if not isinstance(target, dict):
                raise RecipeError(f"'{key}' does not name a key of the recipe", do="write section.key=value")
        try:
            target[last] = tomllib.loads(f"v = {text}")["v"]
        except tomllib.TOMLDecodeError:
            target[last] = text
    return content
