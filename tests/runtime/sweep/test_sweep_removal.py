"""Calls for single resources: a resource that is gone is no error, a refusal is one, a group is never removed."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from annex_lease.sweep.removal import mark, remove, unmark
from annex_lease.sweep.resources import ResourceKind, TaggedResource
from annex_lease.sweep.sweeper import SweepError
from tests.runtime.sweep.sweep_cloud import HOUR, Region, annex_tags, refuse

GONE = "99999999-0000-4000-8000-000000000000"
ARN = "arn:aws:{}:us-east-1:123456789012:{}"
NOT_THERE = [
    TaggedResource(ResourceKind.INSTANCE, "i-0123456789abcdef0", {}),
    TaggedResource(ResourceKind.VOLUME, "vol-0123456789abcdef0", {}),
    TaggedResource(ResourceKind.INTERFACE, "eni-0123456789abcdef0", {}),
    TaggedResource(ResourceKind.SECRET, ARN.format("secretsmanager", "secret:token-AbCdEf"), {}),
    TaggedResource(ResourceKind.LOG_GROUP, ARN.format("logs", "log-group:/log/token"), {}),
]


@pytest.mark.parametrize("resource", NOT_THERE, ids=lambda each: each.kind.value)
def test_a_resource_that_is_gone_is_no_error(region: Region, resource: TaggedResource) -> None:
    remove(resource, region.clients)
    mark(resource, region.born, region.clients)
    unmark(resource, region.clients)


def test_a_group_is_ended_and_never_removed(region: Region) -> None:
    with pytest.raises(ValueError, match="group asg cannot be removed; end it instead"):
        remove(TaggedResource(ResourceKind.GROUP, "asg", {}), region.clients)


def test_what_is_refused_is_an_error_and_keeps_nothing_else(region: Region) -> None:
    orphans = region.add_leftovers(annex_tags("a", GONE))
    region.sweep(2 * HOUR)
    refuse(region.clients.ec2, "DeleteVolume")
    with pytest.raises(ClientError, match="AccessDenied"):
        remove(TaggedResource(ResourceKind.VOLUME, orphans["volume"], {}), region.clients)
    with pytest.raises(SweepError, match=f"{orphans['volume']}: .*AccessDenied") as failed:
        region.sweep(3 * HOUR)
    assert len(failed.value.report.errors) == 1
    assert set(orphans.values()) & region.left() == {orphans["volume"]}
