"""When nothing is recorded, or nothing is even applied; and what recording leaves alone."""

import hashlib
import json
import os
import pty
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from between import error_answer
from commands import COMMAND, connection_variables, environment
from projects import outcomes
from stories import REF, Story, committed_story, entries
from two_environments import two_environments

OLD, NEW = {"firstMessage": "old"}, {"firstMessage": "new"}


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Story]:
    """Two definitions that are live as they are committed and recorded."""
    with committed_story(tmp_path / "repository", {"a": OLD, "b": OLD}, OLD) as repo:
        repo.apply_and_record()
        repo.sandbox.forget_requests()
        yield repo


def commit_change(repo: Story, message: str = "Change") -> str:
    repo.write("a", **NEW)
    return repo.commit(message)


class TestDefinitionsThatDifferFromHead:
    def modified(self, repo: Story) -> None:
        repo.write("b", firstMessage="newer")

    def untracked(self, repo: Story) -> None:
        repo.write("c", **NEW)

    def ignored_by_git(self, repo: Story) -> None:
        (repo.root / ".git" / "info" / "exclude").write_text("c.yaml\n")
        repo.write("c", **NEW)

    def staged(self, repo: Story) -> None:
        repo.write("b", firstMessage="newer")
        repo.git("add", "--all")

    def deleted(self, repo: Story) -> None:
        (repo.root / "assistants/b.yaml").unlink()

    def hidden_from_git(self, repo: Story) -> None:
        repo.git("update-index", "--skip-worktree", "assistants/b.yaml")
        repo.write("b", firstMessage="newer")

    def renamed(self, repo: Story) -> None:
        repo.git("mv", "assistants/b.yaml", "assistants/c.yaml")

    def untracked_again(self, repo: Story) -> None:
        repo.git("rm", "--cached", "--quiet", "assistants/b.yaml")

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
    def test_are_not_recorded(self, repo: Story, edit: str) -> None:
        commit_change(repo)
        record = repo.record
        getattr(self, edit)(repo)
        result = repo.run("apply", "--yes", "--record")
        assert result.code == 1
        assert "differs from HEAD" in result.stderr
        assert "commit it, or apply with --no-record" in result.stderr
        assert (repo.record, repo.sandbox.requests, result.stdout) == (record, [], "")

    def test_defaults_that_were_removed_here_are_named(self, repo: Story) -> None:
        defaults = repo.root / "assistants/_defaults.yaml"
        defaults.write_text("endCallMessage: Bye\n")
        repo.commit()
        repo.apply_and_record()
        defaults.unlink()
        result = repo.run("apply", "--yes", "--record", "assistants/a.yaml")
        assert "assistants/_defaults.yaml differs from HEAD, but the record" in result.stderr

    @pytest.mark.parametrize(
        ("edit", "message"),
        [
            (Path.unlink, "environments/staging/b.yaml differs from HEAD: it was removed here"),
            (lambda overlay: overlay.write_text("name: B\n"), "assistants/b.yaml differs from HEAD: it has no id here"),
        ],
        ids=["removed", "without its id"],
    )
    def test_an_overlay_that_is_no_longer_what_it_was_drops_no_entry(
        self, tmp_path: Path, edit: Callable[[Path], object], message: str
    ) -> None:
        with two_environments(tmp_path / "work", {"a": {"name": "A"}, "b": {"name": "B"}}) as environments:
            for name in "ab":
                environments.shared(name, f"name: {name.upper()}\n")
                overlay = environments.overlay("staging", name, id=f"asst_{name}")
            environments.repo.commit()
            assert environments.run("staging", "apply", "--yes", "--record", "--base", "none").code == 0
            edit(overlay)
            result = environments.run("staging", "apply", "--yes", "--record")
            assert result.code == 1
            assert message in result.stderr
            environments.repo.commit("Away")
            assert environments.run("staging", "apply", "--yes", "--record").code == 0

    def test_are_in_nobodys_way_where_they_are_not_selected(self, repo: Story) -> None:
        commit_change(repo)
        self.modified(repo)
        assert repo.run("apply", "--yes", "--record", "assistants/a.yaml").code == 0
        assert {path: fields["firstMessage"] for path, fields in repo.tree().items()} == {
            "assistants/a.yaml": "new",
            "assistants/b.yaml": "old",
        }

    def test_one_that_reads_as_in_head_is_recorded_whatever_gits_index_says(self, repo: Story) -> None:
        commit_change(repo)
        self.untracked_again(repo)
        assert repo.run("apply", "--yes", "--record").code == 0

    @pytest.mark.parametrize("edit", ["added", "modified", "staged", "deleted", "ignored by git", "hidden from git"])
    def test_nor_under_settings_that_differ(self, repo: Story, edit: str) -> None:
        file = repo.root / "reconciler.yaml"
        if edit not in ("added", "ignored by git"):
            file.write_text("on_drift: keep\n")
        commit_change(repo)
        record = repo.record
        if edit == "ignored by git":
            (repo.root / ".git" / "info" / "exclude").write_text("reconciler.yaml\n")
        if edit == "hidden from git":
            repo.git("update-index", "--skip-worktree", "reconciler.yaml")
        if edit == "deleted":
            file.unlink()
        else:
            file.write_text("ignore: [{path: /firstMessage, reason: set by the CRM}]\n")
        if edit == "staged":
            repo.git("add", "--all")
        result = repo.run("apply", "--yes", "--record")
        assert result.code == 1
        assert "reconciler.yaml differs from HEAD, but the record" in result.stderr
        assert "commit it, or apply with --no-record" in result.stderr
        assert (repo.record, repo.sandbox.requests, result.stdout) == (record, [], "")
        assert repo.run("apply", "--yes", "--no-record").code == 0

    def test_nor_under_settings_beside_a_folder_in_a_folder(self, repo: Story) -> None:
        repo.git("mv", "assistants", "sub")
        (repo.root / "fleet").mkdir()
        repo.git("mv", "sub", "fleet/assistants")
        repo.commit()
        (repo.root / "reconciler.yaml").write_text("on_drift: keep\n")  # not those of this folder
        assert repo.run("apply", "--yes", "--record", "--directory", "fleet/assistants").code == 0
        (repo.root / "fleet/reconciler.yaml").write_text("on_drift: keep\n")
        result = repo.run("apply", "--yes", "--record", "--directory", "fleet/assistants")
        assert result.code == 1
        assert "fleet/reconciler.yaml differs from HEAD" in result.stderr

    def test_settings_outside_the_repository_are_not_its_own(self, repo: Story) -> None:
        (repo.root / "assistants" / "a.yaml").rename(repo.root / "a.yaml")
        (repo.root / "assistants" / "b.yaml").rename(repo.root / "b.yaml")
        repo.commit()
        (repo.root.parent / "reconciler.yaml").write_text("on_drift: keep\n")
        result = repo.run("apply", "--yes", "--record", "--directory", ".")
        assert result.code == 0, result.stderr

    def test_settings_whose_line_ends_git_turns_are_the_same(self, repo: Story) -> None:
        repo.git("config", "core.autocrlf", "true")
        (repo.root / "reconciler.yaml").write_bytes(b"on_drift: keep\r\n")
        repo.commit()
        assert outcomes(repo.apply_and_record())["a"] == "unchanged"

    def test_may_be_applied_without_a_record(self, repo: Story) -> None:
        record = repo.record
        self.modified(repo)
        assert outcomes(repo.apply("--no-record")) == {"a": "unchanged", "b": "applied"}
        assert repo.record == record

    def test_line_ends_that_git_turns_are_no_difference(self, repo: Story) -> None:
        repo.git("config", "core.autocrlf", "true")
        file = repo.root / "assistants/a.yaml"
        file.write_bytes(b"id: asst_a\r\nfirstMessage: new\r\n")
        head = repo.commit()
        assert b"\r" in file.read_bytes()
        assert outcomes(repo.apply_and_record())["a"] == "applied"
        assert repo.parents[0] == head

    def test_other_files_may_differ(self, repo: Story) -> None:
        head = commit_change(repo)
        (repo.root / "notes.txt").write_text("x")
        (repo.root / "assistants" / ".draft.yaml").write_text("x: [")
        (repo.root / "assistants" / "read.me").write_text("x")
        assert repo.run("apply", "--yes", "--record").code == 0
        assert repo.parents[0] == head


class TestOlderCommits:
    @pytest.fixture(autouse=True)
    def newer(self, repo: Story) -> None:
        """The commit that is checked out is older than the one that was applied."""
        first = repo.head
        commit_change(repo)
        repo.apply_and_record()
        repo.git("checkout", "--quiet", first)
        repo.sandbox.forget_requests()

    @pytest.mark.parametrize("options", [["--record"], [], ["assistants/b.yaml"], ["--base", "HEAD"]])
    def test_are_refused(self, repo: Story, options: list[str]) -> None:
        record = repo.record
        result = repo.run("apply", "--yes", *options)
        assert result.code == 1
        assert "does not descend from" in result.stderr
        assert "to go back on purpose, or if history was rewritten, apply with --allow-older" in result.stderr
        assert (repo.record, repo.sandbox.requests) == (record, [])

    @pytest.mark.parametrize(
        "command",
        [("delete", "assistants/b.yaml", "--yes", "--name", "B"), ("create", "assistants/new.yaml", "--yes")],
        ids=lambda command: command[0],
    )
    def test_neither_delete_nor_create(self, repo: Story, command: tuple[str, ...]) -> None:
        repo.write("new", "id: new\nname: New\nmodel: {provider: openai, model: gpt-4o}\n")
        result = repo.run(*command)
        assert (result.code, repo.sandbox.requests) == (1, [])
        assert "apply with --allow-older" in result.stderr, "neither of them has the option itself"

    def test_may_be_planned(self, repo: Story) -> None:
        assert repo.run("plan").code == 0

    def test_are_applied_where_that_is_meant(self, repo: Story) -> None:
        previous = repo.record
        assert outcomes(repo.apply("--record", "--allow-older"))["a"] == "applied"
        assert repo.sandbox.live("asst_a")["firstMessage"] == "old"
        assert repo.parents == [repo.head, previous]

    def test_a_side_branch_is_older_too(self, repo: Story) -> None:
        repo.git("checkout", "--quiet", "-b", "side")
        repo.write("b", **NEW)
        repo.commit()
        assert repo.run("apply", "--yes").code == 1
        main = repo.git("log", "-1", "--format=%P", REF).split()[0]
        repo.git("-c", "user.name=A", "-c", "user.email=a@b.c", "merge", "--quiet", "-m", "Merge", main)
        assert outcomes(repo.apply_and_record()) == {"a": "unchanged", "b": "applied"}


class TestTheRefMovedMeanwhile:
    def moved(self, repo: Story) -> str:
        """Somebody else's record, on top of ours."""
        return repo.make_commit("HEAD~1^{tree}", "HEAD~1", REF, message="Apply: 2 unchanged")

    def test_what_was_applied_is_live_and_not_recorded_and_a_retry_converges(self, repo: Story) -> None:
        commit_change(repo)
        theirs = self.moved(repo)

        def move(method: str, path: str, body: Any) -> None:
            if method == "PATCH":
                repo.git("update-ref", REF, theirs)

        repo.sandbox.before_each(move)
        result = repo.run("apply", "--yes", "--record")
        repo.sandbox.before_each(None)
        assert result.code == 1
        assert "Apply: 1 applied, 1 unchanged" in result.stdout
        assert "what was applied is live, but not recorded" in result.stderr
        assert "moved while this ran" in result.stderr
        assert "git log refs/reconciler/applied. Then" in result.stderr
        assert "apply again" in result.stderr
        assert (repo.record, repo.sandbox.live("asst_a")["firstMessage"]) == (theirs, "new")

        assert outcomes(repo.apply_and_record()) == {"a": "unchanged", "b": "unchanged"}
        assert repo.parents == [repo.head, theirs]
        assert repo.tree()["assistants/a.yaml"]["firstMessage"] == "new"

    def test_a_disk_without_room_leaves_what_is_live_unrecorded_and_says_so(
        self, repo: Story, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        commit_change(repo)
        before = repo.record
        monkeypatch.setattr(tempfile, "tempdir", str(repo.root / "gone"))
        result = repo.run("apply", "--yes", "--record")
        monkeypatch.undo()
        assert (result.code, repo.record, "Apply: 1 applied" in result.stdout) == (1, before, True)
        message, hint = result.stderr.splitlines()[-2:]
        assert "what was applied is live, but not recorded: git's temporary files cannot be written" in message
        assert hint.endswith("set TMPDIR to another folder. Then apply again to record what is live")
        assert outcomes(repo.apply_and_record()) == {"a": "unchanged", "b": "unchanged"}

    def test_a_first_record_that_somebody_else_made_meanwhile_stays(self, repo: Story) -> None:
        theirs = str(repo.record)
        repo.git("update-ref", "-d", REF)

        def move(method: str, path: str, body: Any) -> None:
            repo.git("update-ref", REF, theirs)

        repo.sandbox.before_each(move)
        result = repo.run("apply", "--yes", "--record", "--base", "none")
        assert (result.code, repo.record) == (1, theirs)

    def test_a_ref_that_went_away_is_not_made_anew(self, repo: Story) -> None:
        commit_change(repo)

        def forget(method: str, path: str, body: Any) -> None:
            repo.git("update-ref", "-d", REF)

        repo.sandbox.before_each(forget)
        assert repo.run("apply", "--yes", "--record").code == 1
        assert repo.record is None


def test_a_ref_that_leads_to_a_branch_leaves_the_branch(repo: Story) -> None:
    head = commit_change(repo)
    repo.git("update-ref", "-d", REF)
    repo.git("symbolic-ref", REF, "refs/heads/main")
    repo.sandbox.edit("asst_a", **OLD)
    repo.apply("--record", "--on-drift", "revert")
    assert (repo.head, repo.git("rev-parse", f"{REF}^1")) == (head, head)


def test_a_ref_that_is_locked_leaves_it_as_it_was_and_says_what_is_live(repo: Story) -> None:
    commit_change(repo)
    record = repo.record
    (repo.root / ".git" / "refs" / "reconciler" / "applied.lock").touch()
    result = repo.run("apply", "--yes", "--record")
    assert result.code == 1
    assert "what was applied is live, but not recorded" in result.stderr
    assert "moved" not in result.stderr
    assert (repo.record, repo.sandbox.live("asst_a")["firstMessage"]) == (record, "new")
    again = repo.run("apply", "--yes", "--record")
    assert (again.code, "this run wrote nothing and is not recorded" in again.stderr) == (1, True)


class TestARunThatWasStoppedRecordsNothing:
    def test_by_max_changes(self, repo: Story) -> None:
        commit_change(repo)
        record = repo.record
        result = repo.run("apply", "--yes", "--record", "--max-changes", "0")
        assert (result.code, repo.record, repo.sandbox.patches) == (1, record, [])

    def test_by_an_invalid_file(self, repo: Story) -> None:
        repo.write("b", "id: asst_b\nnme: x\n")
        commit_change(repo)
        record = repo.record
        assert repo.run("apply", "--yes", "--record").code == 1
        assert (repo.record, repo.sandbox.requests) == (record, [])

    @pytest.mark.parametrize(("answer", "code", "applied"), [("n", 1, False), ("", 1, False), ("y", 0, True)])
    def test_by_a_no(self, repo: Story, answer: str, code: int, applied: bool) -> None:
        commit_change(repo)
        record = repo.record
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            [COMMAND, "apply", "--record"],
            cwd=repo.root,
            env=environment(connection_variables(repo.sandbox)),
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
        assert (repo.record != record, bool(repo.sandbox.patches)) == (applied, applied)


def test_where_nobody_could_sign_in_every_definition_keeps_its_old_file(repo: Story) -> None:
    head = commit_change(repo)
    result = repo.run("apply", "--yes", "--record", env={"RECONCILER_PASSWORD": "wrong"})
    assert (result.code, repo.parents[0], repo.message.splitlines()[0]) == (1, head, "Apply: 2 failed, 0 unchanged")
    assert repo.tree()["assistants/a.yaml"]["firstMessage"] == "old"


class TestWhatIsLeftAlone:
    def fingerprint(self, repo: Story) -> dict[str, str]:
        """Everything below the folder but git's objects and the applied ref."""
        files = (path for path in repo.root.rglob("*") if path.is_file())
        names = {path.relative_to(repo.root).as_posix(): path for path in files}
        return {
            name: hashlib.sha256(path.read_bytes()).hexdigest()
            for name, path in names.items()
            if not name.startswith(".git/objects/") and name != f".git/{REF}"
        }

    def test_nothing_but_the_ref_changes(self, repo: Story) -> None:
        commit_change(repo)
        (repo.root / "staged.txt").write_text("staged")
        repo.git("add", "staged.txt")
        (repo.root / "staged.txt").write_text("and edited again")
        with repo.intercept(
            lambda request, forward: error_answer(400) if request.method == "PATCH" else forward(request)
        ):
            before, record = self.fingerprint(repo), repo.record
            repo.apply_and_record()
        assert repo.record != record
        assert self.fingerprint(repo) == before
        assert repo.git("fsck", "--strict", "--no-dangling", "--no-progress") == ""
        assert "staged.txt" not in repo.git("ls-tree", "-r", "--name-only", REF)

    def test_without_record_there_is_no_new_object(self, repo: Story) -> None:
        commit_change(repo)
        before = repo.git("count-objects", "-v")
        repo.apply("--no-record")
        assert repo.git("count-objects", "-v") == before

    def test_a_detached_head_stays_detached(self, repo: Story) -> None:
        repo.git("checkout", "--quiet", "--detach")
        head = commit_change(repo)
        repo.apply_and_record()
        assert (repo.git("rev-parse", "--abbrev-ref", "HEAD"), repo.head) == ("HEAD", head)


class TestWhoeverRecords:
    def test_needs_no_name(self, repo: Story) -> None:
        repo.git("config", "user.useConfigOnly", "true")
        repo.write("a", **NEW)
        repo.commit()
        repo.apply_and_record()
        assert repo.git("log", "-1", "--format=%an <%ae>", REF) == "reconciler <reconciler@localhost>"

    def test_is_named_where_git_knows_a_name(self, repo: Story) -> None:
        repo.git("config", "user.name", "Ada")
        repo.git("config", "user.email", "ada@example.com")
        commit_change(repo)
        repo.apply_and_record()
        assert repo.git("log", "-1", "--format=%an <%ae> %cn", REF) == "Ada <ada@example.com> Ada"

    def test_may_be_half_named(self, repo: Story) -> None:
        repo.git("config", "user.useConfigOnly", "true")
        commit_change(repo)
        result = repo.run(
            "apply",
            "--yes",
            "--record",
            env={"GIT_COMMITTER_NAME": "CI", "GIT_COMMITTER_EMAIL": "ci@example.com"},
        )
        assert result.code == 0, result.stderr

    def test_signs_nothing(self, repo: Story) -> None:
        repo.git("config", "commit.gpgsign", "true")
        repo.git("config", "gpg.program", "false")
        commit_change(repo)
        repo.apply_and_record()
        assert repo.parents[0] == repo.head


class TestWithoutARepository:
    def test_there_is_nothing_to_record_in(self, repo: Story, tmp_path: Path) -> None:
        folder = tmp_path / "plain" / "assistants"
        folder.mkdir(parents=True)
        (folder / "a.yaml").write_text("id: asst_a\n")
        result = repo.run("apply", "--yes", "--record", "--base", "none", "--directory", folder)
        assert result.code == 1
        assert "recording needs a git repository with a commit" in result.stderr
        result = repo.run("history", "--directory", folder)
        assert (result.code, result.stdout) == (1, "")
        assert "no git repository" in result.stderr

    def test_a_repository_without_a_commit_is_none(self, repo: Story, tmp_path: Path) -> None:
        empty = Story(tmp_path / "empty", repo.sandbox)
        empty.write("a", **OLD)
        result = empty.run("apply", "--yes", "--record", "--base", "none")
        assert (result.code, repo.sandbox.requests) == (1, [])
        assert "commit the definitions first" in result.stderr
        assert empty.run("history").code == 0


class TestHistory:
    def test_lists_the_newest_first(self, repo: Story) -> None:
        first = repo.head
        second = commit_change(repo)
        with repo.intercept(
            lambda request, forward: error_answer(400) if request.method == "PATCH" else forward(request)
        ):
            repo.apply_and_record()
        result = repo.run("history")
        assert (result.code, result.stderr) == (0, "")
        lines = [line.split("  ", 1)[-1] for line in result.stdout.splitlines()]
        assert lines == [
            f"{second[:12]}  Apply: 1 failed, 1 unchanged",
            "Change (Ada)",
            "failed: assistants/a.yaml (asst_a)",
            f"{first[:12]}  Apply: 2 unchanged",
            "First (Ada)",
        ]

    def test_of_a_project_that_has_got_environments_since_says_that_they_have_their_own(self, repo: Story) -> None:
        repo.project.configure(environments={"staging": {}})
        result = repo.run("history")
        assert result.stdout.splitlines()[0].endswith("Apply: 2 unchanged")
        assert result.stderr == "Each environment has its own record: pass --environment NAME (staging).\n"

    def test_names_the_fields_that_got_another_value(self, repo: Story) -> None:
        repo.apply_and_record()
        repo.write("a", firstMessage="newer", metadata={"x.y": 1})
        repo.commit('Say it\x1b[31m "better"\n\nThe reason.')
        repo.apply_and_record()
        first, *more = repo.run("history", "--limit", "1").stdout.splitlines()
        assert first.endswith("Apply: 1 applied, 1 unchanged")
        assert more == [
            '  Say it\\x1b[31m "better" (Ada)',
            "  applied: assistants/a.yaml (asst_a)",
            '    firstMessage, metadata."x.y"',
        ]
        (found,) = json.loads(repo.run("history", "--limit", "1", "--format", "json").stdout)
        assert (found["author"], found["subject"]) == ("Ada", 'Say it\x1b[31m "better"')
        assert found["changed"] == {"assistants/a.yaml": ["/firstMessage", "/metadata/x.y"]}

    def test_of_files_that_have_swapped_their_names_knows_each_assistant_by_its_id(self, repo: Story) -> None:
        repo.write("b", name="B", **OLD)
        repo.commit()
        repo.apply_and_record()
        repo.git("mv", "assistants/a.yaml", "assistants/c.yaml")
        repo.git("mv", "assistants/b.yaml", "assistants/a.yaml")
        repo.git("mv", "assistants/c.yaml", "assistants/b.yaml")
        repo.write("b", id="asst_a", firstMessage="newer")
        repo.commit()
        repo.apply_and_record()
        (found,) = json.loads(repo.run("history", "--limit", "1", "--format", "json").stdout)
        assert found["changed"] == {"assistants/a.yaml": [], "assistants/b.yaml": ["/firstMessage"]}

    def test_of_an_entry_that_cannot_be_read_names_no_fields(self, repo: Story) -> None:
        head, record = repo.head, repo.record
        for text in ("id: [1]\n", "id: asst_a\nname: A\n", "id: {a: 1}\n"):
            repo.write("a", text)
            repo.commit()
            message = "Apply: 1 applied\n\nReconciler-Record: 2"
            who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
            record = repo.git(*who, "commit-tree", "HEAD^{tree}", "-p", head, "-p", str(record), "-m", message)
        repo.git("update-ref", REF, str(record))
        result = repo.run("history", "--limit", "3", "--format", "json")
        assert (result.code, result.stderr) == (0, "")
        assert [entry["changed"] for entry in json.loads(result.stdout)] == [{}, {}, {}]

    def test_names_what_a_revert_takes_back(self, repo: Story) -> None:
        second = commit_change(repo)
        repo.apply_and_record()
        people = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
        repo.git(*people, "revert", "--no-edit", "HEAD")
        repo.commit("A later commit, as a merge would be", allow_empty=True)
        repo.apply_and_record()
        assert f"  reverts {second[:12]}" in repo.run("history", "--limit", "1").stdout.splitlines()
        (newest, *older) = json.loads(repo.run("history", "--format", "json").stdout)
        assert newest["reverts"] == [second]
        assert [record["reverts"] for record in older] == [[], []]

    def test_says_what_it_knows_of_a_commit_that_this_clone_lacks(self, repo: Story, tmp_path: Path) -> None:
        commit_change(repo)
        repo.apply_and_record()
        clone = Story(tmp_path / "clone", repo.sandbox)
        clone.git("fetch", "--quiet", "--depth=1", f"file://{repo.root}", f"{REF}:{REF}")
        (first,) = clone.run("history").stdout.splitlines()[:1]
        assert first.endswith("Apply: 1 applied, 1 unchanged")

    def test_is_data_too(self, repo: Story) -> None:
        second = commit_change(repo)
        repo.apply_and_record()
        (newest, oldest) = json.loads(repo.run("history", "--format", "json").stdout)
        assert (newest["commit"], newest["applied"], newest["unclear"]) == (repo.record, second, [])
        assert newest["date"].startswith("20")
        assert oldest["message"] == "Apply: 2 unchanged"
        assert json.loads(repo.run("history", "--format", "json", "--limit", "1").stdout) == [newest]

    def test_ends_at_its_limit(self, repo: Story) -> None:
        commit_change(repo)
        repo.apply_and_record()
        assert len(repo.run("history", "--limit", "1").stdout.splitlines()) == 4
        assert repo.run("history", "--limit", "0").code == 1

    @pytest.mark.parametrize(("form", "shown"), [("text", ""), ("json", "[]\n")])
    def test_may_be_empty(self, repo: Story, form: str, shown: str) -> None:
        repo.git("update-ref", "-d", REF)
        result = repo.run("history", "--format", form)
        assert (result.code, result.stdout) == (0, shown)

    def test_an_empty_one_says_how_to_begin(self, repo: Story) -> None:
        repo.git("update-ref", "-d", REF)
        assert "apply --record" in repo.run("history").stderr

    def test_reads_well_in_plain_git(self, repo: Story) -> None:
        commit_change(repo)
        repo.apply_and_record()
        assert repo.git("log", "--format=%s", "-1", REF) == "Apply: 1 applied, 1 unchanged"
        assert "Apply: 2 unchanged" in repo.git("log", "--format=%s", REF)
        assert repo.git("show", f"{REF}:assistants/a.yaml") == "id: asst_a\nfirstMessage: new"

    def test_shows_no_terminal_sequence(self, repo: Story) -> None:
        name = "e\x1b[31m\nvil"
        repo.sandbox.put({"id": "asst_e", **OLD})
        repo.write(name, id="asst_e", **NEW)
        repo.commit()
        repo.apply_and_record()
        assert "\x1b" not in repo.run("history").stdout
        assert "\x1b" not in repo.message
        assert "applied: assistants/e?[31m?vil.yaml (asst_e)" in repo.message.splitlines()


class TestARecordOfALaterVersion:
    @pytest.mark.parametrize("command", ["history", "plan", "apply", "pull"])
    def test_is_not_read_as_an_older_one(self, repo: Story, command: str) -> None:
        parents = repo.git("log", "-1", "--format=%P", REF).split()
        message = repo.message.replace("Reconciler-Record: 2", "Reconciler-Record: 3")
        later = repo.make_commit(f"{REF}^{{tree}}", *parents, message=message)
        repo.git("update-ref", REF, later)
        result = repo.run(command, *(["--yes"] if command == "apply" else []))
        assert (result.code, result.stdout, repo.sandbox.requests) == (1, "", [])
        assert (
            f"the record {later[:12]} of {REF} has a format that this version cannot read (Reconciler-Record: 3)"
            in result.stderr
        )
        assert repo.git("rev-parse", REF) == later


class TestARefThatIsNoRecord:
    @pytest.mark.parametrize("command", ["history", "plan", "apply"])
    def test_is_not_taken_for_one(self, repo: Story, command: str) -> None:
        # A commit of the branch, a tag of the record, and a file.
        people = ["-c", "user.name=Eve", "-c", "user.email=eve@example.com"]
        repo.git(*people, "tag", "--annotate", "-m", "Kept", "kept", REF)
        file = repo.git("rev-parse", "HEAD:assistants/a.yaml")
        other = {"history": repo.head, "plan": "refs/tags/kept", "apply": file}
        repo.git("update-ref", REF, other[command])
        result = repo.run(command, *(["--yes"] if command == "apply" else []))
        assert (result.code, result.stdout, repo.sandbox.requests) == (1, "", [])
        assert "which is not a record" in result.stderr
        assert f"git fetch origin +{REF}:{REF}" in result.stderr, "without the +, git refuses to replace it"
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
    def test_a_trailer_that_nobody_can_read_is_an_error(self, repo: Story, trailer: str, older: bool) -> None:
        repo.apply_and_record()
        before = repo.record
        message = f"Apply: 1 indeterminate\n\nReconciler-Indeterminate: {trailer}\n"
        record = repo.make_commit("HEAD^{tree}", "HEAD", *([REF] if older else []), message=message)
        repo.git("update-ref", REF, record)
        result = repo.run("plan")
        assert (result.code, result.stdout) == (1, "")
        assert f"the record {record[:12]} of {REF} has a trailer" in result.stderr
        way_out = result.stderr.rpartition(": git ")[2].split()  # what it names does help
        assert way_out == (["update-ref", REF, str(before)[:12]] if older else ["update-ref", "-d", REF])
        repo.git(*way_out)
        assert repo.run("plan").code == 0


class TestAShallowClone:
    @pytest.fixture
    def clone(self, repo: Story, tmp_path: Path) -> Story:
        """A clone as CI makes one: the newest commit alone, and the record without its history."""
        commit_change(repo)
        repo.apply_and_record()
        repo.write("b", **NEW)
        repo.commit()
        other = Story(tmp_path / "clone", repo.sandbox)
        other.git("fetch", "--quiet", "--depth", "1", repo.root.as_uri(), "HEAD")
        other.git("checkout", "--quiet", "FETCH_HEAD")
        other.git("fetch", "--quiet", "--depth", "1", repo.root.as_uri(), f"{REF}:{REF}")
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

    def test_becomes_a_whole_one(self, clone: Story, repo: Story) -> None:
        clone.git("fetch", "--quiet", "--unshallow", repo.root.as_uri(), f"{REF}:{REF}", "HEAD")
        assert outcomes(clone.apply_and_record())["b"] == "applied"
        assert clone.git("rev-list", "--count", "--first-parent", REF) != "1"


def test_a_repository_with_longer_object_names(repo: Story, tmp_path: Path) -> None:
    other = Story(tmp_path / "sha256", repo.sandbox)
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


def test_a_folder_that_is_reached_through_a_link(repo: Story, tmp_path: Path) -> None:
    commit_change(repo)
    (tmp_path / "link").symlink_to(repo.root)
    assert outcomes(repo.apply_and_record("--directory", tmp_path / "link" / "assistants"))["a"] == "applied"
    assert repo.parents[0] == repo.head
    assert repo.tree()["assistants/a.yaml"]["firstMessage"] == "new"


def test_a_repository_whose_root_is_the_folder(repo: Story) -> None:
    for name in "ab":
        repo.git("mv", f"assistants/{name}.yaml", f"{name}.yaml")
    repo.commit()
    (repo.root / "a.yaml").write_text("id: asst_a\nfirstMessage: new\n")
    repo.commit()
    assert outcomes(repo.apply_and_record("--directory", ".")) == {"a": "applied", "b": "unchanged"}
    assert set(repo.tree()) == {"a.yaml", "b.yaml"}
