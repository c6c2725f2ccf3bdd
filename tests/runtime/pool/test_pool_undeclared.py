"""An annex that is deployed and was removed from the spec file, or declared elsewhere: it can be seen and stopped."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from tests.runtime.pool.pool_world import World, aws, deploy, start

REAL_CALL = BaseClient._make_api_call  # type: ignore[attr-defined]
NOTE = "note: annex old is not declared by "


def deploy_old(world: World) -> None:
    """Annex old, with three instances; the spec file declares demo and demo2 only."""
    deploy("old", annex_id="u-u-i-d.old")
    aws().secretsmanager.put_secret_value(SecretId="secret-old", SecretString="token")
    aws().autoscaling.update_auto_scaling_group(AutoScalingGroupName="Group-old", DesiredCapacity=3)
    assert len(world.group("old")["Instances"]) == 3  # type: ignore[arg-type]


@pytest.mark.parametrize("where", [(), ("--region", "us-east-1")])
def test_it_is_shown_and_stopped(world: World, where: tuple[str, ...]) -> None:
    deploy_old(world)
    deploy("demo")
    shown = world.annex("status", "old", "--json", *where)
    assert (shown.exit_code, json.loads(shown.out)["name"]) == (0, "old")
    assert len(json.loads(shown.out)["instances"]) == 3
    assert shown.err.startswith(NOTE)
    assert shown.err.endswith("annexes.toml; the one in us-east-1 is meant\n")
    assert shown.err.count("\n") == 1
    done = world.annex("stop", "old", *where)
    assert done.exit_code == 0
    assert NOTE in done.err
    assert "old: no instance is left" in done.out
    assert world.group("old")["Instances"] == []


@pytest.mark.parametrize("where", [(), ("--region", "us-east-1")])
def test_its_instances_without_a_group_are_stopped(world: World, where: tuple[str, ...]) -> None:
    ids = start({"annex:name": "old", "annex:id": "u-u-i-d.old"}, 2)
    assert world.annex("status", "old", *where).exit_code == 1
    assert world.annex("stop", "old", *where).exit_code == 0
    described = aws().ec2.describe_instances(InstanceIds=ids)["Reservations"]
    assert {each["State"]["Name"] for one in described for each in one["Instances"]} == {"terminated"}


def test_what_is_left_of_it_is_listed(world: World) -> None:
    deploy_old(world)
    done = world.annex("leftovers", "old", "--json")
    assert done.exit_code == 1
    data = json.loads(done.out)
    assert data["annexes"] == ["old"]
    assert {"Auto Scaling group", "instance"} <= {each["kind"] for each in data["leftovers"]}
    assert NOTE in done.err
    everything = world.annex("leftovers", "--all")
    assert everything.exit_code == 1
    assert NOTE in everything.err
    assert "annex demo " not in everything.err
    # A name that nothing carries may be a typing error, and is no proof; --region says that it is meant.
    typed = world.annex("leftovers", "older", "--json")
    assert (typed.exit_code, typed.out) == (2, "")
    assert "annex older is not declared in " in typed.err
    other = world.annex("leftovers", "older", "--json", "--region", "us-east-1")
    assert (other.exit_code, json.loads(other.out)["nothing_left"]) == (0, True)
    assert "note: annex older is not declared by " in other.err


def test_a_region_that_the_spec_does_not_name_is_searched_too(world: World) -> None:
    aws("eu-west-1").secretsmanager.create_secret(Name="secret-old", Tags=[{"Key": "annex:name", "Value": "old"}])
    for words, regions in (((), list(world.enabled)), (("--region", "eu-west-1"), ["eu-west-1"])):
        done = world.annex("leftovers", "old", "--json", *words)
        assert done.exit_code == 1
        data = json.loads(done.out)
        assert (data["regions"], data["all_regions"]) == (regions, not words)
        assert [(each["region"], each["kind"]) for each in data["leftovers"]] == [("eu-west-1", "secret")]
    elsewhere = world.annex("leftovers", "old", "--region", "us-east-1", "--region", "us-west-2")
    assert elsewhere.exit_code == 0
    assert "in us-east-1, us-west-2; no other Region was searched" in elsewhere.out


def test_status_of_all_names_it(world: World) -> None:
    deploy_old(world)
    deploy("demo")
    alone = world.annex("status")
    assert "old" not in alone.out + alone.err
    done = world.annex("status", "--all")
    assert done.exit_code == 0
    assert [line.split()[0] for line in done.out.splitlines()[1:4]] == ["demo", "demo2", "old"]
    assert done.err.count("note:") == 1
    listed = json.loads(world.annex("status", "--all", "--json").out)
    assert [each["name"] for each in listed] == ["demo", "demo2", "old"]


def test_a_declared_annex_in_another_region_than_the_declared_one(world: World) -> None:
    """The Region in the file was changed after the deployment: the file's own annex is the one that is declared."""
    deploy("demo")
    there = world.annex("status", "demo", "--region", "eu-west-1", "--json")
    assert (there.exit_code, json.loads(there.out)["phase"]) == (0, "not deployed")
    assert "note: annex demo is declared in us-east-1 by " in there.err
    here = world.annex("status", "demo", "--region", "us-east-1", "--json")
    assert (here.exit_code, json.loads(here.out)["phase"], here.err) == (0, "waiting", "")


@pytest.mark.parametrize("verb", ["stop", "status"])
def test_a_name_that_is_neither_declared_nor_deployed(world: World, verb: str) -> None:
    deploy_old(world)
    done = world.annex(verb, "olds")
    assert (done.exit_code, done.out) == (2, "")
    assert "annex olds is not declared in " in done.err
    assert "(allowed: demo, demo2), and AWS lists none of this name in eu-west-1, us-east-1, us-west-2" in done.err
    assert "; deployed there: old: did you mean old (deployed in us-east-1, stack Annex-old)?" in done.err
    assert "--region" in done.err


@pytest.mark.parametrize("verb", ["stop", "status", "leftovers"])
@pytest.mark.parametrize("name", ["Old", "o*", "", "-x y", "é" * 40])
def test_a_name_that_no_annex_can_have(world: World, verb: str, name: str) -> None:
    done = world.annex(verb, "--", name) if name else world.annex(verb, name)
    assert done.exit_code == 2
    assert done.out == ""


@pytest.mark.parametrize("verb", ["stop", "status", "leftovers"])
def test_a_region_that_is_none(world: World, verb: str) -> None:
    done = world.annex(verb, "demo", "--region", "Mars")
    assert (done.exit_code, done.out) == (2, "")
    assert "--region: received 'Mars', allowed is " in done.err


@pytest.mark.parametrize(("words", "said"), [(("demo", "--all"), "--all"), (("--region", "us-east-1"), "without NAME")])
def test_status_options_that_exclude_each_other(world: World, words: tuple[str, ...], said: str) -> None:
    done = world.annex("status", *words)
    assert (done.exit_code, said in done.err) == (2, True)


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def refuse() -> None:
        def call(client: object, operation: str, params: object) -> object:
            if operation == "DescribeAutoScalingGroups":
                raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not you"}}, operation)
            return REAL_CALL(client, operation, params)

        monkeypatch.setattr(BaseClient, "_make_api_call", call)

    return refuse


@pytest.mark.parametrize("verb", ["stop", "status"])
def test_a_refusal_is_not_an_absence(world: World, refused: Callable[[], None], verb: str) -> None:
    deploy_old(world)
    refused()
    done = world.annex(verb, "old")
    assert done.exit_code == 1
    assert (
        "and it is not known whether it is deployed: eu-west-1, us-east-1, us-west-2 could not be asked: " in done.err
    )
    assert "refused: AccessDenied: not you" in done.err
    assert done.err.count("\n") == 1


def test_a_region_that_refuses_is_an_error_of_status_all(world: World, refused: Callable[[], None]) -> None:
    refused()
    done = world.annex("status", "--all", "--json")
    assert done.exit_code == 1
    assert "for the Auto Scaling groups of all annexes in us-east-1 and refused: AccessDenied" in done.err
    assert "eu-west-1, us-west-2 could not be asked: " in done.err
