"""Finds service, region and operation of a request, from its signature, headers, body and path."""

from __future__ import annotations

import re
from functools import cache

from moto.core.responses import BaseResponse
from moto.core.utils import get_service_model
from werkzeug.wrappers import Request

SERVICE_OF_SIGNING_NAME = {
    "elasticloadbalancing": "elbv2",
    "monitoring": "cloudwatch",
    "aps": "amp",
    "states": "stepfunctions",
    "tagging": "resourcegroupstaggingapi",
}
"""botocore's name of a service where it signs with another one."""

CLASSIC_LOAD_BALANCER_VERSION = "2012-06-01"

S3_OPERATIONS_TO_IGNORE = {
    "GetBucketLifecycle",
    "GetBucketNotification",
    "ListDirectoryBuckets",
    "PutBucketLifecycle",
    "PutBucketNotification",
    "WriteGetObjectResponse",
}
"""Deprecated twins of other operations, and operations of other endpoints than a bucket's."""


def identify(request: Request) -> tuple[str, str, str] | None:
    """Service, region and operation of a request; None when the request is not signed or the operation is unknown."""
    scope = re.search(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/aws4_request", request.headers.get("Authorization", ""))
    if not scope:
        return None
    region, signing_name = scope.groups()
    service = SERVICE_OF_SIGNING_NAME.get(signing_name.lower(), signing_name.lower())
    operation = _operation(request, service)
    return (service, region, operation) if operation else None


def _operation(request: Request, service: str) -> str | None:
    target = request.headers.get("X-Amz-Target")
    if target:
        return target.rsplit(".", 1)[-1]
    action = request.values.get("Action")
    if action:
        classic = service == "elbv2" and request.values.get("Version") == CLASSIC_LOAD_BALANCER_VERSION
        return None if classic else action
    if service == "s3":
        return _s3_operation(request)
    for method, pattern, operation in _paths(service):
        if method == request.method and re.match(pattern, request.path):
            return operation
    return None


def path_pattern(uri: str) -> str:
    """The last slash of a model's path may be missing: Terraform leaves it out."""
    return re.sub(r"(?<!\^)/\$$", "/?$", BaseResponse.uri_to_regexp(uri.split("?")[0]))


@cache
def _paths(service: str) -> list[tuple[str, str, str]]:
    """Method, path pattern and operation of a REST service, the most specific pattern first."""
    try:
        model = get_service_model(service)
    except Exception:  # botocore does not have the service; moto answers that
        return []
    operations = [model.operation_model(name) for name in model.operation_names]
    rows = [(str(each.http["method"]), path_pattern(each.http["requestUri"]), str(each.name)) for each in operations]
    return sorted(rows, key=lambda row: len(row[1]), reverse=True)


def _s3_operation(request: Request) -> str | None:
    """S3's operations differ by method, by bucket or key, and by what the query string and the headers have."""
    depth = min(len([part for part in request.path.split("/", 2) if part]), 2)
    for method, level, query, headers, operation in _s3_paths():
        if (
            method == request.method
            and level == depth
            and all(request.args.get(name) == value if value else name in request.args for name, value in query)
            and all(name in request.headers for name in headers)
        ):
            return operation
    return None


@cache
def _s3_paths() -> list[tuple[str, int, list[tuple[str, str]], list[str], str]]:
    """Method, depth of the path, required query and headers, and operation; the most specific first."""
    model = get_service_model("s3")
    rows = []
    for name in model.operation_names:
        if name in S3_OPERATIONS_TO_IGNORE:
            continue
        operation = model.operation_model(name)
        path, _, text = operation.http["requestUri"].partition("?")
        query = [(key, value) for key, _, value in (part.partition("=") for part in text.split("&")) if key not in ("", "x-id")]
        headers = []
        shape = operation.input_shape
        for member in shape.required_members if shape else []:
            serialization = shape.members[member].serialization
            if serialization.get("location") == "querystring":
                query.append((serialization["name"], ""))
            elif serialization.get("location") == "header":
                headers.append(serialization["name"])
        level = len([part for part in path.split("/") if part])
        rows.append((str(operation.http["method"]), level, query, headers, str(name)))
    return sorted(rows, key=lambda row: len(row[2]) + len(row[3]), reverse=True)
