"""A server for the names of Amazon EC2 Auto Scaling and Amazon S3.

It answers requests whose signature AWS's own library finds right. Arguments: certificate, key, file for the accepted
requests, the number of requests to refuse before them, and the file that S3 has.
"""

from __future__ import annotations

import ssl
import sys
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.boot.metadata_service import KEY, REGION

REFUSALS = [int(sys.argv[4])] if len(sys.argv) > 4 else [0]


class Service(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        right = self.expected(body) == self.headers["Authorization"]
        refused = REFUSALS[0] > 0
        REFUSALS[0] -= 1
        if right and not refused:
            with Path(sys.argv[3]).open("ab") as accepted:
                accepted.write(self.headers["Host"].encode() + b" " + body + b"\n")
        self.send_response(500 if refused else 200 if right else 403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        """An object of Amazon S3."""
        right = self.expected(b"") == self.headers["Authorization"]
        content = Path(sys.argv[5]).read_bytes() if right else b""
        if right:
            with Path(sys.argv[3]).open("ab") as accepted:
                accepted.write(f"{self.headers['Host']} {self.path}\n".encode())
        self.send_response(200 if right else 403)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def expected(self, body: bytes) -> str:
        moment = datetime.strptime(self.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        setattr(botocore.auth, "get_current_datetime", lambda *_: moment)  # noqa: B010  typed without it
        signed = ("Content-Type", "X-Amz-Content-SHA256")
        kept = {name: self.headers[name] for name in signed if name in self.headers}
        request = AWSRequest(self.command, f"https://{self.headers['Host']}{self.path}", data=body, headers=kept)
        credentials = Credentials(KEY["AccessKeyId"], KEY["SecretAccessKey"], KEY["Token"])
        service = self.headers["Host"].partition(".")[0]
        signer = botocore.auth.S3SigV4Auth if service == "s3" else botocore.auth.SigV4Auth
        signer(credentials, service, REGION).add_auth(request)
        return str(request.headers["Authorization"])

    def log_message(self, format: str, *args: object) -> None:
        """Keep the scenario's output to its findings."""


if __name__ == "__main__":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    server = HTTPServer(("10.9.0.1", 443), Service)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()
