"""What was edited live, seen against a base or, without one, against the definition itself."""

from projects import MODEL, Project, statuses
from servers import running_sandbox


def test_without_a_base_every_difference_is_drift(project: Project) -> None:
    project.write("a", id="asst_1", name="Ours", model={"temperature": 0.6})
    project.write("b", id="asst_2", name="Same")
    with running_sandbox({"asst_1": {"model": MODEL}, "asst_2": {"name": "Same"}}) as sandbox:
        document = project.drift(sandbox.url)
        assert sandbox.calls == {"POST": 1, "GET": 2}
    assert statuses(document) == {"a": "drifted", "b": "in_sync"}
    entry = document["assistants"][0]
    assert [(change["path"], change["kind"]) for change in entry["changes"]] == [
        ("/model/temperature", "drift"),
        ("/name", "drift"),
    ]
    assert "live" not in entry["changes"][1]
    assert (entry["patch"], entry["digest"], entry["outcome"]) == (None, None, None)
    assert (document["command"], document["base"]) == ("drift", None)
