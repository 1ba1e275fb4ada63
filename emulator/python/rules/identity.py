"""Refusals of IAM and Cognito."""

from __future__ import annotations

from typing import Any

from call import Call
from callers import caller, may_assume
from refusals import moto_refuses, refuses

DOCS = "https://docs.aws.amazon.com/"


moto_refuses(
    "iam-role-exists", "iam", "CreateRole", "EntityAlreadyExists", DOCS + "IAM/latest/APIReference/API_CreateRole.html"
)

IAM_API = DOCS + "IAM/latest/APIReference/"
IAM_QUOTAS = DOCS + "IAM/latest/UserGuide/reference_iam-quotas.html"

INLINE_CHARACTERS = 10_240
MANAGED_CHARACTERS = 6_144
TRUST_CHARACTERS = 2_048
ATTACHED_POLICIES = 10


def size(document: str | None) -> int:
    """Characters of a policy as IAM counts them, without white space."""
    return len("".join((document or "").split()))


@refuses(
    "iam-inline-size",
    "iam",
    "PutRolePolicy",
    "LimitExceeded",
    "Maximum policy size of 10240 bytes exceeded for role {role}",
    IAM_QUOTAS,
)
def inline_size(call: Call) -> dict[str, Any] | None:
    name = call.params["RoleName"]
    role = next((each for each in call.moto().roles.values() if each.name == name), None)
    held = dict(role.policies) if role else {}
    held[call.params["PolicyName"]] = call.params["PolicyDocument"]
    return {"role": name} if sum(size(each) for each in held.values()) > INLINE_CHARACTERS else None


@refuses(
    "iam-managed-size",
    "iam",
    "CreatePolicy CreatePolicyVersion",
    "LimitExceeded",
    "Cannot exceed quota for PolicySize: 6144",
    IAM_QUOTAS,
)
def managed_size(call: Call) -> bool:
    return size(call.params["PolicyDocument"]) > MANAGED_CHARACTERS


@refuses(
    "iam-trust-size",
    "iam",
    "CreateRole UpdateAssumeRolePolicy",
    "LimitExceeded",
    "Cannot exceed quota for ACLSizePerRole: 2048",
    IAM_QUOTAS,
)
def trust_size(call: Call) -> bool:
    return size(call.params.get("AssumeRolePolicyDocument") or call.params.get("PolicyDocument")) > TRUST_CHARACTERS


@refuses(
    "iam-attachments",
    "iam",
    "AttachRolePolicy",
    "LimitExceeded",
    "Cannot exceed quota for PoliciesPerRole: 10",
    IAM_QUOTAS,
)
def attachments(call: Call) -> bool:
    role = next((each for each in call.moto().roles.values() if each.name == call.params["RoleName"]), None)
    held = set(role.managed_policies) if role else set()
    return len(held | {call.params["PolicyArn"]}) > ATTACHED_POLICIES


@refuses(
    "iam-boundary-missing",
    "iam",
    "CreateRole PutRolePermissionsBoundary",
    "NoSuchEntity",
    "Scope ARN: {arn} does not exist or is not attachable.",
    IAM_API + "API_CreateRole.html",
)
def boundary_missing(call: Call) -> dict[str, Any] | None:
    arn = call.params.get("PermissionsBoundary")
    # Those of AWS always exist.
    known = not arn or ":iam::aws:policy/" in arn or arn in call.moto().managed_policies
    return None if known else {"arn": arn}


@refuses(
    "iam-policy-attached",
    "iam",
    "DeletePolicy",
    "DeleteConflict",
    "Cannot delete a policy attached to entities.",
    IAM_API + "API_DeletePolicy.html",
)
def policy_attached(call: Call) -> bool:
    policy = call.moto().managed_policies.get(call.params["PolicyArn"])
    return policy is not None and policy.attachment_count > 0


moto_refuses("iam-policy-exists", "iam", "CreatePolicy", "EntityAlreadyExists", IAM_API + "API_CreatePolicy.html")
moto_refuses("iam-role-with-policies", "iam", "DeleteRole", "DeleteConflict", IAM_API + "API_DeleteRole.html")

# Cognito


@refuses(
    "user-pool-protected",
    "cognito-idp",
    "DeleteUserPool",
    "InvalidParameterException",
    "The user pool cannot be deleted because deletion protection is activated. Deletion protection must be inactivated first.",
    DOCS + "cognito/latest/developerguide/user-pool-settings-deletion-protection.html",
)
def user_pool_protected(call: Call) -> bool:
    pool = call.moto().user_pools.get(call.params["UserPoolId"])
    return pool is not None and (pool.extended_config or {}).get("DeletionProtection") == "ACTIVE"


@refuses(
    "user-pool-domain-exists",
    "cognito-idp",
    "CreateUserPoolDomain",
    "InvalidParameterException",
    "Domain already associated with another user pool.",
    DOCS + "cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolDomain.html",
)
def user_pool_domain_exists(call: Call) -> bool:
    return call.params["Domain"] in call.moto().user_pool_domains


@refuses(
    "sts-assume-role",
    "sts",
    "AssumeRole",
    "AccessDenied",
    "User: {caller} is not authorized to perform: sts:AssumeRole on resource: {role}",
    DOCS + "IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html",
)
def assume_role(call: Call) -> dict[str, Any] | None:
    role = call.params["RoleArn"]
    return None if may_assume(role, call.params.get("ExternalId")) else {"caller": caller().arn, "role": role}
