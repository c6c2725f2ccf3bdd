"""Access to the metadata service from the instances' own addresses, in a namespace where all of 10/8 is local."""

import http.client
from typing import Any

from .driving import Cloud, Inside, eventually

SETUP = 'ip link set lo up && ip address add 10.0.0.1/8 dev lo && exec "$@"'
USER_DATA = b"\x1f\x8b\x00 raw bytes, not text \xff\n"
Reply = tuple[int, bytes]


class Site:
    """A cloud in a namespace of its own, a group in it, and requests from its instances."""

    def __init__(self, cloud: Cloud, inside: Inside) -> None:
        self.cloud, self.inside = cloud, inside

    def call(self, service: str, action: str, **arguments: Any) -> Any:
        return self.inside(lambda: getattr(self.cloud.client(service), action)(**arguments))

    def request(self, address: str, method: str, path: str, headers: dict[str, str] | None = None) -> Reply:
        def send() -> Reply:
            connection = http.client.HTTPConnection(
                "127.0.0.1", self.cloud.metadata_port, timeout=10, source_address=(address, 0)
            )
            connection.request(method, path, headers=headers or {})
            answer = connection.getresponse()
            body = answer.read()
            connection.close()
            return answer.status, body

        return self.inside(send)

    def token(self, address: str) -> str:
        status, body = self.request(
            address, "PUT", "/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds": "21600"}
        )
        assert status == 200
        return body.decode()

    def get(self, address: str, path: str) -> Reply:
        return self.request(address, "GET", path, {"X-aws-ec2-metadata-token": self.token(address)})

    def text(self, address: str, path: str) -> str:
        status, body = self.get(address, path)
        assert status == 200, (path, status, body)
        return body.decode()


def instances_of(site: Site, name: str) -> list[dict[str, Any]]:
    filters = [{"Name": "tag:aws:autoscaling:groupName", "Values": [name]}]
    filters.append({"Name": "instance-state-name", "Values": ["running"]})

    def found() -> list[dict[str, Any]]:
        parts = site.call("ec2", "describe_instances", Filters=filters)["Reservations"]
        return [one for part in parts for one in part["Instances"]]

    eventually(lambda: len(found()) == 2)
    return found()
