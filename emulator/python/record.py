"""Records the calls of a test, with the caller, in the file that `ANTIFRAGILE_CALLS` names: a line of JSON each."""

from __future__ import annotations

import json
import os
import re

from call import Call
from werkzeug.wrappers import Request, Response

FILE = os.environ.get("ANTIFRAGILE_CALLS")
SECRET = re.compile(r"(Secret|SecretString|Passwords?|Token|SecretAccessKey)$")


def record(caller: str, request: Request, call: Call | None, response: Response) -> None:
    """Append the call with its parameters, and with the ARNs and ids that its answer names unless it only reads."""
    if FILE is None or caller == "":
        return
    fields: dict[str, object] = {"caller": caller, "request": f"{request.method} {request.full_path}"}
    if call is not None:
        named = [] if call.reads else re.findall(r'arn:aws:[^"<\s]+|\b[a-z]+-[0-9a-f]{8,17}\b', response.get_data(as_text=True))
        fields |= {"service": call.service, "region": call.region, "operation": call.operation, "params": _without_secrets(call.params), "named": sorted(set(named))}
    with open(FILE, "a") as file:
        file.write(json.dumps(fields, default=lambda value: "" if isinstance(value, bytes) else str(value)) + "\n")


def _without_secrets(value: object) -> object:
    """The same parameters, with nothing in place of passwords and of encrypted values."""
    if isinstance(value, list):
        return [_without_secrets(each) for each in value]
    if not isinstance(value, dict):
        return value
    encrypted = value.get("Type") == "SecureString"
    return {key: "" if SECRET.search(key) or (encrypted and key == "Value") else _without_secrets(each) for key, each in value.items()}
