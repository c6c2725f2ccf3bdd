"""Annex of a resource: by its tag, else by its stack, else by the name CloudFormation generated; never by a prefix."""

import io

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from annex_pool.commands.leftovers_command import show_leftovers
from annex_pool.leftovers.leftover import Leftover, ListedResource, left_of, may_belong_to_annex
from annex_pool.leftovers.listing import is_gone, pages
from annex_pool.leftovers.search import Leftovers
from annex_pool.leftovers.tagged import read_arn

STACK = "aws:cloudformation:stack-name"
NAME = "annex:name"


def whose(annex: str | None = "demo", *, kind: str = "volume", name: str = "", **tags: str) -> tuple[str, str] | None:
    keys = {"tag": NAME, "stack": STACK, "id": "annex:id"}
    found = left_of(ListedResource(kind, "v", "", {keys[k]: v for k, v in tags.items()}, name), annex, "us-east-1")
    return None if found is None else (found.annex, found.by)


def test_the_tag_decides() -> None:
    assert whose(tag="demo") == ("demo", "tag")
    assert whose(None, tag="demo") == ("demo", "tag")
    assert whose(tag="other", stack="Annex-demo", name="Annex-demo-AnnexX") is None


@pytest.mark.parametrize(
    "tag", ["dem", "demo2", "demo-2", "Demo", "demo ", " demo", "demo\n", "de*o", "*", "", "demo'"]
)
def test_never_another_annex(tag: str) -> None:
    assert whose(tag=tag) is None
    assert whose(stack=f"Annex-{tag}") is None
    assert whose(name=f"Annex-{tag}-AnnexFleet") is None


def test_without_a_tag_the_stack_decides() -> None:
    assert whose(stack="Annex-demo") == ("demo", "stack")
    assert whose(None, stack="Annex-demo") == ("demo", "stack")
    assert whose(stack="Analysis") is None
    assert whose(None, stack="AnnexBase") is None


@pytest.mark.parametrize(
    ("annex", "name", "said"),
    [
        ("demo", "Annex-demo-AnnexFleetRole-AB12", "demo"),
        ("demo", "/aws/lambda/Annex-demo-AnnexLeaseChecker-AB12", "demo"),
        (None, "Annex-demo-2-AnnexFleetRole-AB12", "demo-2"),
        ("a", "Annex-a-b-AnnexFleetRole-AB12", None),
        ("demo", "Annex-demo-annex-2-AnnexX", None),
        ("demo", "Prod-Annex-demo-AnnexFleetRole-AB12", "demo"),
        ("demo", "/aws/lambda/My-Team-Prod-Annex-demo-AnnexLeaseChecker-AB12", "demo"),
        ("demo", "Annex-x-Annex-demo-AnnexFleetRole-AB12", "demo"),
        ("x", "Annex-x-Annex-demo-AnnexFleetRole-AB12", None),
        ("demo", "Annex-demo-Other", None),
        ("demo", "MyAnnex-demo-AnnexX", None),
        ("demo", "Annex-demo", None),
    ],
)
def test_without_a_stack_the_generated_name_decides(annex: str | None, name: str, said: str | None) -> None:
    assert whose(annex, name=name) == (None if said is None else (said, "name"))


@pytest.mark.parametrize("kind", ["function", "schedule"])
def test_where_names_are_short_they_may_have_been_cut(kind: str) -> None:
    name = "Annex-a-long-name-that-is-AnnexX"
    assert whose("a-long-name-that-is-cut-off", kind=kind, name=name) == ("a-long-name-that-is", "name")
    assert whose("a-long-name-that-was-cut", kind=kind, name=name) is None
    # Its tags, where it has any, say that it is another annex's, whose name is shorter.
    assert whose("a-long-name-that-is-cut-off", kind=kind, name=name, tag="a-long-name-that-is") is None
    assert whose("a-long-name-that-is-cut-off", kind=kind, name=name, id="u-u-i-d.a-long-name-that-is") is None
    assert whose("a-long-name-that-is-cut-off", kind=kind, name=name, stack="Annex-a-long-name-that-is") is None


@pytest.mark.parametrize("kind", ["instance profile", "role", "log group", "queue", "topic", "alarm"])
def test_elsewhere_names_are_not_cut(kind: str) -> None:
    assert whose("muon-calibration-a", kind=kind, name="Annex-muon-calibration-AnnexFleetProfile-AB12") is None
    assert whose("muon-calibration", kind=kind, name="Annex-muon-calibration-AnnexFleetProfile-AB12") is not None


def test_the_id_holds_the_name() -> None:
    assert whose(id="u-u-i-d.demo") == ("demo", "tag")
    assert whose(id="u-u-i-d.demo-2", name="Annex-demo-AnnexX") is None
    assert whose(tag="demo", id="u-u-i-d.other") == ("demo", "tag")


def test_a_short_name_is_never_taken_for_a_cut_one() -> None:
    assert whose("paper", kind="function", name="Annex-pa-AnnexX") is None


@given(st.text())
def test_any_text_in_a_tag_is_shown_without_control_characters(value: str) -> None:
    found = left_of(ListedResource("volume", "v", "", {NAME: value}), None, "us-east-1")
    assert found
    assert found.annex.isprintable()


@pytest.mark.parametrize(
    ("name", "description", "asked"),
    [
        ("Annex-demo-x", "", True),
        ("/aws/lambda/Annex-x", "", True),
        ("x", "LeaseTerms checker of one HTCondor annex", True),
        ("x", "", False),
        ("/aws/lambda/x", "", False),
    ],
)
def test_resources_whose_tags_are_read(name: str, description: str, asked: bool) -> None:
    assert may_belong_to_annex(name, description) == asked


@pytest.mark.parametrize(
    ("rest", "kind", "identity"),
    [
        ("ec2:us-east-1:1:volume/vol-1", "volume", "vol-1"),
        ("ec2:us-east-1:1:elastic-ip/eipalloc-1", "address", "eipalloc-1"),
        ("ec2:us-east-1:1:transit-gateway/t", "", "t"),
        ("autoscaling:r:1:autoScalingGroup:uuid:autoScalingGroupName/Group-demo", "Auto Scaling group", "Group-demo"),
        ("cloudformation:r:1:stack/Annex-demo/uuid", "stack", "Annex-demo"),
        ("lambda:r:1:function:checker", "function", "checker"),
        ("logs:r:1:log-group:/aws/lambda/x", "log group", "/aws/lambda/x"),
        ("sqs:r:1:queue", "queue", "queue"),
        ("sns:r:1:topic", "topic", "topic"),
        ("cloudwatch:r:1:alarm:name:with:colons", "alarm", "name:with:colons"),
        ("iam::1:role/path/name", "role", "name"),
        ("new-service:r:1:thing/x", "", None),
    ],
)
def test_kind_and_id_of_an_arn(rest: str, kind: str, identity: str | None) -> None:
    arn = read_arn(f"arn:aws:{rest}")
    assert (arn.kind, arn.id) == (kind, f"arn:aws:{rest}" if identity is None else identity)


def test_a_secret_is_known_by_its_whole_arn() -> None:
    arn = "arn:aws:secretsmanager:r:1:secret:demo-AbCdEf"
    assert (read_arn(arn).kind, read_arn(arn).id) == ("secret", arn)


@given(st.text())
def test_any_text_can_be_listed_as_an_arn(text: str) -> None:
    assert read_arn(text).text == text


@pytest.mark.parametrize(
    ("code", "message", "gone"),
    [
        ("InvalidVolume.NotFound", "", True),
        ("ResourceNotFoundException", "", True),
        ("NoSuchEntity", "", True),
        ("AWS.SimpleQueueService.NonExistentQueue", "", True),
        ("ValidationError", "Stack with id x does not exist", True),
        ("ValidationError", "1 validation error detected", False),
        ("AccessDenied", "does not exist", False),
        ("Throttling", "", False),
        ("RequestLimitExceeded", "", False),
        ("", "", False),
    ],
)
def test_only_the_answer_of_its_service_makes_a_resource_gone(code: str, message: str, gone: bool) -> None:
    error = ClientError({"Error": {"Code": code, "Message": message}}, "Describe")
    assert is_gone(error) == gone


class Paged:
    """A client that answers in pages, and in one where it cannot."""

    def can_paginate(self, operation: str) -> bool:
        return operation == "list_pages"

    def get_paginator(self, operation: str) -> "Paged":
        return self

    def paginate(self, **request: object) -> list[dict[str, object]]:
        return [{"Items": [{"n": 1}]}, {"Items": []}, {}, {"Items": [{"n": 2}], "request": request}]

    def list_once(self, **request: object) -> dict[str, object]:
        return {"Items": [request]}


def test_every_page_is_read_until_the_last_one() -> None:
    assert list(pages(Paged(), "list_pages", "Items")) == [{"n": 1}, {"n": 2}]
    assert list(pages(Paged(), "list_once", "Items", A=1)) == [{"A": 1}]


@pytest.mark.parametrize("width", [40, 80, 400])
def test_an_id_is_never_broken(width: int) -> None:
    """The terminal wraps a long row by itself, and what is copied from it is whole."""
    arn = "arn:aws:secretsmanager:us-east-1:000000000000:secret:" + "AnnexCredential" * 10
    left = Leftover("demo", "us-east-1", ListedResource("secret", arn), "tag")
    out = Console(file=io.StringIO(), width=width, highlight=False, markup=False)
    show_leftovers(Leftovers(("demo",), ("us-east-1",), (left,), ()), out)
    assert isinstance(out.file, io.StringIO)
    heading, row, total = out.file.getvalue().splitlines()
    assert row.split() == ["demo", "us-east-1", "secret", arn, "-", "-", "tag"]
    assert heading.index("state") == row.index(" -  ") + 1
    assert total == "1 resource is left of annex demo in us-east-1"
