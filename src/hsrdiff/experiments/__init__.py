"""Experiments whose tables stand in the documents, one file each, run again by name."""

from hsrdiff.experiments.base import Experiment, Trial
from hsrdiff.experiments.catalog import EXPERIMENTS
from hsrdiff.experiments.reproduce import Reproduction, reproduce

__all__ = ["EXPERIMENTS", "Experiment", "Reproduction", "Trial", "reproduce"]
