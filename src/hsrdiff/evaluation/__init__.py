"""Protocols, rows, and tables beside the paper's."""

from hsrdiff.evaluation.kept_rows import KeptRows, row_key
from hsrdiff.evaluation.protocol import (
    Truth,
    dataset_scene,
    dataset_truth,
    measured_scene,
    simulate_scene,
    truth_digest,
    truth_scene,
)
from hsrdiff.evaluation.published import PUBLISHED, PublishedRow
from hsrdiff.evaluation.rows import Row, evaluate_fuser, mean_row, score_fusion
from hsrdiff.evaluation.tables import to_csv, to_json, to_markdown
from hsrdiff.evaluation.without_truth import judge

__all__ = [
    "PUBLISHED",
    "KeptRows",
    "PublishedRow",
    "Row",
    "Truth",
    "dataset_scene",
    "dataset_truth",
    "evaluate_fuser",
    "judge",
    "mean_row",
    "measured_scene",
    "row_key",
    "score_fusion",
    "simulate_scene",
    "to_csv",
    "to_json",
    "to_markdown",
    "truth_digest",
    "truth_scene",
]
