"""Values that move between layers: whoever declares them, what is declared is the same, and no plan sees a change."""

import functools
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings, strategies as st

from reconciler.core.plan import Planner
from reconciler.core.settings import Environment, Settings
from reconciler.core.tree import build_tree, merge_overlay, put_at
from reconciler.files.definitions import load

STAGING = Settings(environments={"staging": Environment(overlay="environments/staging")}).choose("staging")
# From the lowest up, as a definition's values come together.
LAYERS = (
    "assistants/_defaults.yaml",
    "assistants/sub/_defaults.yaml",
    "environments/staging/_defaults.yaml",
    "assistants/sub/a.yaml",
    "environments/staging/sub/a.yaml",
)
VALUES: dict[tuple[str, ...], st.SearchStrategy[Any]] = {
    ("endCallMessage",): st.sampled_from(["Bye", "So long\nfarewell", None]),
    ("endCallPhrases",): st.sampled_from([["bye"], ["a", "b"], None]),
    ("voice", "provider"): st.sampled_from(["azure", "openai"]),
    ("voice", "voiceId"): st.sampled_from(["x", "y"]),
    ("metadata", "deep", "key"): st.sampled_from([None, 1, "text"]),
    ("metadata", "deep", "other"): st.sampled_from([None, True]),
}
PATHS = sorted(VALUES)
values = st.fixed_dictionaries({}, optional=VALUES)
# For each value the layer that declares it, and with what the layers below it are overruled.
places = st.fixed_dictionaries({path: st.integers(0, len(LAYERS) - 1) for path in PATHS})


def build_layers(
    declared: dict[tuple[str, ...], Any], layer_of: dict[tuple[str, ...], int], below: dict[tuple[str, ...], Any]
) -> list[Any]:
    """The content of each layer; what stands below a value's own layer says something else."""
    layers: list[Any] = [{} for _ in LAYERS]
    layers[3] = {"name": "A"}
    layers[4] = {"id": "asst_a"}
    for path, value in declared.items():
        layers[layer_of[path]] = put_at(layers[layer_of[path]], path, value)
        if path in below and layer_of[path] > 0:
            layers[layer_of[path] - 1] = put_at(layers[layer_of[path] - 1], path, below[path])
    return layers


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(declared=values, first=places, then=places, below=values, texts=st.booleans())
def test_a_value_that_moves_is_no_change(
    tmp_path: Path,
    declared: dict[tuple[str, ...], Any],
    first: dict[tuple[str, ...], int],
    then: dict[tuple[str, ...], int],
    below: dict[tuple[str, ...], Any],
    texts: bool,
) -> None:
    wanted = {"name": "A", **build_tree(declared.items())}
    for layer_of in (first, then):
        layers = build_layers(declared, layer_of, below)
        assert functools.reduce(merge_overlay, layers) == {"id": "asst_a", **wanted}
        for name, layer in zip(LAYERS, layers, strict=True):
            fields = dict(layer)
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.unlink(missing_ok=True)
            # Of a text it makes no difference whether it stands in a file of its own.
            if texts and isinstance(fields.get("endCallMessage"), str):
                (file.parent / "bye.md").write_text(fields["endCallMessage"] + "\n", "utf-8")
                fields["endCallMessage"] = {"$file": "bye.md"}
            if fields:
                file.write_text(yaml.safe_dump(fields, sort_keys=False), "utf-8")
        loaded = load(tmp_path / "assistants", (), root=tmp_path, settings=STAGING)
        assert [problem for problem in loaded.problems if problem.severity == "error"] == []
        (definition,) = loaded.definitions
        assert definition.declared == wanted
        # Every value stands where it was put, and nowhere else.
        for path in declared:
            stands, _, _ = definition.locate(path)
            assert stands == LAYERS[layer_of[path]] or stands.endswith("bye.md")
        plan = Planner().plan(definition.declared, {"id": "asst_a", **wanted}, wanted)
        assert (plan.changes, plan.released, plan.patch) == ((), (), None)
