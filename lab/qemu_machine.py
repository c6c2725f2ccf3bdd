"""Command line of the emulated machine, chosen for a short boot."""

from __future__ import annotations

import uuid
from functools import cache
from pathlib import Path

from lab.machines import Machine

# Measured from the start of QEMU 7.2 to the first command of the user data, one guest on an emulated CPU, in seconds of
# the host's CPU (its two cores were never idle, so wall-clock times differ more between runs than between choices):
# Debian's image as it comes: 103. With `lab.image`'s choices and the machine below: 28 to 36.
#   -cpu max, which adds AVX2: no difference within the noise. q35 in place of pc: none either.
#   tb-size=128 in place of 1024 MiB of translated code: no difference in time, 450 in place of 880 MB of memory.
#   two CPUs: a fifth less wall-clock time for a guest alone, none for two guests on two cores, so one it is.
#   an unpacked kernel in place of Debian's bzImage: 1.1 to 2 less; no initial RAM disk: about 2 less.
MEMORY_MIB = 1024  # 200 are in use after the boot; HTCondor offers the rest to jobs
CPUS = 1
EMULATED_CPU = ("-machine", "pc", "-accel", "tcg,tb-size=128", "-cpu", "qemu64,+rdrand")
KVM_CPU = ("-machine", "pc", "-accel", "kvm", "-cpu", "host")
KERNEL_ARGUMENTS = (
    "root=/dev/nvme0n1",  # as on EC2; Debian's cloud kernel has this driver built in, but not virtio_blk
    "rootfstype=ext4",
    "rw",
    "console=ttyS0",
    "TERM=dumb",  # otherwise systemd queries the terminal's abilities and waits for an answer that never comes
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
    """KVM if the CPU has it, otherwise an emulated CPU. A /dev/kvm alone is no proof: cloud hosts have it too."""
    flags = Path("/proc/cpuinfo").read_text().split()
    return KVM_CPU if ("vmx" in flags or "svm" in flags) and Path("/dev/kvm").exists() else EMULATED_CPU


def _ec2_uuid(instance_id: str) -> str:
    """A machine id as EC2's hypervisor shows it: it starts with ``ec2``."""
    return "ec2" + str(uuid.uuid5(uuid.NAMESPACE_OID, instance_id))[3:]
