"""The API's actions on warm pools.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-warm-pools.html
"""

from typing import Any

from lab.cloud import groups, warm_pool
from lab.cloud.group_api import Result, page
from lab.cloud.group_view import member_view, warm_pool_view
from lab.cloud.groups import Group, WarmPool
from lab.cloud.query import ApiError, flag, integer

_STATES = ("Stopped", "Running", "Hibernated")


def put(request: dict[str, Any]) -> Result:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutWarmPool.html."""
    group = groups.get(str(request.get("AutoScalingGroupName") or ""))
    state = str(request.get("PoolState") or "Stopped")
    if state not in _STATES:
        raise ApiError("ValidationError", f"PoolState must be one of {_STATES}, received '{state}'")
    if group.warm_pool is not None and group.warm_pool.deleting:
        raise ApiError("ResourceContention", f"The warm pool of {group.name} is being deleted", 500)
    prepared = integer(request, "MaxGroupPreparedCapacity")
    # "To remove a value that you previously set, include the property but specify -1"
    group.warm_pool = WarmPool(state, integer(request, "MinSize", 0) or 0, None if prepared == -1 else prepared)
    warm_pool.reconcile(group)
    return {}


def describe(request: dict[str, Any]) -> Result:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeWarmPool.html."""
    group = groups.get(str(request.get("AutoScalingGroupName") or ""))
    shown = page(group.warm, request, "Instances", member_view, default=50, most=50)
    return {**shown, "WarmPoolConfiguration": warm_pool_view(group.warm_pool) if group.warm_pool else None}


def delete(request: dict[str, Any]) -> Result:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DeleteWarmPool.html.

    Raises:
        ApiError: ValidationError without a pool (the API's reference names no error for it); ResourceInUse for
            a pool with instances, without force.
    """
    group = groups.get(str(request.get("AutoScalingGroupName") or ""))
    _exists(group)
    if group.warm and not flag(request.get("ForceDelete")):
        raise ApiError("ResourceInUse", f"The warm pool of {group.name} has {len(group.warm)} instances: use force")
    warm_pool.delete(group)
    return {}


def _exists(group: Group) -> None:
    if group.warm_pool is None:
        raise ApiError("ValidationError", f"No warm pool found for Auto Scaling group {group.name}")
