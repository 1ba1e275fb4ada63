"""Refusals of Secrets Manager and Systems Manager parameters."""

from __future__ import annotations

from call import Call
from refusals import moto_refuses, refuses

DOCS = "https://docs.aws.amazon.com/"


@refuses(
    "secret-scheduled-for-deletion",
    "secretsmanager",
    "CreateSecret",
    "InvalidRequestException",
    "You can't create this secret because a secret with this name is already scheduled for deletion.",
    "https://github.com/hashicorp/terraform-provider-aws/issues/4467",
)
def secret_scheduled_for_deletion(call: Call) -> bool:
    held = call.moto().secrets.get(call.params["Name"])
    return held is not None and held.is_deleted()


@refuses(
    "ssm-value-size",
    "ssm",
    "PutParameter",
    "ValidationException",
    "Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger parameter value, "
    "upgrade the parameter to use the advanced-parameter tier.",
    DOCS + "systems-manager/latest/userguide/parameter-store-advanced-parameters.html",
)
def parameter_size(call: Call) -> bool:
    standard = call.params.get("Tier", "Standard") == "Standard"
    return standard and len(call.params["Value"].encode()) > 4096


moto_refuses(
    "ssm-empty-value",
    "ssm",
    "PutParameter",
    "ValidationException",
    DOCS + "systems-manager/latest/APIReference/API_PutParameter.html",
)
moto_refuses(
    "ssm-parameter-exists",
    "ssm",
    "PutParameter",
    "ParameterAlreadyExists",
    DOCS + "systems-manager/latest/APIReference/API_PutParameter.html",
)

moto_refuses(
    "secret-exists",
    "secretsmanager",
    "CreateSecret",
    "ResourceExistsException",
    DOCS + "secretsmanager/latest/apireference/API_CreateSecret.html",
)
moto_refuses(
    "kms-alias-exists", "kms", "CreateAlias", "AlreadyExistsException", DOCS + "kms/latest/APIReference/API_CreateAlias.html"
)
