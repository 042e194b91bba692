"""The layout of a command's help: its own options first, then shared options by subject, then examples."""

import functools
from collections.abc import Callable, Iterable
from typing import Any, Final

import click

Decorator = Callable[[Callable[..., Any]], Any]
OPTIONS: Final = "Options"
DEFINITIONS: Final = "Definitions"
DRIFT: Final = "Drift and conflicts"
OUTPUT: Final = "Output"
API: Final = "API"
# The order in the help. A command's own options come first, because people look for them.
_SECTIONS: Final = (OPTIONS, DEFINITIONS, DRIFT, OUTPUT, API, "Help")


class SectionedOption(click.Option):
    """An option in a section of the help. Without a section, it is the command's own option."""

    def __init__(self, *args: Any, section: str = OPTIONS, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.section = section


class Command(click.Command):
    """A command whose help has sections, and ends with examples: pairs of a command line and its purpose."""

    def __init__(self, *args: Any, examples: Iterable[tuple[str, str]] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = tuple(examples)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options by section, in the order in which they were declared."""
        rows: dict[str, list[tuple[str, str]]] = {section: [] for section in _SECTIONS}
        for param in (each for each in self.get_params(ctx) if isinstance(each, click.Option)):
            # --help is click's own option. It is handled before all others.
            section = getattr(param, "section", "Help" if param.is_eager else OPTIONS)
            if row := param.get_help_record(ctx):
                rows[section].append(row)
        for section, section_rows in rows.items():
            if section_rows:
                with formatter.section(section):
                    formatter.write_dl(section_rows)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples. Command lines are never wrapped, so that they can be copied."""
        with formatter.section("Examples"):
            for number, (line, purpose) in enumerate(self.examples):
                formatter.write("\n" if number else "")
                formatter.write(f"{'':>{formatter.current_indent}}# {purpose}\n")
                formatter.write(f"{'':>{formatter.current_indent}}{line}\n")


def declare_command(name: str, *examples: tuple[str, str], cls: type[Command] = Command) -> Decorator:
    """Return a decorator that turns a function into a command. Each example is a command line and its purpose."""
    return click.command(name, cls=cls, examples=examples)


def shared_option(
    *flags: str, section: str, variable: str | None = None, cls: type[SectionedOption] = SectionedOption, **kwargs: Any
) -> Decorator:
    """Return a decorator for an option of several commands. The environment variable `variable` also sets it."""
    if variable is not None:
        kwargs |= {"envvar": variable, "help": f"{kwargs['help']}  [env: {variable}]"}
    return click.option(*flags, cls=cls, section=section, show_default="default" in kwargs, **kwargs)


def group_options(name: str, make: Callable[..., Any], *options: Decorator) -> Decorator:
    """Return a decorator that adds options. `make` turns their values into one argument of the command."""

    def decorate(command: Callable[..., Any]) -> Any:
        @functools.wraps(command)
        def wrapper(**values: Any) -> Any:
            value = make(**{key: values.pop(key) for key in names})
            return command(**values, **{name: value})

        count_before = len(vars(wrapper).get("__click_params__", ()))
        # From last to first, like stacked decorators, so that the help keeps the order.
        decorated = functools.reduce(lambda decorated, option: option(decorated), reversed(options), wrapper)
        # Only these options: the command may have another option with the name of a field.
        names = [param.name for param in vars(decorated)["__click_params__"][count_before:]]
        return decorated

    return decorate
