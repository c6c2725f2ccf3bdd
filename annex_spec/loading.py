"""Loading of a spec file: read, merge the defaults, validate, report every problem at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from annex_lease.kinds import Text
from annex_lease.terms import ACCOUNT, REGION, SCRIPT, TAGS
from annex_spec.checking import named_problems, named_tables, sub_table, unknown, validated, validated_as, wrong_values
from annex_spec.image_loading import read_images, with_image
from annex_spec.image_model import ImageSpec
from annex_spec.model import BASE_TABLE, AnnexSpec, BaseSpec, PoolSpec
from annex_spec.problem import NOTHING, Problem, SpecError, nearest, shown
from annex_spec.reading import read_document
from annex_spec.script_file import script_problems

_TABLES = ("pool", "base", "defaults", "annex", "image")
# An annex that states one key of a pair replaces the pair: the other key of the defaults belongs to another choice.
_PAIRS = (("lease", "lease_ends_at"), ("vpc", "subnets"), ("alarm_email", "alarm_topic"))
# An annex that states one of these tables adds to that of the defaults, and overrides the keys that both have.
_MERGED = frozenset({TAGS.name})


@dataclass(frozen=True)
class Spec:
    """A whole spec file.

    Attributes:
        path: the file it was read from, as the caller named it.
        pool: the pool.
        annexes: the annexes by name, in the order of the file; at least one; read-only.
        base: the account-wide sweeper of each Region; None if the file has no table `[base]`.
        images: the images that are built, by name, in the order of the file; read-only.
    """

    path: Path
    pool: PoolSpec
    annexes: Mapping[str, AnnexSpec]
    base: BaseSpec | None = None
    images: Mapping[str, ImageSpec] = field(default_factory=dict)

    def annex(self, name: str) -> AnnexSpec:
        """The annex of that name.

        Raises:
            SpecError: the file declares no such annex; the text lists those it declares.
        """
        if name in self.annexes:
            return self.annexes[name]
        raise SpecError(self.path, [unknown_annex(name, self.annexes)])


@dataclass(frozen=True)
class DeclaredPlace:
    """Region and account of an annex as its table declares them; None where the table names none that is allowed."""

    region: str | None
    account: str | None


@dataclass(frozen=True)
class PartialSpec:
    """A spec file as far as it is valid, for commands that a mistake elsewhere in the file must not stop.

    Attributes:
        path: the file it was read from, as the caller named it.
        pool: the pool; None if its table is missing or not allowed.
        annexes: the annexes whose tables are allowed, by name.
        places: the places of all annexes that the file names, allowed or not, by name.
        base: the account-wide sweeper; None if the file has none that is allowed.
        images: the images whose tables are allowed, by name.
        problems: every problem of the file; empty if `load` would accept it.
    """

    path: Path
    pool: PoolSpec | None = None
    annexes: Mapping[str, AnnexSpec] = field(default_factory=dict)
    places: Mapping[str, DeclaredPlace] = field(default_factory=dict)
    base: BaseSpec | None = None
    images: Mapping[str, ImageSpec] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def annex(self, name: str) -> AnnexSpec:
        """The annex of that name.

        Raises:
            SpecError: its table is not allowed, or the file cannot be read: the text lists the problems that concern
                it; or there is no such table.
        """
        if name in self.annexes:
            return self.annexes[name]
        own = [each for each in self.problems if each.table in (f"[annex.{name}]", "[defaults]")]
        if name in self.places or not self.places:
            raise SpecError(self.path, own or self.problems)
        raise SpecError(self.path, [unknown_annex(name, self.places)])


def unknown_annex(name: str, declared: Iterable[str]) -> Problem:
    """The problem of an annex that the file does not declare; its fix is the most similar name."""
    names = list(declared)
    close = nearest(name, names)
    fix = f"did you mean {close}?" if close else f"add a table [annex.{name}], or name one of these"
    return Problem("", "name of the annex", shown(name), ", ".join(names), fix)


def load(path: str | Path) -> Spec:
    """Read a spec file.

    Args:
        path: the TOML file.

    Raises:
        SpecError: the file cannot be read, is not TOML, or declares a value that is not allowed; lists every problem.
    """
    found = load_partly(path)
    if found.pool is None or found.problems:
        raise SpecError(found.path, found.problems)
    images = MappingProxyType(dict(found.images))
    return Spec(found.path, found.pool, MappingProxyType(dict(found.annexes)), found.base, images)


def load_partly(path: str | Path) -> PartialSpec:
    """Read a spec file as far as it is valid; a file that cannot be read is one problem.

    Args:
        path: the TOML file.
    """
    file = Path(path)
    try:
        document = read_document(file)
    except SpecError as error:
        return PartialSpec(file, problems=error.problems)
    problems = [unknown(key, _TABLES, "", value) for key, value in document.items() if key not in _TABLES]
    pool, found = validated(PoolSpec, sub_table(document, "pool", problems), "[pool]")
    problems += found
    defaults = sub_table(document, "defaults", problems)
    problems += _problems_of_defaults(defaults)
    declared_images = named_tables(document, "image", ImageSpec, problems)
    images = read_images(declared_images, file, problems)
    annexes: dict[str, AnnexSpec] = {}
    places: dict[str, DeclaredPlace] = {}
    declared = named_tables(document, "annex", AnnexSpec, problems)
    if not document.get("annex"):
        problems.append(Problem("[annex]", "", NOTHING, "at least one annex", "add a table such as [annex.demo]"))
    for name, own in declared.items():
        given = own or {}
        places[name] = DeclaredPlace(_text(given, defaults, REGION), _text(given, defaults, ACCOUNT))
        if own is None:
            continue
        annex, found = _annex(name, own, defaults)
        problems += found
        if annex is not None:
            annex, found = with_image(annex, images, declared_images)
            table = f"[annex.{name}]" if SCRIPT.name in own else "[defaults]"
            found += script_problems(file.parent, annex.script, table, SCRIPT.name)
            # That of the defaults once.
            problems += [each for each in found if each not in problems]
            if not found:
                annexes[name] = annex
    base = None
    if "base" in document:
        base, found = validated(BaseSpec, sub_table(document, "base", problems), BASE_TABLE)
        problems += found
        problems += base.problems_in(annex.region for annex in annexes.values()) if base else []
    return PartialSpec(file, pool, annexes, places, base, images, tuple(problems))


def _text(own: Mapping[str, object], defaults: Mapping[str, object], term: Text) -> str | None:
    """The declared value of a key of text, if it has an allowed form."""
    value = own.get(term.name, defaults.get(term.name))
    return value if isinstance(value, str) and term.form.matches(value) else None


def _problems_of_defaults(defaults: Mapping[str, object]) -> list[Problem]:
    """Problems of the defaults, reported once and under `[defaults]`, not under each annex."""
    values = {key: value for key, value in defaults.items() if key != "name"}
    return wrong_values(AnnexSpec, values, "[defaults]") + named_problems(AnnexSpec, defaults, "[defaults]")


def _annex(
    name: str, own: Mapping[str, object], defaults: Mapping[str, object]
) -> tuple[AnnexSpec | None, list[Problem]]:
    table = f"[annex.{name}]"
    overridden = {key for pair in _PAIRS if own.keys() & set(pair) for key in pair}
    inherited = {key: value for key, value in defaults.items() if key not in overridden | own.keys()}
    merged = {key: _with_defaults(own[key], defaults.get(key)) for key in own.keys() & _MERGED}
    annex, found = validated_as(name, AnnexSpec, {**inherited, **own, **merged}, table)
    already = {problem.key for problem in _problems_of_defaults(inherited)}
    return annex, [problem for problem in found if problem.key not in already]


def _with_defaults(own: object, default: object) -> object:
    """The annex's table with the keys of the defaults that it lacks; a value of another type is refused later."""
    return {**default, **own} if isinstance(own, dict) and isinstance(default, dict) else own
