"""`reconciler issue`."""

import shlex
from collections.abc import Iterator
from typing import NamedTuple

import click

from reconciler.cli.help import declare_command
from reconciler.cli.hosted import HostOptions, host_options, notify_chat, open_host, show_result
from reconciler.cli.streams import eprint
from reconciler.core.outcome import Kind
from reconciler.errors import UsageError
from reconciler.hosts.keep import keep_issue
from reconciler.report.differences.values import escape
from reconciler.report.formats.inert import code
from reconciler.report.formats.markdown import render_markdown
from reconciler.report.report import Report
from reconciler.report.view import make_view
from reconciler.report.wording import list_naming_options

_ROOM = 64_000  # characters for the report; the text after it also needs space
_NEAR = 14 * 24 * 60 * 60  # seconds; warnings about reconciler.yaml begin at the same time
_LIVE = "Live assistants were edited outside git"
_UNREAD = "Not all assistants could be checked"
_FAILED = "Not everything was applied"
_EXPIRY = "A setting of reconciler.yaml expires soon"
_ADVICE = (
    "To keep a live edit, merge the {proposal} `Accept live edits`, or write it into git with {pull}. "
    "To undo it, change it back in the dashboard, or run {revert}. This issue closes "
    "automatically when no live edits are left."
)
_LOOK = "Not all assistants could be checked. This issue closes once all of them can be, and none was edited live."
_MEND = "Fix what is listed here and apply again. This issue then closes automatically."
_RENEW = "Renew it or remove it. The warnings of `plan` and `drift` name the entry and its reason."
_IS_PART = "the report covers only some of the assistants"
_IS_BLIND = "a plan that was made offline or without a base does not show live edits"
_EXCEPT_FROZEN = " Frozen assistants do not count: what differs there stays until the freeze ends."
_SETTLED = {
    "drift": "All assistants could be checked, and no live edits are left.",
    "apply": "Everything was applied.",
    "expiry": "Nothing expires within two weeks.",
}


class _Topic(NamedTuple):
    """The subject of one issue. Without a text, it is settled, unless `gap` says what the report does not show."""

    kind: str
    title: str
    text: str | None
    gap: str = ""


@declare_command(
    "issue",
    ("reconciler issue drift.json", "Open, update or close the issue about live edits"),
    ("reconciler issue apply.json", "The same for an apply that failed"),
)
@click.option(
    "--about", type=click.Choice(["drift", "apply"]), default="drift", help="Which issue --text or --settled is for."
)
@host_options
def command(options: HostOptions, about: str) -> int:
    """Maintain one issue about live edits, or about a failed apply, from a JSON report.

    With a drift's report, the issue is opened if something was edited live or could not be checked. It is updated in
    place, and closed when all definitions were checked and nothing differs any more. Settings that expire within two
    weeks have their own issue. With an apply's report, an issue is opened if not everything was applied. If there is
    nothing to report and no open issue, nothing is written. The report of a run with PATHS closes no issue.

    If RECONCILER_WEBHOOK_URL (a secret) is set, a chat gets one line when an issue is opened, renamed or closed.
    """
    host, name, report, markdown = open_host(options)
    for topic in _list_topics(report, markdown, about, host.proposal):
        if topic.text is None and topic.gap:
            # The open issue may be about something that is not in this report.
            eprint(f"Left the issues as they are: {topic.gap}.")
            continue
        title, settled = escape(f"{topic.title} ({name})"), _SETTLED[topic.kind]
        if report is not None and any(entry.frozen and entry.changes for entry in report.assistants):
            settled += _EXCEPT_FROZEN if topic.kind != "expiry" else ""
        result = keep_issue(host, topic.kind, name, title, topic.text, settled, options.link)
        # If nothing expires, there is no news to print.
        if result != "nothing" or topic.kind != "expiry":
            show_result("issue about settings" if topic.kind == "expiry" else "issue", result)
        if result in ("created", "renamed", "closed"):
            notify_chat(host, title if topic.text is not None else f"{name}: {settled}")
    return 0


def _list_topics(report: Report | None, markdown: str, about: str, proposal: str) -> Iterator[_Topic]:
    if report is None:
        # Without a report, the command could not start, so it has checked nothing.
        title, advice = (_UNREAD, _LOOK) if about == "drift" else (_FAILED, _MEND)
        yield _Topic(about, title, f"{markdown}\n\n{advice}" if markdown else None)
        return
    # A merged report may be about several commands.
    writes = {report.traits_of(entry).writes for entry in report.assistants} or {report.traits.writes}
    if len(writes) > 1:
        hint = "live edits and failed applies have separate issues: pass the reports of one kind"
        raise UsageError("some of these reports are of commands that write, and some are not", hint=hint)
    text = render_markdown(make_view(report), limit=_ROOM)
    if True in writes:
        # An apply with --changed also includes everything that the record has not settled.
        gap = _IS_PART if report.selection == "named" else ""
        yield _Topic("apply", _FAILED, f"{text}\n\n{_MEND}" if report.has_failed else None, gap)
        return
    is_edited = report.has_live_edits
    # What was not checked does not count as settled.
    options = list_naming_options(report, [entry for entry in report.assistants if entry.open_kinds - {Kind.CHANGE}])
    pull, revert = (
        code(shlex.join(["reconciler", *words]))
        for words in (["pull", *options], ["apply", *options, "--on-drift", "revert"])
    )
    advice = _ADVICE.format(proposal=proposal, pull=pull, revert=revert) if is_edited else _LOOK
    body = f"{text}\n\n{advice}" if is_edited or report.has_failed else None
    # Without a base, a plan calls every live edit a change.
    is_blind = report.offline or (report.base is None and bool(report.kinds))
    gap = _IS_PART if report.selection is not None else _IS_BLIND if is_blind else ""
    yield _Topic("drift", _LIVE if is_edited else _UNREAD, body, gap)
    expiry = report.next_expiry
    is_near = expiry is not None and expiry.in_seconds <= _NEAR
    body = f"An entry expires after {expiry.expires}. {_RENEW}" if expiry is not None and is_near else None
    yield _Topic("expiry", _EXPIRY, body)
