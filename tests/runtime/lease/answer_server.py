"""A server on loopback in the place of CloudFormation's pre-signed address."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

STACK = {"StackId": "arn:aws:cloudformation:stack", "RequestId": "r-1", "LogicalResourceId": "Lease"}


class AnswerServer:
    """Takes PUT requests on loopback. `statuses` are answered in turn, 200 after them; None hangs up instead."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.content_types: list[str | None] = []
        self.statuses: list[int | None] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.bodies.append(body)
                outer.content_types.append(self.headers.get("Content-Type"))
                status = outer.statuses.pop(0) if outer.statuses else 200
                if status is None:
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/answer?signature=x"

    @property
    def answer(self) -> dict[str, object]:
        """The only answer that was given."""
        assert len(self.bodies) == 1
        found: dict[str, object] = json.loads(self.bodies[0])
        return found

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def request(answers: AnswerServer, kind: str, physical_id: str | None = "lease-of-pa") -> dict[str, str]:
    event = {"RequestType": kind, "ResponseURL": answers.url, **STACK}
    return event if kind == "Create" or physical_id is None else {**event, "PhysicalResourceId": physical_id}
