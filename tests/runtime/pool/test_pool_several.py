"""Several annexes of one name: in two stages of one account, and in two Regions. None is taken for the other."""

from __future__ import annotations

import json

import pytest

from annex_lease.tags import TAG_UNTIL
from tests.runtime.pool.pool_parts import make_checker
from tests.runtime.pool.pool_world import SPEC, World, aws, deploy, start

PROD, DEV = "prod-uuid.demo", "dev-uuid.demo"
WEST = "us-west-2"
UNDECLARED = SPEC.replace("[annex.demo]", "[annex.other]")
VERBS = [
    ("status", "demo"),
    ("stop", "demo"),
    ("check", "demo"),
    ("extend", "demo", "--for", "9h"),
    ("shorten", "demo", "--for", "1h"),
    ("renew", "demo", "--for", "9h"),
    ("plan", "demo", "--deployed"),
    ("credential", "push", "demo"),
]


def run(world: World, part: str, size: int = 2) -> None:
    """Instances for the annex whose resources are called `part`."""
    region = WEST if part == "west" else "us-east-1"
    aws(region).secretsmanager.put_secret_value(SecretId=f"secret-{part}", SecretString="token")
    aws(region).autoscaling.update_auto_scaling_group(AutoScalingGroupName=f"Group-{part}", DesiredCapacity=size)


def running(world: World, part: str, region: str = "us-east-1") -> int:
    return len(world.group(part, region)["Instances"])  # type: ignore[arg-type]


@pytest.fixture
def stages(world: World) -> World:
    """The stacks Prod-Annex-demo and Dev-Annex-demo of one account and Region."""
    for part, annex_id in (("Prod", PROD), ("Dev", DEV)):
        deploy("demo", annex_id=annex_id, stack=f"{part}-Annex-demo", part=part)
        make_checker("demo", annex_id, part=part)
        run(world, part)
    return world


@pytest.fixture
def regions(world: World) -> World:
    """Annex demo in us-east-1 and in us-west-2; the spec file declares neither."""
    deploy("demo", annex_id=PROD, stack="Annex-demo", part="east")
    deploy("demo", annex_id=DEV, stack="Annex-demo", part="west", region=WEST)
    for part in ("east", "west"):
        run(world, part)
    world.spec = UNDECLARED
    return world


@pytest.mark.parametrize("words", VERBS, ids=lambda words: words[0])
@pytest.mark.parametrize("spec", [SPEC, UNDECLARED, None], ids=["declared", "not declared", "no file"])
def test_two_stages_are_listed_and_none_is_touched(stages: World, words: tuple[str, ...], spec: str | None) -> None:
    stages.spec = spec
    done = stages.annex(*words)
    assert (done.exit_code, done.out, stages.checks) == (2, "", [])
    assert "there are 2 annexes called demo, and nothing was done: " in done.err
    assert f"stack Dev-Annex-demo in us-east-1, id {DEV}, group Group-Dev; " in done.err
    assert f"stack Prod-Annex-demo in us-east-1, id {PROD}, group Group-Prod. Name one of them" in done.err
    assert (running(stages, "Prod"), running(stages, "Dev")) == (2, 2)


@pytest.mark.parametrize("words", VERBS, ids=lambda words: words[0])
@pytest.mark.parametrize("option", [("--stack", "Dev-Annex-demo"), ("--id", DEV)], ids=lambda option: option[0])
def test_one_of_two_stages_is_named(stages: World, words: tuple[str, ...], option: tuple[str, str]) -> None:
    more = ("--token-command", stages.issuer()) if words[0] == "credential" else ()
    done = stages.annex(*words, *option, *more)
    assert done.exit_code == 0, done
    assert stages.tag("Prod", TAG_UNTIL) is None
    assert running(stages, "Prod") == 2
    assert running(stages, "Dev") == (0 if words[0] == "stop" else 2 if words[0] in ("status", "plan") else 3)
    if words[0] == "credential":
        assert (stages.secret("Prod"), stages.secret("Dev") == "token") == ("token", False)


@pytest.mark.parametrize("words", VERBS, ids=lambda words: words[0])
@pytest.mark.parametrize("option", [("--stack", "Annex-demo"), ("--id", "demo"), ("--id", "other-uuid.demo")])
def test_a_stack_or_id_that_none_has(stages: World, words: tuple[str, ...], option: tuple[str, str]) -> None:
    done = stages.annex(*words, *option)
    assert (done.exit_code, done.out, stages.checks) == (2, "", [])
    assert "no annex demo fits --stack or --id; deployed under this name: stack Dev-Annex-demo " in done.err


def test_status_shows_each_of_them(stages: World) -> None:
    for words in ((), ("--all",)):
        listed = json.loads(stages.annex("status", "--json", *words).out)
        assert [(each["name"], each["stack"]) for each in listed] == [
            *(("demo", "Dev-Annex-demo"), ("demo", "Prod-Annex-demo")),
            ("demo2", "Annex-demo2"),
        ]
    shown = stages.annex("status").out
    assert f"demo: stack Prod-Annex-demo in us-east-1, id {PROD}" in shown


def test_the_stage_whose_group_is_gone_leaves_the_other_alone(stages: World) -> None:
    aws().autoscaling.delete_auto_scaling_group(AutoScalingGroupName="Group-Dev", ForceDelete=True)
    ids = start({"annex:name": "demo", "annex:id": DEV, "aws:autoscaling:groupName": "Group-Dev"}, 2)
    assert stages.annex("stop", "demo", "--id", DEV).exit_code == 0
    described = aws().ec2.describe_instances(InstanceIds=ids)["Reservations"]
    assert {each["State"]["Name"] for one in described for each in one["Instances"]} == {"terminated"}
    assert running(stages, "Prod") == 2


@pytest.mark.parametrize("words", VERBS, ids=lambda words: words[0])
def test_two_regions_are_listed(regions: World, words: tuple[str, ...]) -> None:
    done = regions.annex(*words)
    assert (done.exit_code, done.out, regions.checks) == (2, "", [])
    assert f"stack Annex-demo in us-east-1, id {PROD}, group Group-east; stack Annex-demo in {WEST}" in done.err
    assert (running(regions, "east"), running(regions, "west", WEST)) == (2, 2)


@pytest.mark.parametrize(
    "option", [("--region", WEST), ("--region", "all", "--id", DEV), ("--region", "eu-west-1", "--region", WEST)]
)
def test_one_of_two_regions_is_named(regions: World, option: tuple[str, ...]) -> None:
    assert regions.annex("stop", "demo", *option).exit_code == 0
    assert (running(regions, "east"), running(regions, "west", WEST)) == (2, 0)


def test_the_region_of_the_file_is_meant_and_the_other_one_is_named(regions: World) -> None:
    """The Region in the file was changed, and both were deployed: the old group still runs and is billed."""
    regions.spec = SPEC.replace('"us-east-1"', f'"{WEST}"')
    done = regions.annex("stop", "demo")
    assert done.exit_code == 0
    assert (running(regions, "east"), running(regions, "west", WEST)) == (2, 0)
    (note,) = done.err.splitlines()
    assert note.startswith(f"note: another annex demo is deployed: stack Annex-demo in us-east-1, id {PROD}, group ")
    assert note.endswith("; nothing was done to it: name it with --region, --stack or --id")


def test_another_group_that_only_carries_the_name(world: World) -> None:
    deploy("demo", annex_id=PROD, stack="Annex-demo")
    deploy("demo", part="copy")
    assert world.annex("stop", "demo").exit_code == 2
    assert world.annex("stop", "demo", "--id", PROD).exit_code == 0
