"""A whole apply, in one order for the command and for Python: lock, read, plan, ask, write, report, record."""

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence

from reconciler.assistant.paths import dotted
from reconciler.core.outcome import Kind, Outcome
from reconciler.core.plan import Plan
from reconciler.core.ports import Assistants
from reconciler.core.run import Failure, Result, Run
from reconciler.core.settings import MaxChanges
from reconciler.dataclass import dataclass
from reconciler.errors import ReconcilerError, UsageError
from reconciler.git.lock import Lock, hold_lock
from reconciler.git.record import applied_ref
from reconciler.usecases.earlier_reports import SavedPlan, UnclearWrites
from reconciler.usecases.plan import compare
from reconciler.usecases.project.new_assistants import adopt_announcement, announce, withdraw
from reconciler.usecases.project.project import Project, check_policy
from reconciler.usecases.runs import end_run, make_run, stop_run
from reconciler.usecases.workers import DEFAULT_CONTROL, Control
from reconciler.usecases.writing.recordable import check_order, check_recordable, records_by_default
from reconciler.usecases.writing.recording import record
from reconciler.usecases.writing.writes import Writes


@dataclass(frozen=True, kw_only=True, slots=True)
class ApplyOptions:
    """The options of an apply."""

    record: bool | None = None  # None: settings and repository decide
    allow_older: bool = False
    fail_fast: bool = False
    max_changes: MaxChanges | None = None
    earlier: SavedPlan | UnclearWrites | None = None  # a report to whose writes the run is limited
    create: bool = False  # create the assistants whose definition says `id: new`
    announced: str | None = None  # a token: only those that were announced with it


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """The outside world of an apply: the API, the control of the run, and its callbacks."""

    api: Assistants
    control: Control = DEFAULT_CONTROL
    consent: Callable[[Run], str | None] = lambda _run: None  # says why a planned run may not be sent
    about_to_write: Callable[[Run], None] = lambda _run: None  # gets the run to report if this one never ends
    begin: Callable[[], object] = lambda: None  # called right before the first write
    publish: Callable[[Run], None] = lambda _run: None
    on_recorded: Callable[[str | None], None] = lambda _commit: None  # gets None if the record says it already

    @contextlib.contextmanager
    def save_first(self, planned: Run, results: Sequence[Result]) -> Iterator[None]:
        """Save the report in case the process is killed during the writes. If the block fails, it says why none began.

        After a kill it must not say `skipped`: any of the writes may have happened.
        """
        unclear = [result if result.outcome else result.end(Outcome.INDETERMINATE) for result in results]
        note = "This report was saved before the first write: the run has not ended, or was killed."
        try:
            self.about_to_write(end_run(planned, unclear, note))
            yield
        except ReconcilerError as error:
            with contextlib.suppress(ReconcilerError):
                self.about_to_write(stop_run(planned, error.message))
            raise

    def end(self, run: Run, write_record: Callable[[], str | None] | None) -> None:
        """Publish a finished run, and record it if required."""
        # The report may fail (a full disk). What is live must be recorded anyway.
        try:
            self.publish(run)
        finally:
            if write_record is not None:
                self.on_recorded(write_record())


Start = Callable[[Project], contextlib.AbstractContextManager[Session]]


def apply(lock: Lock, read_project: Callable[[], Project], options: ApplyOptions, start: Start) -> Run:
    """Update live assistants to match their definitions, and return the run.

    `lock` are the repository and the environment that no other run of the clone may write to meanwhile. `read_project`
    gives the project once the lock is held, `start` opens the session for it. If a definition is invalid, nothing is
    sent. Raises ReconcilerError before anything is sent; after that, only if what was applied could not be reported or
    recorded, each of which is done even if the other fails.
    """
    repository, environment = lock
    with hold_lock(*lock), contextlib.ExitStack() as until_begun:
        # Withdrawn if the run ends before its first write. A record that it has made by then has replaced it anyway.
        if options.announced is not None:
            until_begun.callback(withdraw, repository, applied_ref(environment), options.announced)
        # Read under the lock: another run may just have recorded something newer.
        project = read_project()
        if options.announced is not None:
            project = adopt_announcement(project, options.announced)
        recording = _check(project, options)
        with start(project) as session:
            run, applied = _carry_out(project, options, session, begin=until_begun.pop_all)
            session.end(run, functools.partial(record, run, applied) if recording and applied is not None else None)
    return run


def ask_and_write(planned: Run, project: Project, session: Session) -> tuple[Run, Project | None]:
    """Return a planned run with the result of each assistant, and its project after the announcement.

    Without the user's consent every assistant is skipped, and there is no project.
    """
    if (reason := session.consent(planned)) is not None:
        return stop_run(planned, reason), None
    # Assistants without a patch get their outcome here. What follows handles the others.
    results = [end_without_writing(project, result) for result in planned.results]
    pending = [result for result in results if result.outcome is None]
    if pending:
        with session.save_first(planned, results):
            # Last, after everything that may fail. An announcement without a write would stop all later runs.
            project = announce(project, planned)
        session.begin()
    writes = Writes(session.api, project, session.control)
    is_broken = session.control.fail_fast and any(result.has_failed for result in results)
    final_results = writes.write_all(pending, broken=is_broken)
    final_results += [result for result in results if result.outcome is not None]
    run = end_run(planned, final_results, *writes.notes)
    return dataclasses.replace(run, api_calls=dict(session.api.calls)), project


def _check(project: Project, options: ApplyOptions) -> bool:
    """Reject runs that must not start, and return whether the run is recorded. Raises ReconcilerError."""
    check_policy(project)
    # A late job must not undo a newer one, even if it does not record.
    if not options.allow_older:
        check_order(project)
    recording = options.record if options.record is not None else records_by_default(project)
    if options.create and not recording:
        hint = "pass --record, or write `record: true` into reconciler.yaml"
        raise UsageError("--create needs a record, which keeps the new ids until they are in git", hint=hint)
    # A plan has no digest of what it would create, and a request that creates is never sent again.
    if options.create and options.earlier is not None:
        raise UsageError("--create cannot be combined with --plan or --resume", hint="run apply again with --create")
    if recording:
        check_recordable(project)
    return recording


def _carry_out(
    project: Project, options: ApplyOptions, session: Session, *, begin: Callable[[], object]
) -> tuple[Run, Project | None]:
    """Return the run of an apply, and what of the project it was about; None if it did not get to writing.

    `begin` is called right before the first write.
    """
    # All or nothing: people reviewed the change as a whole, so one invalid file must not let a part of it go live.
    if project.loaded.invalid:
        run = make_run("apply", project, [Result(definition) for definition in project.loaded.definitions])
        results = (end_without_writing(project, result) for result in run.results)
        return end_run(run, results, "Nothing was sent: a definition is not valid."), None
    earlier = options.earlier
    project = earlier.select(project, session.api.url) if earlier is not None else project
    # Only now: a run that is invalid, or was not reviewed, must create nothing.
    if options.create:
        project = dataclasses.replace(project, policy=dataclasses.replace(project.policy, create=True))
    planned = compare(session.api, project, session.control, command="apply")
    if earlier is not None:
        judged = tuple(earlier.judge(result, project) for result in planned.results)
        planned = dataclasses.replace(planned, results=judged)
    limit = options.max_changes or project.settings.max_changes

    def find_objection(run: Run) -> str | None:
        # The limit comes first. Nobody should confirm what will not be sent.
        writes = sum(result.pending for result in run.results)
        if limit is not None and (objection := limit.find_objection(writes, len(run.results))):
            return f"{objection}; if the plan is right, raise the limit"
        # The prompt shows the run as a plan.
        return session.consent(dataclasses.replace(run, command="plan"))

    control = dataclasses.replace(session.control, fail_fast=options.fail_fast)
    limited = dataclasses.replace(session, control=control, consent=find_objection, begin=begin)
    return ask_and_write(planned, project, limited)


def end_without_writing(project: Project, result: Result) -> Result:
    """Return the result with its outcome if nothing is to be sent; otherwise as it is."""
    if result.outcome is not None or result.pending:
        return result
    if result.error is not None:
        # A refusal of our own has no HTTP status: a duplicate, or an assistant of another organisation.
        ours = result.error.status is None and result.error.kind in ("duplicate", "invalid", "forbidden", "conflict")
        return result.end(Outcome.REFUSED if ours else Outcome.FAILED)
    if result.plan is None:
        return result.end(Outcome.SKIPPED)
    if result.plan.refusal is not None:
        return result.end(Outcome.REFUSED, _explain_refusal(project, result.plan, result.plan.refusal))
    return result.end(Outcome.FROZEN if result.plan.freeze is not None else Outcome.UNCHANGED)


def _explain_refusal(project: Project, plan: Plan, refusal: Kind) -> Failure:
    """Return why nothing of an assistant is sent. Who set git's value, and when live was updated, is in the report."""
    paths = [dotted(change.path) for change in plan.changes if change.kind is refusal]
    reason = "changed both in git and live" if refusal is Kind.CONFLICT else "edited live, and --on-drift is fail"
    message = f"{', '.join(paths)} {'was' if len(paths) == 1 else 'were'} {reason}"
    return Failure("conflict", message, hint=refusal.explain_ways_out(*project.named_by))
