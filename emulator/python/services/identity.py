"""Cognito: the tier of a user pool, and what an update cannot change, which moto forgets."""

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


FIXED = ("AliasAttributes", "UserPoolTags", "UsernameAttributes", "UsernameConfiguration")
"""Settings of a user pool that an update which omits them does not reset."""


def keep_what_an_update_omits() -> None:
    from moto.cognitoidp.models import CognitoIdpUserPool

    update = CognitoIdpUserPool.update_extended_config

    def patched(self: Any, changes: dict[str, Any]) -> None:
        held = getattr(self, "extended_config", {})
        update(self, changes)
        self.extended_config.update({name: held[name] for name in FIXED if name in held and name not in changes})

    CognitoIdpUserPool.update_extended_config = patched
