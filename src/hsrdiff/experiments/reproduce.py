"""`reproduce`: an experiment run again by its name, row by row, going on behind what is there."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from hsrdiff.datasets import differing_files
from hsrdiff.errors import DatasetNotFoundError, InputError
from hsrdiff.evaluation import KeptRows, Row, row_key, to_csv
from hsrdiff.experiments.base import (
    DrawingExperiment,
    Experiment,
    FusionExperiment,
    TableExperiment,
    TrainingExperiment,
    Trial,
)
from hsrdiff.experiments.catalog import find_experiment
from hsrdiff.experiments.table_lines import lines_csv
from hsrdiff.experiments.workshop import Workshop
from hsrdiff.threads import use_threads
from hsrdiff.typing import PathLike


@dataclass(frozen=True)
class Reproduction:
    """What an experiment found.

    Attributes:
        rows: One for each trial, in order.
        markdown: The report.
    """

    rows: tuple[Row, ...]
    markdown: str


def reproduce(
    name: str,
    *,
    out: PathLike | None = None,
    data: PathLike | None = None,
    seed: int = 0,
    threads: int | None = None,
    dataset: str | None = None,
    budget: float | None = None,
    on_row: Callable[[Row], None] | None = None,
) -> Reproduction:
    """Run an experiment.

    With `out`, each finished row is kept in ``rows.jsonl`` there, and a run started again goes on behind them. A row
    belongs to the content of its scene, its method, the seed and the version. What an experiment trains is kept there
    too, so that experiments which share trainings may share a folder: their reports, ``NAME.md``, their rows,
    ``NAME-rows.csv``, and the lines of a table of the paper, ``NAME.csv``, have names of their own.

    Args:
        name: A name in `hsrdiff.experiments.EXPERIMENTS`.
        out: Folder for all that is kept.
        data: Folder of the data, in place of HSRDIFF_DATA.
        seed: Decides noise, masks and what a method draws.
        threads: Processor threads; None leaves torch's choice.
        dataset: Which data set, where the experiment has several; its first when None.
        budget: Processor minutes meant for each training, where the experiment trains: as large a part of its recipe's
            steps, which are counted on the machine of docs/numbers.md; all of them when None.
        on_row: Called with each row as it is there.

    Returns:
        Rows and report.

    Raises:
        InputError: If the experiment is unknown or has no such choice, `threads` is below 1, `budget` is not a
            positive number, or `out` is missing for an experiment that trains or draws.
        DatasetNotFoundError: If the data are missing.
        WriteError: If the folder cannot be used.
    """
    experiment = find_experiment(name)
    use_threads(threads)
    kept = KeptRows(out)
    rows: dict[tuple[str, ...], Row] = {}
    for trial in _trials(experiment, out, data, seed, threads, dataset, budget):
        key = row_key("experiment", trial.kept_as or name, *trial.labels, trial.content(), seed)
        row = kept.get(key)
        if row is None or not trial.whole(row):
            row = trial.run()
            kept.add(key, row)
        rows[trial.labels] = row
        if on_row is not None:
            on_row(row)
    if isinstance(experiment, DrawingExperiment) and out is not None:
        experiment.draw(rows, Path(out))
    given = f" Processor minutes meant for each training: {budget:g}." if budget is not None else ""
    markdown = f"# {experiment.name}\n\n{experiment.summary}.{given}\n\n{experiment.report(rows)}{_other_files(data)}"
    kept.write(f"{name}-rows.csv", to_csv(tuple(rows.values())))
    if isinstance(experiment, TableExperiment):
        kept.write(f"{name}.csv", lines_csv(experiment.lines(rows)))
    kept.write(f"{name}.md", markdown)
    return Reproduction(tuple(rows.values()), markdown)


def _other_files(data: PathLike | None) -> str:
    """Say which files of the data folder are not those that the numbers of the documents were made with."""
    try:
        others = differing_files(data)
    except (DatasetNotFoundError, OSError):  # no folder is needed, or a file of another data set may not be read
        return ""
    if not others:
        return ""
    named = f"{', '.join(others[:3])}{' and others' if len(others) > 3 else ''}"
    return f"\n{len(others)} of the files in the data folder differ from those of docs/numbers.md: {named}.\n"


def _trials(
    experiment: Experiment,
    out: PathLike | None,
    data: PathLike | None,
    seed: int,
    threads: int | None,
    dataset: str | None,
    budget: float | None,
) -> Iterator[Trial]:
    """Give an experiment that trains a place to do so."""
    takes = experiment.takes if isinstance(experiment, TrainingExperiment) else frozenset()
    for option, value in (("dataset", dataset), ("budget", budget)):
        if value is not None and option not in takes:
            raise InputError(
                f"the experiment '{experiment.name}' has no choice of {option}", do=f"leave --{option} out"
            )
    if budget is not None and not 0 < budget < math.inf:
        raise InputError(f"a budget of {budget:g} minutes", expected="a positive number", do="change --budget")
    if isinstance(experiment, TrainingExperiment):
        if out is None:
            raise InputError(
                f"no folder was given for '{experiment.name}', which trains weights or draws a figure",
                expected="a folder to keep that in, since this takes long and goes on where it was stopped",
                do="name one with --out",
            )
        workshop = Workshop(Path(out) / "weights", data=data, threads=threads, dataset=dataset, budget=budget)
        return experiment.trained_trials(data, seed, workshop)
    assert isinstance(experiment, FusionExperiment)
    return experiment.trials(data, seed)
