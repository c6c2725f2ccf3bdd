"""Identity of an annex: its name, a unique id, and what cannot change while it exists."""

import hashlib
import json
from typing import cast

from aws_cdk import Fn, Stack, Tags
from aws_cdk import aws_ec2 as ec2
from constructs import Construct, IConstruct

from annex_constructs.errors import invalid_value
from annex_lease.forms import ANNEX_NAME
from annex_lease.tags import TAG_ID, TAG_NAME


def checked_annex_name(owner: str, construct_id: str, annex_name: str | None) -> str:
    """The annex's name; by default the construct's id in lower case.

    :param owner: class of the construct.
    :param construct_id: its id.
    :param annex_name: name given by the caller.
    :raises ValueError: it has another form, as the text of a token has: the name is part of identities in the pool.
    """
    name = construct_id.lower() if annex_name is None else annex_name
    if not isinstance(name, str) or not ANNEX_NAME.matches(name):
        raise invalid_value(
            f"{owner} annex_name",
            received=name,
            allowed=ANNEX_NAME.allowed,
            fix=f'pass annex_name="{ANNEX_NAME.example}"',
        )
    return name


def annex_id(name: str) -> str:
    """The id of the annex of that name in the stack in which it is used: the stack's UUID, a dot and the name.

    It is a token, known at deployment: the last part of arn:PARTITION:cloudformation:REGION:ACCOUNT:stack/NAME/UUID
    (CloudFormation User Guide, "Pseudo parameters reference", AWS::StackId). A stack created again has a new UUID.

    :param name: the annex's name.
    """
    # The name is joined before the split, not after it: a third of the text, and it is on every resource.
    return Fn.select(2, Fn.split("/", Fn.sub(f"${{AWS::StackId}}.{name}")))


def life_scope(parent: IConstruct, name: str, vpc: ec2.IVpc, fleet: Construct | None = None) -> Construct:
    """Scope of the resources that end with one life of an annex; its path depends on the annex's name and VPC.

    With another name or VPC, the resources get other logical ids: CloudFormation makes a new annex, and the checker of
    the old one empties that before it is removed, detached instances included. They could not be changed in place.
    Running instances, instances that the group lost and the token of the pool have the old name. A VPC cannot be
    removed while instances are in it.

    The path's last part has no letter and no digit. The CDK leaves such a part out of the readable beginning of a
    logical id, and it counts in the hash at the end.

    :param parent: the construct whose resources are to be replaced.
    :param name: the annex's name.
    :param vpc: network of the instances.
    :param fleet: the fleet, for resources beside it: with another path it is another fleet. Default: - they are below
        it, or do not depend on it.
    """
    stack = Stack.of(parent)
    path = "" if fleet is None else fleet.node.path.removeprefix(stack.node.path)
    fixed = json.dumps([name, stack.resolve(vpc.vpc_id), path], sort_keys=True)
    number = int(hashlib.sha256(fixed.encode()).hexdigest()[:8], 16)
    part = f"{number:032b}".translate({ord("0"): "-", ord("1"): "_"})
    found = parent.node.try_find_child(part)
    return found if isinstance(found, Construct) else Construct(cast("Construct", parent), part)


def group_arn(stack: Stack, group: str) -> str:
    """ARN of the Auto Scaling group of this exact name, for permissions.

    The middle part is an id that AWS makes up; the name is at the end.

    :param stack: stack in whose account and Region the group is.
    :param group: name of the group; `*`: every group.
    """
    kind = "autoScalingGroup:*:autoScalingGroupName"
    return stack.format_arn(service="autoscaling", resource=kind, resource_name=group)


def check_only_one(kind: type[Construct], scope: Construct, name: str) -> None:
    """Refuse a second annex of a kind and name in a stack: both would have one id and end together.

    :param kind: class of the construct.
    :param scope: the construct that is being made, of that class.
    :param name: its annex's name.
    :raises ValueError: the stack has another one of the name.
    """
    stack = Stack.of(scope)
    for each in stack.node.find_all():
        if _has_name(each, kind, scope, "annex_name", name) and Stack.of(each) is stack:
            raise _used(kind, "annex_name", name, ("in the stack", "in another stack"), each)


def check_only_image(kind: type[Construct], scope: Construct, name: str) -> None:
    """Refuse a second image of a name in an account and Region: resources that have the name can exist once there.

    Stacks whose account or Region is only known at deployment count as one place: `cdk deploy` uses the same for all.

    :param kind: class of the construct.
    :param scope: the construct that is being made, of that class.
    :param name: the image's name.
    :raises ValueError: the app has another one of the name for the account and Region.
    """
    place = (Stack.of(scope).account, Stack.of(scope).region)
    for each in scope.node.root.node.find_all():
        if not _has_name(each, kind, scope, "image_name", name):
            continue
        if (Stack.of(each).account, Stack.of(each).region) == place:
            places = ("in the account and Region", "for another Region")
            raise _used(kind, "image_name", name, places, each)


def _has_name(each: IConstruct, kind: type[Construct], scope: Construct, parameter: str, name: str) -> bool:
    return isinstance(each, kind) and each is not scope and getattr(each, parameter, None) == name


def _used(kind: type[Construct], parameter: str, name: str, places: tuple[str, str], other: IConstruct) -> ValueError:
    where, elsewhere = places
    return invalid_value(
        f"{kind.__name__} {parameter}",
        received=name,
        allowed=f"a name that is not used {where}; {other.node.path} uses it",
        fix=f"pass another {parameter}, or make one of the two {elsewhere}",
    )


def portable_annex_id(stack: Stack, name: str) -> str:
    """The id of an annex for use in any stack of the app: other stacks import it.

    It has the value of `annex_id`, which is shorter and right in the annex's own stack only.

    :param stack: the annex's stack.
    :param name: the annex's name.
    """
    return Fn.join(".", [Fn.select(2, Fn.split("/", stack.stack_id)), name])


def tag_annex(scope: Construct, name: str, annex_id: str) -> None:
    """Tag all resources below a construct with the annex that they belong to.

    :param scope: the construct.
    :param name: the annex's name.
    :param annex_id: the annex's id.
    """
    Tags.of(scope).add(TAG_NAME, name)
    Tags.of(scope).add(TAG_ID, annex_id)
