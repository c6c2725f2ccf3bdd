"""Parts and commands that an app adds to the user data: what cloud-init takes out of the text, and in which order."""

from __future__ import annotations

import base64
import email
import gzip
from email.message import Message
from typing import Any

import pytest
import yaml
from aws_cdk import App, CfnParameter, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Template

from annex_boot.user_data import BOUNDARY, EC2_USER_DATA_BYTES
from annex_constructs import AnnexFleet, ExecutionPointUserData
from tests.synth.templates import only

SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:muon-AbCdEf"
OURS = ["application/gzip", "text/cloud-config"]
CONFIG = "text/cloud-config"


def filled_in(value: Any) -> str:
    """A text as CloudFormation fills it in; every reference but the Region has the text of the secret."""
    if isinstance(value, str):
        return value
    ((function, argument),) = value.items()
    if function == "Fn::Join":
        return str(argument[0]).join(map(filled_in, argument[1]))
    if function == "Fn::Base64":
        return base64.b64encode(filled_in(argument).encode()).decode()
    return "us-east-1" if argument == "AWS::Region" else SECRET


def text_of(stack: Stack) -> str:
    fleet = stack.node.find_child("Muon")
    assert isinstance(fleet, AnnexFleet)
    return filled_in(stack.resolve(fleet.user_data.render()))


def parts_of(stack: Stack) -> list[Message]:
    """The parts as Python's parser takes them apart, which is the one of cloud-init."""
    message = email.message_from_string(text_of(stack))
    assert message.get_content_type() == "multipart/mixed"
    assert not message.defects
    parts = message.get_payload()
    assert isinstance(parts, list)
    found = [part for part in parts if isinstance(part, Message)]
    assert len(found) == len(parts)
    assert not any(part.defects for part in found)
    return found


def content(part: Message) -> str:
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return (gzip.decompress(payload) if part.get_content_type() == "application/gzip" else payload).decode()


def types(stack: Stack) -> list[str]:
    return [part.get_content_type() for part in parts_of(stack)]


def merged(stack: Stack) -> dict[str, Any]:
    """The cloud-configs as cloud-init merges them: a part replaces keys, or appends to lists if it says so.

    `cloudinit/handlers/cloud_config.py`, `_extract_mergers`: `dict(replace)+list()+str()` without a `merge_how`.
    """
    result: dict[str, Any] = {}
    for part in parts_of(stack):
        if part.get_content_type() not in OURS:
            continue
        config = yaml.safe_load(content(part))
        append = config.pop("merge_how", None) == "dict(recurse_array)+list(append)"
        for key, value in config.items():
            result[key] = [*result.get(key, []), *value] if append else value
    return result


def test_nothing_is_added_without_need(stack: Stack, fleet: AnnexFleet) -> None:
    assert types(stack) == OURS


def test_it_is_one_object_at_both_places(fleet: AnnexFleet) -> None:
    assert isinstance(fleet.user_data, ExecutionPointUserData)
    assert fleet.launch_template.user_data is fleet.user_data
    assert isinstance(fleet.user_data, ec2.MultipartUserData)


def test_the_template_has_what_is_rendered(stack: Stack, fleet: AnnexFleet) -> None:
    fleet.user_data.add_commands("echo hello")
    resources = dict(Template.from_stack(stack).to_json()["Resources"])
    user_data = only(resources, "AWS::EC2::LaunchTemplate")["LaunchTemplateData"]["UserData"]
    assert filled_in(user_data["Fn::Base64"]) == text_of(stack)


def test_commands_are_a_script_of_their_own(stack: Stack, fleet: AnnexFleet) -> None:
    user_data = fleet.launch_template.user_data
    assert user_data is not None
    user_data.add_commands("echo one", "echo two")
    fleet.user_data.add_commands("echo three")
    assert types(stack) == ["text/x-shellscript", *OURS]
    assert content(parts_of(stack)[0]) == "#!/bin/bash\necho one\necho two\necho three"


def test_the_groups_own_methods_add_to_it_too(stack: Stack, fleet: AnnexFleet) -> None:
    fleet.auto_scaling_group.add_user_data("echo one")
    assert fleet.auto_scaling_group.user_data is fleet.user_data
    assert types(stack) == ["text/x-shellscript", *OURS]
    assert content(parts_of(stack)[0]) == "#!/bin/bash\necho one"


def test_commands_before_the_start_are_a_boothook(stack: Stack, fleet: AnnexFleet) -> None:
    fleet.user_data.add_commands("echo late")
    fleet.user_data.add_commands_before_start("echo early", "echo still early")
    assert types(stack) == ["text/cloud-boothook", "text/x-shellscript", *OURS]
    assert content(parts_of(stack)[0]) == "#!/bin/bash\necho early\necho still early"


def test_parts_come_in_their_order_and_ours_are_the_last(stack: Stack, fleet: AnnexFleet) -> None:
    script = ec2.UserData.for_linux()
    script.add_commands("echo script")
    fleet.user_data.add_part(ec2.MultipartBody.from_raw_body(content_type=CONFIG, body="#cloud-config\npackages: [jq]"))
    fleet.user_data.add_user_data_part(script)
    fleet.user_data.add_commands("echo last")
    assert types(stack) == [CONFIG, "text/x-shellscript", "text/x-shellscript", *OURS]
    first, second, third = map(content, parts_of(stack)[:3])
    assert (first, second, third) == (
        "#cloud-config\npackages: [jq]",
        "#!/bin/bash\necho script",
        "#!/bin/bash\necho last",
    )


def test_a_part_can_become_the_one_that_commands_are_added_to(stack: Stack, fleet: AnnexFleet) -> None:
    """As the CDK's own class has it: `make_default`."""
    hook = ec2.UserData.for_linux()
    fleet.user_data.add_user_data_part(hook, ec2.MultipartBody.CLOUD_BOOTHOOK, True)
    fleet.user_data.add_commands("echo hook")
    assert types(stack) == ["text/cloud-boothook", *OURS]
    assert content(parts_of(stack)[0]) == "#!/bin/bash\necho hook"


def test_the_other_methods_of_user_data_work_too(stack: Stack, fleet: AnnexFleet) -> None:
    bucket = s3.Bucket.from_bucket_name(stack, "Bucket", "data-of-the-lab")
    path = fleet.user_data.add_s3_download_command(bucket=bucket, bucket_key="setup.sh")
    fleet.user_data.add_execute_file_command(file_path=path)
    fleet.user_data.add_on_exit_commands("echo done")
    script = content(parts_of(stack)[0])
    assert "aws s3 cp 's3://data-of-the-lab/setup.sh' '/tmp/setup.sh'" in script
    assert "chmod +x '/tmp/setup.sh'" in script
    assert "function exitTrap(){" in script


def test_no_part_replaces_the_files_and_commands_of_the_execution_point(stack: Stack, fleet: AnnexFleet) -> None:
    before = merged(stack)
    assert {"bootcmd", "write_files"} == before.keys()
    config = (
        "#cloud-config\nbootcmd: [[echo, own]]\nwrite_files: [{path: /etc/annex/annex.env, content: wrong}]\n"
        "runcmd: [[echo, run]]"
    )
    fleet.user_data.add_part(ec2.MultipartBody.from_raw_body(content_type=CONFIG, body=config))
    after = merged(stack)
    assert after["bootcmd"] == [["echo", "own"], *before["bootcmd"]]
    assert after["write_files"][1:] == before["write_files"]
    # Files are written in their order: ours overwrites the other of its name.
    assert after["write_files"][-1]["path"] == "/etc/annex/annex.env"
    assert "ANNEX_NAME=muon\n" in after["write_files"][-1]["content"]
    assert after["runcmd"] == [["echo", "run"]]


def test_the_settings_are_filled_in_at_deployment(stack: Stack, fleet: AnnexFleet) -> None:
    fleet.user_data.add_commands("echo hello")
    settings = merged(stack)["write_files"][-1]["content"]
    assert f"ANNEX_CREDENTIAL={SECRET}\n" in settings


def test_a_command_may_hold_what_only_cloudformation_knows(stack: Stack, fleet: AnnexFleet) -> None:
    fleet.user_data.add_commands(f"echo {fleet.credential.secret_arn} > /etc/motd")
    assert content(parts_of(stack)[0]) == f"#!/bin/bash\necho {SECRET} > /etc/motd"


def test_the_same_parts_give_the_same_bytes(stack: Stack, fleet: AnnexFleet) -> None:
    fleet.user_data.add_commands("echo hello")
    once = stack.resolve(fleet.user_data.render())
    assert stack.resolve(fleet.user_data.render()) == once
    assert text_of(stack).startswith(f'Content-Type: multipart/mixed; boundary="{BOUNDARY}"\nMIME-Version: 1.0\n\n')


def room(stack: Stack) -> int:
    """Bytes of a raw part that just fits in, as EC2 counts them; the error counts each of two references with 256."""
    headers = len(f"--{BOUNDARY}\nContent-Type: text/plain\n\n\n")
    empty = len(text_of(stack)) + 2 * (256 - len(SECRET))
    return EC2_USER_DATA_BYTES - empty - headers


@pytest.mark.parametrize("more", [0, 1])
def test_the_limit_of_ec2_is_that_of_all_parts(app: App, stack: Stack, fleet: AnnexFleet, more: int) -> None:
    body = "x" * (room(stack) + more)
    fleet.user_data.add_part(ec2.MultipartBody.from_raw_body(content_type="text/plain", body=body))
    if not more:
        app.synth()
        return
    said = f"the user data of Other/Muon has {EC2_USER_DATA_BYTES + 1} bytes, allowed are {EC2_USER_DATA_BYTES}"
    with pytest.raises(RuntimeError, match=rf"{said}, with 256 for .*; fix: put long scripts into the image"):
        app.synth()


@pytest.mark.parametrize("more", [0, 1000])
def test_encoded_commands_count_as_the_instance_gets_them(app: App, fleet: AnnexFleet, more: int) -> None:
    fleet.user_data.add_commands("x" * (5500 + more))
    if not more:
        app.synth()
        return
    with pytest.raises(RuntimeError, match=r"the user data of Other/Muon has 1[67]\d{3} bytes"):
        app.synth()


def test_what_cloudformation_fills_in_counts(app: App, stack: Stack, fleet: AnnexFleet) -> None:
    for number in range(40):
        fleet.user_data.add_commands(CfnParameter(stack, f"P{number}").value_as_string)
    with pytest.raises(RuntimeError, match=r"the user data of Other/Muon has 2\d{4} bytes"):
        app.synth()


@pytest.mark.parametrize("body", [f"--{BOUNDARY}", f"a\n--{BOUNDARY}--\nb"])
def test_a_part_that_would_end_itself_is_refused(app: App, fleet: AnnexFleet, body: str) -> None:
    fleet.user_data.add_part(ec2.MultipartBody.from_raw_body(content_type="text/plain", body=body))
    with pytest.raises(RuntimeError, match=f"has a line that begins with '--{BOUNDARY}', allowed is .*; fix: "):
        app.synth()


def test_the_boundary_within_a_line_or_encoded_is_no_end(app: App, stack: Stack, fleet: AnnexFleet) -> None:
    fleet.user_data.add_part(ec2.MultipartBody.from_raw_body(content_type="text/plain", body=f"a --{BOUNDARY}"))
    fleet.user_data.add_commands(f"--{BOUNDARY}")
    app.synth()
    assert types(stack) == ["text/plain", "text/x-shellscript", *OURS]


@pytest.mark.parametrize("wrong", ["echo hello", None, ec2.UserData.for_linux()])
def test_what_is_no_part_is_refused(fleet: AnnexFleet, wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"ExecutionPointUserData part: received .*, allowed an ec2.Multi.*; fix"):
        fleet.user_data.add_part(wrong)
