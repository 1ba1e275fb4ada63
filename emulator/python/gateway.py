"""Entry point of every request: refused as by AWS, answered by a fake, or passed to moto and its answer amended."""

from __future__ import annotations

import io
import json
import re
import sys
import time
import traceback
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

import callers
import state
import validation
from call import Account, Call, Refused, read
from fakes import FAKES, Fake
from identify import identify
from leftovers import leftovers
from model_exceptions import EXCEPTIONS
from moto.core.exceptions import ServiceException
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from record import record
from refusals import REFUSALS, Refusal
from relay import relay
from rules import FAMILIES as FAMILIES  # importing them fills the table
from services import agent, ecs, one_off, simulation
from werkzeug.wrappers import Request, Response

Operation = tuple[str, str]

FOLLOWED = ("ecs", "elbv2")
"""Services whose changes are counted, for the agent that follows them."""

REMEMBERED_ANSWERS = 1000
"""Answers that are kept for attempts that repeat a call."""


class Gateway:
    """The WSGI application."""

    def __init__(self) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._answers: OrderedDict[str, Response] = OrderedDict()
        self._changes = 0
        self._refusals: defaultdict[Operation, list[Refusal]] = defaultdict(list)
        self._fakes: defaultdict[Operation, list[Fake]] = defaultdict(list)
        for refusal in REFUSALS:
            for operation in refusal.operations:
                self._refusals[refusal.service, operation].append(refusal)
        for fake in FAKES:
            for operation in fake.operations:
                self._fakes[fake.service, operation].append(fake)
            if fake.patch:
                fake.patch()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ)
        request.max_form_memory_size = None
        if request.path == "/antifragile/call":
            return relay(request)(environ, start_response)
        if request.path.startswith("/antifragile/"):
            return self._control(request)(environ, start_response)
        if request.path == "/moto-api/reset":
            with state.LOCK:
                state.reset()
            return Response(json.dumps({"status": "ok"}), content_type="application/json")(environ, start_response)
        # Moto reads the body again.
        body = request.get_data(cache=True, parse_form_data=False)
        key = re.search(r"Credential=([^/]+)/", request.headers.get("Authorization", ""))
        access_key = key[1] if key else ""
        # Moto knows the accounts of sessions only.
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = callers.call_with(access_key)
        environ["wsgi.input"] = _stream(body)
        known = identify(Request({**environ, "wsgi.input": _stream(body)}))
        if known is None:
            if request.headers.get("Authorization"):
                print(f"not checked, for its operation is unknown: {request.method} {request.full_path}", flush=True)
            with state.LOCK:
                response = Response.from_app(self._moto, environ, buffered=True)
                record(callers.known_as(access_key), request, None, response)
            return response(environ, start_response)
        service, region, operation = known
        start_response = _logged(start_response, f"{region} {service} {operation}")
        call = read(Request({**environ, "wsgi.input": _stream(body)}), service, region, operation)
        # One call at a time: moto reads its dictionaries while it changes others, and fails if another thread does too.
        with state.LOCK:
            if callers.may_reach(call):
                environ["HTTP_X_MOTO_ACCOUNT_ID"] = callers.account_id()
                response = self._answer_once(call, environ, request.headers.get("amz-sdk-invocation-id"))
            else:
                response = call.reply(Refused("AccessDeniedException", f"not authorized to perform {service}:{call.operation}, for no resource-based policy allows it"))
            record(callers.known_as(access_key), request, call, response)
        return response(environ, start_response)

    def _answer_once(self, call: Call, environ: dict[str, Any], invocation: str | None) -> Response:
        """The answer of a call's first attempt, also for its later ones, which AWS's SDKs make if the connection broke."""
        if call.reads:
            return self._answer(call, environ)
        if call.service in FOLLOWED:
            self._changes += 1
        if invocation is None:
            return self._answer(call, environ)
        if invocation in self._answers:
            print(f"answered before: {call.service} {call.operation}", flush=True)
            return self._answers[invocation]
        response = self._answer(call, environ)
        if response.status_code < 300:
            self._answers[invocation] = response
            if len(self._answers) > REMEMBERED_ANSWERS:
                self._answers.popitem(last=False)
        return response

    def _answer(self, call: Call, environ: dict[str, Any]) -> Response:
        refusals, fakes = self._refusals[call.service, call.operation], self._fakes[call.service, call.operation]
        try:
            validation.check(call)
            for refusal in refusals:
                refusal.check(call)
            for fake in fakes:
                result = fake.answer(call) if fake.answer else None
                if result is not None:
                    return call.reply(result)
        except ServiceException as error:
            print(f"refused {call.service} {call.operation}: {error}", flush=True)
            return call.reply(error)
        except Exception:
            traceback.print_exc()
            return call.reply(Refused("InternalFailure", f"the emulator failed: {sys.exc_info()[1]!r}"))
        response = Response.from_app(self._moto, environ, buffered=True)
        amends = [fake.amend for fake in fakes if fake.amend]
        if not amends or response.status_code >= 300:
            return response
        result = call.read_reply(response)
        for amend in amends:
            amend(call, result)
        return call.reply(result)

    def _control(self, request: Request) -> Response:
        """The emulator's own endpoints."""
        path = request.path.removeprefix("/antifragile/")
        fields = request.get_json(silent=True) or {}
        with state.LOCK:
            if path == "health":
                answer: Any = {"status": "ok", "changes": self._changes}
            elif path == "connect-agent" and request.method == "POST":
                agent.connect()
                answer = {"status": "ok"}
            elif path == "leftovers":
                answer = leftovers()
            elif path == "fakes":
                shown = ("service", "operations", "what", "moto")
                answer = [{name: getattr(each, name) for name in shown} for each in FAKES]
            elif path == "refusals":
                shown = ("id", "service", "operations", "code", "message", "source")
                answer = [
                    {**{name: getattr(each, name) for name in shown}, "byMoto": each.rule is None} for each in REFUSALS
                ]
            elif path == "model-exceptions":
                answer = [{**asdict(each), "needed": validation.is_needed(each)} for each in EXCEPTIONS]
            elif path == "reset" and request.method == "POST":
                state.reset()
                answer = {"status": "ok"}
            elif path == "roll-back-next" and request.method == "POST":
                ecs.roll_back_next(fields)
                answer = {"status": "ok"}
            elif path == "simulate" and request.method == "POST":
                try:
                    answer = simulation.simulate(Account(fields.get("region", "us-east-1")), fields)
                except (simulation.UnknownChange, KeyError, ServiceException) as error:
                    return Response(f"cannot simulate {fields}: {error}\n", status=400)
            elif path == "end-next-task" and request.method == "POST":
                one_off.end_next_task(fields)
                answer = {"status": "ok"}
            else:
                return Response(f"no such endpoint: {request.method} {request.path}\n", status=404)
        return Response(json.dumps(answer), content_type="application/json")


def _logged(start_response: Callable[..., Any], what: str) -> Callable[..., Any]:
    def start(status: str, *rest: Any) -> Any:
        print(f"{time.strftime('%H:%M:%S')} {what} {status.split()[0]}", flush=True)
        return start_response(status, *rest)

    return start


def _stream(body: bytes) -> io.BytesIO:
    return io.BytesIO(body)
