"""The machine that QEMU emulates, as a command line: the choices that decide how soon a guest is up."""

from __future__ import annotations

import uuid
from functools import cache
from pathlib import Path

from lab.machines import Machine

MEMORY_MIB = 1024
CPUS = 1
KERNEL_ARGUMENTS = (
    "root=/dev/nvme0n1",
    "rootfstype=ext4",
    "rw",
    "console=ttyS0",
    "TERM=dumb",  # else systemd asks the terminal for its abilities and waits for an answer that nobody gives
    "quiet",
    "mitigations=off",
    "nokaslr",
    "no_timer_check",
    "cryptomgr.notests",
    "random.trust_cpu=on",
    "rcupdate.rcu_expedited=1",
    "audit=0",
    "lsm=",  # with the BPF one systemd compiles a program for a feature that no unit here uses
    "fsck.mode=skip",
    "net.ifnames=0",
    "8250.nr_uarts=1",
)


def command_line(machine: Machine, *, directory: Path, disk: Path, kernel: Path, port: int) -> list[str | Path]:
    """The command line of one machine. ``port``: the open descriptor of its port in the VPC, passed on to QEMU."""
    # The metadata service's identity documents and cloud-init's look at the firmware must name the same thing:
    # https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/identify_ec2_instances.html
    identity = _ec2_uuid(machine.instance_id)
    return [
        "qemu-system-x86_64",
        "-name", machine.instance_id,
        "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
        *accelerator(),
        "-smp", str(CPUS),
        "-m", str(MEMORY_MIB),
        "-kernel", kernel,
        "-append", " ".join(KERNEL_ARGUMENTS),
        "-drive", f"if=none,id=root,file={disk},format=qcow2,cache=unsafe,discard=unmap",
        "-device", "nvme,drive=root,serial=vol0",
        "-netdev", f"tap,id=vpc,fd={port}",
        "-device", f"virtio-net-pci,netdev=vpc,mac={machine.mac},romfile=",
        "-device", "virtio-rng-pci",
        "-chardev", f"socket,id=console,path={directory}/console,server=on,wait=off,logfile={directory}/console.log",
        "-serial", "chardev:console",
        "-qmp", f"unix:{directory / 'monitor'},server=on,wait=off",
        "-smbios", f"type=1,manufacturer=Amazon EC2,product={machine.instance_type},serial={identity},uuid={identity}",
    ]  # fmt: skip


@cache
def accelerator() -> tuple[str, ...]:
    """KVM when the CPU has it, also to give away (a /dev/kvm alone does not say so); an emulated CPU otherwise."""
    flags = Path("/proc/cpuinfo").read_text().split()
    if ("vmx" in flags or "svm" in flags) and Path("/dev/kvm").exists():
        return ("-machine", "q35,accel=kvm", "-cpu", "host")
    return ("-machine", "pc,accel=tcg", "-cpu", "qemu64,+rdrand,+rdseed")


def _ec2_uuid(instance_id: str) -> str:
    """A machine id as EC2's hypervisor shows it: it starts with ``ec2``."""
    return "ec2" + str(uuid.uuid5(uuid.NAMESPACE_OID, instance_id))[3:]
