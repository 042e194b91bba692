"""What the tests may cost: a new interpreter takes as long as twenty forked commands, so only some files start one."""

import re
from pathlib import Path

TESTS = Path(__file__).parent
NEW_INTERPRETER = re.compile(r"\bsys\.executable\b|^from commands import .*\b(COMMAND|start_command)\b", re.MULTILINE)
APART = ("benchmarks", "checks", "soak", "support")  # not run every day, or what the others take it from
# What Python or a shell does when it starts, ends, gets a signal or has no streams; and programs that are not ours.
MAY_START_ONE = {
    "cli/test_errors.py",
    "cli/test_help.py",
    "cli/test_prompt.py",
    "cli/test_report_files.py",
    "cli/test_report_not_lost.py",
    "cli/test_stopping.py",
    "cli/test_stopping_hard.py",
    "cli/test_streams.py",
    "core/test_compare.py",
    "demo/test_demo.py",
    "editor/test_editor_schemas.py",
    "files/test_files.py",
    "files/test_rules_in_files.py",
    "sandbox/test_sandbox_command.py",
    "sandbox/test_sandbox_document.py",
    "sandbox/test_sandbox_openapi.py",
    "test_git_document.py",
    "test_leaks.py",
    "test_public.py",
    "test_quickstart.py",
    "test_soak.py",
    "usecases/test_init.py",
    "usecases/test_recording_refused.py",
    "usecases/test_rollback.py",
    "usecases/test_workers.py",
    "workflows/job.py",
    "workflows/test_ci_document.py",
    "workflows/test_names.py",
    "workflows/test_release.py",
    "workflows/test_run_action.py",
}


def test_only_a_test_of_the_start_itself_starts_a_new_interpreter() -> None:
    """Any other takes `commands.run`, and a script `commands.place_command`: both fork."""
    files = (file.relative_to(TESTS) for file in TESTS.rglob("*.py") if file != Path(__file__))
    found = {
        file.as_posix()
        for file in files
        if file.parts[0] not in APART and NEW_INTERPRETER.search((TESTS / file).read_text("utf-8"))
    }
    assert found - MAY_START_ONE == set(), "take `commands.run`, or `commands.place_command` for a script"
    assert MAY_START_ONE - found == set(), "these start none any more: take them off the list"
