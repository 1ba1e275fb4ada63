"""Constraints of AWS's own models that AWS does not enforce: at most 20, each with its reason.

`example` is a value that AWS accepts and the model refuses at exactly this place; a test fails when it no longer does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ModelException:
    """A constraint that is not enforced."""

    service: str
    operation: str
    path: str
    """As in `validation.Violation`."""
    constraint: str
    reason: str
    source: str
    example: dict[str, Any] = field(default_factory=dict)


EXCEPTIONS: list[ModelException] = []
