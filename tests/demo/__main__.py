"""Tells the story once: `make demo`."""

import sys
from collections.abc import Iterable
from pathlib import Path

from demo.stage import Failed, open_stage
from demo.story import INTRODUCTION, STORY, WHAT_NEXT, Scene
from demo.telling import heading, say

ASSISTANTS = Path(__file__).parents[2] / "assistants"


def main(story: Iterable[Scene] = STORY) -> int:
    """Tell the story; return 1 where a step does not end as it should, and stop there."""
    say(INTRODUCTION)
    try:
        with open_stage(ASSISTANTS) as stage:
            for number, scene in enumerate(story, start=1):
                heading(f"{number}. {scene.title}")
                say(scene.text)
                for action in scene.actions:
                    action.play(stage)
    except Failed as failure:
        say(f"The demo stops here: {failure}.")
        return 1
    heading("On your own assistants")
    say(WHAT_NEXT)
    return 0


if __name__ == "__main__":
    sys.exit(main())
