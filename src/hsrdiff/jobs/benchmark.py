"""Every method on every scene of a data set, on equal terms: rows that survive an interruption."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hsrdiff.datasets import SPLITS, make_dataset
from hsrdiff.errors import InputError, did_you_mean
from hsrdiff.evaluation import (
    PUBLISHED,
    KeptRows,
    Row,
    dataset_truth,
    evaluate_fuser,
    mean_row,
    row_key,
    to_csv,
    to_markdown,
    truth_digest,
    truth_scene,
)
from hsrdiff.fusers import FUSERS, Fuser, make_fuser
from hsrdiff.networks import shipped_digest
from hsrdiff.rng import generator
from hsrdiff.threads import use_threads
from hsrdiff.typing import PathLike


@dataclass(frozen=True)
class BenchmarkResult:
    """What a benchmark found.

    Attributes:
        rows: One for each method and scene, in order.
        means: One for each method.
        markdown: Table of the means beside the published rows.
    """

    rows: tuple[Row, ...]
    means: tuple[Row, ...]
    markdown: str


def benchmark(
    dataset: str,
    methods: Sequence[str],
    *,
    split: str = "test",
    factor: int | None = None,
    sensor: str | None = None,
    scenes: Sequence[str] = (),
    options: Mapping[str, Mapping[str, object]] | None = None,
    data: PathLike | None = None,
    out: PathLike | None = None,
    seed: int = 0,
    threads: int | None = None,
    on_row: Callable[[Row], None] | None = None,
) -> BenchmarkResult:
    """Fuse and score every scene of a split with every method.

    With `out`, each finished row is kept in ``rows.jsonl`` there, and a run started again goes on behind them. A row
    belongs to its scene, by content, its method, options, weights, seed and version.

    Args:
        dataset: A name in `hsrdiff.datasets.DATASETS`, or a folder of scenes.
        methods: Names in `hsrdiff.fusers.FUSERS`.
        split: Which scenes.
        factor: Resolution ratio; the data set's own when None.
        sensor: The guide, as `hsrdiff.datasets.Guide.named` takes it; the data set's own when None.
        scenes: Only these of the split; empty means all.
        options: Constructor options for each method that has some.
        data: Folder of the data, in place of HSRDIFF_DATA.
        out: Folder for ``rows.jsonl``, ``rows.csv`` and ``table.md``.
        seed: Decides the noise of simulation and sampling.
        threads: Processor threads; None leaves torch's choice.
        on_row: Called with each row as it is there.

    Returns:
        Rows, means, and a table.

    Raises:
        InputError: If a scene, method or option is unknown, or `threads` is below 1.
        DatasetNotFoundError: If the data are missing.
        SensorError: If the guide is unknown.
    """
    if not methods:
        raise InputError("no method to run", expected="at least one", do=did_you_mean("", FUSERS))
    use_threads(threads)
    source = make_dataset(dataset, data=data, factor=factor, sensor=sensor)
    known = source.scenes(split)
    if not known:
        filled = [other for other in SPLITS if source.scenes(other)]
        raise InputError(
            f"the split '{split}' of {dataset} has no scene",
            expected="at least one to fuse and score",
            do=f"name another split with --split (with scenes: {', '.join(filled)})",
        )
    for name in scenes:
        if name not in known:
            raise InputError(f"'{name}' is not in the split '{split}' of {dataset}", do=did_you_mean(name, known))
    told = {m: dict((options or {}).get(m, {})) for m in methods}
    fusers = {m: make_fuser(m, **told[m]) for m in methods}
    kept = KeptRows(out)
    protocol = [dataset, split]
    rows: dict[str, list[Row]] = {m: [] for m in methods}
    for name in scenes or known:
        truth = dataset_truth(source, name)
        content = truth_digest(*truth)
        scene = None
        for method, fuser in fusers.items():
            key = _key(protocol, name, content, fuser, told[method], seed)
            row = kept.get(key)
            if row is None:
                scene = scene or truth_scene(truth, seed=seed, name=f"{source.name}/{name}")
                row, _ = evaluate_fuser(fuser, scene, generator=generator(seed, "fuse", method, name))
                kept.add(key, row)
            rows[method].append(row)
            if on_row is not None:
                on_row(row)
    means = tuple(mean_row(rows[m]) for m in methods)
    every = tuple(row for m in methods for row in rows[m])
    # The published rows are means over the whole test split under the paper's protocol: only beside that.
    papers = split == "test" and not scenes and factor is None and sensor is None
    published = PUBLISHED.get(dataset, ()) if papers else ()
    markdown = to_markdown(means, published)
    kept.write("rows.csv", to_csv(every))
    kept.write("table.md", markdown)
    return BenchmarkResult(every, means, markdown)


def _key(
    protocol: Sequence[str], scene: str, content: str, fuser: Fuser, options: Mapping[str, object], seed: int
) -> str:
    """Hash what decides a row: scene, weights, shipped ones included, and the method's own file by their content."""
    text = [*protocol, scene, content, fuser.name, str(seed), _source(type(fuser))]
    if fuser.needs.weights:
        text.append(shipped_digest())
    for option, value in sorted(options.items()):
        file = Path(str(value))
        digest = hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else repr(value)
        text.append(f"{option}={digest}")
    return row_key(*text)


def _source(fuser: type) -> str:
    """Hash the file of a method's class, so that rows of a method that is being written are computed anew."""
    try:
        return hashlib.sha256(Path(inspect.getfile(fuser)).read_bytes()).hexdigest()[:16]
    except (OSError, TypeError):  # a class that was made in a session
        return ""
