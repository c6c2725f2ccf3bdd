"""Rules about what is installed when an instance boots, beyond the form of one text.

A rule returns None, or the conflict in words, as those of `annex_lease.rules` do.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator

from annex_lease import components
from annex_lease.built_forms import built_name
from annex_lease.forms import SERIES
from annex_lease.image_rules import family_of
from annex_lease.rules import Conflict
from annex_lease.stock_images import HTCONDOR_IN_IMAGE, HTCONDOR_SERIES, IMAGE_FAMILIES
from annex_lease.terms import COMPONENTS, HTCONDOR, HTCONDOR_MIRROR, IMAGE, PACKAGE_MIRROR

# Other names of what a component installs, or of what it is used for.
_RELATED = {"singularity": "apptainer", "podman": "docker", "cuda": "nvidia", "gpu": "nvidia", "osdf": "pelican"}
# The public parameters of publishers whose images have no HTCondor.
_BARE = re.compile(r"ssm:/aws/service/(debian|canonical|ami-amazon-linux-latest)/")


def component_conflict(name: str) -> Conflict | None:
    """A name of no component, if it is likely that an existing one is meant."""
    usual = name.strip().lower()
    close = _RELATED.get(usual) or next(iter(difflib.get_close_matches(usual, components.COMPONENTS, n=1)), None)
    if name in components.COMPONENTS or close is None:
        return None
    return Conflict(COMPONENTS.name, COMPONENTS.allowed, advice=f'did you mean "{close}"?')


def default_htcondor(image: str) -> str:
    """The series of HTCondor where none is declared: a stock image has none, any other one is as it is.

    Args:
        image: a name, an id or a parameter, as the spec has it; empty: not known.
    """
    return HTCONDOR_IN_IMAGE if family_of(image) is None else HTCONDOR_SERIES[0]


def installation_conflicts(
    image: str, htcondor: str, wanted: Collection[str], htcondor_mirror: str | None, package_mirror: str | None
) -> Iterator[Conflict | None]:
    """The result of each rule about the installation; a rule may rely on those before it.

    Args:
        image: a name, an id or a parameter, as the spec has it; empty: not known.
        htcondor: series to install, or that HTCondor is in the image.
        wanted: names of components.
        htcondor_mirror: URL of the mirror of HTCondor's repositories; None: there is none.
        package_mirror: URL of the mirror of the system's packages; None: there is none.
    """
    yield _htcondor_conflict(image, htcondor)
    given = {COMPONENTS.name: wanted, HTCONDOR_MIRROR.name: htcondor_mirror, PACKAGE_MIRROR.name: package_mirror}
    for name, value in given.items():
        yield _nothing_installed(name, image, htcondor) if value else None
    yield _components_conflict(image, wanted)
    yield _mirror_conflict(image, package_mirror)


def bare_image(name: str, image: str, htcondor: str, script: str | None) -> str | None:
    """A warning about an image that has no HTCondor and on which nothing installs it; None about another one.

    Args:
        name: the annex's name.
        image: a name, an id or a parameter, as the spec has it.
        htcondor: series to install, or that HTCondor is in the image.
        script: the annex's own script, which may install it; None: there is none.
    """
    if htcondor != HTCONDOR_IN_IMAGE or script is not None or not _BARE.match(image):
        return None
    return (
        f"annex {name}: its image is that of its publisher, without HTCondor, and nothing is installed: no instance "
        f'will join; fix: declare a stock image, or {HTCONDOR.name} = "{HTCONDOR_SERIES[0]}"'
    )


def _htcondor_conflict(image: str, htcondor: str) -> Conflict | None:
    """A stock image has no HTCondor, and an image that the file builds has it already."""
    family = family_of(image)
    if family is not None and htcondor == HTCONDOR_IN_IMAGE:
        allowed = f"{SERIES.allowed}: the stock image of {family.title} has no HTCondor"
        return Conflict(HTCONDOR.name, allowed, advice=f"remove {HTCONDOR.name}, or name an {IMAGE.name} with HTCondor")
    if built_name(image) and htcondor != HTCONDOR_IN_IMAGE:
        allowed = f'"{HTCONDOR_IN_IMAGE}", because the image is built with HTCondor'
        advice = f'{HTCONDOR.name} = "{HTCONDOR_IN_IMAGE}"; the table of the image has the series'
        return Conflict(HTCONDOR.name, allowed, advice=advice)
    return None


def _nothing_installed(name: str, image: str, htcondor: str) -> Conflict | None:
    """With the HTCondor of the image nothing is installed, so nothing can be added to it."""
    if htcondor != HTCONDOR_IN_IMAGE:
        return None
    allowed = f'no {name} with {HTCONDOR.name} = "{HTCONDOR_IN_IMAGE}", which installs nothing'
    if built_name(image):
        own = f", and {name} = [] here" if name == COMPONENTS.name else ""
        return Conflict(name, allowed, advice=f"write {name} in the table of the image{own}")
    return Conflict(name, allowed, advice=f"remove {name}, build an image with it, or name a stock image")


def _components_conflict(image: str, wanted: Collection[str]) -> Conflict | None:
    """Not every system has every component. What another image has is not known here."""
    family = family_of(image)
    if family is None:
        return None
    missing = [each for each in wanted if family.name not in components.COMPONENTS.get(each, ())]
    if not missing:
        return None
    has = [name for name, families in components.COMPONENTS.items() if family.name in families]
    others = [name for name in IMAGE_FAMILIES if all(name in components.COMPONENTS[each] for each in wanted)]
    allowed = f"components of {family.title}: {', '.join(has)}"
    advice = f"remove {', '.join(missing)}"
    if others:
        advice += f", or name the image {' or '.join(others)}"
    return Conflict(COMPONENTS.name, allowed, advice=advice)


def _mirror_conflict(image: str, package_mirror: str | None) -> Conflict | None:
    """Amazon Linux reads its packages from Amazon S3 in the same Region."""
    family = family_of(image)
    if family is None or package_mirror is None or family.mirrored:
        return None
    allowed = f"no mirror for {family.title}, whose packages are in Amazon S3 in the same Region"
    return Conflict(PACKAGE_MIRROR.name, allowed, advice=f"remove {PACKAGE_MIRROR.name}; an endpoint for S3 is enough")
