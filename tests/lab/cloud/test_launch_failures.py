"""Launches can be made to fail in the ways of AWS, with AWS's words, and the project has advice for each of them."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from annex_lease.launch_advice import KINDS
from lab.cloud.launch_failures import KNOWN

from .conftest import Group
from .driving import Cloud, eventually

Make = Callable[..., Group]
# The kind of advice that each has; the lab has more ways than one for some.
KIND_OF = {
    **{"spot-capacity": "capacity", "image-disabled": "image-unavailable", "key-state": "key"},
    **{"security-group-gone": "network-gone", "subnet-gone": "network-gone"},
}


@pytest.fixture
def ask(cloud: Cloud) -> Iterator[Callable[..., Any]]:
    def asked(**query: str) -> Any:
        return cloud.get(f"/_lab/launches?{urlencode(query)}", "POST")

    yield asked
    for group in json.loads(cloud.get("/_lab/launches").data)["failing"]:
        assert asked(group=group).status == 200


def ended(made: Group) -> list[dict[str, Any]]:
    """Activities of launches that are over, the newest first."""
    found = made.call("describe_scaling_activities")["Activities"]
    return [one for one in found if one["Description"].startswith("Launching") and "EndTime" in one]


@pytest.mark.parametrize("name", KNOWN)
def test_a_launch_fails_with_the_words_of_aws(group: Make, ask: Callable[..., Any], name: str) -> None:
    made = group()
    assert ask(fail=name, group=made.name).status == 200
    made.call("set_desired_capacity", DesiredCapacity=1)
    eventually(lambda: ended(made), f"{name} is an activity")
    failed = ended(made)[0]
    message = failed["StatusMessage"]
    start = "Instance became unhealthy while waiting for instance to be in InService state. Termination Reason: "
    if KNOWN[name].dies:
        assert (failed["StatusCode"], message.removeprefix(start)) == ("Cancelled", KNOWN[name].text)
    else:
        assert failed["StatusCode"] == "Failed"
        assert message.endswith(" Launching EC2 instance failed.")
    assert failed["Description"].endswith(f".  Status Reason: {message}")
    assert "{" not in message.replace("{1,255}", ""), "the launch's own type, zone, image and subnet are in it"
    assert [each.kind for each in KINDS if each.fits(message)][:1] == [KIND_OF.get(name, name)]
    assert made.ids() == []


def test_every_failure_that_is_asked_for_ends_again(cloud: Cloud, group: Make, ask: Callable[..., Any]) -> None:
    made, other = group(), group()
    assert ask(fail="capacity", group=made.name).status == 200
    made.call("set_desired_capacity", DesiredCapacity=1)
    other.desire(1)
    eventually(lambda: ended(made))
    assert "c6a.large capacity in the Availability Zone you requested (us-east-1" in ended(made)[0]["StatusMessage"]
    assert ask(group=made.name).status == 200
    cloud.advance(20)
    made.await_ids(1)
    assert ended(made)[0]["StatusCode"] == "Successful"


def test_one_failure_of_every_group(cloud: Cloud, group: Make, ask: Callable[..., Any]) -> None:
    assert ask(text="Nothing starts today.").status == 200
    made = group()
    made.call("set_desired_capacity", DesiredCapacity=1)
    eventually(lambda: ended(made))
    assert ended(made)[0]["StatusMessage"] == "Nothing starts today. Launching EC2 instance failed."
    shown = json.loads(cloud.get("/_lab/launches").data)
    assert shown == {"known": sorted(KNOWN), "failing": {"": "Nothing starts today."}}
    assert ask().status == 200
    cloud.advance(20)
    made.await_ids(1)


def test_an_unknown_failure_is_refused(ask: Callable[..., Any]) -> None:
    answer = ask(fail="moon")
    assert answer.status == 400
    assert "capacity" in json.loads(answer.data)["error"]


def test_no_launch_fails_that_was_not_asked_to(cloud: Cloud, group: Make) -> None:
    assert json.loads(cloud.get("/_lab/launches").data)["failing"] == {}
    assert group().desire(1)
