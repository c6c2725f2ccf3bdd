"""What an operator declares: `annexes.toml` read into typed, validated, fully resolved objects.

Nothing here imports aws_cdk or boto3, so the `annex` command and the CDK app read one and the same declaration
and a mistake in the file is reported before either of them does anything.
"""

from annex_spec.base import BaseSpec
from annex_lease.duration import format_duration, parse_duration
from annex_spec.loading import Spec, load
from annex_spec.model import AnnexSpec, PoolSpec
from annex_spec.problem import Problem, SpecError

__all__ = [
    "AnnexSpec",
    "BaseSpec",
    "PoolSpec",
    "Problem",
    "Spec",
    "SpecError",
    "format_duration",
    "load",
    "parse_duration",
]
