"""Server of package repositories: the files of some directories, by the paths below their host's name.

While the image is built it fetches and keeps what it does not have yet. In a lab it answers for the official hosts:
`python -m lab.package_server --bind HOST:PORT --certificate FILE --key FILE DIRECTORY...`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import ssl
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from urllib.parse import unquote, urlsplit

from annex_lease.stock_images import HTCONDOR_REPOSITORIES

HOSTS = (str(urlsplit(HTCONDOR_REPOSITORIES).hostname), "debian.mirror.lab")
"""Hosts in a lab: the official one of HTCondor's packages, and the mirror that the stock image names."""
FETCH_SECONDS = 60.0


class Upstream:
    """A server where missing files are fetched, and the directory in which they are kept. Clients verify them."""

    def __init__(self, address: str, keep: Path, *, proxy: str = "") -> None:
        """``proxy``: URL of a proxy; "" for none."""
        self._address = address.rstrip("/")
        self._keep = keep
        handler = urllib.request.ProxyHandler({"http": proxy, "https": proxy} if proxy else {})
        self._opener = urllib.request.build_opener(handler)

    def fetch(self, path: str) -> Path | None:
        """Returns the kept file of a path, or None if the server has none."""
        kept = self._keep / path
        kept.parent.mkdir(parents=True, exist_ok=True)
        descriptor, partial = tempfile.mkstemp(dir=kept.parent)
        try:
            with (
                os.fdopen(descriptor, "wb") as file,
                self._opener.open(f"{self._address}/{path}", timeout=FETCH_SECONDS) as answer,
            ):
                shutil.copyfileobj(answer, file)
            Path(partial).chmod(0o644)
            Path(partial).rename(kept)
        except urllib.error.HTTPError as error:
            if error.code == HTTPStatus.NOT_FOUND:
                return None
            raise
        finally:
            Path(partial).unlink(missing_ok=True)
        return kept


class PackageServer:
    """Context in which the directories are served; `port` is the port that was free if ``address`` has port 0."""

    def __init__(
        self,
        directories: Sequence[Path],
        *,
        address: tuple[str, int] = ("127.0.0.1", 0),
        upstream: Upstream | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """``tls``: context for HTTPS; None for HTTP."""
        self._server = ThreadingHTTPServer(address, _handler([each.resolve() for each in directories], upstream))
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        if tls is not None:
            # The handshake is the handler's: it must not keep other clients waiting.
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)

    def serve(self) -> None:
        """Serves until the process ends."""
        self._server.serve_forever()

    def __enter__(self) -> PackageServer:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(directories: Sequence[Path], upstream: Upstream | None) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path).strip("/")
            try:
                found = _found(directories, path) or (upstream.fetch(path) if upstream and _plain(path) else None)
            except (OSError, ValueError) as error:
                return self.send_error(HTTPStatus.BAD_GATEWAY, str(error))
            if found is None:
                return self.send_error(HTTPStatus.NOT_FOUND)
            with found.open("rb") as file:
                self.send_response(HTTPStatus.OK)
                self.send_header("Content-Length", str(os.fstat(file.fileno()).st_size))
                self.end_headers()
                shutil.copyfileobj(file, self.wfile)
            return None

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    return Handler


def _found(directories: Sequence[Path], path: str) -> Path | None:
    found = (directory / path for directory in directories) if _plain(path) else iter(())
    return next((each for each in found if each.is_file()), None)


def _plain(path: str) -> bool:
    return bool(path) and ".." not in path.split("/")


def main() -> None:
    """Serves with TLS until the process is ended."""
    parser = argparse.ArgumentParser(prog="python -m lab.package_server", description=__doc__)
    parser.add_argument("--bind", required=True, metavar="HOST:PORT")
    parser.add_argument("--certificate", required=True, type=Path)
    parser.add_argument("--key", required=True, type=Path)
    parser.add_argument("directories", nargs="*", type=Path)
    given = parser.parse_args()
    host, _, port = given.bind.rpartition(":")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(given.certificate, given.key)
    PackageServer(given.directories, address=(host, int(port)), tls=context).serve()


if __name__ == "__main__":
    main()
