"""All experiments, by their numbers. Each module has those about one part of AWS."""

from __future__ import annotations

from verify.experiment import Experiment
from verify.experiments import (
    account_alarms,
    checker_runs,
    deployments,
    destroy,
    iam_answers,
    instances,
    launches,
    purchase,
    scheduled_ends,
)

EXPERIMENTS: dict[int, Experiment] = {
    each.number: each
    for each in (
        *launches.EXPERIMENTS,
        *scheduled_ends.EXPERIMENTS,
        *checker_runs.EXPERIMENTS,
        *iam_answers.EXPERIMENTS,
        *deployments.EXPERIMENTS,
        *instances.EXPERIMENTS,
        *purchase.EXPERIMENTS,
        *account_alarms.EXPERIMENTS,
        *destroy.EXPERIMENTS,
    )
}
"""In the order in which they run. The alarms are looked at late, because they come late; annex a is destroyed last."""
