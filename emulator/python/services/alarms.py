"""CloudWatch: alarms follow the metrics that PutMetricData receives."""

from __future__ import annotations

import time
from collections import defaultdict
from datetime import datetime, timezone
from typing import Any

from alarm_states import MetricAlarm, MetricKey, Row, Sample, composite_state, evaluate_alarm
from call import Account, Call
from metric_math import MathError

LONGEST = 24 * 60
"""Minutes that are evaluated at most, up to the current one."""

Data = dict[MetricKey, dict[int, list[Sample]]]


def accept_composite_alarms() -> None:
    """Moto stores composite alarms with the others but has no action for them, and finds none by their state."""
    from moto.cloudwatch.models import CloudWatchBackend
    from moto.cloudwatch.responses import CloudWatchResponse

    CloudWatchResponse.put_composite_alarm = CloudWatchResponse.put_metric_alarm
    by_state = CloudWatchBackend.get_alarms_by_state_value
    CloudWatchBackend.get_alarms_by_state_value = lambda self, state: list(by_state(self, state))


def evaluate_before(call: Call) -> None:
    """DescribeAlarms, DescribeAlarmsForMetric, DescribeAlarmHistory: alarms are evaluated when they are read."""
    evaluate_alarms(call)


def evaluate_alarms(account: Account) -> None:
    """Evaluates each alarm that has metrics at every minute since its first datapoint; one without any keeps its state."""
    alarms = account.moto("cloudwatch").alarms
    data = _data(account)
    now = int(time.time()) // 60
    composites = []
    for alarm in alarms.values():
        if alarm.rule is not None:
            composites.append(alarm)
            continue
        try:
            state = _replayed(_read(alarm), data, now)
        except MathError as error:
            print(f"alarm {alarm.name} is not evaluated: {error}", flush=True)
            continue
        if state is not None:
            _set(alarm, state, "Evaluated from the metrics that were put.")
    # A composite alarm may name others: as many rounds as there are alarms reach all.
    for _ in composites:
        for alarm in composites:
            state = composite_state(alarm.rule, lambda name: _state_of(alarms, name))
            _set(alarm, state, f"Evaluated from its rule: {alarm.rule}")


def _set(alarm: Any, state: str, reason: str) -> None:
    if alarm.state_value != state:
        alarm.update_state(reason, "{}", state)


def _state_of(alarms: dict[str, Any], name_or_arn: str) -> str:
    alarm = alarms.get(name_or_arn.split(":alarm:")[-1])
    return alarm.state_value if alarm else "INSUFFICIENT_DATA"


def _replayed(alarm: MetricAlarm, data: Data, now: int) -> str | None:
    held = [data[row.metric] for row in alarm.rows if row.metric in data]
    first = min((minute for minutes in held for minute in minutes), default=now)
    if first >= now:
        return None
    state = "INSUFFICIENT_DATA"
    for minute in range(max(first, now - LONGEST) + 1, now + 1):
        state = evaluate_alarm(alarm, lambda metric, at: data.get(metric, {}).get(at, []), minute, state)
    return state


def _read(alarm: Any) -> MetricAlarm:
    """An alarm of moto."""
    periods = [alarm.period]
    if alarm.metric_data_queries:
        rows = []
        for query in alarm.metric_data_queries:
            stat = query.metric_stat
            periods += [query.period, stat and stat.period]
            metric = stat and _key(stat.metric.namespace, stat.metric.metric_name, stat.metric.dimensions)
            returned = str(query.return_data).lower() != "false"
            rows.append(Row(query.id, returned, metric, stat.stat if stat else "", query.expression or ""))
    else:
        metric = _key(alarm.namespace, alarm.metric_name, alarm.dimensions)
        rows = [Row("metric", True, metric, alarm.statistic or alarm.extended_statistic or "")]
    period = next((int(each) for each in periods if each), 60)
    evaluated = int(alarm.evaluation_periods)
    return MetricAlarm(
        rows=tuple(rows),
        period_minutes=max(1, round(period / 60)),
        evaluation_periods=evaluated,
        datapoints_to_alarm=int(alarm.datapoints_to_alarm or evaluated),
        threshold=float(alarm.threshold or 0),
        comparison=alarm.comparison_operator,
        missing=alarm.treat_missing_data or "missing",
        ignores_low_samples=alarm.evaluate_low_sample_count_percentile == "ignore",
    )


def _key(namespace: str, name: str, dimensions: list[Any]) -> MetricKey:
    return namespace, name, frozenset((each.name, each.value) for each in dimensions)


def _data(account: Account) -> Data:
    data: Data = defaultdict(lambda: defaultdict(list))
    for each in account.moto("cloudwatch").metric_data:
        at = each.timestamp
        if isinstance(at, str):
            at = datetime.fromisoformat(at.replace("Z", "+00:00"))
        if at.tzinfo is None:
            at = at.replace(tzinfo=timezone.utc)
        value = getattr(each, "value", None)
        sample = Sample(each.sample_count, each.sum, each.min, each.max) if value is None else Sample(1, value, value, value)
        data[_key(each.namespace, each.name, each.dimensions)][int(at.timestamp()) // 60].append(sample)
    return data
