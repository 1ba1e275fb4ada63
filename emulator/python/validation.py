"""Checks a request against AWS's service model: required members, enums, patterns, lengths and ranges, at any depth.

botocore ships the models and enforces only part of them; AWS enforces all, before it looks at anything else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import regex
from botocore.model import OperationModel, Shape
from call import Call, Refused
from model_exceptions import EXCEPTIONS, ModelException
from moto.core.utils import get_service_model

CODES_BY_SERVICE = {
    "ec2": "InvalidParameterValue",
    "ecs": "InvalidParameterException",
    "elasticache": "InvalidParameterValue",
    "rds": "InvalidParameterValue",
    "s3": "InvalidArgument",
    "sns": "InvalidParameter",
    "sqs": "InvalidAttributeValue",
}

MODELED_CODES = (
    "ValidationException",
    "InvalidParameterException",
    "InvalidParameterValueException",
    "InvalidInputException",
    "InvalidInput",
    "BadRequestException",
    "InvalidArgumentException",
    "WAFInvalidParameterException",
)
"""Codes for an invalid request, in the order in which an operation that models several of them uses them."""

SHOWN = 64
"""Characters of a value that a message shows."""


@dataclass(frozen=True)
class Violation:
    """A value that breaks a constraint of the model."""

    path: str
    """Member names with `[]` for an item of a list and `{}` for a key or value of a map: `Tags[].Value`."""
    constraint: str
    """required, enum, pattern, length or range."""
    message: str


def check(call: Call) -> None:
    """Refuse the call when it violates the model, but for the exceptions."""
    found = [each for each in violations(call.model, call.params) if not _is_excepted(call, each)]
    if found:
        plural = "" if len(found) == 1 else "s"
        text = "; ".join(each.message for each in found)
        raise Refused(code(call), f"{len(found)} validation error{plural} detected: {text}")


def code(call: Call) -> str:
    """The error code with which a service answers an invalid request."""
    if call.service in CODES_BY_SERVICE:
        return CODES_BY_SERVICE[call.service]
    if call.protocol == "query":
        return "ValidationError"
    modeled = {shape.error_code for shape in call.model.error_shapes}
    return next((each for each in MODELED_CODES if each in modeled), "ValidationException")


def violations(operation: OperationModel, params: dict[str, Any]) -> list[Violation]:
    shape = operation.input_shape
    return list(_structure(shape, params, "", "")) if shape else []


def is_needed(exception: ModelException) -> bool:
    """Returns whether the model still refuses the exception's example, at the exception's location."""
    operation = get_service_model(exception.service).operation_model(exception.operation)
    found = [(each.path, each.constraint) for each in violations(operation, exception.example)]
    return (exception.path, exception.constraint) in found


def _is_excepted(call: Call, violation: Violation) -> bool:
    return any(
        each.service == call.service
        and each.operation == call.operation
        and each.path == violation.path
        and each.constraint == violation.constraint
        for each in EXCEPTIONS
    )


def _walk(shape: Shape, value: Any, path: str, shown: str) -> Iterator[Violation]:
    if value is None:
        return
    kind = shape.type_name
    if kind == "structure":
        if isinstance(value, dict) and not shape.is_document_type:
            yield from _structure(shape, value, path, shown)
    elif kind == "list":
        yield from _size(shape, len(value), "length", path, shown, value)
        for number, item in enumerate(value, 1):
            yield from _walk(shape.member, item, f"{path}[]", f"{shown}.{number}.member")
    elif kind == "map":
        yield from _size(shape, len(value), "length", path, shown, value)
        for key, item in value.items():
            yield from _walk(shape.key, key, f"{path}{{}}", f"{shown}.key")
            yield from _walk(shape.value, item, f"{path}{{}}", f"{shown}.{key}.member")
    elif kind == "string":
        yield from _string(shape, str(value), path, shown)
    elif kind == "blob":
        yield from _size(shape, len(value), "length", path, shown, "")
    elif kind in ("integer", "long", "float", "double", "short", "byte"):
        yield from _size(shape, value, "range", path, shown, value)


def _structure(shape: Shape, value: dict[str, Any], path: str, shown: str) -> Iterator[Violation]:
    for name in shape.required_members:
        if value.get(name) is None:
            yield _violation(shape.members[name], "required", _join(path, name), _join(shown, _lower(name)), None, "Member must not be null")
    for name, member in shape.members.items():
        yield from _walk(member, value.get(name), _join(path, name), _join(shown, _lower(name)))


def _string(shape: Shape, value: str, path: str, shown: str) -> Iterator[Violation]:
    yield from _size(shape, len(value), "length", path, shown, value)
    enum = shape.enum
    if enum and value not in enum:
        allowed = f"Member must satisfy enum value set: [{', '.join(enum)}]"
        yield _violation(shape, "enum", path, shown, value, allowed)
    pattern = shape.metadata.get("pattern")
    if pattern and not _matches(pattern, value):
        wanted = f"Member must satisfy regular expression pattern: {pattern}"
        yield _violation(shape, "pattern", path, shown, value, wanted)


def _size(shape: Shape, size: float, constraint: str, path: str, shown: str, value: Any) -> Iterator[Violation]:
    noun = "value" if constraint == "range" else "length"
    lowest, highest = shape.metadata.get("min"), shape.metadata.get("max")
    if lowest is not None and size < float(lowest):
        yield _violation(shape, constraint, path, shown, value, f"Member must have {noun} greater than or equal to {lowest}")
    if highest is not None and size > float(highest):
        yield _violation(shape, constraint, path, shown, value, f"Member must have {noun} less than or equal to {highest}")


def _violation(shape: Shape, constraint: str, path: str, shown: str, value: Any, wanted: str) -> Violation:
    text = str(value)
    text = f"{text[:SHOWN]}..." if len(text) > SHOWN else text
    subject = "Value" if value is None or shape.metadata.get("sensitive") else f"Value '{text}'"
    return Violation(path, constraint, f"{subject} at '{shown}' failed to satisfy constraint: {wanted}")


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


def _matches(pattern: str, value: str) -> bool:
    """A pattern holds for the whole value, unless its own anchors say less."""
    compiled = _compiled(pattern)
    partly = pattern.startswith("^") and not pattern.endswith("$")
    return bool(compiled.match(value) if partly else compiled.fullmatch(value))


@cache
def _compiled(pattern: str) -> regex.Pattern[str]:
    # Java writes characters beyond the first plane as two surrogates.
    return regex.compile(pattern.replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF"), regex.V1)
