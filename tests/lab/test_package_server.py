"""Package server of the lab: files of its directories, and what it fetches and keeps while the image is built."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.package_server import PackageServer, Upstream


@pytest.fixture
def directories(tmp_path: Path) -> list[Path]:
    for name, content in {"first/repo/a": "first", "second/repo/a": "hidden", "second/repo/b": "second"}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    (tmp_path / "secret").write_text("secret")
    return [tmp_path / "first", tmp_path / "second"]


@pytest.fixture
def server(directories: list[Path]) -> Iterator[PackageServer]:
    with PackageServer(directories) as running:
        yield running


def get(server: PackageServer, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body if answer.status == 200 else ""


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/repo/a", 200, "first"),
        ("/repo/b", 200, "second"),
        ("/repo/%62", 200, "second"),
        ("/repo/c", 404, ""),
        ("/repo", 404, ""),
        ("/", 404, ""),
        ("/repo/../../secret", 404, ""),
        ("/%2e%2e/secret", 404, ""),
    ],
)
def test_files_are_found_below_the_directories_only(server: PackageServer, path: str, status: int, body: str) -> None:
    assert get(server, path) == (status, body)


def test_what_is_missing_is_fetched_once_and_kept(server: PackageServer, tmp_path: Path) -> None:
    keep = tmp_path / "keep"
    with PackageServer([keep], upstream=Upstream(f"http://127.0.0.1:{server.port}/", keep)) as recorder:
        assert get(recorder, "/repo/b") == (200, "second")
        assert get(recorder, "/repo/c") == (404, "")
        (tmp_path / "second/repo/b").write_text("changed")
        assert get(recorder, "/repo/b") == (200, "second")
        assert get(recorder, "/repo/../secret") == (404, "")
    assert [path.name for path in keep.rglob("*") if path.is_file()] == ["b"], "nothing partial stays"


def test_an_upstream_that_does_not_answer_is_a_bad_gateway(server: PackageServer, tmp_path: Path) -> None:
    with PackageServer([]) as gone:
        port = gone.port
    with PackageServer([], upstream=Upstream(f"http://127.0.0.1:{port}", tmp_path / "keep")) as recorder:
        assert get(recorder, "/repo/b") == (502, "")
