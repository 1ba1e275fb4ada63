"""Calls whose request and answer are JSON, for programs without an SDK and its parsers: a client of this server makes them."""

from __future__ import annotations

import json
import os
import threading
from functools import cache
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError
from werkzeug.wrappers import Request, Response

_creating = threading.Lock()
"""Creating a client is not safe for threads; using it is."""


def relay(request: Request) -> Response:
    """Answer `{service, region, operation, parameters?}` with all pages of the result, or with the error."""
    fields = request.get_json(silent=True) or {}
    try:
        with _creating:
            client = _client(fields["service"], fields["region"])
        operation = xform_name(fields["operation"])
        parameters = fields.get("parameters", {})
        if client.can_paginate(operation):
            result = client.get_paginator(operation).paginate(**parameters).build_full_result()
        else:
            result = getattr(client, operation)(**parameters)
        result.pop("ResponseMetadata", None)
        return Response(json.dumps(result, default=str), content_type="application/json")
    except (AttributeError, KeyError, BotoCoreError, ClientError) as error:
        return Response(f"{fields.get('operation')}: {error}", status=400)


@cache
def _client(service: str, region: str) -> Any:
    url = f"http://127.0.0.1:{os.environ['MOTO_PORT']}"
    return botocore.session.Session().create_client(service, region_name=region, endpoint_url=url)
