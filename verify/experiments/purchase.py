"""Replacement of running instances by EC2 Auto Scaling at a change between spot and on-demand.

CloudFormation's page says that new instances are launched first. The EC2 Auto Scaling User Guide counts the same event
as rebalancing, which an instance maintenance policy bounds. That of an annex allows no more than its desired capacity.
"""

from __future__ import annotations

from typing import Any

from verify.experiment import Experiment
from verify.experiments.launches import counts, lines
from verify.outcome import NotRunError, Seen
from verify.scene import Scene

_FLEET_SECONDS = 180.0


def in_service(scene: Scene) -> bool:
    """True if annex a has as many instances in service as its group wants."""
    group = scene.group("a")
    states = [each["LifecycleState"] for each in group["Instances"]]
    return len(states) == group["DesiredCapacity"] and set(states) == {"InService"}


def purchase_option(scene: Scene) -> Seen:
    """Raise the on-demand base of a group with a running spot instance, and look what it launches and ends."""
    instance = scene.start("a")
    if scene.instance(instance).get("InstanceLifecycle") != "spot":
        raise NotRunError("the running instance is not a spot instance")
    scene.wait_for(
        "whole fleet in service", _FLEET_SECONDS, lambda: in_service(scene), otherwise=lambda: scene.failed("a")
    )
    group, before = scene.group("a"), {each["ActivityId"] for each in scene.activities("a")}
    policy = {**group["MixedInstancesPolicy"]}
    policy["InstancesDistribution"] = {**policy["InstancesDistribution"], "OnDemandBaseCapacity": 1}
    template = dict(policy["LaunchTemplate"]["LaunchTemplateSpecification"])
    template.pop("LaunchTemplateName", None)  # AWS takes the id or the name
    policy["LaunchTemplate"] = {**policy["LaunchTemplate"], "LaunchTemplateSpecification": template}
    client: Any = scene.account.aws.autoscaling
    client.update_auto_scaling_group(AutoScalingGroupName=group["AutoScalingGroupName"], MixedInstancesPolicy=policy)

    def new() -> list[dict[str, Any]]:
        return [each for each in scene.activities("a") if each["ActivityId"] not in before]

    def replaced() -> bool:
        launched, ended = counts(new())
        return launched > 0 and ended > 0

    scene.watch(scene.options.watch_seconds, replaced)
    seen = new()
    launched, ended = counts(seen)
    first = str(seen[0]["Description"]).split(" ", 1)[0].lower() if seen else "nothing"
    text = f"{launched} launches, {ended} terminations within {scene.options.watch_seconds:.0f} s, first: {first}"
    return Seen(launched == ended == 1 and first == "terminating", text, lines(seen))


EXPERIMENTS = (
    Experiment(
        4,
        "purchase option",
        "a higher on-demand base replaces a running spot instance, and the maintenance policy ends the old one first",
        "EC2 Auto Scaling User Guide, 'Instance maintenance policy for Auto Scaling group'; AWS CloudFormation "
        "Template Reference, AWS::AutoScaling::AutoScalingGroup InstancesDistribution",
        5,
        purchase_option,
    ),
)
