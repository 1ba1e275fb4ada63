"""Cognito: the tier of a user pool, which moto forgets."""

from __future__ import annotations

from typing import Any

from call import Call
from state import Store

_tiers = Store()


def remember_tier(call: Call, result: dict[str, Any]) -> None:
    pool = result["UserPool"]["Id"] if call.operation == "CreateUserPool" else call.params["UserPoolId"]
    if call.params.get("UserPoolTier"):
        _tiers.of(call.region)[pool] = call.params["UserPoolTier"]


def amend_pool(call: Call, result: dict[str, Any]) -> None:
    pool = result["UserPool"]
    # AWS's default.
    pool["UserPoolTier"] = _tiers.of(call.region).get(pool["Id"], "ESSENTIALS")
