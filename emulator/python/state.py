"""What the emulator remembers besides moto, by region; emptied by a reset."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

_stores: list[Store] = []


class Store:
    """A dictionary for each region, under one name."""

    def __init__(self) -> None:
        self._regions: defaultdict[str, dict[str, Any]] = defaultdict(dict)
        _stores.append(self)

    def of(self, region: str) -> dict[str, Any]:
        return self._regions[region]

    def regions(self) -> list[str]:
        return list(self._regions)

    def clear(self) -> None:
        self._regions.clear()


def reset() -> None:
    """Forget everything, in moto too."""
    from moto.moto_api._internal.models import moto_api_backend

    moto_api_backend.reset()
    for store in _stores:
        store.clear()
