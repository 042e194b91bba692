"""retire.yml: one assistant is deleted by its name, and a pull request removes its files."""

import json
from pathlib import Path

import pytest
from places import RECORD, recorded_place
from workflow_files import WORKFLOWS, run_steps

FILE = "assistants/visits.yaml"


def test_an_assistant_is_deleted_and_its_files_go_by_a_pull_request(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        for file, name in ((FILE, "Visit"), ("assistants/none.yaml", "Visits"), (FILE, "Visits\n--force-conflicts")):
            run = place.dispatch("retire.yml", file=file, name=name)
            assert run.results == {"retire": "failure", "remove": "skipped"}
        assert place.sandbox.live("asst_visits")["name"] == "Visits"

        run = place.dispatch("retire.yml", file=FILE, name="Visits")
        assert run.results == {"retire": "success", "remove": "success"}, run.log
        with pytest.raises(KeyError):
            place.sandbox.live("asst_visits")
        report = json.loads((run.artifacts["retire-assistants-attempt-1"] / "retire.json").read_text("utf-8"))
        assert report["assistants"][0]["last"]["firstMessage"] == "Welcome!"
        (pull,) = place.hub.pulls
        assert pull["title"] == f"Remove the files of a deleted assistant ({FILE})"
        place.git("fetch", "--quiet", str(place.hub.git), f"refs/heads/{pull['head']['ref']}", RECORD)
        assert place.git("diff", "--name-status", "HEAD", pull["head"]["sha"]) == f"D\t{FILE}"
        assert FILE not in place.git("ls-tree", "-r", "--name-only", place.at_hub(RECORD))
        assert run_steps(WORKFLOWS / "retire.yml") <= place.runner.executed
