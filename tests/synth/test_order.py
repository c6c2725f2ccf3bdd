"""Order in which resources are made, and so removed."""

from __future__ import annotations

from typing import Any

from tests.synth.templates import Resources, named, of_type


def references(value: Any) -> set[str]:
    """Logical ids that a value refers to."""
    if isinstance(value, dict):
        found = {value["Ref"]} if isinstance(value.get("Ref"), str) else set()
        if isinstance(value.get("Fn::GetAtt"), list):
            found.add(value["Fn::GetAtt"][0])
        return found.union(*(references(each) for each in value.values()))
    if isinstance(value, list):
        return set().union(*(references(each) for each in value))
    return set()


def needs(resources: Resources) -> dict[str, set[str]]:
    direct = {
        name: (references(each["Properties"]) | set(each.get("DependsOn", []))) & set(resources)
        for name, each in resources.items()
    }
    return {name: closure(name, direct) for name in resources}


def closure(name: str, direct: dict[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    ahead = set(direct[name])
    while ahead:
        each = ahead.pop()
        if each not in reached:
            reached.add(each)
            ahead |= direct[each]
    return reached


def test_the_lease_is_made_last_and_removed_first(resources: Resources) -> None:
    needed = needs(resources)
    (lease,) = of_type(resources, "Custom::AnnexLease")
    # Everything: the schedule and every permission before the first grant, the way out before the first instance. But
    # for the alarm that nothing is checked: it would go off while there is nothing yet that checks.
    alarm = named(resources, "AWS::CloudWatch::Alarm", "Unenforced")
    assert needed[lease] == set(resources) - {lease, alarm}
    assert [name for name, others in needed.items() if lease in others] == [alarm]


def test_the_first_check_finds_everything_it_needs(resources: Resources) -> None:
    (schedule,) = of_type(resources, "AWS::Scheduler::Schedule")
    (lease,) = of_type(resources, "Custom::AnnexLease")
    reporting = {"AWS::CloudWatch::Alarm", "AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "AWS::SNS::Subscription"}
    missing = set(resources) - needs(resources)[schedule] - {schedule, lease}
    assert {resources[name]["Type"] for name in missing} <= reporting


def test_no_instance_can_start_before_its_lease_is_enforced(resources: Resources) -> None:
    # The group is born empty, and the two that can grant it more are made after it, and after each other.
    (group,) = of_type(resources, "AWS::AutoScaling::AutoScalingGroup").values()
    assert (group["Properties"]["MinSize"], group["Properties"].get("DesiredCapacity")) == ("0", None)
    (schedule,) = of_type(resources, "AWS::Scheduler::Schedule")
    (lease,) = of_type(resources, "Custom::AnnexLease")
    needed = needs(resources)
    assert schedule in needed[lease]
    for each in (named(resources, "AWS::Lambda::Function", "LeaseCheckerFunction"), "LeaseCheckerFunctionRole"):
        assert [name for name in needed[schedule] if each in name]


def test_there_is_no_circle(resources: Resources) -> None:
    assert not [name for name, others in needs(resources).items() if name in others]


def test_the_group_waits_for_what_its_instances_may_do(resources: Resources) -> None:
    needed = needs(resources)
    (group,) = of_type(resources, "AWS::AutoScaling::AutoScalingGroup")
    (role,) = (name for name in of_type(resources, "AWS::IAM::Role") if "FleetRole" in name)
    assert role in needed[group]
    function = named(resources, "AWS::Lambda::Function", "LeaseCheckerFunction")
    assert group in needed[function]
    assert function not in needed[group]
