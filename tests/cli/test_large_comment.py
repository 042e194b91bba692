"""The comment of a plan that is larger than any comment may be, made by the command as a workflow calls it."""

from commands import connection_variables, run
from projects import MODEL, Project
from servers import running_sandbox

GITHUB_LIMIT = 65_000
PROMPT = "\n".join(f"{line}. Whatever the caller says, stay calm and friendly at all times." for line in range(40))


def test_a_plan_of_500_changed_assistants_with_long_prompts_names_all_500(project: Project) -> None:
    names = [f"\U0001f393 Office of Enrolment and Admissions, evening line {place:03}" for place in range(500)]
    live = {f"asst_{place}": {"name": name, "model": {**MODEL, "messages": []}} for place, name in enumerate(names)}
    project.configure(extra_fields=["/model/messages"])
    for place in range(500):
        prompt = [{"role": "system", "content": f"You are number {place}.\n{PROMPT}"}]
        model = {"temperature": 0.2, "messages": prompt}
        project.write(f"office/line-{place:03}", id=f"asst_{place}", name=names[place], model=model)
    with running_sandbox(live) as sandbox:
        result = run("plan", "--report", "plan.md", cwd=project.root, env=connection_variables(sandbox))
    assert result.code == 0, result.stderr
    text = (project.root / "plan.md").read_text("utf-8")
    # GitHub counts the units of UTF-16, in which the emoji of each name is two.
    assert len(text.encode("utf-16-le")) // 2 <= GITHUB_LIMIT
    assert all(name in text.split("<details>")[0] for name in names)
    assert "**Plan: 500 to change, " in text
    assert text.count("<details>") == text.count("</details>") > 1
