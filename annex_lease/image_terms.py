"""The declared values of an annex's image and of what is installed on it; `annex_lease.terms` has the others.

Each stands here once. Users import them from `annex_lease.terms`.
"""

from __future__ import annotations

from annex_lease import components, forms
from annex_lease.built_forms import MAX_SCRIPT_BYTES, RELATIVE_PATH
from annex_lease.kinds import Text, Texts
from annex_lease.stock_images import DEFAULT_IMAGE, HTCONDOR_IN_IMAGE, HTCONDOR_REPOSITORIES, HTCONDOR_SERIES

IMAGE = Text(
    "image",
    "image of the instances: a stock image, one that the file builds, an id, or the SSM parameter that holds an id",
    forms.IMAGE,
    default=DEFAULT_IMAGE,
)
HTCONDOR = Text(
    "htcondor",
    f"series of HTCondor to install when an instance boots, or `{HTCONDOR_IN_IMAGE}` for the one of the image",
    forms.HTCONDOR,
    absent=f"`{HTCONDOR_SERIES[0]}` with a stock image, `{HTCONDOR_IN_IMAGE}` with any other",
)
COMPONENTS = Texts(
    "components",
    "software to install besides HTCondor when an instance boots",
    forms.COMPONENT,
    f"0 to {len(components.COMPONENTS)} different names of {', '.join(components.COMPONENTS)}",
    '["docker"]',
    minimum=0,
    maximum=len(components.COMPONENTS),
    absent="none",
)
SCRIPT = Text(
    "script",
    "shell script of your own that runs as root when an instance boots for the first time, after the components and "
    f"before HTCondor starts; at most {MAX_SCRIPT_BYTES} bytes",
    RELATIVE_PATH,
    absent="none",
)
HTCONDOR_MIRROR = Text(
    "htcondor_mirror",
    f"URL of a mirror of HTCondor's repositories, in place of {HTCONDOR_REPOSITORIES}",
    forms.MIRROR,
    absent="none",
)
PACKAGE_MIRROR = Text(
    "package_mirror",
    "URL of a mirror of the system's packages, in place of those that the image names",
    forms.MIRROR,
    absent="none",
)
ROOT_DEVICE = Text(
    "root_device",
    "device name of the image's root volume",
    forms.ROOT_DEVICE,
    absent=f"that of the stock image, else `{forms.ROOT_DEVICE.example}`",
)
