"""Lambda: Node.js functions run as a process of this machine, with the Node.js that started the emulator."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import tempfile
import uuid
import zipfile
from datetime import datetime, timezone
from typing import Any

from state import while_others_pass

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "role-account-id",
    "AWS_SECRET_ACCESS_KEY": "role-secret-key",
    "AWS_SESSION_TOKEN": "session-token",
}
"""Credentials that moto passes to its containers."""

RUNNER = """
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
console.log = console.info = console.error;
const [file, name] = process.argv.slice(1);
try {
  const { [name]: handler } = await import(pathToFileURL(file));
  process.stdout.write(JSON.stringify((await handler(JSON.parse(await text(process.stdin)), {})) ?? null));
} catch (error) {
  process.stdout.write(JSON.stringify({ errorType: error?.name, errorMessage: error?.message }));
  process.exitCode = 1;
}
"""


def run_nodejs() -> None:
    """Moto needs Docker to run a function. Asynchronous calls are retried at once, as often as AWS retries them."""
    from moto.awslambda.models import LambdaFunction

    in_docker = LambdaFunction.invoke

    def invoke(self: Any, body: str, request_headers: Any, response_headers: Any) -> str | bytes:
        if not str(self.run_time).startswith("nodejs"):
            return in_docker(self, body, request_headers, response_headers)
        # CloudWatch and other services invoke without headers, asynchronously.
        if request_headers and request_headers.get("x-amz-invocation-type", "RequestResponse") == "RequestResponse":
            failed, output = run(self, body)
            if failed:
                response_headers["x-amz-function-error"] = "Unhandled"
            return output.encode()
        config = self.event_invoke_config[0].config if self.event_invoke_config else {}
        output = ""
        for _ in range(1 + config.get("MaximumRetryAttempts", 2)):
            failed, output = run(self, body)
            if not failed:
                return b""
        keep(self, config, body, output)
        return b""

    LambdaFunction.invoke = invoke


def run(function: Any, event: str) -> tuple[bool, str]:
    """The failure flag and the result of one run."""
    folder = tempfile.mkdtemp(prefix="antifragile-function-")
    try:
        zipfile.ZipFile(io.BytesIO(function.code_bytes)).extractall(folder)
        module, name = function.handler.rsplit(".", 1)
        file = next(path for ending in ("mjs", "js", "cjs") if os.path.exists(path := os.path.join(folder, f"{module}.{ending}")))
        own = {
            "AWS_REGION": function.region,
            "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
            "PATH": os.environ.get("PATH", ""),
        }
        done = while_others_pass(
            lambda: subprocess.run(
                [os.environ.get("ANTIFRAGILE_NODE", "node"), "--input-type=module", "-e", RUNNER, file, name],
                input=event or "{}",
                env={**own, **CREDENTIALS, **function.environment_vars},
                stdout=subprocess.PIPE,
                text=True,
                timeout=int(function.timeout),
            )
        )
        return done.returncode != 0, done.stdout
    except subprocess.TimeoutExpired:
        return True, json.dumps({"errorType": "Sandbox.Timedout", "errorMessage": f"Task timed out after {function.timeout}.00 seconds"})
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def keep(function: Any, config: dict[str, Any], event: str, output: str) -> None:
    """Record of a failed invocation, in the format in which Lambda stores it in a bucket: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html"""
    from moto.s3.models import s3_backends

    destination = (config.get("DestinationConfig", {}).get("OnFailure") or {}).get("Destination", "")
    if ":s3:::" not in destination:
        return
    now = datetime.now(timezone.utc)
    record = {
        "version": "1.0",
        "timestamp": now.isoformat(),
        "requestContext": {"functionArn": f"{function.function_arn}:$LATEST", "condition": "RetriesExhausted"},
        "requestPayload": json.loads(event),
        "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
        "responsePayload": json.loads(output),
    }
    key = f"aws/lambda/async/{function.function_name}/{now:%Y/%m/%d}/{now:%Y-%m-%dT%H.%M.%S}-{uuid.uuid4()}"
    s3_backends[function.account_id][function.partition].put_object(destination.split(":::")[1], key, json.dumps(record).encode())


def calls_of(function: Any) -> list[dict[str, Any]]:
    """Statements of the function's resource policy, which permit invocations."""
    return [each for each in function.policy.statements if each.get("Action") == "lambda:InvokeFunction"]
