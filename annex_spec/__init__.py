"""The spec file, `annexes.toml`, as typed and validated objects with every default applied.

The `annex` command and the CDK app read the same declaration, so this package imports neither aws_cdk nor boto3. A
mistake in the file is reported before either of them acts. Ranges, defaults and forms are those of
`annex_lease.terms`, rules between two keys those of `annex_lease.rules`.
"""

from annex_lease.duration import format_duration, parse_duration
from annex_spec.annex_warnings import annex_warnings, image_warning, network_warning, root_warning
from annex_spec.image_model import ImageSpec
from annex_spec.loading import DeclaredPlace, PartialSpec, Spec, load, load_partly
from annex_spec.model import AnnexSpec, BaseSpec, PoolSpec
from annex_spec.problem import Problem, SpecError
from annex_spec.script_file import read_script

__all__ = [
    "AnnexSpec",
    "BaseSpec",
    "DeclaredPlace",
    "ImageSpec",
    "PartialSpec",
    "PoolSpec",
    "Problem",
    "Spec",
    "SpecError",
    "annex_warnings",
    "format_duration",
    "image_warning",
    "load",
    "load_partly",
    "network_warning",
    "parse_duration",
    "read_script",
    "root_warning",
]
