"""One AWS call: its service, its operation, its parameters, and the serialization of its answer.

Requests are read and answers written by botocore's service models, through the parsers and serializers that moto has
for them. So a handler sees the same plain dictionaries for JSON, query, EC2 and REST services.
"""

from __future__ import annotations

import re
from typing import Any

from botocore.compat import HTTPHeaders
from botocore.parsers import create_parser
from callers import account_id
from identify import path_pattern
from moto.backends import get_backend
from moto.core.exceptions import ServiceException
from moto.core.model import OperationModel, ServiceModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import determine_request_protocol
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model
from werkzeug.wrappers import Request, Response


class Refused(ServiceException):
    """The error that AWS returns for a call that it refuses."""

    def __init__(self, code: str, message: str):
        super().__init__(code, message)


class Account:
    """The account of the caller, in one region."""

    def __init__(self, region: str):
        self.region = region

    def moto(self, service: str) -> Any:
        """Moto's backend of a service in this region (global services have one for all)."""
        return backend(service, self.region)

    def arn(self, service: str, rest: str) -> str:
        return f"arn:aws:{service}:{self.region}:{account_id()}:{rest}"


class Call(Account):
    """A request to a service, read by its model."""

    def __init__(self, service: str, operation: OperationModel, region: str, protocol: str, params: dict[str, Any]):
        super().__init__(region)
        self.service = service
        self.operation: str = operation.name
        self.params = params
        self.model = operation
        self.protocol = protocol

    @property
    def reads(self) -> bool:
        """True if the call changes nothing."""
        return self.operation.startswith(("Describe", "Get", "Head", "List"))

    def moto(self, service: str | None = None) -> Any:
        """Moto's backend of a service; without a name, of the call's own service."""
        return super().moto(service or self.service)

    def reply(self, result: dict[str, Any] | Exception) -> Response:
        """Write a result, or an error, as the service would."""
        written = get_serializer_class(self.service, self.protocol)(operation_model=self.model).serialize(result)
        return Response(written["body"], status=written["status_code"], headers=dict(written["headers"]))

    def read_reply(self, response: Response) -> dict[str, Any]:
        """Moto's answer, parsed by the model: times as times, without members that the service does not have."""
        headers = HTTPHeaders()
        for name, value in response.headers:
            headers[name] = value
        raw = {"body": response.get_data(), "headers": headers, "status_code": response.status_code}
        result = create_parser(self.protocol).parse(raw, self.model.output_shape)
        result.pop("ResponseMetadata", None)
        return result


def backend(service: str, region: str) -> Any:
    regions = get_backend(service)[account_id()]
    return regions[region] if region in regions.regions else regions["aws"]


def read(request: Request, service: str, region: str, operation: str) -> Call:
    model: ServiceModel = get_service_model(service)
    operation_model = model.operation_model(operation)
    protocol = determine_request_protocol(model, request.content_type or "")
    match = re.match(path_pattern(operation_model.http["requestUri"]), request.path)
    params = PROTOCOL_PARSERS[protocol](operation_model).parse(
        {
            "method": request.method,
            "values": request.values,
            "headers": request.headers,
            "body": _text(request.get_data()),
            "url_path": request.path,
            "url_params": match.groupdict() if match else {},
        }
    )
    return Call(service, operation_model, region, protocol, params)


def _text(body: bytes) -> bytes:
    """The body, or nothing for binary content, which the parser cannot read as text."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return b""
    return body
