"""Loading of the tables `[image.NAME]`, and of an annex together with the image that it boots."""

from collections.abc import Collection, Mapping
from pathlib import Path

from annex_lease import terms
from annex_lease.built_forms import MAX_SCRIPT_BYTES, SCRIPT_ALLOWED, built_name, script_defect
from annex_lease.built_terms import SCRIPT, TEST_SCRIPT
from annex_spec.checking import validated_as
from annex_spec.image_model import ImageSpec
from annex_spec.model import AnnexSpec
from annex_spec.problem import Problem, nearest, shown


def read_images(
    declared: Mapping[str, Mapping[str, object] | None], file: Path, problems: list[Problem]
) -> dict[str, ImageSpec]:
    """The images whose tables are allowed, by name; the problems of the others are appended.

    Args:
        declared: the tables `[image.NAME]`, by name; None: it is no table.
        file: the spec file: scripts are beside it.
        problems: problems found so far.
    """
    images: dict[str, ImageSpec] = {}
    for name, own in declared.items():
        if own is None:
            continue
        table = f"[image.{name}]"
        image, found = validated_as(name, ImageSpec, own, table)
        if image is not None:
            found += _script_problems(image, file.parent, table)
        problems += found
        if image is not None and not found:
            images[name] = image
    return images


def read_script(directory: Path, path: str) -> str:
    """The text of a script of the user.

    Args:
        directory: directory of the spec file.
        path: the script's path below it.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no file, or no script that could run; the text says why.
    """
    file = directory / path
    # A pipe would hold up the reader, and a device has no end.
    if file.exists() and not file.is_file():
        raise ValueError("a directory" if file.is_dir() else "no regular file")
    with file.open("rb") as opened:
        content = opened.read(MAX_SCRIPT_BYTES + 1)
    defect = script_defect(content)
    if defect:
        raise ValueError(defect)
    return content.decode("utf-8")


def _script_problems(image: ImageSpec, directory: Path, table: str) -> list[Problem]:
    found = []
    for term, path in ((SCRIPT, image.script), (TEST_SCRIPT, image.test_script)):
        if path is None:
            continue
        try:
            read_script(directory, path)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            allowed = f"a file of {SCRIPT_ALLOWED}, in {directory or Path()} or below it"
            fix = "name an existing file" if isinstance(error, OSError) else "correct the file, or name another one"
            found.append(Problem(table, term.name, f"{shown(path)}: {reason}", allowed, fix))
    return found


def with_image(
    annex: AnnexSpec, images: Mapping[str, ImageSpec], declared: Collection[str]
) -> tuple[AnnexSpec, list[Problem]]:
    """The annex with what follows from its built image, and the problems of the two together.

    Args:
        annex: the annex.
        images: the images whose tables are allowed, by name.
        declared: the names of all images of the file: a mistake in the table of one is reported there.
    """
    name = built_name(annex.image)
    if name is None:
        return annex, []
    if name not in declared:
        close = nearest(name, declared)
        fix = f'did you mean "built:{close}"?' if close else f"add a table [image.{name}]"
        allowed = "an image of this file: " + (", ".join(f'"built:{each}"' for each in declared) or "there is none")
        return annex, [Problem(f"[annex.{annex.name}]", "image", shown(annex.image), allowed, fix)]
    image = images.get(name)
    if image is None:
        return annex, []
    if terms.ROOT_DEVICE.name not in annex.model_fields_set:
        annex = annex.model_copy(update={terms.ROOT_DEVICE.name: image.root_device})
    problem = image.annex_problem(annex)
    return annex, [problem] if problem else []
