"""Tells the story: scene after scene, until one does not end as it should."""

from collections.abc import Sequence

from reconciler.demo.stage import open_stage
from reconciler.demo.story import INTRODUCTION, STORY, WHAT_NEXT, Scene
from reconciler.demo.telling import Teller


def tell_story(teller: Teller, story: Sequence[Scene] = STORY) -> None:
    """Tell the story. Raises DemoError where a step does not end as it should, and Interrupted at a signal.

    Whatever happens, nothing is left: no process, no file.
    """
    teller.say(INTRODUCTION)
    with open_stage(teller) as stage:
        for number, scene in enumerate(story, start=1):
            with stage.waiting():
                teller.pause()
            teller.heading(f"{number}. {scene.title}")
            teller.say(scene.text)
            for action in scene.actions:
                action.play(stage)
    teller.heading("On your own assistants")
    teller.say(WHAT_NEXT)
