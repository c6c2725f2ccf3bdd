"""The lease checker's code as the CDK deploys it: the annex_lease package that is installed here, and nothing else."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

from aws_cdk import aws_lambda as lambda_

import annex_lease

HANDLER = "annex_lease.handler.handler"


class CheckerCode:
    """A context in which the code can be given to a function; the CDK copies it when the function is made.

    Only the package's sources are staged, not what an interpreter or an installer left beside them: the asset's hash,
    and with it the template, depends on nothing but the sources. It is plain Python that needs what the Lambda
    runtime has, so nothing is built and Docker is not used.
    """

    def __init__(self) -> None:
        self._directory = TemporaryDirectory(prefix="annex-lease-")

    def __enter__(self) -> lambda_.Code:
        """Stage the sources.

        :returns: the code, to be used before the context ends.
        """
        source = Path(annex_lease.__file__).parent
        for file in sorted([*source.rglob("*.py"), *source.rglob("py.typed")]):
            target = Path(self._directory.name, "annex_lease", file.relative_to(source))
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
        return lambda_.Code.from_asset(self._directory.name)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the sources."""
        self._directory.cleanup()
