"""An instance metadata service, version 2, with the facts that the boot files read; run on the execution point.

It serves a notice of a spot interruption while the current directory has a file `notice`.
"""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

REGION = "us-east-1"
KEY = {"AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": "secret+/example", "Token": "token+/=="}
NOTICE = "/latest/meta-data/spot/instance-action"
FACTS = {
    "/latest/meta-data/instance-id": "i-0abc",
    "/latest/meta-data/placement/region": REGION,
    "/latest/meta-data/services/domain": "amazonaws.com",
    "/latest/meta-data/iam/security-credentials/": "role",
    "/latest/meta-data/iam/security-credentials/role": json.dumps(KEY),
    "/latest/meta-data/tags/instance/aws:autoscaling:groupName": "Annex-demo-Group-1",
}


class Service(BaseHTTPRequestHandler):
    def do_PUT(self) -> None:
        self.reply(200, "session")

    def do_GET(self) -> None:
        if self.headers.get("X-aws-ec2-metadata-token") != "session":
            self.reply(401, "")
        elif self.path == NOTICE and Path("notice").exists():
            self.reply(200, Path("notice").read_text())
        elif self.path in FACTS:
            self.reply(200, FACTS[self.path])
        else:
            self.reply(404, "")

    def reply(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Keep the scenario's output to its findings."""


if __name__ == "__main__":
    HTTPServer(("169.254.169.254", 80), Service).serve_forever()
