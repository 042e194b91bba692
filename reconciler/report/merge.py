"""Merges several reports for `report FILE...`, for example of assistants that were planned in parts."""

import dataclasses
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import TypeVar

from reconciler.core.run import RemovedDefinition
from reconciler.report.build import count
from reconciler.report.report import FORMAT_VERSION, AssistantEntry, BaseEntry, Report

_Value = TypeVar("_Value")
_Item = TypeVar("_Item", AssistantEntry, RemovedDefinition)


def merge_reports(reports: Sequence[Report]) -> Report:
    """Return one report for several: assistants sorted by file, totals added up, from the first start to the last end.

    Values that all reports share are kept. Where they differ, the command is `report`, and anything else is None or
    empty.
    """
    # If the same report is given twice, count it once. Otherwise, the totals and a rollback would be wrong.
    reports = [report for number, report in enumerate(reports) if report not in reports[:number]]
    if len(reports) == 1:
        return reports[0]
    # The earlier run comes first: a rollback restores what it found. Times are whole seconds; the end breaks a tie.
    reports = sorted(reports, key=lambda report: (report.started_at, report.finished_at))
    # A rollback, for example, has no base and needs none.
    bases = [report.base for report in reports if report.traits.without_base] or [None]
    seconds = [report.duration_seconds for report in reports if report.duration_seconds is not None]
    records = [report.record for report in reports if report.record is not None]
    expiries = [report.next_expiry for report in reports if report.next_expiry is not None]
    # A run without a base reports live edits as changes. Then the merged report has no base either, and says so.
    several = BaseEntry(ref="several", commit="") if all(bases) else None
    requests = Counter[str]()
    for report in reports:
        requests.update(report.api_calls)
    # With two environments, each entry names its own, because files and perhaps ids are the same.
    differ = len({report.environment for report in reports}) > 1
    unmanaged = (_name_environment(each, report, differ) for report in reports for each in report.no_longer_managed)
    entries = sorted(_list_entries(reports, differ), key=lambda entry: (entry.file, entry.key))
    return Report(
        format_version=FORMAT_VERSION,
        tool_version=", ".join(sorted({report.tool_version for report in reports})),
        command=_common_value([report.command for report in reports], "report"),
        started_at=reports[0].started_at,
        finished_at=max(report.finished_at for report in reports),
        # If one is missing, the sum would be too small.
        duration_seconds=round(sum(seconds), 3) if len(seconds) == len(reports) else None,
        api_url=_common_value([report.api_url for report in reports], None),
        environment=_common_value([report.environment for report in reports], None),
        offline=any(report.offline for report in reports),
        # Parts that were named may add up to all, but what `--changed` left out is still missing.
        selection="changed" if any(report.selection == "changed" for report in reports) else None,
        head=_common_value([report.head for report in reports], None),
        options=_common_value([report.options for report in reports], {}),
        base=_common_value(bases, several),
        # Warn about the oldest record, and about the first expiry date.
        record=min(records, key=lambda record: (record.date, -record.age_seconds), default=None),
        next_expiry=min(expiries, key=lambda expiry: expiry.in_seconds, default=None),
        summary=count(entries),
        api_calls=dict(requests),
        warnings=tuple(dict.fromkeys(_list_warnings(reports))),
        no_longer_managed=tuple(dict.fromkeys(unmanaged)),
        problems=tuple(dict.fromkeys(problem for report in reports for problem in report.problems)),
        assistants=tuple(entries),
    )


def _list_entries(reports: Sequence[Report], differ: bool) -> Iterator[AssistantEntry]:
    """Yield the assistants of all reports, each with its command if they differ: a rollback writes nothing from git."""
    several = len({report.command for report in reports}) > 1
    read_files = {entry.file for report in reports if report.traits.reads_live for entry in report.assistants}
    runs = 0
    for report in reports:
        for entry in report.assistants:
            # A check of files knows nothing about an assistant that another run does not know as well.
            if not report.traits.reads_live and entry.file in read_files:
                continue
            command = (entry.command or report.command) if several else entry.command
            # The entries are sorted by file, and a file may have moved between two runs.
            run = runs + (entry.run or 1)
            yield dataclasses.replace(_name_environment(entry, report, differ), command=command, run=run)
        runs += max((entry.run or 1 for entry in report.assistants), default=0)


def select_entries(report: Report, subjects: Collection[str]) -> Report | None:
    """Return the part of a report that is about some commits and files, or None."""
    entries: list[AssistantEntry] = []
    for entry in report.assistants:
        setters = {change.since.commit for change in entry.changes if change.since is not None}
        files = {change.file for change in entry.changes if change.file is not None} | {entry.file}
        # If a change has a commit, that is more precise than the files that were touched.
        entries += [] if (setters or files).isdisjoint(subjects) else [entry]
    if not entries:
        return None
    part = tuple(entries)
    return dataclasses.replace(report, assistants=part, summary=count(part), no_longer_managed=(), problems=())


def _name_environment(item: _Item, report: Report, differ: bool) -> _Item:
    """Return an entry with its environment, if the reports' environments differ. It may already have one."""
    return dataclasses.replace(item, environment=item.environment or report.environment) if differ else item


def _list_warnings(reports: Sequence[Report]) -> Iterator[str]:
    """Yield the warnings, each with its environment, unless all environments have it."""
    for warning in dict.fromkeys(warning for report in reports for warning in report.warnings):
        names = [report.environment for report in reports if warning in report.warnings]
        is_everywhere = {*names} == {report.environment for report in reports}
        yield from (f"{name}: {warning}" if name and not is_everywhere else warning for name in names)


def _common_value(values: Sequence[_Value], otherwise: _Value) -> _Value:
    return values[0] if all(value == values[0] for value in values) else otherwise
