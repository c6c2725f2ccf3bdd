"""Every verb works with a name alone, in every state of the spec file: what it needs is read from what is deployed."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from annex_lease.tags import TAG_UNTIL
from tests.runtime.pool.pool_parts import make_checker
from tests.runtime.pool.pool_world import SPEC, World, aws, deploy

ID = "u-u-i-d.demo"
STACK = "Prod-Annex-demo"
WEST = "us-west-2"
BROKEN_OTHER = SPEC.replace("[annex.demo2]\nsize = 1", "[annex.demo2]\nsize = 0")
FILES: Mapping[str, str | None] = {
    "as it should be": SPEC,
    "missing": None,
    "not TOML": SPEC + "[annex.demo",
    "not UTF-8": SPEC + "# \udcff",
    "empty": "",
    "another annex is wrong": BROKEN_OTHER,
    "an unknown table": SPEC + "[pools]\n",
    "the annex is wrong": SPEC.replace("[annex.demo]\nsize = 3", "[annex.demo]\nsize = 0"),
    "the annex is no table": SPEC.replace('[annex.demo]\nsize = 3\nlease = "8h"', "[annex]\ndemo = 3"),
    "the annex has no Region": SPEC.replace('region = "us-east-1"\n', ""),
    "its Region is none": SPEC.replace('"us-east-1"', '"Mars"'),
    "its Region was changed": SPEC.replace('"us-east-1"', f'"{WEST}"'),
    "the annex is not declared": SPEC.replace("[annex.demo]", "[annex.other]"),
    "the defaults are wrong": SPEC.replace('["c6a.large"]', "[]"),
    "no pool": SPEC.replace('collector = "cm.example.edu"\n', ""),
    "another pool": SPEC.replace("example.edu", "example.org").replace("[annex.demo]", "[annex.other]"),
}


OWN = (
    "the annex is wrong",
    "the annex is no table",
    "the annex has no Region",
    "its Region is none",
    "the defaults are wrong",
)
"""States in which the annex's own declaration is not allowed."""


@pytest.fixture(params=FILES)
def file(request: pytest.FixtureRequest, world: World) -> World:
    """A running annex, made by an app of its own, and a spec file in one of its states."""
    deploy("demo", annex_id=ID, stack=STACK)
    deploy("demo2", annex_id="u-u-i-d.demo2")
    make_checker("demo", ID)
    world.spec = FILES[request.param]
    return world


def annex(world: World, *words: str, code: int = 0) -> str:
    done = world.annex(*words)
    assert done.exit_code == code, done
    assert "Traceback" not in done.err
    return done.out


def test_its_whole_life(file: World) -> None:
    annex(file, "credential", "push", "demo", "--token-command", file.issuer())
    claims = json.loads((file.folder / "argv").read_text())
    assert "annex-demo@example.edu" in claims
    shown = json.loads(annex(file, "status", "demo", "--json"))
    assert (shown["phase"], shown["region"], shown["stack"], shown["id"]) == ("active", "us-east-1", STACK, ID)
    assert file.asked == ["cm.example.edu:9618"]
    assert "active" in annex(file, "check", "demo")
    assert "lease end" in annex(file, "extend", "demo", "--for", "9h")
    assert "lease end" in annex(file, "shorten", "demo", "--for", "7h")
    assert "no instance is left" in annex(file, "stop", "demo")
    assert "renewed" in annex(file, "renew", "demo", "--for", "8h")
    kinds = {each["kind"] for each in json.loads(annex(file, "leftovers", "demo", "--json", code=1))["leftovers"]}
    assert {"Auto Scaling group", "secret", "function", "instance"} <= kinds
    assert set(file.checks) == {"demo"}
    assert file.tag("demo2", TAG_UNTIL) is None


def test_a_deployment_is_compared_or_the_deployed_lease_is_shown(file: World) -> None:
    done = file.annex("plan", "demo", "--deployed", "--json")
    if file.spec in [FILES[each] for each in OWN]:
        # To compare with a declaration that is not allowed would mean to guess it.
        assert (done.exit_code, done.out) == (2, "")
        return
    assert done.exit_code == 0, done
    data = json.loads(done.out)
    changed = file.spec == FILES["its Region was changed"]
    assert (data["size"], data["region"]) == (3, WEST if changed else "us-east-1")
    assert data["stack"] == ("Annex-demo" if changed else STACK)
    assert data["deployed"]["size"] == 3
    assert data["instance_hours"]["worst"] == 50.25  # 3 x (16h + 45m)


def test_what_is_wrong_in_the_file_is_one_warning_each(world: World) -> None:
    deploy("demo")
    world.spec = BROKEN_OTHER
    done = world.annex("status", "demo")
    assert done.exit_code == 0
    (line,) = done.err.splitlines()
    assert line.startswith("warning: ")
    assert line.endswith(
        "annexes.toml: [annex.demo2] size: received 0; allowed: a whole number of instances from 1 to 10000; "
        "fix: size = 2"
    )


def test_a_default_file_that_does_not_exist_is_no_warning(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An annex that constructs alone made has no spec file at all."""
    deploy("demo", annex_id=ID)
    make_checker("demo", ID)
    monkeypatch.chdir(world.folder)
    world.spec = None
    note = "note: annex demo is not declared by annexes.toml; the one in us-east-1 is meant\n"
    done = world.annex("status", "demo", env={})
    assert (done.exit_code, done.err) == (0, note)
    named = world.annex("status", "demo", "--spec", "annexes.toml", env={})
    assert named.exit_code == 0
    assert "warning: annexes.toml: the whole file: received No such file or directory" in named.err


@pytest.mark.parametrize("verb", ["status", "leftovers"])
def test_without_a_name_a_file_is_needed_unless_all_are_meant(world: World, verb: str) -> None:
    deploy("demo", annex_id=ID)
    world.spec = None
    done = world.annex(verb)
    assert (done.exit_code, done.out) == (2, "")
    assert f"`annex {verb} --all` needs no spec file" in done.err
    assert "demo" in world.annex(verb, "--all").out


def test_the_trust_domain_of_what_is_deployed_comes_first(world: World) -> None:
    deploy("demo", annex_id=ID)
    make_checker("demo", ID, trust_domain="deployed.example.edu")
    issuer = world.issuer(iss="deployed.example.edu")
    assert world.annex("credential", "push", "demo", "--token-command", issuer).exit_code == 0
    assert "annex-demo@deployed.example.edu" in json.loads((world.folder / "argv").read_text())


def test_an_annex_of_an_earlier_version_needs_the_file_for_its_pool(world: World) -> None:
    deploy("demo", annex_id=ID, stack=STACK)
    make_checker("demo", ID, trust_domain="", collector="")
    world.spec = None
    push = ("credential", "push", "demo", "--token-command", world.issuer())
    done = world.annex(*push)
    assert done.exit_code == 1
    assert "the trust domain of the pool of annex demo is not known, and nothing was stored" in done.err
    assert f"`cdk deploy` for stack {STACK}" in done.err
    assert not aws().secretsmanager.describe_secret(SecretId="secret-demo").get("VersionIdsToStages")
    shown = world.annex("status", "demo")
    assert shown.exit_code == 1
    assert "the pool of annex demo was not asked" in shown.err
    world.spec = SPEC
    assert world.annex(*push).exit_code == 0
    assert world.annex("status", "demo").exit_code == 0


def test_the_stack_that_it_really_has_is_named(world: World) -> None:
    deploy("demo", annex_id=ID, stack=STACK, secret=False)
    done = world.annex("credential", "push", "demo", "--token-command", world.issuer())
    assert "there is no secret of annex demo in us-east-1: deploy it again with `cdk deploy` for stack " in done.err
    assert STACK in done.err
    assert "`cdk deploy Annex-demo`" not in done.err
