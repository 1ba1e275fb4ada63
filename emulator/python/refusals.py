"""What AWS refuses and moto accepts: a table, enforced before moto sees the call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from call import Call, Refused


@dataclass(frozen=True)
class Refusal:
    """A rule of AWS: when it holds for a call, the call ends with this error.

    `when` returns nothing to accept, True to refuse, or the values that the message names.
    """

    id: str
    service: str
    operations: tuple[str, ...]
    when: Callable[[Call], bool | dict[str, Any] | None]
    code: str
    message: str
    source: str

    def check(self, call: Call) -> None:
        found = self.when(call)
        if found:
            raise Refused(self.code, self.message.format(**found) if isinstance(found, dict) else self.message)


REFUSALS: list[Refusal] = []
