"""Annexes that share a network, as the stacks of an app."""

from __future__ import annotations

from typing import Any

from aws_cdk import App

from annex_spec import AnnexSpec, PoolSpec
from stacks import AnnexStack, network_stacks
from tests.synth.templates import OWN_NETWORK, Resources, of_type

SHARED = {**OWN_NETWORK, "vpc": "shared"}
POOL = PoolSpec(collector="cm.example.edu", trust_domain="example.edu")
NETWORK = "AnnexNetwork-us-east-1"


def specs(*changes: dict[str, Any]) -> list[AnnexSpec]:
    """Annexes that share a network, one for each of the changes."""
    return [AnnexSpec.model_validate({**SHARED, "name": f"n{n}", **each}) for n, each in enumerate(changes)]


def made(app: App, annexes: list[AnnexSpec], pool: PoolSpec = POOL) -> dict[str, AnnexStack]:
    """The stacks of the annexes and of their networks, as the app makes them."""
    networks = network_stacks(app, pool, annexes)
    return {each.name: AnnexStack(app, pool=pool, annex=each, network=networks.get(each.name)) for each in annexes}


def template(app: App, stack: str) -> dict[str, Any]:
    return dict(app.synth().get_stack_artifact(stack).template)


def resources_of(app: App, stack: str) -> Resources:
    return dict(template(app, stack)["Resources"])


def of_subnets(resources: Resources) -> list[dict[str, Any]]:
    return list(of_type(resources, "AWS::EC2::Subnet").values())
