"""One AWS call: which service and operation, its parameters, and how its answer is written.

Requests are read and answers written by botocore's service models, through the parsers and serializers that moto has
for them. So a handler sees the same plain dictionaries for JSON, query, EC2 and REST services.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from botocore.compat import HTTPHeaders
from botocore.parsers import create_parser
from moto.backends import get_backend
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.exceptions import ServiceException
from moto.core.model import OperationModel, ServiceModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import determine_request_protocol
from moto.core.responses import BaseResponse
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model
from werkzeug.wrappers import Request, Response

ACCOUNT = DEFAULT_ACCOUNT_ID

SERVICE_OF_SIGNING_NAME = {
    "elasticloadbalancing": "elbv2",
    "monitoring": "cloudwatch",
    "aps": "amp",
}
"""botocore's name of a service where it signs with another one."""

CLASSIC_LOAD_BALANCER_VERSION = "2012-06-01"


class Refused(ServiceException):
    """What AWS answers to a call that it does not accept."""

    def __init__(self, code: str, message: str):
        super().__init__(code, message)


class Call:
    """A request to a service, read by its model."""

    def __init__(self, service: str, operation: OperationModel, region: str, protocol: str, params: dict[str, Any]):
        self.service = service
        self.operation: str = operation.name
        self.region = region
        self.params = params
        self._model = operation
        self._protocol = protocol

    def moto(self, service: str | None = None) -> Any:
        """Moto's backend of a service in this call's region (global services have one for all)."""
        return backend(service or self.service, self.region)

    def arn(self, service: str, rest: str) -> str:
        return f"arn:aws:{service}:{self.region}:{ACCOUNT}:{rest}"

    def reply(self, result: dict[str, Any] | Exception) -> Response:
        """Write a result, or an error, as the service would."""
        written = get_serializer_class(self.service, self._protocol)(operation_model=self._model).serialize(result)
        return Response(written["body"], status=written["status_code"], headers=dict(written["headers"]))

    def read_reply(self, response: Response) -> dict[str, Any]:
        """What moto answered, by the model: times as times, members that the service does not have left out."""
        headers = HTTPHeaders()
        for name, value in response.headers:
            headers[name] = value
        raw = {"body": response.get_data(), "headers": headers, "status_code": response.status_code}
        result = create_parser(self._protocol).parse(raw, self._model.output_shape)
        result.pop("ResponseMetadata", None)
        return result


def backend(service: str, region: str) -> Any:
    regions = get_backend(service)[ACCOUNT]
    return regions[region] if region in regions.regions else regions["aws"]


def identify(request: Request) -> tuple[str, str, str] | None:
    """Service, region and operation of a request, or nothing when it is not signed or of no known operation."""
    scope = re.search(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/aws4_request", request.headers.get("Authorization", ""))
    if not scope:
        return None
    region, signing_name = scope.groups()
    service = SERVICE_OF_SIGNING_NAME.get(signing_name.lower(), signing_name.lower())
    target = request.headers.get("X-Amz-Target")
    if target:
        return service, region, target.rsplit(".", 1)[-1]
    action = request.values.get("Action")
    if action:
        classic = service == "elbv2" and request.values.get("Version") == CLASSIC_LOAD_BALANCER_VERSION
        return None if classic else (service, region, action)
    operation = _operation_of_path(service, request.method, request.path)
    return (service, region, operation) if operation else None


def read(request: Request, service: str, region: str, operation: str) -> Call:
    model: ServiceModel = get_service_model(service)
    operation_model = model.operation_model(operation)
    protocol = determine_request_protocol(model, request.content_type or "")
    match = re.match(_path_pattern(operation_model.http["requestUri"]), request.path)
    params = PROTOCOL_PARSERS[protocol](operation_model).parse(
        {
            "method": request.method,
            "values": request.values,
            "headers": request.headers,
            "body": request.get_data(),
            "url_path": request.path,
            "url_params": match.groupdict() if match else {},
        }
    )
    return Call(service, operation_model, region, protocol, params)


def _path_pattern(uri: str) -> str:
    return BaseResponse.uri_to_regexp(uri.split("?")[0])


@cache
def _paths(service: str) -> list[tuple[str, str, str]]:
    """Method, pattern and operation of a REST service, the most specific pattern first."""
    if service == "s3":  # its operations differ by query string, which the pattern cannot see
        return []
    try:
        model = get_service_model(service)
    except Exception:  # botocore knows no such service: moto will say so
        return []
    operations = [model.operation_model(name) for name in model.operation_names]
    rows = [(str(each.http["method"]), _path_pattern(each.http["requestUri"]), str(each.name)) for each in operations]
    return sorted(rows, key=lambda row: len(row[1]), reverse=True)


def _operation_of_path(service: str, method: str, path: str) -> str | None:
    for row_method, pattern, operation in _paths(service):
        if row_method == method and re.match(pattern, path):
            return operation
    return None
