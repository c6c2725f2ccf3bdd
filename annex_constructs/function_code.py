"""Sources of a Lambda function: the modules that its handler imports, and no others.

Two functions whose code is in one package get two assets in this way: a change of a module that only one of them
imports changes the hash, and with it the template, of that one alone. The code is plain Python that needs what the
Lambda runtime has, so nothing is built and Docker is not used.
"""

import ast
import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

_FILE_MODE, _DIRECTORY_MODE = 0o644, 0o755


def import_closure(module: str, root: Path) -> tuple[Path, ...]:
    """Files that an interpreter may read when it imports and runs a module, as far as they are in its own package.

    Imports are read from the source, anywhere in a module: a function may import what it needs when it needs it.
    Blocks of `if TYPE_CHECKING` never run and do not count. The standard library and what the Lambda runtime brings
    (boto3) are not followed. A module that is named in a string is not seen.

    :param module: dotted name, for example `annex_lease.handler`.
    :param root: directory that holds the top-level package.
    :returns: paths relative to `root`, sorted: the modules and the `__init__.py` of every package on the way.
    :raises FileNotFoundError: the module does not exist.
    """
    package = module.partition(".")[0]
    if _source(module, root) is None:
        raise FileNotFoundError(f"no module {module} below {root}")
    found: dict[str, Path] = {}
    waiting = _with_parents(module)
    while waiting:
        name = waiting.pop()
        path = _source(name, root)
        if name in found or path is None:
            continue
        found[name] = path
        for imported in _imports(ast.parse(path.read_bytes()), _package_of(name, path)):
            if imported.partition(".")[0] == package:
                waiting += _with_parents(imported)
    return tuple(sorted(path.relative_to(root) for path in found.values()))


@contextmanager
def function_code(handler: str) -> Iterator[str]:
    """Stage the sources of a function in a directory that exists while the context lasts.

    Files get mode 0644 and directories 0755, under every umask: the function runs as
    another user, and Lambda keeps the modes (Lambda Developer Guide, "Deploying Lambda functions as .zip file
    archives", file permissions).

    :param handler: dotted name of the handler as Lambda takes it: the module, a dot and the function.
    :returns: the directory, for `Code.from_asset`, which copies it when a function is made of it.
    :raises FileNotFoundError: the module of the handler does not exist.
    """
    module = handler.rpartition(".")[0]
    root = _root_of(module.partition(".")[0])
    with TemporaryDirectory(prefix="annex-function-") as staged:
        directory = Path(staged)
        directory.chmod(_DIRECTORY_MODE)
        for source in import_closure(module, root):
            _stage(root, source, directory)
        yield staged


def _root_of(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"no package {package} is installed")
    return Path(spec.origin).parent.parent


def _stage(root: Path, source: Path, directory: Path) -> None:
    for parent in reversed(source.parents):
        (directory / parent).mkdir(exist_ok=True)
        (directory / parent).chmod(_DIRECTORY_MODE)
    target = directory / source
    target.write_bytes((root / source).read_bytes())
    target.chmod(_FILE_MODE)


def _source(module: str, root: Path) -> Path | None:
    path = root.joinpath(*module.split("."))
    candidates = (path / "__init__.py", path.with_name(f"{path.name}.py"))
    return next((each for each in candidates if each.is_file()), None)


def _with_parents(module: str) -> list[str]:
    """A module and the packages that are imported before it."""
    parts = module.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts) + 1)]


def _package_of(module: str, path: Path) -> str:
    return module if path.name == "__init__.py" else module.rpartition(".")[0]


def _imports(tree: ast.AST, package: str) -> Iterator[str]:
    """Dotted names that a module may import; a name that is imported from a package may be a module of it."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and _is_type_checking(node.test):
            for other in node.orelse:
                yield from _imports(ast.Module([other], []), package)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
        else:
            yield from _imports(node, package)


def _is_type_checking(test: ast.expr) -> bool:
    return ast.unparse(test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
