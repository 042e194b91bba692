"""A whole apply: plan, make sure that the writes may be sent, then write.

One way for everybody who applies, the command and the Python function alike.
"""

from collections.abc import Callable, Sequence

from reconciler.api.client import AssistantsApi
from reconciler.core.reviewed import Applied, Reviewed
from reconciler.core.run import Run
from reconciler.usecases.apply import apply, skip_all
from reconciler.usecases.plan import plan
from reconciler.usecases.resume import only_known, resumed
from reconciler.usecases.saved_plan import check_url, only_reviewed, selected
from reconciler.usecases.scope import Scope


def carry_out(
    api: AssistantsApi,
    scope: Scope,
    *,
    objection: Callable[[Run], str | None],
    reviewed: Reviewed | None = None,
    unclear: Sequence[Applied] | None = None,
    retries: int = 4,
    fail_fast: bool = False,
    about_to_write: Callable[[Run], None] = lambda _run: None,
) -> tuple[Run, bool]:
    """Return the run of an apply, and whether it got as far as writing.

    Nothing is sent where a definition is invalid, or where `objection` gives a reason why the planned run
    may not be carried out; the report names the reason. With `reviewed` only the writes of that plan are
    sent; with `unclear` the writes that had no clear answer are sent again, and no others. `about_to_write`
    is called as by `apply`. Raises UsageError for a reviewed plan that is not for this run.
    """
    if scope.loaded.invalid:
        return skip_all(scope, because="a definition is not valid"), False
    if reviewed is not None:
        scope = selected(scope, reviewed)
        check_url(reviewed, api.url)
    if unclear is not None:
        scope = resumed(scope, unclear)
    planned = plan(api, scope)
    if reviewed is not None:
        planned = only_reviewed(planned, scope, reviewed)
    if unclear is not None:
        planned = only_known(planned, unclear)
    reason = objection(planned)
    if reason is not None:
        return skip_all(scope, planned, because=reason), False
    return apply(api, scope, planned, retries=retries, fail_fast=fail_fast, about_to_write=about_to_write), True
