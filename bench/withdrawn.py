"""Lease function of the condor_annex that HTCondor withdrew, modelled by its behaviour, without its code.

HTCondor 25.14.1, `src/annex/setup/odi-lease.js`: a rule fires it every five minutes with the annex's id and the end of
its lease. After the end it lists the instances with one DescribeInstances, reads one page, and terminates those
with one TerminateInstances. Its instances are RunInstances' own, in no group.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from botocore.exceptions import ClientError

from bench.cloud import Cloud
from bench.fleet import MACHINE, alive, make_subnet

PERIOD = timedelta(minutes=5)
_TAG = "withdrawn"
_RUNS = 3
"""Runs after which alive instances are taken to stay alive: no run differs from the one before."""


class WithdrawnAnnex:
    """Instances under the old function.

    Attributes:
        refused: last error of its TerminateInstances; empty if there was none.
    """

    def __init__(self, cloud: Cloud, size: int, name: str) -> None:
        self.cloud, self.size, self.name = cloud, size, name
        self.refused = ""
        tags = [{"ResourceType": "instance", "Tags": [{"Key": _TAG, "Value": name}]}]
        cloud.ec2.run_instances(
            **MACHINE, MinCount=size, MaxCount=size, SubnetId=make_subnet(cloud), TagSpecifications=tags
        )
        cloud.settle()

    def alive(self) -> list[str]:
        """Instances that are neither terminated nor shutting down."""
        return alive(self.cloud, _TAG, self.name)

    def seconds_after(self, end: datetime, first_run: float) -> float | None:
        """Seconds from the end of the lease until no instance is alive; None: some stay alive.

        Args:
            end: of the lease.
            first_run: seconds from the end to the function's next run.
        """
        for number in range(_RUNS):
            self.cloud.until(end + timedelta(seconds=first_run) + number * PERIOD)
            self._run()
            elapsed = self.cloud.now() - end
            self.cloud.settle()
            if not self.alive():
                return elapsed.total_seconds()
        return None

    def _run(self) -> None:
        # It finds its instances by a client token that begins with the annex's id; the lab does not have that filter.
        shown = self.cloud.ec2.describe_instances(Filters=[{"Name": f"tag:{_TAG}", "Values": [self.name]}])
        ids = [one["InstanceId"] for part in shown["Reservations"] for one in part["Instances"]]
        try:
            self.cloud.ec2.terminate_instances(InstanceIds=ids)
        except ClientError as error:
            self.refused = str(error)

    def remove(self) -> None:
        """Terminate the remaining instances, a thousand at a time."""
        left = self.alive()
        for start in range(0, len(left), 1000):
            self.cloud.ec2.terminate_instances(InstanceIds=left[start : start + 1000])
        self.cloud.settle()
