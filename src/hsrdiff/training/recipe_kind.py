"""A kind of recipe: the folder of its shipped files, the key that tells it from others, and what it is checked by."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from hsrdiff.errors import did_you_mean
from hsrdiff.training.recipe_file import FOLDER, explain, read_toml
from hsrdiff.typing import PathLike

_Recipe = TypeVar("_Recipe", bound=BaseModel)


@dataclass(frozen=True)
class RecipeKind(Generic[_Recipe]):
    """Recipes of one kind.

    Attributes:
        folders: Under the package's recipes.
        key: A table or key at the top of the file that no other kind has; None for the kind of all the rest.
        model: Checks the content.
    """

    folders: tuple[str, ...]
    key: str | None
    model: type[_Recipe]

    def shipped(self) -> dict[str, Path]:
        """Return the recipes of this kind that come with the package, by name."""
        return {p.stem: p for p in sorted(p for folder in self.folders for p in (FOLDER / folder).glob("*.toml"))}

    def holds(self, name_or_path: PathLike) -> bool:
        """Tell whether a recipe is of this kind: shipped as such, or with its key.

        Args:
            name_or_path: Name of a shipped recipe, or a TOML file; one that cannot be read is not.

        Returns:
            True where it is; of the kind of all the rest only shipped ones are known by this.
        """
        if str(name_or_path) in self.shipped():
            return True
        try:
            return self.key in tomllib.loads(Path(name_or_path).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False

    def load(self, name_or_path: PathLike, overrides: dict[str, str] | None = None) -> _Recipe:
        """Read a recipe, shipped or one's own, and check every key.

        Args:
            name_or_path: Name of a shipped recipe, or a TOML file.
            overrides: Dotted keys and TOML values that replace the file's, such as ``{"training.seed": "1"}``.

        Returns:
            The recipe.

        Raises:
            RecipeError: If the file is missing or not TOML, a key is unknown or a value out of range.
        """
        path = self.shipped().get(str(name_or_path), Path(name_or_path))
        content = read_toml(path, str(name_or_path), overrides)
        try:
            return self.model.model_validate(content)
        except ValidationError as e:
            raise explain(e, f"recipe '{path.name}'", self.model) from e


def fitting(config: type[_Recipe], keys: Mapping[str, Any]) -> _Recipe:
    """Return a network's configuration from the keys of a recipe; those left out have its defaults.

    Args:
        config: Class of the configuration.
        keys: Keys and values.

    Returns:
        The configuration.

    Raises:
        ValueError: A key is unknown or a value does not fit, in words that a model's validator can pass on.
    """
    try:
        return config.model_validate(dict(keys))
    except ValidationError as e:
        first = e.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise ValueError(f"no key '{key}'; {did_you_mean(key, config.model_fields)}") from e
        message = first["msg"].removeprefix("Value error, ")
        raise ValueError(f"another '{key}': {message}" if key else message) from e
