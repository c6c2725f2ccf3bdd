"""An instance, and what it sees: its volume, its console, the metadata service, and a tag that changes."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from annex_lease.image_rules import default_root_device
from annex_lease.tags import TAG_END
from annex_pool.collector import query_slots
from annex_pool.missing_instances import RETIRING
from verify.console import ConsoleLine, lines_of, others_of
from verify.experiment import Experiment
from verify.outcome import NotRunError, Seen
from verify.scene import Scene
from verify.spec_text import INSTALLING

_CONSOLE_SECONDS = 420.0
_LIVE_SECONDS = 120  # two checks: the first publishes the end, the instance looks every few seconds
_INSTALL_SECONDS = 600.0
_INSTALLED = "HTCondor "
_INSTALLATION = re.compile(rf"annex: install: ({_INSTALLED}\S+) is installed\s*$|{RETIRING}", re.MULTILINE)
_TELLING = r"annex|[Cc]loud-init|apt-daily"


def volume(scene: Scene) -> Seen:
    """Compare the root volume of an instance with the declared one."""
    instance = scene.instance(scene.start("a"))
    mappings: list[Mapping[str, Any]] = list(instance["BlockDeviceMappings"])
    ids = [each["Ebs"]["VolumeId"] for each in mappings]
    volumes = scene.account.aws.ec2.describe_volumes(VolumeIds=ids)["Volumes"]
    root = str(instance.get("RootDeviceName", ""))
    encrypted = all(each["Encrypted"] for each in volumes)
    deleted = all(each["Ebs"].get("DeleteOnTermination") for each in mappings)
    one = len(volumes) == 1 and root == default_root_device(scene.options.image)
    text = f"{len(volumes)} volume, root {root}, encrypted: {encrypted}, deleted with the instance: {deleted}"
    details = tuple(
        f"{each['Attachments'][0]['Device']} {each['VolumeType']} {each['Size']} GiB encrypted={each['Encrypted']}"
        for each in volumes
        if each["Attachments"]
    )
    return Seen(one and encrypted and deleted, text, details)


def console(scene: Scene, instance: str) -> str:
    """Console output of an instance, the newest; EC2 has some only after a while.

    Raises:
        NotRunError: the instances of this run write no lines.
    """
    if scene.options.can_join:
        raise NotRunError("instances that join a pool write no lines for this command; run it without --collector")
    return _output(scene, instance)


def _output(scene: Scene, instance: str) -> str:
    found = scene.account.aws.ec2.get_console_output(InstanceId=instance, Latest=True)
    return str(found.get("Output", ""))


def installation(scene: Scene) -> Seen:
    """Read on the console of an instance of a stock image that it installed HTCondor, or why it did not."""
    began, system = scene.now(), scene.options.system
    instance = scene.start(INSTALLING)
    lines = scene.watch(_INSTALL_SECONDS, lambda: _ends(_output(scene, instance)), every=10.0)
    details = others_of(_output(scene, instance), _TELLING)
    took = f"{(scene.now() - began).total_seconds():.0f} s after its launch"
    if not lines:
        return Seen(False, f"{system}: no end of the installation {took}", details)
    return Seen(lines[0].startswith(_INSTALLED), f"{system}: {lines[0]}, {took}", details)


def _ends(console_output: str) -> list[str]:
    """The version that was installed, or the reason why the instance left."""
    return [installed or reason for installed, reason in _INSTALLATION.findall(console_output)]


def metadata(scene: Scene) -> Seen:
    """Read in the console output what an instance finds in its metadata."""
    instance = scene.start("a")
    lines = scene.wait_for(
        "line of the instance on its console",
        _CONSOLE_SECONDS,
        lambda: [each for each in lines_of(console(scene, instance)) if each.via],
        otherwise=lambda: f"console: {others_of(console(scene, instance), _TELLING, 1)}",
        every=10.0,
    )
    last = lines[-1]
    named = last.root.rpartition("/")[2] == default_root_device(scene.options.image).rpartition("/")[2]
    text = f"root volume {last.root or 'not named'}, end of the lease {last.end or 'not there'}, by {last.via}"
    return Seen(named and bool(last.end), text, others_of(console(scene, instance), _TELLING))


def live_tag(scene: Scene) -> Seen:
    """Move the end of the lease, and see on the console when a running instance finds it in its metadata."""
    instance = scene.start("a")

    def lines() -> list[ConsoleLine]:
        return [each for each in lines_of(console(scene, instance)) if each.end]

    before = scene.wait_for("line of the instance on its console", _CONSOLE_SECONDS, lines, every=10.0)[-1].end
    began = scene.now()
    scene.end_at("a", began + timedelta(minutes=30))
    answer = scene.check("a")
    end = str(answer["end"])
    if end == before:
        raise NotRunError(f"the end of the lease could not be moved from {before}")
    found = scene.watch(_LIVE_SECONDS * 2, lambda: [each for each in lines() if each.end == end], every=10.0)
    if not found:
        return Seen(False, f"the tag {TAG_END} is {lines()[-1].end} there, {_LIVE_SECONDS * 2} s after the change")
    took = found[0].time - began.timestamp()
    return Seen(took <= _LIVE_SECONDS, f"the new end was there after {took:.0f} s, by the instance's clock")


def join(scene: Scene) -> Seen:
    """Wait until an instance is a slot of the pool."""
    if not scene.options.can_join:
        raise NotRunError("needs a pool: give --image, --collector and --trust-domain, on the central manager as root")
    began = time.monotonic()
    scene.start("a")
    collector, name = str(scene.options.collector), scene.run.annex("a")

    def joined() -> list[str]:
        return sorted({each.instance_id for each in query_slots(collector) if each.annex == name})

    ids = scene.watch(_CONSOLE_SECONDS * 2, joined, every=5.0)
    return Seen(bool(ids), f"{len(ids)} instances in the pool after {time.monotonic() - began:.0f} s")


EXPERIMENTS = (
    Experiment(
        10,
        "root volume",
        "an instance has one volume, at the declared device, encrypted, deleted with the instance",
        "EC2 User Guide, 'Block device mappings for volumes on Amazon EC2 instances'; EBS User Guide, 'EBS encryption'",
        1,
        volume,
    ),
    Experiment(
        17,
        "instance metadata",
        "it names the root volume as the image does, and has the tag with the end of the lease at boot",
        "EC2 User Guide, 'Instance metadata categories', block-device-mapping/root and tags/instance",
        2,
        metadata,
    ),
    Experiment(
        8,
        "a tag that changes",
        f"a running instance sees a new end of its lease within {_LIVE_SECONDS} s",
        "EC2 User Guide, 'View tags for your EC2 instances using instance metadata'",
        2,
        live_tag,
    ),
    Experiment(
        16,
        "joining",
        "an instance of your image joins your pool",
        "docs/how-to/build-the-image.md",
        0,
        join,
    ),
    Experiment(
        19,
        "installation at boot",
        "an instance of a stock image installs HTCondor of the declared series from HTCondor's repositories",
        "docs/explanation/execution-point.md, 'Installation at boot'",
        4,
        installation,
        annexes=(INSTALLING,),
    ),
)
