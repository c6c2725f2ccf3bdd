"""Content of an image: its parent, HTCondor, components, a script of the user, its root volume."""

from collections.abc import Sequence
from dataclasses import dataclass

from annex_constructs.declared_values import check_conflicts, check_script, check_texts
from annex_constructs.errors import check_form, check_whole_number
from annex_lease import built_terms
from annex_lease.built_rules import parent_conflict, script_conflict
from annex_lease.forms import ROOT_DEVICE
from annex_lease.image_rules import default_root_device
from annex_lease.installation_rules import component_conflict, installation_conflicts
from annex_lease.kinds import Text
from annex_lease.terms import HTCONDOR_MIRROR, PACKAGE_MIRROR


@dataclass(frozen=True, kw_only=True)
class ImageContent:
    """The content of an image.

    Example, HTCondor's feature series and Apptainer on Ubuntu::

        content = ImageContent(parent="ubuntu-24.04", htcondor="25.x", components=["apptainer"])

    :param parent: image to begin with: the name of a stock image, the id of an image, or `ssm:` and the SSM parameter
        that holds it. Image Builder reads the parameter at every build. Default: `debian-13`.
    :param htcondor: series of HTCondor to install, `25.0` or `25.x`. Default: `25.0`.
    :param components: names of software to install besides HTCondor, in this order. Default: - none.
    :param script: text of a shell script that runs as root after the components, at most 10000 bytes; its first line
        may name another interpreter. Default: - none.
    :param test_script: text of a script that runs on an instance of the finished image, and fails if the image is
        wrong. Default: - none.
    :param htcondor_mirror: URL of a mirror of HTCondor's repositories. Default: - none.
    :param package_mirror: URL of a mirror of the system's packages. Default: - those that the parent names.
    :param volume_gib: size of the root volume, 1 to 16000 GiB. Default: 20.
    :param root_device: device name of the parent's root volume. Default: - that of the stock image; `/dev/xvda` of
        another parent.
    :raises ValueError: a value is not allowed.
    """

    parent: str = built_terms.PARENT.default_value
    htcondor: str = built_terms.IMAGE_HTCONDOR.default_value
    components: Sequence[str] = ()
    script: str | None = None
    test_script: str | None = None
    htcondor_mirror: str | None = None
    package_mirror: str | None = None
    volume_gib: float = built_terms.IMAGE_VOLUME_GIB.default_value
    root_device: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be built."""
        for term in (built_terms.PARENT, built_terms.IMAGE_HTCONDOR):
            self._check_text(term)
        for term in (HTCONDOR_MIRROR, PACKAGE_MIRROR):
            if getattr(self, term.name) is not None:
                self._check_text(term)
        check_whole_number("ImageContent volume_gib", self.volume_gib, built_terms.IMAGE_VOLUME_GIB, known=True)
        if self.root_device is not None:
            check_form("ImageContent root_device", self.root_device, ROOT_DEVICE, known=True)
        check_texts("ImageContent components", self.components, built_terms.IMAGE_COMPONENTS, component_conflict)
        for name in ("script", "test_script"):
            check_script(f"ImageContent {name}", getattr(self, name))
        given = (self.parent, self.htcondor, self.components, self.htcondor_mirror, self.package_mirror)
        conflicts = (parent_conflict(self.parent), script_conflict(self.script, self.test_script))
        check_conflicts(self, (*conflicts, *installation_conflicts(*given)))

    @property
    def device(self) -> str:
        """Device name of the root volume, with its default applied."""
        return default_root_device(self.parent) if self.root_device is None else self.root_device

    def _check_text(self, term: Text) -> None:
        check_form(f"ImageContent {term.name}", getattr(self, term.name), term.form, known=True)
