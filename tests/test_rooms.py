"""The rooms of ARCHITECTURE.md as rules: who may import whom, who may touch what, and how large a module gets."""

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "reconciler"
MODULES = sorted(PACKAGE.rglob("*.py"))
LONGEST_MODULE = 300
LONGEST_FUNCTION = 50

# Each room with the rooms of ours that it may import. "errors" and "public" are modules; the sandbox stands alone.
ROOMS = {
    "errors": set[str](),
    "assistant": {"assistant", "errors"},
    "core": {"core", "assistant", "errors"},
    "yamltext": {"yamltext", "core", "assistant", "errors"},
    "files": {"files", "yamltext", "core", "assistant", "errors"},
    "git": {"git", "files", "yamltext", "core", "assistant", "errors"},
    "api": {"api", "core", "errors"},
    "report": {"report", "core", "assistant", "errors"},
    "usecases": {"usecases", "api", "git", "files", "yamltext", "core", "assistant", "errors"},
    "sandbox": {"sandbox", "errors"},
    "public": {"usecases", "report", "api", "git", "files", "core", "assistant", "errors"},
    "cli": {"cli", "usecases", "report", "api", "git", "files", "yamltext", "core", "assistant", "errors", "sandbox"},
}
TOUCHES_THE_WORLD = {
    *("os", "io", "pathlib", "shutil", "tempfile", "glob", "subprocess", "signal", "sys", "threading", "asyncio"),
    *("socket", "ssl", "http", "urllib", "time", "random", "secrets", "logging", "sqlite3", "importlib"),
    *("httpx", "httpcore", "click", "starlette", "uvicorn"),
}
_SERVERS = {"starlette", "uvicorn"}
# What a room does not import, besides the rooms above it.
NOT_IN = {
    "errors": TOUCHES_THE_WORLD | {"pydantic", "deepdiff", "yaml"},
    "assistant": TOUCHES_THE_WORLD | {"deepdiff", "yaml"},
    "core": (TOUCHES_THE_WORLD - {"urllib"}) | {"pydantic", "yaml"},
    "yamltext": (TOUCHES_THE_WORLD - {"sys"}) | {"pydantic", "deepdiff"},
    "files": {"click", "deepdiff", "httpx", "httpcore", "subprocess", "socket"} | _SERVERS,
    "git": {"click", "deepdiff", "httpx", "httpcore", "pydantic", "socket"} | _SERVERS,
    "api": {"click", "deepdiff", "pydantic", "yaml", "subprocess", "pathlib"} | _SERVERS,
    "report": TOUCHES_THE_WORLD | {"pydantic", "yaml"},
    "usecases": {"click", "httpx", "yaml", "deepdiff", "subprocess", "socket", "sys"} | _SERVERS,
    "sandbox": {"click", "deepdiff", "pydantic", "httpx"},
    "public": {"click", "httpx", "yaml", "deepdiff", "subprocess", "socket", "sys"} | _SERVERS,
    "cli": {"httpx", "yaml", "pydantic", "deepdiff"} | _SERVERS,
}


def room(module: Path) -> str:
    """The room that a module stands in: its folder, or for a module of the package itself its name."""
    inside = module.relative_to(PACKAGE)
    return inside.parts[0] if len(inside.parts) > 1 else inside.stem


def imports(node: ast.AST) -> Iterator[str]:
    """Every module that a piece of code imports, by its full name."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Import):
            yield from (alias.name for alias in inner.names)
        elif isinstance(inner, ast.ImportFrom):
            assert inner.level == 0, "relative imports hide the room"
            yield from (f"{inner.module}.{alias.name}" for alias in inner.names)


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@functools.cache
def parsed(module: Path) -> ast.Module:
    return ast.parse(module.read_text("utf-8"), str(module))


each_module = pytest.mark.parametrize("module", MODULES, ids=lambda module: module.relative_to(PACKAGE).as_posix())


def test_the_table_names_every_room() -> None:
    found = {room(module) for module in MODULES} - {"__init__", "__main__"}
    assert found == set(ROOMS) == set(NOT_IN)


@each_module
def test_imports_run_downward(module: Path) -> None:
    own = {name.split(".")[1] for name in imports(parsed(module)) if re.match(r"reconciler\.(?!__version__)", name)}
    if room(module) in ROOMS:
        assert own <= ROOMS[room(module)]
    else:
        assert own <= {"cli", "public"}, "the package itself only hands on"


@each_module
def test_a_room_keeps_its_hands_off(module: Path) -> None:
    foreign = {name.split(".")[0] for name in imports(parsed(module))}
    assert not foreign & NOT_IN.get(room(module), set())


@each_module
def test_nothing_of_ours_is_imported_inside_a_function(module: Path) -> None:
    for function in functions(parsed(module)):
        assert not [name for name in imports(function) if name.split(".")[0] == "reconciler"], function.name


@each_module
def test_only_the_table_of_commands_and_the_sandbox_s_starter_import_by_name(module: Path) -> None:
    """The command that runs the sandbox loads the server, with its libraries, when it is called."""
    called = {
        node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for node in ast.walk(parsed(module))
        if isinstance(node, ast.Call)
    }
    if module.relative_to(PACKAGE).as_posix() not in ("cli/main.py", "cli/sandbox.py", "__init__.py"):
        assert not called & {"import_module", "__import__"}


@each_module
def test_only_the_command_line_prints_prompts_or_exits(module: Path) -> None:
    if room(module) in ("cli", "__main__"):
        return
    names = {node.id for node in ast.walk(parsed(module)) if isinstance(node, ast.Name)}
    attributes = {
        f"{node.value.id}.{node.attr}"
        for node in ast.walk(parsed(module))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    assert not names & {"print", "input", "exit", "quit", "breakpoint"}
    assert not attributes & {"sys.stdout", "sys.stderr", "sys.stdin", "sys.exit", "os._exit"}


@each_module
def test_modules_and_functions_stay_small(module: Path) -> None:
    assert len(module.read_text("utf-8").splitlines()) <= LONGEST_MODULE
    for function in functions(parsed(module)):
        assert function.end_lineno
        first = function.body[0]
        told = (
            isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
        )
        docstring = (first.end_lineno or first.lineno) - first.lineno + 1 if told else 0
        assert function.end_lineno - function.lineno + 1 - docstring <= LONGEST_FUNCTION, function.name


@each_module
def test_every_module_says_what_it_is_for(module: Path) -> None:
    assert ast.get_docstring(parsed(module))


def test_nobody_is_called_utils() -> None:
    assert not [module for module in MODULES if {"utils", "util", "helpers", "common", "misc"} & set(module.parts)]
    assert not [module for module in MODULES if module.stem in ("utils", "util", "helpers", "common", "misc")]
