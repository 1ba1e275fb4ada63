"""The caller: the account of its access key, and the principal that a trust policy names.

An access key that is the id of an account calls as its administrator, one that is the name of a service as this service;
those of a session as its role. All others call as the administrator of moto's default account.
"""

from __future__ import annotations

import json
import re
from contextvars import ContextVar
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import unquote

from moto.core import DEFAULT_ACCOUNT_ID


@dataclass(frozen=True)
class Caller:
    account: str
    arn: str
    """Of the role of a session, without the session."""
    service: bool = False
    session: bool = False


def administrator(account: str) -> Caller:
    return Caller(account, f"arn:aws:iam::{account}:user/administrator")


_caller: ContextVar[Caller] = ContextVar("caller", default=administrator(DEFAULT_ACCOUNT_ID))


def caller() -> Caller:
    return _caller.get()


def account_id() -> str:
    """The account that is called."""
    return _caller.get().account


def known_as(access_key: str) -> str:
    """Name of the caller in the record of a test: the ARN of a session's role, or the access key."""
    return caller().arn if caller().session else access_key


def call_with(access_key: str) -> str:
    """Make the rest of this thread's call that of an access key; returns its account."""
    _caller.set(_of(access_key))
    return account_id()


def _of(access_key: str) -> Caller:
    if re.fullmatch(r"\d{12}", access_key):
        return administrator(access_key)
    if access_key.endswith(".amazonaws.com"):
        return Caller(DEFAULT_ACCOUNT_ID, access_key, service=True)
    # Loaded late: an emulator that is not asked starts faster.
    from moto.iam.models import iam_backends

    for account, backends in list(iam_backends.items()):
        key = backends["aws"].access_keys.get(access_key)
        if key is not None:
            return Caller(account, key.role_arn, session=True) if key.role_arn else administrator(account)
    return administrator(DEFAULT_ACCOUNT_ID)


def may_reach(call: Any) -> bool:
    """True if the call is for the caller's own account, or the policies of the image repositories of another one allow it; it then goes there."""
    who, account = caller(), call.params.get("registryId")
    if call.service != "ecr" or account in (None, who.account):
        return True
    from moto.ecr.models import ecr_backends

    held = ecr_backends[account][call.region].repositories
    names = call.params.get("repositoryNames") or [call.params.get("repositoryName")]
    context = {"aws:PrincipalArn": who.arn, "aws:PrincipalAccount": who.account}
    for name in names:
        allowing = [
            each
            for each in _statements(getattr(held.get(name), "policy", None) or '{"Statement": []}')
            if f"ecr:{call.operation}" in _list(each["Action"]) and _names(each["Principal"], who) and _holds(each.get("Condition", {}), context)
        ]
        if not allowing:
            return False
    _caller.set(replace(who, account=account))
    return True


def may_assume(role_arn: str, external_id: str | None) -> bool:
    """True if the trust policy of a role allows the caller, and the caller's own policies do."""
    who, account, role = caller(), role_arn.split(":")[4], _role(role_arn)
    if role is None:
        return False
    context = {
        "aws:PrincipalArn": None if who.service else who.arn,
        "aws:PrincipalAccount": None if who.service else who.account,
        # A service sends the account in whose name it calls.
        "aws:SourceAccount": account if who.service else None,
        "sts:ExternalId": external_id,
    }
    trusting = [
        each
        for each in _statements(role.assume_role_policy_document)
        if "sts:AssumeRole" in _list(each["Action"]) and _names(each["Principal"], who) and _holds(each.get("Condition", {}), context)
    ]
    named = any(who.arn in _list(each["Principal"].get("AWS", [])) for each in trusting)
    # Within an account, a role that is named needs no policy of its own.
    return bool(trusting) and (not who.session or (named and who.account == account) or _is_granted(who, role_arn))


def _names(principal: Any, who: Caller) -> bool:
    if who.service:
        return who.arn in _list(principal.get("Service", []))
    wanted = (who.arn, who.account, f"arn:aws:iam::{who.account}:root")
    return any(each in wanted for each in _list(principal.get("AWS", [])))


def _holds(conditions: dict[str, dict[str, Any]], context: dict[str, str | None]) -> bool:
    """True if all conditions hold. One that is not known does not."""
    for operator, tests in conditions.items():
        like = operator in ("ArnEquals", "ArnLike", "StringLike")
        if not like and operator != "StringEquals":
            return False
        for key, values in tests.items():
            value = context.get(key)
            if value is None or not any(fnmatchcase(value, each) if like else value == each for each in _list(values)):
                return False
    return True


def _is_granted(who: Caller, role_arn: str) -> bool:
    role = _role(who.arn)
    documents = [*role.policies.values(), *(each.document for each in role.managed_policies.values())]
    return any(
        any(fnmatchcase("sts:AssumeRole", action) for action in _list(each["Action"])) and any(fnmatchcase(role_arn, arn) for arn in _list(each["Resource"]))
        for document in documents
        for each in _statements(document)
    )


def _role(arn: str) -> Any:
    from moto.iam.models import iam_backends

    return next((each for each in iam_backends[arn.split(":")[4]]["aws"].roles.values() if each.arn == arn), None)


def _statements(document: str) -> list[Any]:
    return [each for each in _list(json.loads(unquote(document))["Statement"]) if each["Effect"] == "Allow" and "Action" in each]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
