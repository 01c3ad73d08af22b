"""The paper's Table 1: HSR-Diff and everything it was compared with, trained on equal terms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from hsrdiff.datasets import Dataset, make_dataset
from hsrdiff.evaluation import PUBLISHED, dataset_scene, mean_row
from hsrdiff.experiments.base import Labels, Rows, Trial, fusion_trials, markdown_table
from hsrdiff.experiments.protocols import PROTOCOLS, Entry
from hsrdiff.experiments.table_lines import (
    MINUTES_TITLE,
    TRAINING,
    TableLine,
    mean_minutes,
    minutes_cell,
    published_cell,
)
from hsrdiff.experiments.workshop import Workshop
from hsrdiff.fusers import Fuser, make_fuser
from hsrdiff.training.kinds import steps_of
from hsrdiff.typing import PathLike

SLOW = frozenset({"hysure", "utv-td"})  # minutes a scene without training: run last, so that a stop costs least


class Table1:
    """Every method on the test scenes of a data set, the learned ones trained on its training scenes.

    The budget is given as steps: a recipe made for 45 processor minutes takes as large a part of its steps as the
    budget is of 45 minutes, so that its schedule comes to its end. What it took stands beside it. Residual mode uses
    the shipped weights, which took 25 minutes, and 9 for their bases (docs/numbers.md).
    """

    name = "table1"
    takes = frozenset({"dataset", "budget"})
    summary = "Table 1 of the paper: every competitor on equal terms, beside what the paper says"

    def trained_trials(self, data: PathLike | None, seed: int, workshop: Workshop) -> Iterator[Trial]:
        """Yield every method on every test scene."""
        protocol = workshop.choose(PROTOCOLS)
        dataset = make_dataset(protocol.dataset, data=data, factor=protocol.factor, sensor=protocol.sensor)
        digests: dict[Labels, str] = {}
        for entry in sorted(protocol.entries, key=lambda entry: entry.method in SLOW):
            yield from entry_trials(entry, (protocol.dataset,), dataset, "test", seed, seed, workshop, digests)

    def lines(self, rows: Rows) -> list[TableLine]:
        """Return the means, the paper's beside ours."""
        lines = []
        for name in dict.fromkeys(labels[0] for labels in rows):
            protocol = PROTOCOLS[name]
            published = {row.method: row for row in PUBLISHED.get(name, ())}
            for entry in protocol.entries:
                found = [row for labels, row in rows.items() if labels[0] == name and labels[-1] == entry.title]
                if found:
                    paper = published.get(entry.published)
                    line = TableLine(
                        name, protocol.psf, entry.title, mean_row(found), paper, minutes=mean_minutes(found)
                    )
                    lines.append(line)
        return lines

    def report(self, rows: Rows) -> str:
        """Return the lines of each data set."""
        parts, lines = [], self.lines(rows)
        for name in dict.fromkeys(line.dataset for line in lines):
            protocol = PROTOCOLS[name]
            cells = [_cells(line) for line in lines if line.dataset == name]
            titles = ["method", "PSNR dB", "SSIM", "SAM °", "ERGAS", "s a scene", MINUTES_TITLE, "the paper's", "told"]
            summary = f"{protocol.summary[0].upper()}{protocol.summary[1:]}. PSF: {protocol.psf}."
            parts.append(f"{summary}\n\n{markdown_table(titles, cells)}")
        return "\n".join(parts)


def _cells(line: TableLine) -> list[str]:
    mean = line.mean
    return [
        line.title,
        f"{mean.psnr_db:.2f}",
        f"{mean.ssim:.4f}",
        f"{mean.sam_deg:.2f}",
        f"{mean.ergas:.3f}",
        f"{mean.seconds:.1f}",
        minutes_cell(line),
        published_cell(line.published),
        mean.told,
    ]


def entry_trials(
    entry: Entry,
    labels: tuple[str, ...],
    dataset: Dataset,
    split: str,
    trained_seed: int,
    seed: int,
    workshop: Workshop,
    digests: dict[Labels, str] | None = None,
) -> Iterator[Trial]:
    """Train what a line needs, then yield it on every scene of a split.

    Args:
        entry: The line.
        labels: What stands before the scene in a trial's labels.
        dataset: The data set.
        split: Which of its splits.
        trained_seed: Of the training.
        seed: Of the scenes and of what the method draws.
        workshop: Where weights are kept.
        digests: Of scenes that other lines met; see `fusion_trials`.

    Yields:
        One trial a scene.

    Raises:
        RecipeError: If its recipe is unknown.
        DatasetNotFoundError: If the data are missing.
    """
    ready = trained_fuser(entry, trained_seed, workshop)
    told = {} if ready.minutes is None else {TRAINING: f"{ready.minutes:.2f}"}
    for scene in dataset.scenes(split):
        yield from fusion_trials(
            (*labels, scene),
            partial(dataset_scene, dataset, scene, seed=seed),
            {entry.title: ready.make},
            seed,
            paired=True,
            made_of=ready.made_of(entry.title),
            keep=lambda title, fusion, given: told,
            digests=digests,
        )


@dataclass(frozen=True)
class TrainedFuser:
    """A method whose weights are there.

    Attributes:
        make: Makes it.
        digest: Of its weights; empty where it has none of its own.
        minutes: Processor minutes that their training took, where that is known.
    """

    make: Callable[[], Fuser]
    digest: str = ""
    minutes: float | None = None

    def made_of(self, title: str) -> dict[str, str] | None:
        """Return what `fusion_trials` is to know of the weights.

        Args:
            title: The method's name there.
        """
        return {title: self.digest} if self.digest else None


def trained_fuser(entry: Entry, seed: int, workshop: Workshop) -> TrainedFuser:
    """Train what an entry needs.

    Args:
        entry: The line.
        seed: Of the training.
        workshop: Where weights are kept.

    Returns:
        The method.

    Raises:
        RecipeError: If its recipe is unknown.
        DatasetNotFoundError: If the data are missing.
    """
    if not entry.recipe:
        return TrainedFuser(partial(make_fuser, entry.method, **entry.options))
    overrides = {"training.seed": str(seed)}
    if workshop.budget is not None:
        part = workshop.budget / entry.minutes
        overrides["training.steps"] = str(max(1, round(part * steps_of(entry.recipe))))
    steps = overrides.get("training.steps", "all")
    trained = workshop.weights(entry.recipe, f"{entry.recipe}-{steps}-steps-seed{seed}", overrides)
    make = partial(make_fuser, entry.method, weights=trained.path, **entry.options)
    return TrainedFuser(make, trained.digest, trained.minutes)
