"""Start the emulator: `python3 emulator/python [port]`.

Prints one line of JSON with its port when it answers; what follows goes to standard error, with moto's own log. Ends when
standard input ends, so that it never outlives the process that started it.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading


def end_with_parent() -> None:
    while sys.stdin.buffer.read(1):
        pass
    os._exit(0)


def main() -> None:
    # Ctrl-C reaches every process of a terminal, and Terraform needs the server until it has stopped in good order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    listener = socket.create_server(("127.0.0.1", port), backlog=128)
    port = listener.getsockname()[1]
    os.environ["MOTO_PORT"] = str(port)  # moto calls itself there
    os.environ.setdefault("MOTO_ACM_VALIDATION_WAIT", "1")

    from gateway import Gateway
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        """The gateway logs each call by its AWS name."""

        def log_request(self, *_: object) -> None:
            pass

    server = make_server("127.0.0.1", port, Gateway(), threaded=True, fd=listener.fileno(), request_handler=Quiet)
    print(json.dumps({"port": port}), flush=True)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    threading.Thread(target=end_with_parent, daemon=True).start()
    server.serve_forever()


main()
