"""Nothing that identifies an account, its owner or its machines is in a report."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify.anonymous import Anonymiser
from verify.session import caller_names


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("account 123456789012 here", "account <account 1> here"),
        ("arn:aws:iam::123456789012:role/Admin/alice failed", "arn:aws:iam:<arn 1> failed"),
        ('"arn:aws-us-gov:sts::123456789012:assumed-role/X/y"', '"arn:aws-us-gov:sts:<arn 1>"'),
        ("i-0123456789abcdef0 and i-0fedcba9876543210", "i-<id 1> and i-<id 2>"),
        ("i-0123456789abcdef0 is i-0123456789abcdef0", "i-<id 1> is i-<id 1>"),
        ("vpc-12345678", "vpc-<id 1>"),
        ("key AKIAIOSFODNN7EXAMPLE", "key <key 1>"),
        ("alice@example.edu", "<address 1>"),
        ("from 192.0.2.7 to 2001:db8::1", "from <ip 1> to <ip 2>"),
        ("2001:db8:0:1:2:3:4:5", "<ip 1>"),
        ("ip-10-0-0-7.ec2.internal login", "<host 1> login"),
        ("request 0f8fad5b-d9cb-469f-a165-70867728950e", "request <uuid 1>"),
        ("in /home/alice/annex/x.toml", "in <path 1>"),
    ],
)
def test_what_identifies_is_replaced(text: str, expected: str) -> None:
    assert Anonymiser().text(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "12:34:56 Successful Launching a new EC2 instance",
        "via=169.254.169.254 and [fd00:ec2::254]",
        "end 2030-01-02T03:04:05Z, 1893456000 s, 128 MB",
        "ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64",
        "annex:lease-until = 2030-01-02T03:04:05Z",
        "InvalidInstanceID.NotFound",
        "/dev/xvda gp3 20 GiB",
    ],
)
def test_what_says_something_about_aws_stays(text: str) -> None:
    assert Anonymiser().text(text) == text


def test_known_names_are_replaced_the_longest_first() -> None:
    hide = Anonymiser({"alice": "<caller>", "alice-admin": "<role>", "": "never"})
    assert hide.text("alice-admin is of alice") == "<role> is of <caller>"


def test_a_name_within_a_word_is_no_name() -> None:
    assert Anonymiser({"vol": "<caller>"}).text("volume of vol, vol-like") == "volume of <caller>, <caller>-like"


@pytest.mark.parametrize(
    ("arn", "names"),
    [
        ("arn:aws:iam::123456789012:root", {}),
        ("arn:aws:iam::123456789012:user/alice", {"alice": "<caller 1>"}),
        ("arn:aws:sts::123456789012:assumed-role/Admin/al", {"Admin": "<caller 1>", "al": "<caller 2>"}),
    ],
)
def test_names_of_a_caller(arn: str, names: dict[str, str]) -> None:
    assert caller_names(arn) == names


def test_data_is_replaced_in_keys_and_values_of_any_depth() -> None:
    hide = Anonymiser()
    data = {"i-0123456789abcdef0": [{"a": "123456789012"}, 3, None, True], "b": ("i-0123456789abcdef0",)}
    assert hide.data(data) == {"i-<id 1>": [{"a": "<account 1>"}, 3, None, True], "b": ["i-<id 1>"]}


@given(st.text(alphabet="0123456789abcdefvpc-: ./", max_size=60))
def test_no_account_and_no_id_is_left_in_any_text(text: str) -> None:
    hidden = Anonymiser().text(text)
    assert not re.search(r"(?<![0-9])[0-9]{12}(?![0-9])", hidden)
    assert not re.search(r"\b[a-z]{1,12}-(?:[0-9a-f]{17}|[0-9a-f]{8})\b", hidden)
