"""The rooms of ARCHITECTURE.md as rules: who may import whom, who may touch what, and how large things get.

One test for each rule. Where a rule is broken, the test lists every place that breaks it.
"""

import ast
import collections
import functools
import io
import re
import tokenize
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "reconciler"
MODULES = sorted(PACKAGE.rglob("*.py"))
LONGEST_MODULE = 300
LONGEST_FUNCTION = 50
MOST_LINES = 27_706  # of all modules together; to be lowered as they shrink
LEAST_COMMENTS = 0.04  # of all lines, comments that have a line of their own
MOST_MODULES = 20  # in a folder
LARGER_FOLDERS = {
    "cli/commands": 24,  # one module for each command
}
# A file name stands for one subject. These stand for several; the list is to be emptied.
DOUBLE_NAMES = {"connection", "merge", "plan", "report", "settings", "write"}
# What a command's run looks like is told by one table. So many comparisons with a command's name are left beside it.
COMPARED_COMMANDS = 0
# Private attributes of other libraries' objects that are still used; the list is to be emptied.
FOREIGN_PRIVATE = set[str]()

# Modules of the package itself that all may import, and that import none of ours.
BELOW_ALL = {"dataclass", "errors"}
# Each room with the rooms of ours that it may import. "public" is a module; the sandbox stands alone.
ROOMS = {
    "assistant": {"assistant"},
    "core": {"core", "assistant"},
    "yamltext": {"yamltext", "core", "assistant"},
    "files": {"files", "yamltext", "core", "assistant"},
    "git": {"git", "files", "yamltext", "core", "assistant"},
    "api": {"api", "core"},
    "report": {"report", "core", "assistant"},
    "hosts": {"hosts", "api", "core"},
    "usecases": {"usecases", "api", "git", "files", "yamltext", "core", "assistant"},
    "sandbox": {"sandbox"},
    "demo": {"demo"},
    "public": {"usecases", "report", "api", "git", "files", "core", "assistant"},
    "cli": {
        "cli",
        "usecases",
        "report",
        "hosts",
        "api",
        "git",
        "files",
        "yamltext",
        "core",
        "assistant",
        "sandbox",
        "demo",
    },
}
TOUCHES_THE_WORLD = {
    *("os", "io", "pathlib", "shutil", "tempfile", "glob", "subprocess", "signal", "sys", "threading", "asyncio"),
    *("socket", "ssl", "http", "urllib", "time", "random", "secrets", "logging", "sqlite3", "importlib"),
    *("httpx", "httpcore", "click", "starlette", "uvicorn"),
}
_SERVERS = {"starlette", "uvicorn"}
# What a room does not import, besides the rooms above it.
NOT_IN = {
    **dict.fromkeys(BELOW_ALL, TOUCHES_THE_WORLD | {"pydantic", "deepdiff", "yaml"}),
    "assistant": TOUCHES_THE_WORLD | {"deepdiff", "yaml"},
    "core": (TOUCHES_THE_WORLD - {"urllib"}) | {"pydantic", "yaml"},
    "yamltext": (TOUCHES_THE_WORLD - {"sys"}) | {"pydantic", "deepdiff"},
    "files": {"click", "deepdiff", "httpx", "httpcore", "subprocess", "socket"} | _SERVERS,
    "git": {"click", "deepdiff", "httpx", "httpcore", "pydantic", "socket"} | _SERVERS,
    "api": {"click", "deepdiff", "pydantic", "yaml", "subprocess", "pathlib"} | _SERVERS,
    "report": TOUCHES_THE_WORLD | {"pydantic", "yaml"},
    "hosts": {"click", "deepdiff", "httpx", "httpcore", "pydantic", "socket", "subprocess"} | _SERVERS,
    "usecases": {"click", "httpx", "yaml", "deepdiff", "subprocess", "socket", "sys"} | _SERVERS,
    "sandbox": {"click", "deepdiff", "pydantic", "httpx"},
    "demo": {"click", "deepdiff", "pydantic", "httpcore"} | _SERVERS,
    "public": {"click", "httpx", "yaml", "deepdiff", "subprocess", "socket", "sys"} | _SERVERS,
    "cli": {"httpx", "yaml", "pydantic", "deepdiff"} | _SERVERS,
}


def room(module: Path) -> str:
    """The room that a module stands in: its folder, or for a module of the package itself its name."""
    inside = module.relative_to(PACKAGE)
    return inside.parts[0] if len(inside.parts) > 1 else inside.stem


def name(module: Path) -> str:
    """A module as a list of offenders names it."""
    return module.relative_to(PACKAGE).as_posix()


@functools.cache
def parsed(module: Path) -> ast.Module:
    return ast.parse(module.read_text("utf-8"), str(module))


@functools.cache
def lines(module: Path) -> Sequence[str]:
    return module.read_text("utf-8").splitlines()


def nodes(module: Path) -> Iterator[ast.AST]:
    return ast.walk(parsed(module))


def functions(module: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in nodes(module) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def places(breaks_the_rule: Callable[[ast.AST], bool], modules: Iterable[Path] = MODULES) -> list[str]:
    """Every place at which code breaks a rule, with that code."""
    return [
        f"{name(module)}:{getattr(node, 'lineno', 1)}: {ast.unparse(node)}"
        for module in modules
        for node in nodes(module)
        if breaks_the_rule(node)
    ]


def assert_none(offenders: list[str]) -> None:
    """List all of them where there are any; pytest alone would show the first."""
    assert not offenders, "\n".join(offenders)


def imports(node: ast.AST) -> Iterator[str]:
    """Every module that a piece of code imports, by its full name; a relative import gives none."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Import):
            yield from (alias.name for alias in inner.names)
        elif isinstance(inner, ast.ImportFrom) and not inner.level:
            yield from (f"{inner.module}.{alias.name}" for alias in inner.names)


def calls(module: Path) -> Iterator[str]:
    """The last part of the name of everything that a module calls."""
    for node in nodes(module):
        if isinstance(node, ast.Call):
            yield node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def test_the_table_names_every_room() -> None:
    found = {room(module) for module in MODULES} - {"__init__", "__main__"}
    assert found == {*ROOMS, *BELOW_ALL} == set(NOT_IN)


def test_the_architecture_says_the_same() -> None:
    text = (PACKAGE.parent / "ARCHITECTURE.md").read_text("utf-8")
    shown = {}
    for row, may in re.findall(r"^\| `(\w+)` \| (.+) \|$", text, re.MULTILINE):
        rooms = set(re.findall(r"`(\w+)`", may))
        shown[row] = ROOMS.keys() - rooms - {row} if may.startswith("all but") else rooms
    assert shown == {row: rooms - {row} for row, rooms in ROOMS.items()}


def test_the_packages_of_the_design_card_stay_and_are_used() -> None:
    """The owner's card names them: whoever replaces one by code of ours asks the owner first."""
    card = {"pydantic": "pydantic", "pyyaml": "yaml", "httpx": "httpx", "deepdiff": "deepdiff", "click": "click"}
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]
    declared = {re.split(r"\W", requirement, maxsplit=1)[0] for requirement in project["dependencies"]}
    assert card.keys() <= declared
    imported = {package.partition(".")[0] for module in MODULES for package in imports(parsed(module))}
    assert set(card.values()) <= imported


def test_imports_run_downward() -> None:
    only_hands_on = {"cli", "public"}  # the package itself
    offenders = [
        f"{name(module)} imports {imported}"
        for module in MODULES
        for imported in imports(parsed(module))
        if re.match(r"reconciler\.(?!__version__)", imported)
        and imported.split(".")[1] not in BELOW_ALL | ROOMS.get(room(module), only_hands_on)
    ]
    assert_none(offenders)


def test_no_import_is_relative() -> None:
    """A relative import hides the room."""
    assert_none(places(lambda node: isinstance(node, ast.ImportFrom) and node.level > 0))


def test_a_room_keeps_its_hands_off() -> None:
    offenders = [
        f"{name(module)} imports {imported}"
        for module in MODULES
        for imported in imports(parsed(module))
        if imported.split(".")[0] in NOT_IN.get(room(module), set())
    ]
    assert_none(offenders)


def test_nothing_of_ours_is_imported_inside_a_function() -> None:
    offenders = [
        f"{name(module)}: {function.name} imports {imported}"
        for module in MODULES
        for function in functions(module)
        for imported in imports(function)
        if imported.split(".")[0] == "reconciler"
    ]
    assert_none(offenders)


def test_only_commands_formats_and_the_sandbox_s_starter_are_imported_by_name() -> None:
    """A command, a report's format, and the sandbox's server with its libraries are loaded when they are asked for."""
    may = {"cli/main.py", "cli/output.py", "cli/commands/sandbox.py", "__init__.py"}
    offenders = [
        name(module)
        for module in MODULES
        if name(module) not in may and {"import_module", "__import__"} & set(calls(module))
    ]
    assert_none(offenders)


def test_classes_of_fields_are_quick_to_make() -> None:
    """By the decorator of ours, but for those that are ordered, and for the two rooms that stand alone."""
    others = [module for module in MODULES if room(module) not in ("dataclass", "demo", "sandbox")]
    offenders = places(
        lambda node: (
            isinstance(node, ast.ClassDef)
            and any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list)
            and not any("order=True" in ast.unparse(decorator) for decorator in node.decorator_list)
            and not any(re.match(r"dataclass\(", ast.unparse(decorator)) for decorator in node.decorator_list)
        ),
        others,
    )
    offenders += [name(module) for module in others if "dataclasses.dataclass" in imports(parsed(module))]
    assert_none(offenders)


def test_only_the_command_line_prints_prompts_or_exits() -> None:
    names = {"print", "input", "exit", "quit", "breakpoint"}
    attributes = {"sys.stdout", "sys.stderr", "sys.stdin", "sys.exit", "os._exit"}
    others = [module for module in MODULES if room(module) not in ("cli", "__main__")]
    offenders = places(
        lambda node: (
            (isinstance(node, ast.Name) and node.id in names)
            or (isinstance(node, ast.Attribute) and ast.unparse(node) in attributes)
        ),
        others,
    )
    assert_none(offenders)


def test_modules_stay_small() -> None:
    offenders = [f"{name(module)}: {len(lines(module))}" for module in MODULES if len(lines(module)) > LONGEST_MODULE]
    assert_none(offenders)


def test_functions_stay_small() -> None:
    offenders = [
        f"{name(module)}: {function.name}: {length}"
        for module in MODULES
        for function in functions(module)
        if (length := _length(function)) > LONGEST_FUNCTION
    ]
    assert_none(offenders)


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """How many lines a function has, its docstring not counted."""
    first, last = function.body[0], function.end_lineno or function.lineno
    docstring = (first.end_lineno or first.lineno) - first.lineno + 1 if ast.get_docstring(function) else 0
    return last - function.lineno + 1 - docstring


def test_the_package_stays_small() -> None:
    assert sum(len(lines(module)) for module in MODULES) <= MOST_LINES


def test_folders_stay_small() -> None:
    folders = collections.Counter(name(module.parent) for module in MODULES if module.stem != "__init__")
    offenders = [
        f"{folder}: {number}" for folder, number in folders.items() if number > LARGER_FOLDERS.get(folder, MOST_MODULES)
    ]
    assert_none(offenders)


def test_comments_say_why_often_enough() -> None:
    comments = 0
    for module in MODULES:
        for token in tokenize.generate_tokens(io.StringIO(module.read_text("utf-8")).readline):
            comments += token.type == tokenize.COMMENT and token.line.lstrip().startswith("#")
    assert comments >= LEAST_COMMENTS * sum(len(lines(module)) for module in MODULES)


def test_every_module_says_what_it_is_for() -> None:
    assert_none([name(module) for module in MODULES if not ast.get_docstring(parsed(module))])


def test_one_file_name_means_one_thing() -> None:
    """A command and its use case alone share a name, the command's."""
    named = collections.defaultdict(list)
    for module in MODULES:
        named[module.stem].append(module)
    offenders = [
        " ".join(name(module) for module in modules)
        for stem, modules in named.items()
        if stem not in {"__init__", *DOUBLE_NAMES}
        and len(modules) > 1
        and sorted(room(module) for module in modules) != ["cli", "usecases"]
    ]
    assert_none(offenders)


def test_nobody_is_called_utils() -> None:
    vague = {"utils", "util", "helpers", "common", "misc"}
    assert_none([name(module) for module in MODULES if vague & {*module.relative_to(PACKAGE).parts, module.stem}])


def test_no_module_compares_a_command_s_name() -> None:
    offenders = places(
        lambda node: (
            isinstance(node, ast.Compare)
            and any(isinstance(one, ast.Eq | ast.NotEq | ast.In | ast.NotIn) for one in node.ops)
            and any(_is_a_command(one) for one in (node.left, *node.comparators))
        )
    )
    assert len(offenders) <= COMPARED_COMMANDS, "\n".join(offenders)


def _is_a_command(node: ast.expr) -> bool:
    """Whether an expression is `command`, `run.command`, `document["command"]` or `document.get("command")`."""
    match node:
        case ast.Name("command") | ast.Attribute(attr="command") | ast.Subscript(slice=ast.Constant("command")):
            return True
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant("command"), *_]):
            return True
    return False


def test_nothing_private_of_others_is_used() -> None:
    """A private attribute is used through `self` or `cls` alone, and only where our own code defines it."""
    own = {defined for module in MODULES for node in nodes(module) for defined in _attributes_defined(node)}
    offenders = places(
        lambda node: (
            isinstance(node, ast.Attribute)
            and re.match(r"_(?!_)", node.attr) is not None
            and not (ast.unparse(node.value) in ("self", "cls") and node.attr in own)
            and ast.unparse(node) not in FOREIGN_PRIVATE
        )
    )
    assert_none(offenders)


def _attributes_defined(node: ast.AST) -> Iterator[str]:
    """The attributes that a node gives to a class or to its instances."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield node.name
        case ast.Attribute(value=ast.Name("self" | "cls"), ctx=ast.Store()):
            yield node.attr
        case ast.ClassDef():
            for inner in node.body:
                targets = inner.targets if isinstance(inner, ast.Assign) else [getattr(inner, "target", None)]
                yield from (target.id for target in targets if isinstance(target, ast.Name))
