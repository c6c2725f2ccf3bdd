"""Names that AWS publishes with its SDK: instance types and Regions."""

from __future__ import annotations

from typing import Any

from botocore.loaders import Loader


def instance_type_names() -> list[str]:
    """Every instance type that the API of EC2 takes."""
    model: dict[str, Any] = Loader().load_service_model("ec2", "service-2")
    return list(model["shapes"]["InstanceType"]["enum"])


def region_names() -> set[str]:
    """Every Region of every partition."""
    endpoints: dict[str, Any] = Loader().load_data("endpoints")
    return {region for partition in endpoints["partitions"] for region in partition["regions"]}
