"""User data: everything the instance needs, nothing secret, the same every time."""

from __future__ import annotations

import base64
import dataclasses
import email
import gzip
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from annex_boot import files as boot
from annex_boot.boot_files import BOOT_FILES, FIRST_FILES, boot_file
from annex_boot.settings import EpSettings
from annex_boot.user_data import MAX_USER_DATA_BYTES, render_user_data
from annex_lease.components import COMPONENTS
from annex_lease.job_forms import MAX_JOBS_LENGTH
from annex_lease.terms import EXECUTION_POINT_TIMES, seconds
from tests.unit.boot.boot_root import SCRIPTS, SETTINGS

BOOT = Path(boot.__file__).parent
SHELL = [name for name in SCRIPTS if "python" not in boot_file(name).splitlines()[0]]
HOST = ".".join(["a" * 63] * 3 + ["b" * 61])  # 253 characters
# With HTCondor in the image. The user data of an app whose every value is the longest one is refused at synthesis.
LONGEST = EpSettings(
    annex="a" * 32,
    credential_arn="arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:" + "s" * 512,
    collector=",".join([f"{HOST}:65535"] * 3 + [f"{HOST[:210].rstrip('.')}:65535"]),
    trust_domain=HOST,
    root_device="/dev/xvdaa15",
    archive=f"{'b' * 63}/{'k' * 256}",
    archive_digest="0123456789abcdef" * 4,
    times={span.name: seconds(span.maximum) for span in EXECUTION_POINT_TIMES},
    protect_busy=True,
)
# As long as they are in practice: the bucket and the object are those of the CDK, the mirrors are in Amazon S3.
INSTALLED = dataclasses.replace(
    SETTINGS,
    proxy="http://proxy.ap-southeast-1.example.edu:3128",
    htcondor="25.0",
    archive=f"cdk-hnb659fds-assets-123456789012-ap-southeast-1/{'0' * 64}.gz",
    components=",".join(COMPONENTS),
    htcondor_mirror=f"https://{'b' * 63}.s3.ap-southeast-1.amazonaws.com/htcondor/repo",
    package_mirror=f"https://{'b' * 63}.s3.ap-southeast-1.amazonaws.com/packages",
)

# With the longest condition on jobs.
RESTRICTED = dataclasses.replace(
    INSTALLED, jobs=f"({'a' * (MAX_JOBS_LENGTH - 2)})", project_id=f'"{"p" * 64}"', annex="a" * 32
)


def parts(text: str) -> list[dict[str, Any]]:
    """The cloud-configs, as cloud-init takes them apart."""
    message = email.message_from_string(text)
    found = []
    for part in message.walk():
        if part.is_multipart():
            continue
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        if part.get_content_type() == "application/gzip":
            payload = gzip.decompress(payload)
        assert payload.startswith(b"#cloud-config\n")
        found.append(yaml.safe_load(payload))
    return found


def written(part: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {entry["path"]: (entry["permissions"], entry["content"]) for entry in part["write_files"]}


def test_holds_the_first_files_byte_for_byte() -> None:
    static, own = parts(render_user_data(SETTINGS))
    assert written(static) == {BOOT_FILES[name][0]: (BOOT_FILES[name][1], boot_file(name)) for name in FIRST_FILES}
    (settings,) = own["write_files"]
    assert (settings["path"], settings["content"]) == ("/etc/annex/annex.env", SETTINGS.to_env_file())


def test_every_boot_file_has_a_place() -> None:
    present = {path.name for path in BOOT.iterdir() if path.is_file()}
    assert present == set(BOOT_FILES) | {"__init__.py", "cloud-config.yaml"}


def test_only_whole_line_comments_are_left_out() -> None:
    for name in BOOT_FILES:
        lines = [line for line in boot_file(name, comments=True).splitlines() if line.strip()]
        kept = boot_file(name).splitlines()
        assert [line for line in lines if line in kept or not line.lstrip().startswith("#")] == kept


def test_htcondor_is_held_back_before_anything_else() -> None:
    static, _ = parts(render_user_data(SETTINGS))
    assert static["bootcmd"][0] == ["systemctl", "--no-block", "stop", "condor.service"]
    assert static["bootcmd"][1][:3] == ["systemctl", "--no-block", "stop"]
    assert {"apt-daily.timer", "apt-daily-upgrade.timer", "dnf-automatic.timer"} <= {*static["bootcmd"][1][3:]}
    assert static["bootcmd"][2][-1] == "/usr/local/lib/annex/begin"


@pytest.mark.parametrize("settings", [SETTINGS, LONGEST, INSTALLED, RESTRICTED])
def test_fits(settings: EpSettings) -> None:
    assert len(render_user_data(settings).encode()) <= MAX_USER_DATA_BYTES


def test_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="must be at most 15360"):
        render_user_data(dataclasses.replace(SETTINGS, collector="${Token[TOKEN.1]}" + "c" * MAX_USER_DATA_BYTES))


def test_same_settings_same_bytes() -> None:
    again = dataclasses.replace(SETTINGS)
    assert render_user_data(SETTINGS) == render_user_data(again)
    packed = base64.b64decode(render_user_data(SETTINGS).split("\n\n")[2])
    assert packed[4:8] == b"\0\0\0\0", "no time in the gzip header"


def test_no_secret_no_placeholder_no_address_of_a_laboratory() -> None:
    # Unpacked: three given letters stand in base64 by chance.
    text = "".join(boot_file(name) for name in [*BOOT_FILES, "cloud-config.yaml"])
    text += yaml.safe_dump_all(parts(render_user_data(SETTINGS)))
    assert not re.search(r"@@|\{\{|%\(|TODO|FIXME|198\.18\.|pool\.lab|endpoint[-_]url|BEGIN .*KEY|eyJ", text)


def test_values_known_only_at_deployment_pass_through() -> None:
    token = "${Token[TOKEN.42]}"
    settings = dataclasses.replace(SETTINGS, credential_arn=token, collector=f"{token}:9618", trust_domain=token)
    text = render_user_data(settings)
    assert f"      ANNEX_CREDENTIAL={token}\n" in text
    assert f"      ANNEX_COLLECTOR={token}:9618\n" in text


@pytest.mark.parametrize("annex", ["a", "a" * 32, "a-1", "pa", "paper"])
def test_names_that_are_names(annex: str) -> None:
    assert f"ANNEX_NAME={annex}\n" in render_user_data(dataclasses.replace(SETTINGS, annex=annex))


def test_shellcheck_finds_nothing(tmp_path: Path) -> None:
    assert shutil.which("shellcheck"), "shellcheck is needed: install the package of that name"
    for name in SHELL:
        # As on the instance, with the comments that are directives.
        (tmp_path / name).write_text(boot_file(name, comments=True))
    files = [*tmp_path.iterdir(), *(Path(__file__).parent / "fakes").iterdir()]
    done = subprocess.run(
        ["shellcheck", "--external-sources", *map(str, files)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("name", SHELL)
def test_what_is_written_is_shell(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(boot_file(name))
    subprocess.run(["sh", "-n", str(tmp_path / name)], check=True)


def test_the_firewall_follows_the_images_own_rules() -> None:
    unit = boot_file("annex-firewall.service").splitlines()
    assert "PartOf=nftables.service" in unit  # restart, stop
    assert "ReloadPropagatedFrom=nftables.service" in unit


def test_idle_connections_are_kept_before_a_nat_gateway_forgets_them() -> None:
    """HTCondor's default of 360 s comes too late. 0 would leave the interval to the operating system: two hours."""
    # "If a connection that's using a NAT gateway is idle for 350 seconds or more, the connection times out" (Amazon VPC
    # User Guide, "Troubleshoot NAT gateways").
    forgotten = 350
    (interval,) = re.findall(r"^TCP_KEEPALIVE_INTERVAL = (\d+)$", boot_file("condor.conf"), re.M)
    # One probe may be lost, and the next one still comes in time.
    assert 0 < 2 * int(interval) < forgotten
