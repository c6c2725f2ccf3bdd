"""What one execution point of an annex is made of."""

import re
from dataclasses import dataclass
from datetime import timedelta

from aws_cdk import Duration, Token
from aws_cdk import aws_ec2 as ec2

from annex_constructs.errors import check_whole_number, invalid_value, seconds
from annex_constructs.pool import Pool

_DEVICE = re.compile(r"/dev/(?:sd[a-z][0-9]{0,2}|xvd[a-z]{1,2}[0-9]{0,2})")
_LARGEST_VOLUME_GIB = 16_384  # of a gp3 volume in every Region (EBS User Guide, "General Purpose SSD volumes")


@dataclass(frozen=True, kw_only=True)
class ExecutionPoint:
    """An execution point: which pool it joins, from which image it boots, and when it leaves.

    :param pool: the pool to join.
    :param machine_image: a Debian image with cloud-init, HTCondor and the AWS CLI installed.
    :param volume_gib: size of the root volume, 1 to 16384 GiB; encrypted gp3, deleted with the instance. Default: 20.
    :param root_device: the device name that the image gives its root volume. Default: `/dev/xvda`.
    :param drain_before_end: how long before the end of the lease running jobs are sent back to the queue, and jobs that would not
        end by then are refused; 10 seconds to 1 hour. Default: 2 minutes.
    :param idle_timeout: how long it stays without a job before it retires; 30 seconds to 7 days. Default: 20 minutes.
    :param join_timeout: how long it may take to join the pool before it retires; 1 minute to 2 hours. Default: 15 minutes.
    :param shutdown_after_end: how long after the end of the lease it switches itself off, even if AWS never stops it;
        1 minute to 1 day. Default: 30 minutes.
    :raises ValueError: a value is not allowed.
    """

    pool: Pool
    machine_image: ec2.IMachineImage
    volume_gib: float = 20
    root_device: str = "/dev/xvda"
    drain_before_end: Duration | None = None
    idle_timeout: Duration | None = None
    join_timeout: Duration | None = None
    shutdown_after_end: Duration | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot boot or would never leave."""
        check_whole_number(
            "ExecutionPoint volume_gib", self.volume_gib, least=1, most=_LARGEST_VOLUME_GIB, fix="pass volume_gib=20"
        )
        if not Token.is_unresolved(self.root_device) and _DEVICE.fullmatch(self.root_device) is None:
            raise invalid_value(
                "ExecutionPoint root_device",
                received=self.root_device,
                allowed="the device name of the image's root volume, /dev/xvd* or /dev/sd*",
                fix='pass root_device="/dev/xvda"',
            )
        # Each reads and checks one of the durations.
        _ = (
            self.drain_before_end_seconds,
            self.idle_timeout_seconds,
            self.join_timeout_seconds,
            self.shutdown_after_end_seconds,
        )

    @property
    def drain_before_end_seconds(self) -> int:
        """How long before the end of the lease running jobs are sent back to the queue, in seconds."""
        return self._seconds("drain_before_end", self.drain_before_end, 2, timedelta(seconds=10), timedelta(hours=1))

    @property
    def idle_timeout_seconds(self) -> int:
        """How long it stays without a job, in seconds."""
        return self._seconds("idle_timeout", self.idle_timeout, 20, timedelta(seconds=30), timedelta(days=7))

    @property
    def join_timeout_seconds(self) -> int:
        """How long it may take to join the pool, in seconds."""
        return self._seconds("join_timeout", self.join_timeout, 15, timedelta(minutes=1), timedelta(hours=2))

    @property
    def shutdown_after_end_seconds(self) -> int:
        """How long after the end of the lease it switches itself off, in seconds."""
        return self._seconds("shutdown_after_end", self.shutdown_after_end, 30, timedelta(minutes=1), timedelta(days=1))

    @staticmethod
    def _seconds(name: str, value: Duration | None, minutes: int, least: timedelta, most: timedelta) -> int:
        if value is None:
            return minutes * 60
        fix = f"pass {name}=Duration.minutes({minutes})"
        return seconds(f"ExecutionPoint {name}", value, least=least, most=most, fix=fix)
