"""When nothing is recorded, or nothing is even applied; and what recording leaves alone."""

import hashlib
import json
import os
import pty
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from between import error_answer
from commands import COMMAND, connection_variables, environment
from projects import outcomes
from stories import REF, Story, entries, story

OLD, NEW = {"firstMessage": "old"}, {"firstMessage": "new"}


@pytest.fixture
def tale(tmp_path: Path) -> Iterator[Story]:
    """Two definitions that are live as they are committed and recorded."""
    with story(tmp_path / "repository", {"a": OLD, "b": OLD}) as tale:
        for name in "ab":
            tale.write(name, **OLD)
        tale.commit("First")
        tale.apply_and_record()
        tale.sandbox.forget_requests()
        yield tale


def commit_change(tale: Story, message: str = "Change") -> str:
    tale.write("a", **NEW)
    return tale.commit(message)


class TestDefinitionsThatDifferFromHead:
    def modified(self, tale: Story) -> None:
        tale.write("b", firstMessage="newer")

    def untracked(self, tale: Story) -> None:
        tale.write("c", **NEW)

    def ignored_by_git(self, tale: Story) -> None:
        (tale.root / ".git" / "info" / "exclude").write_text("c.yaml\n")
        tale.write("c", **NEW)

    def staged(self, tale: Story) -> None:
        tale.write("b", firstMessage="newer")
        tale.git("add", "--all")

    def deleted(self, tale: Story) -> None:
        (tale.root / "assistants/b.yaml").unlink()

    def hidden_from_git(self, tale: Story) -> None:
        tale.git("update-index", "--skip-worktree", "assistants/b.yaml")
        tale.write("b", firstMessage="newer")

    def renamed(self, tale: Story) -> None:
        tale.git("mv", "assistants/b.yaml", "assistants/c.yaml")

    def untracked_again(self, tale: Story) -> None:
        tale.git("rm", "--cached", "--quiet", "assistants/b.yaml")

    @pytest.mark.parametrize(
        "edit",
        [
            "modified",
            "untracked",
            "ignored_by_git",
            "staged",
            "deleted",
            "renamed",
            "hidden_from_git",
        ],
    )
    def test_are_not_recorded(self, tale: Story, edit: str) -> None:
        commit_change(tale)
        record = tale.record
        getattr(self, edit)(tale)
        result = tale.run("apply", "--yes", "--record")
        assert result.code == 1
        assert "differs from HEAD" in result.stderr
        assert "commit it, or apply with --no-record" in result.stderr
        assert (tale.record, tale.sandbox.requests, result.stdout) == (record, [], "")

    def test_are_in_nobodys_way_where_they_are_not_selected(self, tale: Story) -> None:
        commit_change(tale)
        self.modified(tale)
        assert tale.run("apply", "--yes", "--record", "assistants/a.yaml").code == 0
        assert {path: fields["firstMessage"] for path, fields in tale.tree().items()} == {
            "assistants/a.yaml": "new",
            "assistants/b.yaml": "old",
        }

    def test_one_that_reads_as_in_head_is_recorded_whatever_gits_index_says(self, tale: Story) -> None:
        commit_change(tale)
        self.untracked_again(tale)
        assert tale.run("apply", "--yes", "--record").code == 0

    @pytest.mark.parametrize("edit", ["added", "modified", "staged", "deleted", "ignored by git", "hidden from git"])
    def test_nor_under_settings_that_differ(self, tale: Story, edit: str) -> None:
        file = tale.root / "reconciler.yaml"
        if edit not in ("added", "ignored by git"):
            file.write_text("on_drift: keep\n")
        commit_change(tale)
        record = tale.record
        if edit == "ignored by git":
            (tale.root / ".git" / "info" / "exclude").write_text("reconciler.yaml\n")
        if edit == "hidden from git":
            tale.git("update-index", "--skip-worktree", "reconciler.yaml")
        if edit == "deleted":
            file.unlink()
        else:
            file.write_text("ignore: [{path: /firstMessage, reason: set by the CRM}]\n")
        if edit == "staged":
            tale.git("add", "--all")
        result = tale.run("apply", "--yes", "--record")
        assert result.code == 1
        assert "reconciler.yaml differs from HEAD, but the record" in result.stderr
        assert "commit it, or apply with --no-record" in result.stderr
        assert (tale.record, tale.sandbox.requests, result.stdout) == (record, [], "")
        assert tale.run("apply", "--yes", "--no-record").code == 0

    def test_nor_under_settings_beside_a_folder_in_a_folder(self, tale: Story) -> None:
        tale.git("mv", "assistants", "sub")
        (tale.root / "fleet").mkdir()
        tale.git("mv", "sub", "fleet/assistants")
        tale.commit()
        (tale.root / "reconciler.yaml").write_text("on_drift: keep\n")  # not those of this folder
        assert tale.run("apply", "--yes", "--record", "--directory", "fleet/assistants").code == 0
        (tale.root / "fleet/reconciler.yaml").write_text("on_drift: keep\n")
        result = tale.run("apply", "--yes", "--record", "--directory", "fleet/assistants")
        assert result.code == 1
        assert "fleet/reconciler.yaml differs from HEAD" in result.stderr

    def test_settings_outside_the_repository_are_not_its_own(self, tale: Story) -> None:
        (tale.root / "assistants" / "a.yaml").rename(tale.root / "a.yaml")
        (tale.root / "assistants" / "b.yaml").rename(tale.root / "b.yaml")
        tale.commit()
        (tale.root.parent / "reconciler.yaml").write_text("on_drift: keep\n")
        result = tale.run("apply", "--yes", "--record", "--directory", ".")
        assert result.code == 0, result.stderr

    def test_settings_whose_line_ends_git_turns_are_the_same(self, tale: Story) -> None:
        tale.git("config", "core.autocrlf", "true")
        (tale.root / "reconciler.yaml").write_bytes(b"on_drift: keep\r\n")
        tale.commit()
        assert outcomes(tale.apply_and_record())["a"] == "unchanged"

    def test_may_be_applied_without_a_record(self, tale: Story) -> None:
        record = tale.record
        self.modified(tale)
        assert outcomes(tale.apply("--no-record")) == {"a": "unchanged", "b": "applied"}
        assert tale.record == record

    def test_line_ends_that_git_turns_are_no_difference(self, tale: Story) -> None:
        tale.git("config", "core.autocrlf", "true")
        file = tale.root / "assistants/a.yaml"
        file.write_bytes(b"id: asst_a\r\nfirstMessage: new\r\n")
        head = tale.commit()
        assert b"\r" in file.read_bytes()
        assert outcomes(tale.apply_and_record())["a"] == "applied"
        assert tale.parents[0] == head

    def test_other_files_may_differ(self, tale: Story) -> None:
        head = commit_change(tale)
        (tale.root / "notes.txt").write_text("x")
        (tale.root / "assistants" / ".draft.yaml").write_text("x: [")
        (tale.root / "assistants" / "read.me").write_text("x")
        assert tale.run("apply", "--yes", "--record").code == 0
        assert tale.parents[0] == head


class TestOlderCommits:
    @pytest.fixture(autouse=True)
    def newer(self, tale: Story) -> None:
        """The commit that is checked out is older than the one that was applied."""
        first = tale.head
        commit_change(tale)
        tale.apply_and_record()
        tale.git("checkout", "--quiet", first)
        tale.sandbox.forget_requests()

    @pytest.mark.parametrize("options", [["--record"], [], ["assistants/b.yaml"], ["--base", "HEAD"]])
    def test_are_refused(self, tale: Story, options: list[str]) -> None:
        record = tale.record
        result = tale.run("apply", "--yes", *options)
        assert result.code == 1
        assert "does not descend from" in result.stderr
        assert "to go back on purpose, or if history was rewritten, pass --allow-older" in result.stderr
        assert (tale.record, tale.sandbox.requests) == (record, [])

    def test_may_be_planned(self, tale: Story) -> None:
        assert tale.run("plan").code == 0

    def test_are_applied_where_that_is_meant(self, tale: Story) -> None:
        previous = tale.record
        assert outcomes(tale.apply("--record", "--allow-older"))["a"] == "applied"
        assert tale.sandbox.live("asst_a")["firstMessage"] == "old"
        assert tale.parents == [tale.head, previous]

    def test_a_side_branch_is_older_too(self, tale: Story) -> None:
        tale.git("checkout", "--quiet", "-b", "side")
        tale.write("b", **NEW)
        tale.commit()
        assert tale.run("apply", "--yes").code == 1
        main = tale.git("log", "-1", "--format=%P", REF).split()[0]
        tale.git("-c", "user.name=A", "-c", "user.email=a@b.c", "merge", "--quiet", "-m", "Merge", main)
        assert outcomes(tale.apply_and_record()) == {"a": "unchanged", "b": "applied"}


class TestTheRefMovedMeanwhile:
    def moved(self, tale: Story) -> str:
        """Somebody else's record, on top of ours."""
        parents = ["-p", "HEAD~1", "-p", str(tale.record)]
        people = ["-c", "user.name=Eve", "-c", "user.email=eve@example.com"]
        return tale.git(*people, "commit-tree", "HEAD~1^{tree}", *parents, "-m", "Apply: 2 unchanged")

    def test_what_was_applied_is_live_and_not_recorded_and_a_retry_converges(self, tale: Story) -> None:
        commit_change(tale)
        theirs = self.moved(tale)

        def move(method: str, path: str, body: Any) -> None:
            if method == "PATCH":
                tale.git("update-ref", REF, theirs)

        tale.sandbox.before_each(move)
        result = tale.run("apply", "--yes", "--record")
        tale.sandbox.before_each(None)
        assert result.code == 1
        assert "Apply: 1 applied, 1 unchanged" in result.stdout
        assert "what was applied is live, but not recorded" in result.stderr
        assert "moved while this ran" in result.stderr
        assert "apply again" in result.stderr
        assert (tale.record, tale.sandbox.live("asst_a")["firstMessage"]) == (theirs, "new")

        assert outcomes(tale.apply_and_record()) == {"a": "unchanged", "b": "unchanged"}
        assert tale.parents == [tale.head, theirs]
        assert tale.tree()["assistants/a.yaml"]["firstMessage"] == "new"

    def test_a_disk_without_room_leaves_what_is_live_unrecorded_and_says_so(
        self, tale: Story, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        commit_change(tale)
        before = tale.record
        monkeypatch.setattr(tempfile, "tempdir", str(tale.root / "gone"))
        result = tale.run("apply", "--yes", "--record")
        monkeypatch.undo()
        assert (result.code, tale.record, "Apply: 1 applied" in result.stdout) == (1, before, True)
        message, hint = result.stderr.splitlines()[-2:]
        assert "what was applied is live, but not recorded: git's temporary files cannot be written" in message
        assert hint.endswith("set TMPDIR to another folder. Then apply again to record what is live")
        assert outcomes(tale.apply_and_record()) == {"a": "unchanged", "b": "unchanged"}

    def test_a_first_record_that_somebody_else_made_meanwhile_stays(self, tale: Story) -> None:
        theirs = str(tale.record)
        tale.git("update-ref", "-d", REF)

        def move(method: str, path: str, body: Any) -> None:
            tale.git("update-ref", REF, theirs)

        tale.sandbox.before_each(move)
        result = tale.run("apply", "--yes", "--record", "--base", "none")
        assert (result.code, tale.record) == (1, theirs)

    def test_a_ref_that_went_away_is_not_made_anew(self, tale: Story) -> None:
        commit_change(tale)

        def forget(method: str, path: str, body: Any) -> None:
            tale.git("update-ref", "-d", REF)

        tale.sandbox.before_each(forget)
        assert tale.run("apply", "--yes", "--record").code == 1
        assert tale.record is None


def test_a_ref_that_is_locked_leaves_it_as_it_was_and_says_what_is_live(tale: Story) -> None:
    commit_change(tale)
    record = tale.record
    (tale.root / ".git" / "refs" / "reconciler" / "applied.lock").touch()
    result = tale.run("apply", "--yes", "--record")
    assert result.code == 1
    assert "what was applied is live, but not recorded" in result.stderr
    assert "moved" not in result.stderr
    assert (tale.record, tale.sandbox.live("asst_a")["firstMessage"]) == (record, "new")
    again = tale.run("apply", "--yes", "--record")
    assert (again.code, "this run wrote nothing and is not recorded" in again.stderr) == (1, True)


class TestARunThatWasStoppedRecordsNothing:
    def test_by_max_changes(self, tale: Story) -> None:
        commit_change(tale)
        record = tale.record
        result = tale.run("apply", "--yes", "--record", "--max-changes", "0")
        assert (result.code, tale.record, tale.sandbox.patches) == (1, record, [])

    def test_by_an_invalid_file(self, tale: Story) -> None:
        tale.write("b", "id: asst_b\nnme: x\n")
        commit_change(tale)
        record = tale.record
        assert tale.run("apply", "--yes", "--record").code == 1
        assert (tale.record, tale.sandbox.requests) == (record, [])

    @pytest.mark.parametrize(("answer", "code", "applied"), [("n", 1, False), ("", 1, False), ("y", 0, True)])
    def test_by_a_no(self, tale: Story, answer: str, code: int, applied: bool) -> None:
        commit_change(tale)
        record = tale.record
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            [COMMAND, "apply", "--record"],
            cwd=tale.root,
            env=environment(connection_variables(tale.sandbox)),
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            os.write(ours, f"{answer}\n".encode())
            _, stderr = process.communicate(timeout=60)
        os.close(ours)
        os.close(theirs)
        assert b"Write to 1 assistant at " in stderr
        assert process.returncode == code
        assert (tale.record != record, bool(tale.sandbox.patches)) == (applied, applied)


def test_where_nobody_could_sign_in_every_definition_keeps_its_old_file(tale: Story) -> None:
    head = commit_change(tale)
    result = tale.run("apply", "--yes", "--record", env={"RECONCILER_PASSWORD": "wrong"})
    assert (result.code, tale.parents[0], tale.message.splitlines()[0]) == (1, head, "Apply: 2 failed, 0 unchanged")
    assert tale.tree()["assistants/a.yaml"]["firstMessage"] == "old"


class TestWhatIsLeftAlone:
    def fingerprint(self, tale: Story) -> dict[str, str]:
        """Everything below the folder but git's objects and the applied ref."""
        files = (path for path in tale.root.rglob("*") if path.is_file())
        names = {path.relative_to(tale.root).as_posix(): path for path in files}
        return {
            name: hashlib.sha256(path.read_bytes()).hexdigest()
            for name, path in names.items()
            if not name.startswith(".git/objects/") and name != f".git/{REF}"
        }

    def test_nothing_but_the_ref_changes(self, tale: Story) -> None:
        commit_change(tale)
        (tale.root / "staged.txt").write_text("staged")
        tale.git("add", "staged.txt")
        (tale.root / "staged.txt").write_text("and edited again")
        with tale.intercept(
            lambda request, forward: error_answer(400) if request.method == "PATCH" else forward(request)
        ):
            before, record = self.fingerprint(tale), tale.record
            tale.apply_and_record()
        assert tale.record != record
        assert self.fingerprint(tale) == before
        assert tale.git("fsck", "--strict", "--no-dangling", "--no-progress") == ""
        assert "staged.txt" not in tale.git("ls-tree", "-r", "--name-only", REF)

    def test_without_record_there_is_no_new_object(self, tale: Story) -> None:
        commit_change(tale)
        before = tale.git("count-objects", "-v")
        tale.apply("--no-record")
        assert tale.git("count-objects", "-v") == before

    def test_a_detached_head_stays_detached(self, tale: Story) -> None:
        tale.git("checkout", "--quiet", "--detach")
        head = commit_change(tale)
        tale.apply_and_record()
        assert (tale.git("rev-parse", "--abbrev-ref", "HEAD"), tale.head) == ("HEAD", head)


class TestWhoeverRecords:
    def test_needs_no_name(self, tale: Story) -> None:
        tale.git("config", "user.useConfigOnly", "true")
        tale.write("a", **NEW)
        tale.commit()
        tale.apply_and_record()
        assert tale.git("log", "-1", "--format=%an <%ae>", REF) == "reconciler <reconciler@localhost>"

    def test_is_named_where_git_knows_a_name(self, tale: Story) -> None:
        tale.git("config", "user.name", "Ada")
        tale.git("config", "user.email", "ada@example.com")
        commit_change(tale)
        tale.apply_and_record()
        assert tale.git("log", "-1", "--format=%an <%ae> %cn", REF) == "Ada <ada@example.com> Ada"

    def test_may_be_half_named(self, tale: Story) -> None:
        tale.git("config", "user.useConfigOnly", "true")
        commit_change(tale)
        result = tale.run(
            "apply",
            "--yes",
            "--record",
            env={"GIT_COMMITTER_NAME": "CI", "GIT_COMMITTER_EMAIL": "ci@example.com"},
        )
        assert result.code == 0, result.stderr

    def test_signs_nothing(self, tale: Story) -> None:
        tale.git("config", "commit.gpgsign", "true")
        tale.git("config", "gpg.program", "false")
        commit_change(tale)
        tale.apply_and_record()
        assert tale.parents[0] == tale.head


class TestWithoutARepository:
    def test_there_is_nothing_to_record_in(self, tale: Story, tmp_path: Path) -> None:
        folder = tmp_path / "plain" / "assistants"
        folder.mkdir(parents=True)
        (folder / "a.yaml").write_text("id: asst_a\n")
        result = tale.run("apply", "--yes", "--record", "--base", "none", "--directory", folder)
        assert result.code == 1
        assert "recording needs a git repository with a commit" in result.stderr
        result = tale.run("history", "--directory", folder)
        assert (result.code, result.stdout) == (1, "")
        assert "no git repository" in result.stderr

    def test_a_repository_without_a_commit_is_none(self, tale: Story, tmp_path: Path) -> None:
        empty = Story(tmp_path / "empty", tale.sandbox)
        empty.write("a", **OLD)
        result = empty.run("apply", "--yes", "--record", "--base", "none")
        assert (result.code, tale.sandbox.requests) == (1, [])
        assert "commit the definitions first" in result.stderr
        assert empty.run("history").code == 0


class TestHistory:
    def test_lists_the_newest_first(self, tale: Story) -> None:
        first = tale.head
        second = commit_change(tale)
        with tale.intercept(
            lambda request, forward: error_answer(400) if request.method == "PATCH" else forward(request)
        ):
            tale.apply_and_record()
        result = tale.run("history")
        assert (result.code, result.stderr) == (0, "")
        lines = [line.split("  ", 1)[-1] for line in result.stdout.splitlines()]
        assert lines == [
            f"{second[:12]}  Apply: 1 failed, 1 unchanged",
            "Change (Ada)",
            "failed: assistants/a.yaml (asst_a)",
            f"{first[:12]}  Apply: 2 unchanged",
            "First (Ada)",
        ]

    def test_names_the_fields_that_got_another_value(self, tale: Story) -> None:
        tale.apply_and_record()
        tale.write("a", firstMessage="newer", metadata={"x.y": 1})
        tale.commit('Say it\x1b[31m "better"\n\nThe reason.')
        tale.apply_and_record()
        first, *more = tale.run("history", "--limit", "1").stdout.splitlines()
        assert first.endswith("Apply: 1 applied, 1 unchanged")
        assert more == [
            '  Say it\\x1b[31m "better" (Ada)',
            "  applied: assistants/a.yaml (asst_a)",
            '    firstMessage, metadata."x.y"',
        ]
        (found,) = json.loads(tale.run("history", "--limit", "1", "--format", "json").stdout)
        assert (found["author"], found["subject"]) == ("Ada", 'Say it\x1b[31m "better"')
        assert found["changed"] == {"assistants/a.yaml": ["/firstMessage", "/metadata/x.y"]}

    def test_names_what_a_revert_takes_back(self, tale: Story) -> None:
        second = commit_change(tale)
        tale.apply_and_record()
        people = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
        tale.git(*people, "revert", "--no-edit", "HEAD")
        tale.commit("A later commit, as a merge would be", allow_empty=True)
        tale.apply_and_record()
        assert f"  reverts {second[:12]}" in tale.run("history", "--limit", "1").stdout.splitlines()
        (newest, *older) = json.loads(tale.run("history", "--format", "json").stdout)
        assert newest["reverts"] == [second]
        assert [record["reverts"] for record in older] == [[], []]

    def test_says_what_it_knows_of_a_commit_that_this_clone_lacks(self, tale: Story, tmp_path: Path) -> None:
        commit_change(tale)
        tale.apply_and_record()
        clone = Story(tmp_path / "clone", tale.sandbox)
        clone.git("fetch", "--quiet", "--depth=1", f"file://{tale.root}", f"{REF}:{REF}")
        (first,) = clone.run("history").stdout.splitlines()[:1]
        assert first.endswith("Apply: 1 applied, 1 unchanged")

    def test_is_data_too(self, tale: Story) -> None:
        second = commit_change(tale)
        tale.apply_and_record()
        (newest, oldest) = json.loads(tale.run("history", "--format", "json").stdout)
        assert (newest["commit"], newest["applied"], newest["unclear"]) == (tale.record, second, [])
        assert newest["date"].startswith("20")
        assert oldest["message"] == "Apply: 2 unchanged"
        assert json.loads(tale.run("history", "--format", "json", "--limit", "1").stdout) == [newest]

    def test_ends_at_its_limit(self, tale: Story) -> None:
        commit_change(tale)
        tale.apply_and_record()
        assert len(tale.run("history", "--limit", "1").stdout.splitlines()) == 4
        assert tale.run("history", "--limit", "0").code == 1

    @pytest.mark.parametrize(("form", "shown"), [("text", ""), ("json", "[]\n")])
    def test_may_be_empty(self, tale: Story, form: str, shown: str) -> None:
        tale.git("update-ref", "-d", REF)
        result = tale.run("history", "--format", form)
        assert (result.code, result.stdout) == (0, shown)

    def test_an_empty_one_says_how_to_begin(self, tale: Story) -> None:
        tale.git("update-ref", "-d", REF)
        assert "apply --record" in tale.run("history").stderr

    def test_reads_well_in_plain_git(self, tale: Story) -> None:
        commit_change(tale)
        tale.apply_and_record()
        assert tale.git("log", "--format=%s", "-1", REF) == "Apply: 1 applied, 1 unchanged"
        assert "Apply: 2 unchanged" in tale.git("log", "--format=%s", REF)
        assert tale.git("show", f"{REF}:assistants/a.yaml") == "id: asst_a\nfirstMessage: new"

    def test_shows_no_terminal_sequence(self, tale: Story) -> None:
        name = "e\x1b[31m\nvil"
        tale.sandbox.put({"id": "asst_e", **OLD})
        tale.write(name, id="asst_e", **NEW)
        tale.commit()
        tale.apply_and_record()
        assert "\x1b" not in tale.run("history").stdout
        assert "\x1b" not in tale.message
        assert "applied: assistants/e?[31m?vil.yaml (asst_e)" in tale.message.splitlines()


class TestARefThatIsNoRecord:
    @pytest.mark.parametrize("command", ["history", "plan", "apply"])
    def test_is_not_taken_for_one(self, tale: Story, command: str) -> None:
        # A commit of the branch, a tag of the record, and a file.
        people = ["-c", "user.name=Eve", "-c", "user.email=eve@example.com"]
        tale.git(*people, "tag", "--annotate", "-m", "Kept", "kept", REF)
        file = tale.git("rev-parse", "HEAD:assistants/a.yaml")
        other = {"history": tale.head, "plan": "refs/tags/kept", "apply": file}
        tale.git("update-ref", REF, other[command])
        result = tale.run(command, *(["--yes"] if command == "apply" else []))
        assert (result.code, result.stdout, tale.sandbox.requests) == (1, "", [])
        assert "which is not a record" in result.stderr
        assert f"git update-ref -d {REF}" in result.stderr

    @pytest.mark.parametrize(
        ("trailer", "older"),
        [
            ("{", False),
            ('{"id": "a"}', True),
            ('{"id": "a", "file": "f", "fields": ["no pointer"]}', True),
            ('{"id": "a", "file": "f", "fields": [], "heads": 1}', True),
            ("[" * 5000, True),
        ],
    )
    def test_a_trailer_that_nobody_can_read_is_an_error(self, tale: Story, trailer: str, older: bool) -> None:
        tale.apply_and_record()
        before = tale.record
        people = ["-c", "user.name=Eve", "-c", "user.email=eve@example.com"]
        parents = ["-p", "HEAD", *(["-p", REF] if older else [])]
        message = f"Apply: 1 indeterminate\n\nReconciler-Indeterminate: {trailer}\n"
        record = tale.git(*people, "commit-tree", "HEAD^{tree}", *parents, "-F", "-", stdin=message)
        tale.git("update-ref", REF, record)
        result = tale.run("plan")
        assert (result.code, result.stdout) == (1, "")
        assert f"the record {record[:12]} of {REF} has a trailer" in result.stderr
        way_out = result.stderr.rpartition(": git ")[2].split()  # what it names does help
        assert way_out == (["update-ref", REF, str(before)[:12]] if older else ["update-ref", "-d", REF])
        tale.git(*way_out)
        assert tale.run("plan").code == 0


class TestAShallowClone:
    @pytest.fixture
    def clone(self, tale: Story, tmp_path: Path) -> Story:
        """A clone as CI makes one: the newest commit alone, and the record without its history."""
        commit_change(tale)
        tale.apply_and_record()
        tale.write("b", **NEW)
        tale.commit()
        other = Story(tmp_path / "clone", tale.sandbox)
        other.git("fetch", "--quiet", "--depth", "1", tale.root.as_uri(), "HEAD")
        other.git("checkout", "--quiet", "FETCH_HEAD")
        other.git("fetch", "--quiet", "--depth", "1", tale.root.as_uri(), f"{REF}:{REF}")
        return other

    def test_can_be_planned(self, clone: Story) -> None:
        assert {key: entry["status"] for key, entry in entries(clone.plan()).items()} == {
            "a": "in_sync",
            "b": "pending",
        }

    def test_is_not_applied(self, clone: Story) -> None:
        clone.sandbox.forget_requests()
        result = clone.run("apply", "--yes", "--record")
        assert (result.code, clone.sandbox.requests) == (1, [])
        assert "fetch-depth: 0" in result.stderr

    def test_lists_the_records_that_it_has(self, clone: Story) -> None:
        result = clone.run("history")
        assert result.code == 0, result.stderr
        assert next(line for line in result.stdout.splitlines() if "Apply:" in line).endswith("1 applied, 1 unchanged")

    def test_becomes_a_whole_one(self, clone: Story, tale: Story) -> None:
        clone.git("fetch", "--quiet", "--unshallow", tale.root.as_uri(), f"{REF}:{REF}", "HEAD")
        assert outcomes(clone.apply_and_record())["b"] == "applied"
        assert clone.git("rev-list", "--count", "--first-parent", REF) != "1"


def test_a_repository_with_longer_object_names(tale: Story, tmp_path: Path) -> None:
    other = Story(tmp_path / "sha256", tale.sandbox)
    shutil.rmtree(other.root / ".git")
    subprocess.run(["git", "init", "--quiet", "--object-format=sha256", str(other.root)], check=True)
    for name in "ab":
        other.write(name, **OLD)
    other.commit()
    other.apply_and_record()
    commit_change(other)
    with other.intercept(lambda request, forward: error_answer(400) if request.method == "PATCH" else forward(request)):
        assert outcomes(other.apply_and_record())["a"] == "failed"
    assert len(str(other.record)) == 64
    assert other.tree()["assistants/a.yaml"]["firstMessage"] == "old"


def test_a_folder_that_is_reached_through_a_link(tale: Story, tmp_path: Path) -> None:
    commit_change(tale)
    (tmp_path / "link").symlink_to(tale.root)
    assert outcomes(tale.apply_and_record("--directory", tmp_path / "link" / "assistants"))["a"] == "applied"
    assert tale.parents[0] == tale.head
    assert tale.tree()["assistants/a.yaml"]["firstMessage"] == "new"


def test_a_repository_whose_root_is_the_folder(tale: Story) -> None:
    for name in "ab":
        tale.git("mv", f"assistants/{name}.yaml", f"{name}.yaml")
    tale.commit()
    (tale.root / "a.yaml").write_text("id: asst_a\nfirstMessage: new\n")
    tale.commit()
    assert outcomes(tale.apply_and_record("--directory", ".")) == {"a": "applied", "b": "unchanged"}
    assert set(tale.tree()) == {"a.yaml", "b.yaml"}
