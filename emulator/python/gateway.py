"""Every request passes here: refused as AWS would, answered by a fake, or handed to moto and its answer amended."""

from __future__ import annotations

import json
import sys
import threading
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import state
from call import Call, Refused, identify, read
from fakes import FAKES, Fake
from leftovers import leftovers
from moto.core.exceptions import ServiceException
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from refusals import REFUSALS, Refusal
from services import ecs
from werkzeug.wrappers import Request, Response

Operation = tuple[str, str]


class Gateway:
    """The WSGI application."""

    def __init__(self) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._lock = threading.RLock()
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
        if request.path.startswith("/antifragile/"):
            return self._control(request)(environ, start_response)
        if request.path == "/moto-api/reset":
            state.reset()
            return Response(json.dumps({"status": "ok"}), content_type="application/json")(environ, start_response)
        # Cached, so that moto can read the body again.
        body = request.get_data(cache=True, parse_form_data=False)
        environ["wsgi.input"] = _stream(body)
        known = identify(Request({**environ, "wsgi.input": _stream(body)}))
        if known is None:
            return self._moto(environ, start_response)
        service, region, operation = known
        refusals, fakes = self._refusals[service, operation], self._fakes[service, operation]
        if not refusals and not fakes:
            return self._moto(environ, start_response)
        call = read(Request({**environ, "wsgi.input": _stream(body)}), service, region, operation)
        response = self._answer(call, refusals, fakes, environ)
        return response(environ, start_response)

    def _answer(self, call: Call, refusals: list[Refusal], fakes: list[Fake], environ: dict[str, Any]) -> Response:
        with self._lock:
            try:
                for refusal in refusals:
                    refusal.check(call)
                for fake in fakes:
                    if fake.answer:
                        return call.reply(fake.answer(call))
            except ServiceException as error:
                print(f"refused {call.service} {call.operation}: {error}", flush=True)
                return call.reply(error)
            except Exception:
                traceback.print_exc()
                return call.reply(Refused("InternalFailure", f"the emulator failed: {sys.exc_info()[1]!r}"))
        response = Response.from_app(self._moto, environ, buffered=True)
        amends = [fake.amend for fake in fakes if fake.amend]
        if amends and response.status_code < 300:
            self._amend(call, response, amends)
        return response

    def _amend(self, call: Call, response: Response, amends: list[Callable[[Call, dict[str, Any]], None]]) -> None:
        body = call.read_reply(response)
        if body is None:
            return
        with self._lock:
            for amend in amends:
                amend(call, body)
        response.set_data(json.dumps(body))

    def _control(self, request: Request) -> Response:
        """The emulator's own endpoints."""
        path = request.path.removeprefix("/antifragile/")
        said = request.get_json(silent=True) or {}
        with self._lock:
            if path == "health":
                answer: Any = {"status": "ok"}
            elif path == "leftovers":
                answer = leftovers()
            elif path == "reset" and request.method == "POST":
                state.reset()
                answer = {"status": "ok"}
            elif path == "roll-back-next" and request.method == "POST":
                ecs.roll_back_next(said["cluster"], said["service"], said.get("reason"), said.get("stoppedReason"))
                answer = {"status": "ok"}
            else:
                return Response(f"no such endpoint: {request.method} {request.path}\n", status=404)
        return Response(json.dumps(answer), content_type="application/json")


def _stream(body: bytes) -> Any:
    import io

    return io.BytesIO(body)
