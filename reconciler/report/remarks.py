"""Remarks other than differences: about one assistant on its card, and about all of them once, after the last card."""

from collections.abc import Callable, Iterator, Sequence

from reconciler.core.origin import Since
from reconciler.core.outcome import Kind
from reconciler.dataclass import dataclass
from reconciler.report.differences.values import escape, field_name, show_name
from reconciler.report.report import AssistantEntry, ChangeEntry, FrozenEntry, IgnoredEntry, ProblemEntry, Report
from reconciler.report.wording import show_in

SET_BY = "set by"
NOT_LIVE = "not live"
ALSO = "also"
WARNING = "warning"
RELEASED = "no longer in the definition, left as it is"
GONE = "the assistant is left as it is"


@dataclass(frozen=True, slots=True)
class Remark:
    """A sentence on the card of an assistant: text, then names of fields."""

    label: str
    text: str = ""
    fields: tuple[str, ...] = ()

    def write(self, write: Callable[[str], str] = str, name: Callable[[str], str] = str) -> str:
        """Return it without its label. `write` formats a text, and `name` the name of a field."""
        names = ", ".join(name(field_name(pointer)) for pointer in self.fields)
        return ": ".join(filter(None, (write(self.text), names)))


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence after the last card, and what it is about: files, places, or nothing for the run as a whole."""

    label: str
    text: str
    about: tuple[str, ...] = ()

    def write(self, write: Callable[[str], str] = str, name: Callable[[str], str] = str) -> str:
        """Return it as one line: `assistants/a.yaml:3:1: ends in a line break`, or the text and a number of subjects.

        `write` formats the text, and `name` the subject.
        """
        if self.listed_subjects:
            return write(f"{self.text} ({len(self.about)} times)")
        return ": ".join((*map(name, self.about), write(self.text)))

    @property
    def listed_subjects(self) -> tuple[str, ...]:
        """The subjects, if there are several: the sentence does not name them."""
        return self.about if len(self.about) > 1 else ()


def list_remarks(entry: AssistantEntry) -> Iterator[Remark]:
    """Yield the remarks on an assistant, other than its differences and its error."""
    # If something differs, the title of the differences already says that it is frozen.
    if entry.frozen and not entry.changes:
        yield Remark("frozen", write_reason(entry.frozen))
    if entry.remaining:
        yield Remark(NOT_LIVE, fields=entry.remaining)


def write_reason(rule: FrozenEntry | IgnoredEntry) -> str:
    """Return why an assistant is frozen, or a difference is ignored, and until when."""
    return escape(", ".join(filter(None, (rule.reason, f"until {rule.expires}" if rule.expires else ""))))


def list_setters(changes: Sequence[ChangeEntry]) -> list[Remark]:
    """Return a remark for each commit that set a value, the newest first, with its fields."""
    changed_paths = {change.path for change in changes if change.kind is not Kind.DRIFT}
    fields: dict[Since, dict[str, None]] = {}
    for change in changes:
        if change.path in changed_paths and change.since:
            fields.setdefault(change.since, {})[change.path] = None
    newest_first = sorted(fields, key=lambda since: (since.date, since.author, since.commit), reverse=True)
    # The fields are left out if one commit set all that differ.
    return [
        Remark(SET_BY, escape(str(since)), () if changed_paths == {*fields[since]} else tuple(fields[since]))
        for since in newest_first
    ]


def collect_notes(report: Report, *, of_changed: bool = False) -> list[Note]:
    """Return the notes, with equal ones together. `of_changed` drops notes about files in which nothing changes."""
    # Notes about the whole run, and about what git removed, are always included.
    subjects: dict[tuple[str, str], dict[str, None]] = {}
    changed_files = _list_changed_files(report)
    for label, text, file, about in _list_notes(report):
        if not of_changed or not file or file in changed_files:
            subjects.setdefault((label, text), {})[about] = None
    return [Note(label, text, tuple(filter(None, about))) for (label, text), about in subjects.items()]


def _list_changed_files(report: Report) -> set[str]:
    """Return the files in which git changes, restores or removes something. For `drift`, live edits count as well."""
    files = {removed.file for removed in report.no_longer_managed}
    is_about_edits = report.traits.is_about_edits
    for entry in report.assistants:
        changes = [each for each in entry.changes if each.sent or each.kind is not Kind.DRIFT or is_about_edits]
        if changes or entry.released or entry.unclear or entry.ignored_changes:
            files |= {entry.file, *(change.file for change in changes if change.file)}
    return files


def _list_notes(report: Report) -> Iterator[tuple[str, str, str, str]]:
    """Yield each note: its label, its text, its file or "", and the place in the file."""
    for warning in report.warnings:
        yield WARNING, escape(warning.strip()), "", ""
    for entry in report.assistants:
        for warning in entry.warnings:
            yield WARNING, escape(warning.strip()), entry.file, show_in(entry, entry.file)
    for problem in report.problems if report.traits.reads_live else ():
        if problem.severity == "warning":
            yield WARNING, escape(problem.message.strip()), problem.file, write_place(problem)
    for entry in report.assistants:
        for label, text in _list_entry_notes(entry):
            yield label, text, entry.file, show_in(entry, entry.file)
    for removed in report.no_longer_managed:
        yield "no longer managed", GONE, removed.file, f"{show_in(removed, removed.file)} ({show_name(removed.id)})"


def _list_entry_notes(entry: AssistantEntry) -> Iterator[tuple[str, str]]:
    for pointer in entry.released:
        yield "released", f"{field_name(pointer)} ({RELEASED})"
    for ignored in entry.ignored:
        reason = write_reason(ignored)
        yield "ignored", field_name(ignored.path) + (f" ({reason})" if reason else "")
    for enforced in entry.enforced or ():
        yield "enforced", f"{field_name(enforced.path)} ({escape(enforced.reason)})"


def write_place(problem: ProblemEntry) -> str:
    """Return where a problem is: `assistants/a.yaml:3:1`, with every character visible."""
    return f"{show_name(problem.file)}:{problem.line}:{problem.column}"
