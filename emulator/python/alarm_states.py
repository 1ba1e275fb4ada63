"""Decides the states of alarms from their metrics, as CloudWatch documents it. Pure: knows neither moto nor the clock.

`test/support/alarms` decides the same for tests of the constructs; both are tested with the results that AWS documents, and
compared with each other over all alarms of the constructs.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

from metric_math import MathError, Series, evaluate

OK, ALARM, INSUFFICIENT_DATA = "OK", "ALARM", "INSUFFICIENT_DATA"

EXTRA_DATAPOINTS = 2
"""Datapoints that CloudWatch retrieves beyond the evaluation periods: AWS documents five for three periods."""

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


@dataclass(frozen=True)
class Sample:
    """A value that was put, or the statistics of several."""

    count: float
    sum: float
    lowest: float
    highest: float


MetricKey = tuple[str, str, frozenset[tuple[str, str]]]
"""Namespace, name and dimensions."""

Samples = Callable[[MetricKey, int], list[Sample]]
"""Samples of a metric in one minute; minutes are counted from any beginning."""


@dataclass(frozen=True)
class Row:
    """A metric with its statistic, or an expression over other rows."""

    id: str
    returned: bool
    metric: MetricKey | None = None
    statistic: str = ""
    expression: str = ""


@dataclass(frozen=True)
class MetricAlarm:
    rows: tuple[Row, ...]
    period_minutes: int
    evaluation_periods: int
    datapoints_to_alarm: int
    threshold: float
    comparison: str
    missing: str
    ignores_low_samples: bool = False


def evaluate_alarm(alarm: MetricAlarm, samples: Samples, now: int, before: str) -> str:
    """The state of an alarm when minute `now` begins."""
    if alarm.ignores_low_samples and _has_few_samples(alarm, samples, now):
        return before
    return state_of(alarm, datapoints(alarm, samples, now), before)


def datapoints(alarm: MetricAlarm, samples: Samples, now: int) -> Series:
    """Datapoints of the evaluation range, oldest first: statistics over windows that end when minute `now` begins."""
    count = alarm.evaluation_periods + EXTRA_DATAPOINTS
    known: dict[str, Series | None] = {}

    def window(metric: MetricKey, back: int) -> list[Sample]:
        end = now - back * alarm.period_minutes
        return [each for minute in range(end - alarm.period_minutes, end) for each in samples(metric, minute)]

    def series(id: str) -> Series:
        if id not in known:
            row = next((each for each in alarm.rows if each.id == id), None)
            if row is None:
                raise MathError(f"no row has the id {id}")
            known[id] = None
            metric = row.metric
            known[id] = (
                evaluate(row.expression, series, count)
                if metric is None
                else [statistic(row.statistic, window(metric, back)) for back in range(count - 1, -1, -1)]
            )
        found = known[id]
        if found is None:
            raise MathError(f"the row {id} depends on itself")
        return found

    returned = [each.id for each in alarm.rows if each.returned]
    if len(returned) != 1:
        raise MathError(f"one row must be returned, got {len(returned)}")
    return series(returned[0])


def state_of(alarm: MetricAlarm, points: Series, before: str) -> str:
    """The state for the datapoints of an evaluation range: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html"""
    breaches = COMPARISONS.get(alarm.comparison)
    if breaches is None:
        raise MathError(f"{alarm.comparison} is not evaluated here")
    recent = [point for point in points if point is not None][-alarm.evaluation_periods :]
    breaching = sum(breaches(point, alarm.threshold) for point in recent)
    if breaching >= alarm.datapoints_to_alarm:
        return ALARM
    missing = alarm.evaluation_periods - len(recent)
    if missing == 0 or alarm.missing == "notBreaching":
        return OK
    if alarm.missing == "breaching":
        return ALARM if breaching + missing >= alarm.datapoints_to_alarm else OK
    if breaching < len(recent):
        return OK
    if alarm.missing == "ignore":
        return before
    # Nothing but breaching datapoints: in alarm once the oldest is so old that all that was needed could have been there.
    oldest = next((index for index, point in enumerate(points) if point is not None), len(points))
    return ALARM if recent and len(points) - oldest >= alarm.datapoints_to_alarm else INSUFFICIENT_DATA


def statistic(name: str, samples: list[Sample]) -> float | None:
    """A statistic over the samples of a period. AWS documents no interpolation of percentiles: this takes the nearest rank."""
    count = sum(each.count for each in samples)
    if not count:
        return None
    if name == "SampleCount":
        return count
    if name in ("Sum", "Average"):
        total = math.fsum(each.sum for each in samples)
        return total if name == "Sum" else total / count
    if name == "Minimum":
        return min(each.lowest for each in samples)
    if name == "Maximum":
        return max(each.highest for each in samples)
    values = _values(samples)
    most = re.fullmatch(r"TC\(:(\d+(?:\.\d+)?)\)", name)
    percentile = _percentile(name)
    if most is None and percentile is None:
        raise MathError(f"the statistic {name} is not computed here")
    if values is None:
        return None
    if most:
        return float(sum(value <= float(most[1]) for value in values))
    return sorted(values)[max(0, math.ceil(percentile / 100 * len(values)) - 1)]  # type: ignore[operator]


def _values(samples: list[Sample]) -> list[float] | None:
    """The single values; None where only statistics of several different ones are known."""
    if any(each.lowest != each.highest for each in samples):
        return None
    return [each.lowest for each in samples for _ in range(int(each.count))]


def _percentile(name: str) -> float | None:
    found = re.fullmatch(r"p(\d+(?:\.\d+)?)", name)
    return float(found[1]) if found else None


def significant_samples(percentile: float) -> int:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/percentiles-with-low-samples.html"""
    fraction = percentile / 100
    return round(10 / (1 - fraction if fraction >= 0.5 else fraction))


def _has_few_samples(alarm: MetricAlarm, samples: Samples, now: int) -> bool:
    minutes = range(now - alarm.period_minutes * alarm.evaluation_periods, now)
    for row in alarm.rows:
        percentile = _percentile(row.statistic)
        if row.metric is None or percentile is None:
            continue
        if sum(each.count for minute in minutes for each in samples(row.metric, minute)) < significant_samples(percentile):
            return True
    return False


RULE_TOKEN = re.compile(
    r'\s*(?:(?P<word>AND|OR|NOT|TRUE|FALSE)\b|(?P<state>ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:"(?P<quoted>[^"]+)"|(?P<bare>[^)"\s]+))\s*\)|(?P<bracket>[()]))'
)
WORDS = {"AND": "and", "OR": "or", "NOT": "not", "TRUE": "True", "FALSE": "False"}


def composite_state(rule: str, state_of_alarm: Callable[[str], str]) -> str:
    """The state of a composite alarm, from the states of the alarms that its rule names."""
    text, at, terms = rule.strip(), 0, []
    while at < len(text):
        token = RULE_TOKEN.match(text, at)
        if token is None:
            raise MathError(f"the rule {rule!r} cannot be read from {text[at:]!r} on")
        at = token.end()
        if token["state"]:
            terms.append(str(state_of_alarm(token["quoted"] or token["bare"]) == token["state"]))
        else:
            terms.append(token["bracket"] or WORDS[token["word"]])
    try:
        return ALARM if _holds(ast.parse(" ".join(terms), mode="eval").body) else OK
    except (SyntaxError, TypeError) as error:
        raise MathError(f"the rule {rule!r} cannot be read") from error


def _holds(node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=bool() as value):
            return value
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _holds(operand)
        case ast.BoolOp(op=op, values=values):
            return (all if isinstance(op, ast.And) else any)(_holds(each) for each in values)
    raise TypeError(ast.unparse(node))
