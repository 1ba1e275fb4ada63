"""The table of rules by which AWS refuses calls, enforced before moto sees a call.

A rule is a function below its row. It returns nothing to accept a call, True to refuse it, or the values of the message.
The error code is AWS's; the message is AWS's where the source quotes it, and states the same otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from call import Call, Refused

Rule = Callable[[Call], "bool | dict[str, Any] | None"]


@dataclass(frozen=True)
class Refusal:
    """A rule of AWS, and the error of a call that breaks it."""

    id: str
    service: str
    operations: tuple[str, ...]
    code: str
    message: str
    source: str
    rule: Rule | None = None
    """None where moto refuses the call itself; the row makes a test see it."""

    def check(self, call: Call) -> None:
        found = self.rule(call) if self.rule else None
        if found:
            raise Refused(self.code, self.message.format(**found) if isinstance(found, dict) else self.message)


REFUSALS: list[Refusal] = []


def refuses(id: str, service: str, operations: str, code: str, message: str, source: str) -> Callable[[Rule], Rule]:
    """Add the rule that follows to the table; `operations` are separated by spaces."""

    def add(rule: Rule) -> Rule:
        REFUSALS.append(Refusal(id, service, tuple(operations.split()), code, message, source, rule))
        return rule

    return add


def moto_refuses(id: str, service: str, operations: str, code: str, source: str) -> None:
    REFUSALS.append(Refusal(id, service, tuple(operations.split()), code, "", source))
