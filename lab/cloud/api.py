"""The API's ASGI application: the lab's own paths, then MiniStack with the lab's extensions."""

from pathlib import Path

from lab.cloud import (
    admin,
    alarms,
    asynchronous,
    attachment_api,
    authorisation,
    autoscaling_service,
    custom_resources,
    functions,
    instance_api,
    patching,
    provision_functions,
    provision_groups,
    provision_network,
    provision_secrets,
    public_images,
    resource_tags,
    scheduling,
    shared_state,
    stack_api,
    stack_exports,
    termination_api,
)
from lab.cloud.asgi import Receive, Scope, Send, ignore_lifespan
from lab.cloud.emulator import Response, gateway, imds


def extend(endpoint: str, authority: Path) -> None:
    """Check MiniStack, then put every extension in place; once per process.

    Args:
        endpoint: URL under which functions reach the API.
        authority: Certificate (PEM) they must trust.
    """
    patching.verify()
    shared_state.install()
    autoscaling_service.install()
    for part in (instance_api, termination_api, attachment_api):
        part.install()
    authorisation.install()
    functions.install(endpoint, authority)
    asynchronous.install()
    alarms.install()
    custom_resources.install(endpoint)
    scheduling.install()
    for part in (provision_functions, provision_groups, provision_network, provision_secrets):
        part.install()
    for part in (public_images, resource_tags, stack_api, stack_exports):
        part.install()
    imds.handle_request = _no_metadata_here


async def _no_metadata_here(*_: object) -> Response:
    """MiniStack's metadata service describes one instance that does not exist; the lab's has its own listener."""
    return 404, {"Content-Type": "text/plain"}, b"the metadata service is not served here"


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request of any AWS service."""
    if scope["type"] == "http" and str(scope["path"]).startswith("/_lab/"):
        await admin.application(scope, send)
    else:
        await gateway.app(scope, receive, send)


async def second_listener(scope: Scope, receive: Receive, send: Send) -> None:
    """The same application on another listener: MiniStack must be started and stopped only once."""
    if scope["type"] == "lifespan":
        await ignore_lifespan(receive, send)
    else:
        await application(scope, receive, send)
