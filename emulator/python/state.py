"""The emulator's state beside moto's, by account and region; a reset empties it."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

from call import Call, Refused
from callers import account_id

LOCK = threading.Condition(threading.RLock())
"""Held while a call is answered."""

Result = TypeVar("Result")

_stores: list[Store] = []


class Store:
    """A dictionary for each region of each account."""

    def __init__(self) -> None:
        self._places: defaultdict[tuple[str, str], dict[str, Any]] = defaultdict(dict)
        _stores.append(self)

    def of(self, region: str) -> dict[str, Any]:
        """That of the caller's account."""
        return self._places[account_id(), region]

    def places(self) -> list[tuple[tuple[str, str], dict[str, Any]]]:
        """All dictionaries, by account and region."""
        return list(self._places.items())

    def clear(self) -> None:
        self._places.clear()


AGENT = Store()
"""Holds whether an agent runs the tasks, for all regions."""


def has_agent() -> bool:
    return bool(AGENT.of("*").get("connected"))


class Records(Store):
    """Records of one kind, by name, id or ARN."""

    def __init__(self, code: str, message: str):
        super().__init__()
        self._code, self._message = code, message

    def find(self, call: Call, key: str) -> dict[str, Any]:
        """The record; refuses a key that does not exist, as AWS does."""
        record = self.of(call.region).get(key)
        if record is None:
            raise Refused(self._code, self._message.format(key))
        return record

    def add(self, call: Call, key: str, record: dict[str, Any]) -> dict[str, Any]:
        self.of(call.region)[key] = {name: value for name, value in record.items() if value is not None}
        return self.of(call.region)[key]

    def change(self, call: Call, key: str, fields: dict[str, Any]) -> dict[str, Any]:
        record = self.find(call, key)
        record.update({name: value for name, value in fields.items() if value is not None})
        return record

    def remove(self, call: Call, key: str) -> dict[str, Any]:
        record = self.find(call, key)
        del self.of(call.region)[key]
        return record

    def all(self, call: Call) -> list[dict[str, Any]]:
        return list(self.of(call.region).values())


class Tags:
    """Tags by ARN, for maps and for lists of keys and values."""

    def __init__(self) -> None:
        self._tags = Store()

    def read(self, call: Call, arn: str) -> dict[str, str]:
        return self._tags.of(call.region).get(arn, {})

    def read_list(self, call: Call, arn: str, key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
        return [{key: name, value: text} for name, text in self.read(call, arn).items()]

    def write(self, call: Call, arn: str, tags: dict[str, str] | list[dict[str, str]] | None) -> None:
        if isinstance(tags, list):
            tags = {each.get("Key", each.get("key", "")): each.get("Value", each.get("value", "")) for each in tags}
        self._tags.of(call.region).setdefault(arn, {}).update(tags or {})

    def remove(self, call: Call, arn: str, names: list[str]) -> None:
        for name in names:
            self.read(call, arn).pop(name, None)


def reset() -> None:
    """Empty all accounts, in moto too."""
    from moto.moto_api._internal.models import moto_api_backend

    moto_api_backend.reset()
    for store in _stores:
        store.clear()


def while_others_pass(work: Callable[[], Result]) -> Result:
    """The result of work that takes long, or makes calls of its own: other calls are answered meanwhile."""

    def wake(_: object) -> None:
        with LOCK:
            LOCK.notify_all()

    with LOCK, ThreadPoolExecutor(1) as pool:
        done = pool.submit(copy_context().run, work)
        done.add_done_callback(wake)
        LOCK.wait_for(done.done)
        return done.result()
