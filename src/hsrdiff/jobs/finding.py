"""Finding: one thing that was looked at before two images are fused, and the verdict on all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Verdict(Enum):
    """Whether two images may be fused."""

    FIT = "fit to fuse"
    CARE = "fuse with care"
    NOT = "do not fuse"


@dataclass(frozen=True)
class Finding:
    """What was found about one topic.

    Attributes:
        topic: Name of the topic, such as ``"grid"``.
        words: What was found, for a reader.
        concern: Why it calls for care, and what can be done; empty where nothing does.
        grave: Whether the concern forbids fusing.
        numbers: The same as numbers, for a program.
    """

    topic: str
    words: str
    concern: str = ""
    grave: bool = False
    numbers: Mapping[str, Any] = field(default_factory=dict)


def verdict_on(findings: Iterable[Finding]) -> Verdict:
    """Return the verdict: the worst that any finding asks for.

    Args:
        findings: What was found.
    """
    concerns = [finding for finding in findings if finding.concern]
    if any(finding.grave for finding in concerns):
        return Verdict.NOT
    return Verdict.CARE if concerns else Verdict.FIT
