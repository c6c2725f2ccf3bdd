"""Settings of an execution point: one ``ANNEX_`` line each in ``/etc/annex/annex.env``.

The reader is ``annex_boot/files/settings.sh``. What it accepts is made from the same rules when the user data is
rendered, because it sees the values after CloudFormation filled in its own.
"""

# To add a setting that is a length of time, change four files:
#   1. annex_lease/terms.py: declare the `Span`, and add it to EXECUTION_POINT_TIMES, and to ANNEX_KEYS if the spec file
#      has it. The setting, its checks here and on the instance, and the check in the constructs are made from it.
#   2. annex_constructs/fleet/execution_point.py: the parameter.
#   3. annex_spec/model.py: the key, if the spec file has it (`stacks` passes it on).
#   4. annex_boot/files: the script that uses it as $ANNEX_<NAME>.
# To add a text or a flag: its form in annex_lease/forms.py, a field of EpSettings here, the construct that knows the
# value, and the script that uses it.

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from annex_lease import forms, job_forms
from annex_lease.forms import Form
from annex_lease.job_rules import JobPolicy
from annex_lease.stock_images import HTCONDOR_IN_IMAGE
from annex_lease.terms import EXECUTION_POINT_TIMES, seconds

# How the CDK writes a value it will know only later into a string.
_TOKEN = "${Token["  # noqa: S105 - not a credential
_TIMES = {span.name: (f"ANNEX_{span.name.upper()}", span) for span in EXECUTION_POINT_TIMES}


def _setting(key: str, form: Form, **options: Any) -> Any:
    return dataclasses.field(metadata={"key": key, "form": form}, **options)


@dataclass(frozen=True, kw_only=True)
class EpSettings:
    """Settings of an execution point. A text may contain CDK tokens; the instance alone checks it then.

    Attributes:
        annex: name of the annex.
        credential_arn: ARN of the secret that holds the IDTOKEN.
        archive: ``BUCKET/KEY`` of the archive of the boot and install files.
        archive_digest: SHA-256 of that archive, hexadecimal.
        collector: the pool's collectors, each as ``HOST:PORT``, separated by commas.
        trust_domain: the pool's TRUST_DOMAIN.
        root_device: the device name that the launch template gives the root volume.
        proxy: URL of the proxy for HTTP and HTTPS. Default: "" - none.
        times: whole seconds of each of `annex_lease.terms.EXECUTION_POINT_TIMES`, by its name.
        protect_busy: protect the instance from scale-in while a job runs on it. Default: False.
        jobs: condition on jobs, a ClassAd expression. Default: that of an annex that declares nothing about jobs.
        project_id: the project that pays, as a ClassAd string with its quotes. Default: "" - none.
        htcondor: series of HTCondor to install at boot. Default: `image` - it is in the image.
        components: what to install besides HTCondor, names separated by commas. Default: "" - nothing.
        htcondor_mirror: URL of a mirror of HTCondor's repositories. Default: "" - none.
        package_mirror: URL of a mirror of the system's packages. Default: "" - none, those that the image names.

    Raises:
        ValueError: a value is not of the form, or not in the range, that the boot files accept.
    """

    annex: str = _setting("ANNEX_NAME", forms.ANNEX_NAME)
    credential_arn: str = _setting("ANNEX_CREDENTIAL", forms.SECRET_ARN)
    archive: str = _setting("ANNEX_ARCHIVE", forms.S3_OBJECT)
    archive_digest: str = _setting("ANNEX_ARCHIVE_DIGEST", forms.SHA256)
    collector: str = _setting("ANNEX_COLLECTOR", forms.COLLECTOR_ADDRESS)
    trust_domain: str = _setting("ANNEX_TRUST_DOMAIN", forms.TRUST_DOMAIN)
    root_device: str = _setting("ANNEX_ROOT_DEVICE", forms.ROOT_DEVICE)
    times: Mapping[str, int]
    proxy: str = _setting("ANNEX_PROXY", forms.PROXY_OR_NONE, default="")
    protect_busy: bool = _setting("ANNEX_PROTECT_BUSY", forms.FLAG, default=False)
    jobs: str = _setting("ANNEX_JOBS", job_forms.JOBS, default=JobPolicy().condition)
    project_id: str = _setting("ANNEX_PROJECT_ID", job_forms.PROJECT_OR_NONE, default="")
    htcondor: str = _setting("ANNEX_HTCONDOR", forms.HTCONDOR, default=HTCONDOR_IN_IMAGE)
    components: str = _setting("ANNEX_COMPONENTS", forms.COMPONENT_LIST, default="")
    htcondor_mirror: str = _setting("ANNEX_HTCONDOR_MIRROR", forms.MIRROR_OR_NONE, default="")
    package_mirror: str = _setting("ANNEX_PACKAGE_MIRROR", forms.MIRROR_OR_NONE, default="")

    def __post_init__(self) -> None:
        for name, (_, form) in _FORMS.items():
            value = getattr(self, name)
            if form is forms.FLAG:
                if not isinstance(value, bool):
                    raise _refused(name, value, "True or False")
            elif "\n" in value or "\r" in value or (_TOKEN not in value and not form.matches(value)):
                raise _refused(name, value, form.allowed)
        if self.times.keys() != _TIMES.keys():
            raise _refused("times", dict(self.times), f"one value for each of {', '.join(_TIMES)}")
        for name, (key, _) in _TIMES.items():
            value, (low, high) = self.times[name], setting_limits()[key]
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise _refused(name, value, f"whole seconds from {low} to {high}")

    def to_environ(self) -> dict[str, str]:
        """Return the settings by their keys, as the boot files read them."""
        environ = {key: getattr(self, name) for name, (key, _) in _FORMS.items()}
        environ |= {key: self.times[name] for name, (key, _) in _TIMES.items()}
        return {key: str(int(value) if isinstance(value, bool) else value) for key, value in environ.items()}

    def to_env_file(self) -> str:
        """Return the text of ``/etc/annex/annex.env``: one ``KEY=value`` a line."""
        return "".join(f"{key}={value}\n" for key, value in self.to_environ().items())


_FORMS: dict[str, tuple[str, Form]] = {
    each.name: (each.metadata["key"], each.metadata["form"]) for each in dataclasses.fields(EpSettings) if each.metadata
}


def setting_forms() -> dict[str, Form]:
    """Return the form of every setting's text, by its key."""
    return dict(_FORMS.values()) | {key: forms.SECONDS for key, _ in _TIMES.values()}


def setting_limits() -> dict[str, tuple[int, int]]:
    """Return the smallest and the largest number of seconds of every setting that is a time, by its key."""
    return {key: (seconds(span.minimum), seconds(span.maximum)) for key, span in _TIMES.values()}


def _refused(name: str, value: object, allowed: str) -> ValueError:
    return ValueError(f"{name} = {value!r}: must be {allowed}")
