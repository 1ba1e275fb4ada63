"""Evaluates CloudWatch's metric math: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html

A value is a number, a time series (a list with None where a datapoint is missing), or an array of time series (a tuple).
Once its operators are renamed, an expression of metric math is one of Python, whose parser reads it.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable
from functools import lru_cache, reduce
from typing import Any

Series = list[float | None]
Value = float | Series | tuple[Series, ...]


class MathError(Exception):
    """An expression that CloudWatch refuses, or that uses a function which is not evaluated here."""


RENAMED = {"AND": " and ", "&&": " and ", "OR": " or ", "||": " or ", "^": "**"}

OPERATORS: dict[type, Callable[[float, float], Any]] = {
    ast.Or: lambda a, b: a != 0 or b != 0,
    ast.And: lambda a, b: a != 0 and b != 0,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.LtE: operator.le,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.Gt: operator.gt,
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}

AGGREGATES: dict[str, Callable[[list[float], int], float]] = {
    "MAX": lambda values, of: max(values, default=-math.inf),
    "MIN": lambda values, of: min(values, default=math.inf),
    "SUM": lambda values, of: sum(values),
    # "Missing values are treated as 0."
    "AVG": lambda values, of: sum(values) / of if of else math.nan,
}

EACH: dict[str, Callable[[float], float]] = {"ABS": abs, "CEIL": math.ceil, "FLOOR": math.floor}


def evaluate(expression: str, lookup: Callable[[str], Series], length: int) -> Series:
    """Datapoints of an expression over as many datapoints as its time series have, which `lookup` finds by their id."""
    value = _Evaluation(expression, lookup, length).value(_parsed(expression))
    if isinstance(value, list):
        return value
    raise MathError(f"{expression!r} must result in one time series")


@lru_cache(maxsize=None)
def _parsed(expression: str) -> ast.expr:
    text = re.sub(r"\b(?:AND|OR)\b|&&|\|\||\^", lambda found: RENAMED[found[0]], expression)
    try:
        return ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise MathError(f"{expression!r} cannot be read") from error


class _Evaluation:
    def __init__(self, expression: str, lookup: Callable[[str], Series], length: int):
        self._expression, self._lookup, self._length = expression, lookup, length

    def value(self, node: ast.expr) -> Value:
        match node:
            case ast.Constant(value=int() | float() as number):
                return float(number)
            case ast.Name(id=name):
                return self._lookup(name)
            case ast.List(elts=items):
                return tuple(each for item in items for each in self._as_series(self.value(item)))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._combine(operator.sub, 0.0, self.value(operand))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
                return self._combine(OPERATORS[type(op)], self.value(left), self.value(right))
            case ast.BoolOp(op=op, values=values):
                return reduce(lambda a, b: self._combine(OPERATORS[type(op)], a, b), [self.value(each) for each in values])
            case ast.Compare(left=left, ops=ops, comparators=others) if all(type(op) in OPERATORS for op in ops):
                pairs = zip(ops, others)
                return reduce(lambda a, pair: self._combine(OPERATORS[type(pair[0])], a, self.value(pair[1])), pairs, self.value(left))
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._call(name, arguments)
        raise MathError(f"{self._expression!r} cannot be evaluated at {ast.unparse(node)!r}")

    def _call(self, name: str, arguments: list[ast.expr]) -> Value:
        if name == "FILL" and len(arguments) == 2:
            filler = arguments[1].id if isinstance(arguments[1], ast.Name) and arguments[1].id in ("REPEAT", "LINEAR") else self.value(arguments[1])
            return self._of_each(self.value(arguments[0]), lambda points: _filled(points, filler))
        values = [self.value(each) for each in arguments]
        if name == "IF" and len(values) in (2, 3) and not any(isinstance(each, tuple) for each in values):
            return self._chosen(*values)
        if len(values) == 1 and name in AGGREGATES:
            return self._aggregated(AGGREGATES[name], values[0])
        if len(values) == 1 and name in EACH:
            return self._of_each(values[0], lambda points: [None if point is None else EACH[name](point) for point in points])
        raise MathError(f"{name} with {len(values)} arguments is not evaluated here: {self._expression!r}")

    def _aggregated(self, aggregate: Callable[[list[float], int], float], value: Value) -> Value:
        if isinstance(value, tuple):
            columns = [_existing([series[index] for series in value]) for index in range(self._length)]
            return [aggregate(column, len(value)) if column else None for column in columns]
        values = _existing(value) if isinstance(value, list) else [value]
        return float(aggregate(values, len(values)))

    def _combine(self, compute: Callable[[float, float], Any], left: Value, right: Value) -> Value:
        if isinstance(left, float) and isinstance(right, float):
            result = _real(compute, left, right)
            return math.nan if result is None else result
        if isinstance(left, tuple) and isinstance(right, tuple):
            raise MathError(f"an operator of {self._expression!r} takes one array of time series at most")
        sides = [value if isinstance(value, tuple) else (value,) for value in (left, right)]
        results = tuple(self._points(compute, a, b) for a in sides[0] for b in sides[1])
        return results if isinstance(left, tuple) or isinstance(right, tuple) else results[0]

    def _points(self, compute: Callable[[float, float], Any], left: float | Series, right: float | Series) -> Series:
        # Beside a number only the datapoints of the series count; of two series, those that either has.
        both = isinstance(left, list) and isinstance(right, list)
        points: Series = []
        for index in range(self._length):
            a, b = (side[index] if isinstance(side, list) else side for side in (left, right))
            missing = a is None and b is None if both else a is None or b is None
            points.append(None if missing else _real(compute, a or 0.0, b or 0.0))
        return points

    def _chosen(self, condition: Value, when_true: Value, when_false: Value | None = None) -> Series:
        points: Series = []
        for index in range(self._length):
            holds = _at(condition, index)
            if holds is None or holds == 0:
                points.append(None if holds is None else _at(when_false, index))
            else:
                # A condition over time makes a missing value 0; a number chooses the series as it is.
                chosen = _at(when_true, index)
                points.append(0.0 if chosen is None and isinstance(condition, list) else chosen)
        return points

    def _of_each(self, value: Value, change: Callable[[Series], Series]) -> Value:
        if isinstance(value, tuple):
            return tuple(change(series) for series in value)
        if isinstance(value, list):
            return change(value)
        raise MathError(f"a function of time series got a number: {self._expression!r}")

    def _as_series(self, value: Value) -> tuple[Series, ...]:
        if isinstance(value, float):
            raise MathError(f"an array in {self._expression!r} must hold time series")
        return value if isinstance(value, tuple) else (value,)


def _at(value: Value | None, index: int) -> float | None:
    return value[index] if isinstance(value, list) else value  # type: ignore[return-value]


def _existing(points: Series) -> list[float]:
    return [point for point in points if point is not None]


def _real(compute: Callable[[float, float], Any], left: float, right: float) -> float | None:
    """The result, or nothing: a division by zero drops the datapoint."""
    try:
        result = float(compute(left, right))
    except (ArithmeticError, TypeError):
        return None
    return result if math.isfinite(result) else None


def _filled(points: Series, filler: Any) -> Series:
    if filler == "LINEAR":
        return [_between(points, index) if point is None else point for index, point in enumerate(points)]
    if isinstance(filler, tuple):
        raise MathError("FILL takes a number or a time series to fill with")
    filled: Series = []
    for index, point in enumerate(points):
        instead = (filled[-1] if filled else None) if filler == "REPEAT" else _at(filler, index)
        filled.append(instead if point is None else point)
    return filled


def _between(points: Series, index: int) -> float | None:
    """The linear interpolation between the neighbors that have a value; nothing if one is missing."""
    before = next((at for at in range(index - 1, -1, -1) if points[at] is not None), None)
    after = next((at for at in range(index + 1, len(points)) if points[at] is not None), None)
    if before is None or after is None:
        return None
    a, b = points[before], points[after]
    return a + (b - a) * (index - before) / (after - before)  # type: ignore[operator]
