"""What remains in the account, split by whether AWS would bill it."""

from __future__ import annotations

from typing import Any


def leftovers() -> dict[str, list[dict[str, Any]]]:
    return {"billable": [], "free": []}
