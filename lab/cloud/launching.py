"""Launch of an instance by a group: type, subnet and tags.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html
"""

from collections import Counter
from dataclasses import replace

from lab.cloud import instances, launch_failures, purchase, tags, templates, world
from lab.cloud.emulator import ec2
from lab.cloud.groups import Group, Member
from lab.cloud.query import ApiError

RETRY = 15.0
"""Seconds between attempts of a group that cannot launch; AWS waits with growing delays."""
_ASKED = "launch-failure"
"""Code of a failure that was asked for: its message is the whole status message."""


def launch(group: Group) -> bool:
    """Launch one more member; True if the launch began. A failure is an activity and delays the next attempt."""
    count = len(group.launched())
    activity = group.begin(
        "Launching a new EC2 instance",
        f"an instance was started in response to a difference between desired and actual capacity, "
        f"increasing the capacity from {count} to {count + 1}.",
    )
    try:
        member = launch_member(group)
    except ApiError as error:
        activity.close("Failed", refusal(error))
        group.launch_backoff_until = world.now() + RETRY
        return False
    activity.description = f"Launching a new EC2 instance: {member.instance_id}"
    member.activity = activity
    group.members.append(member)
    return True


def refusal(error: ApiError) -> str:
    """Status message of a launch that was refused."""
    return error.message if error.code == _ASKED else f"{error.code}: {error.message}. Launching EC2 instance failed."


def launch_member(group: Group) -> Member:
    """Launch an instance with the group's settings; it is not in the group yet. Raises ``ApiError``."""
    present = []
    for one in _staying(group) if group.mixed else []:
        record = instances.find(one.instance_id)
        present.append((one.instance_type, record is not None and instances.details(record).spot))
    bought = purchase.choose(group.template, group.mixed, present)
    template = templates.resolve(bought.template)
    spec = templates.launch_spec(template.data)
    spec = replace(
        spec,
        instance_type=bought.instance_type or spec.instance_type,
        spot=bought.spot or spec.spot,
        subnet_id=_subnet(group) or spec.subnet_id,
    )
    # Group tags replace those of the template, and AWS adds its own:
    # https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-tagging.html
    spec = spec.with_tags({tag.key: tag.value for tag in group.tags.values() if tag.propagate})
    spec = spec.with_tags(
        {
            "aws:ec2launchtemplate:id": template.template_id,
            "aws:ec2launchtemplate:version": str(template.version),
            tags.GROUP_NAME: group.name,
        }
    )
    failure = launch_failures.of_group(group.name)
    message = failure.message(spec, _zone(spec.subnet_id)) if failure else ""
    if failure and not failure.dies:
        raise ApiError(_ASKED, message)
    record = instances.launch(spec)
    if failure:
        code, _, text = message.partition(": ")
        instances.terminate(record, (code, text))
    return Member(
        instance_id=record["InstanceId"],
        instance_type=record["InstanceType"],
        zone=record["Placement"]["AvailabilityZone"],
        template={
            "LaunchTemplateId": template.template_id,
            "LaunchTemplateName": template.name,
            "Version": str(template.version),
        },
        protected=group.new_instances_protected,
    )


def _zone(subnet: str) -> str:
    return str(ec2._subnets[subnet]["AvailabilityZone"]) if subnet in ec2._subnets else ""


def _subnet(group: Group) -> str:
    """The group's subnet with the fewest members in its zone: Auto Scaling balances the zones."""
    known = [subnet for subnet in group.subnets if subnet in ec2._subnets]
    if group.subnets and not known:
        raise ApiError("InvalidSubnetID.NotFound", f"The subnet IDs {group.subnets} do not exist")
    counted = Counter(one.zone for one in _staying(group))
    return min(known, key=lambda subnet: counted[ec2._subnets[subnet]["AvailabilityZone"]], default="")


def _staying(group: Group) -> list[Member]:
    """The members that count, without one that this launch replaces."""
    return [one for one in group.launched() if one.instance_id != group.leaving]
