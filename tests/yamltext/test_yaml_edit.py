"""Single values changed in a YAML text: the exact text before and after, one rule each."""

import json
import textwrap
from typing import Any

import pytest
from bounded import WORK, measure_least_work

from reconciler.yamltext.edit import EditRefused, NewValues, diff_lines, edit_yaml
from reconciler.yamltext.reader import read_yaml


def apply_edits(text: str, *changes: tuple[str, Any]) -> str:
    """Return the text after edits of dotted paths; the same edits once more change nothing."""
    edits = {tuple(path.split(".")): value for path, value in changes}
    once = edit_yaml(text, edits)
    assert edit_yaml(once, edits) == once
    return once


def catch_refusal(text: str, *changes: tuple[str, Any]) -> EditRefused:
    with pytest.raises(EditRefused) as error_info:
        apply_edits(text, *changes)
    assert str(error_info.value)
    assert error_info.value.hint
    return error_info.value


INLINE: dict[str, tuple[str, Any, str]] = {
    "plain stays plain": ("a: x # c\n", "new text", "a: new text # c\n"),
    "plain that reads as a number gets quotes": ("a: x\n", "12", 'a: "12"\n'),
    "plain that YAML 1.1 reads as a boolean gets quotes": ("a: x\n", "yes", 'a: "yes"\n'),
    "plain that YAML 1.2 reads as a number gets quotes": ("a: x\n", "0o14", 'a: "0o14"\n'),
    "plain with a colon gets quotes": ("a: x\n", "b: c", 'a: "b: c"\n'),
    "plain with a hash gets quotes": ("a: x\n", "b #c", 'a: "b #c"\n'),
    "plain that ends in a colon gets quotes": ("a: x\n", "b:", 'a: "b:"\n'),
    "plain that begins with a dash and a space gets quotes": ("a: x\n", "- b", 'a: "- b"\n'),
    "plain may begin with a dash": ("a: x\n", "-b", "a: -b\n"),
    "plain may hold a variable": ("a: x\n", "Hi {{name}}, #1", 'a: "Hi {{name}}, #1"\n'),
    "plain may hold brackets": ("a: x\n", "Hi {{name}}, [you]", "a: Hi {{name}}, [you]\n"),
    "plain that begins with a brace gets quotes": ("a: x\n", "{{name}}", 'a: "{{name}}"\n'),
    "plain with spaces around gets quotes": ("a: x\n", " b ", 'a: " b "\n'),
    "empty text gets quotes": ("a: x\n", "", 'a: ""\n'),
    "tab gets quotes": ("a: x\n", "b\tc", 'a: "b\\tc"\n'),
    "single quotes stay": ("a: 'x'  # c\n", "it's: #1", "a: 'it''s: #1'  # c\n"),
    "single quotes give way to escapes": ("a: 'x'\n", "b\x07", 'a: "b\\u0007"\n'),
    "double quotes stay": ('a: "x"\n', 'say "hi" \\', 'a: "say \\"hi\\" \\\\"\n'),
    "text beyond ASCII stays readable": ('a: "x"\n', "Grüße 😀", 'a: "Grüße 😀"\n'),
    "line breaks of YAML 1.1 are escaped": ("a: x\n", "b\u2028c\x85", 'a: "b\\u2028c\\u0085"\n'),
    "a byte order mark inside a text is escaped": ("a: x\n", "b\ufeff", 'a: "b\\ufeff"\n'),
    "number": ("a: 0.7 # warm\n", 0.5, "a: 0.5 # warm\n"),
    "a number that is the same stays as it is written": ("a: 1.0\n", 1, "a: 1.0\n"),
    "a boolean is not a number": ("a: 1\n", True, "a: true\n"),
    "huge number": ("a: 1\n", 1e20, "a: 1.0e+20\n"),
    "null": ("a: x # c\n", None, "a: null # c\n"),
    "empty value": ("a:\nb: 1\n", "x", "a: x\nb: 1\n"),
    "empty value before a comment": ("a:   # c\nb: 1\n", 5, "a: 5   # c\nb: 1\n"),
    "empty value at the end": ("b: 1\na:", 5, "b: 1\na: 5"),
    "text over several lines becomes one": ("a: x\n  y # c\nb: 1\n", "x z", "a: x z # c\nb: 1\n"),
    "quotes over several lines": ('a: "x\n\n  y" # c\nb: 1\n', "x z", 'a: "x z" # c\nb: 1\n'),
    "value on a line of its own": ("a:\n  # why\n  x # c\nb: 1\n", "y", "a:\n  # why\n  y # c\nb: 1\n"),
    "spaces before the colon": ("a : x\n", "y", "a : y\n"),
    "quoted key": ('"a": x\n', "y", '"a": y\n'),
    "tag that fits": ("a: !!str 012\n", "013", 'a: !!str "013"\n'),
    "tag that fits a number": ("a: !!float 2.0\n", 3.5, "a: !!float 3.5\n"),
    "tag that no longer fits": ("a: !!str 012 # c\n", 5, "a: 5 # c\n"),
    "tag of nothing": ("a: !!null\nb: 1\n", 5, "a: 5\nb: 1\n"),
    "tag and anchor that nobody uses": ("a: &x !!str 1 # c\n", "y", "a: y # c\n"),
    "anchor that nobody uses": ("a: &x y # c\n", "z", "a: z # c\n"),
    "alias": ("b: &x y\na: *x # c\n", "z", "b: &x y\na: z # c\n"),
    "no final newline": ("b: 1\na: x", "y", "b: 1\na: y"),
    "after a document start": ("%YAML 1.1\n--- # c\na: x\n...\n", "y", "%YAML 1.1\n--- # c\na: y\n...\n"),
    "windows": ("# c\r\na: x\r\nb: 1\r\n", "y", "# c\r\na: y\r\nb: 1\r\n"),
    "byte order mark": ("\ufeffa: x\n", "y", "\ufeffa: y\n"),
}

BLOCKS: dict[str, tuple[str, Any, str]] = {
    "becomes a block": ("a: x # c\nb: 1\n", "y\nz\n", "a: | # c\n  y\n  z\nb: 1\n"),
    "quotes become a block": ('a: "x" # c\nb: 1\n', "y\nz", "a: |- # c\n  y\n  z\nb: 1\n"),
    "quotes over lines become a block": ('a: "x\n  x" # c\nb: 1\n', "y\nz", "a: |- # c\n  y\n  z\nb: 1\n"),
    "value on the next line becomes a block": ("a:\n    x # c\nb: 1\n", "y\nz", "a: |- # c\n  y\n  z\nb: 1\n"),
    "block below a comment": (
        "a:\n  # why\n  x # c\nb: 1\n",
        "y\nz",
        "a:\n  # why\n  |- # c\n  y\n  z\nb: 1\n",
    ),
    "empty value becomes a block": ("a: # c\nb: 1\n", "y\nz", "a: |- # c\n  y\n  z\nb: 1\n"),
    "alias becomes a block": ("b: &x y\na: *x\n", "y\nz\n", "b: &x y\na: |\n  y\n  z\n"),
    "stays a block": ("a: |  # c\n    x\n    y\n\n# d\nb: 1\n", "z\ny\n", "a: |  # c\n    z\n    y\n\n# d\nb: 1\n"),
    "stays a block of one line": ("a: |\n  x\n  y\nb: 1\n", "z", "a: |-\n  z\nb: 1\n"),
    "keeps trailing line breaks": ("a: |\n  x\nb: 1\n", "z\n\n", "a: |+\n  z\n\nb: 1\n"),
    "blank lines of the file would be the text's": ("a: |\n  x\n\n\nb: 1\n", "z\n\n", "a: |+\n  z\n\nb: 1\n"),
    "loses trailing line breaks": ("a: |+\n  x\n\n\nb: 1\n", "z\n", "a: |\n  z\nb: 1\n"),
    "begins with spaces": ("a: |\n    x\nb: 1\n", "  z\ny\n", "a: |4\n      z\n    y\nb: 1\n"),
    "begins with a tab": ("a: |\n  x\nb: 1\n", "\tz\ny\n", "a: |2\n  \tz\n  y\nb: 1\n"),
    "begins with a blank line": ("a: |\n  x\nb: 1\n", "\n\nz", "a: |-\n\n\n  z\nb: 1\n"),
    "no longer begins with spaces": ("a: |2-\n     x\nb: 1\n", "z\ny", "a: |-\n  z\n  y\nb: 1\n"),
    "blank lines with blanks in them stay": (
        "a: |\n    x\n  \n    y\n    \n    z\nb: 1\n",
        "x\n\nY\n\nz\n",
        "a: |\n    x\n  \n    Y\n    \n    z\nb: 1\n",
    ),
    "blanks that count go": ("a: |\n  x\n     \n  y\n", "x\n\nY\n", "a: |\n  x\n\n  Y\n"),
    "one line of two equal ones": ("a: |\n  x\n  x\nb: 1\n", "x\n", "a: |\n  x\nb: 1\n"),
    "one more equal line": ("a: |\n  x\nb: 1\n", "x\nx\n", "a: |\n  x\n  x\nb: 1\n"),
    "one more blank line above a line that stays": ("a: |\n  x\n\n  y\n", "z\n\n\ny\n", "a: |\n  z\n\n\n  y\n"),
    "line breaks that differ stay": ("a: |\n  x\r\n  y\n  z\r\n", "x\ny\nZ\n", "a: |\n  x\r\n  y\n  Z\r\n"),
    "blanks and tabs at line ends": (
        "a: x\n",
        "be kind. \n\t\n   \nbe\tshort.\t\n",
        "a: |\n  be kind. \n  \t\n     \n  be\tshort.\t\n",
    ),
    "folded becomes literal where it gains lines": (
        "a: >-\n  one\n  two\n",
        "# One\n- two",
        "a: |-\n  # One\n  - two\n",
    ),
    "a folded paragraph that moves stays as it is": (
        "a: >-\n  one\n  two\n\n  three\n  four\n",
        "new\none two\nthree four",
        "a: >-\n  new\n\n  one\n  two\n\n  three\n  four\n",
    ),
    "holds spaces that count": ("a: x\n", "y  \n   \nz", "a: |-\n  y  \n     \n  z\n"),
    "only line breaks": ("a: >\n  x\nb: 1\n", "\n\n", 'a: "\\n\\n"\nb: 1\n'),
    "control characters": ("a: |\n  x\n  y\nb: 1\n", "z\n\x07", 'a: "z\\n\\u0007"\nb: 1\n'),
    "carriage return": ("a: x\n", "y\r\nz", 'a: "y\\r\\nz"\n'),
    "begins with spaces, indented too far to say so": (
        "o:\n            a: x\np:\n            q: 1\n",
        "  y\nz",
        "o:\n            a: |2-\n                y\n              z\np:\n            q: 1\n",
    ),
    "becomes a number": ("a: |- # c\n  x\n\nb: 1\n", 5, "a: 5 # c\n\nb: 1\n"),
    "empty block": ("a: |\nb: 1\n", "y\nz\n", "a: |\n  y\n  z\nb: 1\n"),
    "tagged block": ("a: !!str | # c\n  x\nb: 1\n", "y\n", "a: !!str | # c\n  y\nb: 1\n"),
    "file ends within the text": ("a: |-\n  x", "y\nz", "a: |-\n  y\n  z"),
    "file ends within a text that ends its line": ("a: |-\n  x", "y\nz\n", 'a: "y\\nz\\n"'),
    "windows": ("a: x\r\nb: 1\r\n", "y\nz\n", "a: |\r\n  y\r\n  z\r\nb: 1\r\n"),
    "windows block": ("a: |+\r\n  x\r\n\r\nb: 1\r\n", "y\n", "a: |\r\n  y\r\nb: 1\r\n"),
    "a comment that would become text": (
        "a: x\n    # deep\nb: 1\n",
        "y\nz",
        'a: "y\\nz"\n    # deep\nb: 1\n',
    ),
    "folded stays folded": (
        "a: > # c\n  one two\n  three four\n  five\nb: 1\n",
        "one two 3 four five\n",
        "a: > # c\n  one two\n  3 four\n  five\nb: 1\n",
    ),
    "folded paragraphs": (
        "a: >-\n  one two\n  three\n\n  four\nb: 1\n",
        "one two three\n\nfour five\nsix",
        "a: >-\n  one two\n  three\n\n\n  four five\n\n  six\nb: 1\n",
    ),
    "a folded paragraph keeps the lines around an edit": (
        "a: >-\n  one\n  two\n\n  three\n  four\n  five\nb: 1\n",
        "one two\nthree 4 five",
        "a: >-\n  one\n  two\n\n  three\n  4\n  five\nb: 1\n",
    ),
    "folded to the width that it has": (
        "a: >-\n  " + " ".join(["word"] * 13) + "\n  x\nb: 1\n",
        "word " * 26 + "end",
        "a: >-\n  " + " ".join(["word"] * 13) + "\n  " + " ".join(["word"] * 13) + "\n  end\nb: 1\n",
    ),
    "folded to a new width": (
        "a: >-\n  x\nb: 1\n",
        "word " * 14 + "end",
        "a: >-\n  " + "word " * 11 + "word\n  word word end\nb: 1\n",
    ),
    "folded with a long word": ("a: >-\n  x\nb: 1\n", "w" * 70 + " x", f"a: >-\n  {'w' * 70}\n  x\nb: 1\n"),
    "folded without a space": ("a: >-\n  x\nb: 1\n", "w" * 70, f"a: >-\n  {'w' * 70}\nb: 1\n"),
    "folded, ends in line breaks": ("a: >\n  x\nb: 1\n", "\ny\n\n", "a: >+\n\n  y\n\nb: 1\n"),
    "folded becomes literal": ("a: >\n  x\n  y\nb: 1\n", "x\n  y\n", "a: |\n  x\n    y\nb: 1\n"),
    "in an indented object": (
        "o:\n    k: 1\n    a: x\n",
        None,
        "o:\n    k: 1\n    a: null\n",
    ),
}


@pytest.mark.parametrize(("before", "value", "after"), INLINE.values(), ids=INLINE)
def test_a_value_on_one_line(before: str, value: Any, after: str) -> None:
    assert apply_edits(before, ("a", value)) == after


@pytest.mark.parametrize(("before", "value", "after"), BLOCKS.values(), ids=BLOCKS)
def test_a_text_of_several_lines(before: str, value: Any, after: str) -> None:
    assert apply_edits(before, ("o.a" if before.startswith("o") else "a", value)) == after


FLOW: dict[str, tuple[str, str, Any, str]] = {
    "plain": ("o: {a: x, b: 1} # c\n", "o.a", "y z", "o: {a: y z, b: 1} # c\n"),
    "comma needs quotes": ("o: {a: x, b: 1}\n", "o.a", "y, z", 'o: {a: "y, z", b: 1}\n'),
    "several lines of text": ("o: {a: x, b: 1}\n", "o.a", "y\nz\n", 'o: {a: "y\\nz\\n", b: 1}\n'),
    "single quotes": ("o: {a: 'x'}\n", "o.a", "y, z", "o: {a: 'y, z'}\n"),
    "like JSON": ('{"o":{"a":"x"}}', "o.a", "y", '{"o":{"a":"y"}}'),
    "new key, like JSON": ('{"o":{"a":"x"}}', "o.b", "y", '{"o":{"a":"x", "b": "y"}}'),
    "empty value": ("o: {a: , b: 1}\n", "o.a", 5, "o: {a: 5 , b: 1}\n"),
    "key alone": ("o: {a, b: 1}\n", "o.a", 5, "o: {a: 5, b: 1}\n"),
    "new key after a key alone": ("o: {a }\n", "o.b", 5, "o: {a , b: 5}\n"),
    "new key": (
        "o: {a: x, k: y} # c\n",
        "o.b",
        [1, {"c, d": [",e"]}],
        'o: {a: x, k: y, b: [1, {"c, d": [",e"]}]} # c\n',
    ),
    "no key stays": ("o: {a: x} # c\n", "o", {"b": 1}, "o: {b: 1} # c\n"),
    "new key in nothing": ("o: {}\n", "o.b.c", 1, "o:\n  b:\n    c: 1\n"),
    "new key after a comma": ("o: {a: x,}\n", "o.b", 1, "o: {a: x, b: 1,}\n"),
    "new key on a line of its own": ("o: {\n  a: x,\n}\n", "o.b", 1, "o: {\n  a: x,\n  b: 1,\n}\n"),
    "new key before a comment": ("o: {\n  a: x # c\n}\n", "o.b", 1, "o: {\n  a: x, b: 1 # c\n}\n"),
    "new key of the file": ("{a: 1}\n", "b", "x", "{a: 1, b: x}\n"),
    "alias": ("o: {a: &x y, b: *x}\n", "o.b", "z", "o: {a: &x y, b: z}\n"),
    "list stays between brackets": ("o: [x, y] # c\n", "o", ["z", "y", "w, v"], 'o: [z, y, "w, v"] # c\n'),
    "list of quoted texts": ("o: ['x'] # c\n", "o", ["it's", "x"], "o: ['it''s', 'x'] # c\n"),
    "list loses entries": ("o: [x, y, z]\n", "o", ["y"], "o: [y]\n"),
    "list over lines": ("o: [\n  x, # 1\n  y\n]\n", "o", ["x", "y", "z"], "o: [\n  x, # 1\n  y,\n  z\n]\n"),
    "list over lines, two on one": ("o: [w, # 0\n  x, y\n]\n", "o", ["w", "x", "y", "z"], "o: [w, # 0\n  x, y, z\n]\n"),
    "list over lines, one over two": (
        "o: [\n  [x, # 1\n   y]\n]\n",
        "o",
        [["x", "y"], 5],
        "o: [\n  [x, # 1\n   y],\n  5\n]\n",
    ),
    "list over lines loses the second on a line": (
        "# d\no: [w, # 0\n  x, y] # c\n",
        "o",
        ["w", "x"],
        "# d\no: [w, # 0\n  x] # c\n",
    ),
    "list over lines loses entries": (
        "o: [\n  w, # 0\n  x, # 1\n  y # 2\n]\n",
        "o",
        ["w"],
        "o: [\n  w, # 0\n]\n",
    ),
    "list over lines from its second entry on": ("o: [x,\n  y\n]\n", "o", ["x", "y", "z"], "o: [x,\n  y,\n  z\n]\n"),
    "list over lines gets a first entry": ("o: [\n  x\n]\n", "o", ["w", "x"], "o: [\n  w,\n  x\n]\n"),
    "list on a line gets a first entry": ("o: [ x ]\n", "o", ["w", "x"], "o: [ w, x ]\n"),
    "list loses its first entry": ("o: [x, y]\n", "o", ["y"], "o: [y]\n"),
    "list gets nothing": ("o: [x]\n", "o", [], "o: []\n"),
    "empty list gets entries": ("o: [] # c\nb: 1\n", "o", ["x"], "o: # c\n  - x\nb: 1\n"),
    "list becomes a text": ("o: [x, y] # c\n", "o", "z", "o: z # c\n"),
    "entry of one pair is written anew": ("o: [a: 1, b]\n", "o", [{"a": 1, "c": 2}, "b"], "o: [{a: 1, c: 2}, b]\n"),
    "number and nested": ("o: [1, [2, 3]]\n", "o", [1, [2, 4]], "o: [1, [2, 4]]\n"),
}


@pytest.mark.parametrize(("before", "path", "value", "after"), FLOW.values(), ids=FLOW)
def test_between_brackets(before: str, path: str, value: Any, after: str) -> None:
    assert apply_edits(before, (path, value)) == after


LISTS: dict[str, tuple[str, Any, str]] = {
    "one entry": ("a:\n  - x # 1\n  # own\n  - y # 2\n", ["x", "z"], "a:\n  - x # 1\n  # own\n  - z # 2\n"),
    "one more": ("a:\n- x # 1\n- y # 2\n# end\nb: 1\n", ["x", "y", "z"], "a:\n- x # 1\n- y # 2\n- z\n# end\nb: 1\n"),
    "one more first": ("a: # c\n  - 'x'\n", ["w", "x"], "a: # c\n  - 'w'\n  - 'x'\n"),
    "two more within": ("a:\n  - x\n  - y\n", ["x", "1", "2", "y"], 'a:\n  - x\n  - "1"\n  - "2"\n  - y\n'),
    "one less": ("a:\n  - x # 1\n  # own\n  - y # 2\n  - z", ["x", "z"], "a:\n  - x # 1\n  # own\n  - z"),
    "one less, below a blank line": ("a:\n  - x\n\n  - y\n  - z\n", ["x", "z"], "a:\n  - x\n\n  - z\n"),
    "the last one less": ("a:\n  - x\n  - y", ["x"], "a:\n  - x"),
    "windows": ("a:\r\n  - x\r\n  - y\r\nb: 1\r\n", ["y", "z"], "a:\r\n  - y\r\n  - z\r\nb: 1\r\n"),
    "the last one less, before the file breaks off": ("a:\n  - x\n\n  - y", ["x"], "a:\n  - x"),
    "all gone, before the file breaks off": ("a: # c\n\n  - x", [], "a: [] # c"),
    "all gone": ("a: # c\n  - x\n  - y\nb: 1\n", [], "a: [] # c\nb: 1\n"),
    "becomes a text": ("a: # c\n- x\n- y # d\nb: 1\n", "z", "a: z # c\n# d\nb: 1\n"),
    "becomes a block": ("a: # c\n  - x\n  - y\nb: 1\n", "z\ny", "a: |- # c\n  z\n  y\nb: 1\n"),
    "becomes an object": ("a:\n  - x # c\nb: 1\n", {"k": 1}, "a:\n  k: 1 # c\nb: 1\n"),
    "becomes an object, without indentation": ("a: # c\n- x\nb: 1\n", {"k": 1}, "a: # c\n  k: 1\nb: 1\n"),
    "in an object becomes an object": ("a:\n  b:\n  - x\n", {"b": {"k": 1}}, "a:\n  b:\n    k: 1\n"),
    "from a text": ("a: x # c\nb: 1\n", ["y", "p\nq"], "a: # c\n  - y\n  - |-\n    p\n    q\nb: 1\n"),
    "from a block": ("a: | # c\n  x\n  y\nb: 1\n", [1, [2]], "a: # c\n  - 1\n  - - 2\nb: 1\n"),
    "from a block below a comment": ("a:\n  # why\n  |\n  x\nb: 1\n", ["z"], "a:\n  # why\n  - z\nb: 1\n"),
    "from a block of a list, without indentation": ("a:\n- |\n  p\n", [["q"]], "a:\n-\n  - q\n"),
    "an entry with a tag becomes an object": ("a:\n  - !!str z # c\n", [{"k": 1}], "a:\n  - k: 1 # c\n"),
    "an empty entry becomes an object": ("a:\n  - x\n  -\n", ["x", {"k": 1}], "a:\n  - x\n  -\n    k: 1\n"),
    "from nothing": ("a:\nb:\n- 1\n", ["y"], "a:\n- y\nb:\n- 1\n"),
    "from an alias": ("b: &x y\na: *x # c\n", ["z"], "b: &x y\na: # c\n  - z\n"),
    "from a line of its own": ("a:\n  # why\n  x\nb: 1\n", ["z", 1], "a:\n  # why\n  - z\n  - 1\nb: 1\n"),
    "with an anchor": ("a: &x\n  - y\nb: 1\n", {"k": 1}, "a:\n  k: 1\nb: 1\n"),
    "with an anchor to a text": ("a: &x # c\n  - y\nb: 1\n", 5, "a: 5 # c\nb: 1\n"),
    "with a tag": ("a: !!seq\n  - y\nb: 1\n", ["y", "z"], "a: !!seq\n  - y\n  - z\nb: 1\n"),
    "with a tag, written anew": ("a: !!seq\n- y\nb: 1\n", {"k": []}, "a:\n  k: []\nb: 1\n"),
    "text of an entry": (
        "a:\n  - role: x # c\n    text: old\n  - role: y\n",
        [{"role": "x", "text": "new\nold"}, {"role": "y", "z": {}}],
        "a:\n  - role: x # c\n    text: |-\n      new\n      old\n  - role: y\n    z: {}\n",
    ),
    "entry loses a key": (
        "a:\n  - role: x\n    text: old # c\n  - y # d\n",
        [{"role": "z"}, "y"],
        "a:\n  - role: z\n  - y # d\n",
    ),
    "entry loses keys amid comments": (
        "a:\n  - role: 'x' # c\n    # own\n    t: |\n      old\n    name: n # d\n    i: {p: 1, 'q': 2}\n    k: 1 # e\n",
        [{"role": "x", "i": {"q": 2}, "k": 1}],
        "a:\n  - role: 'x' # c\n    # own\n    i: {'q': 2}\n    k: 1 # e\n",
    ),
    "from brackets with nothing but a comment": ("a: [ # c\n  ] # d\n", ["x"], "a: [x # c\n  ] # d\n"),
    "the first one less, between brackets": ("a: [1, # c\n  # own\n  2]\n", [2], "a: [ # c\n  # own\n  2]\n"),
    "the last one less, between brackets": (
        "a: [1, # c\n  # own\n  2]\nb: [1, 2]\n",
        [1],
        "a: [1, # c\n  # own\n  ]\nb: [1, 2]\n",
    ),
    "the last one and its comma less, between brackets": (
        "a: [1, # c\n  # own\n  2,]\n",
        [1],
        "a: [1, # c\n  # own\n  ]\n",
    ),
    "one within less, between brackets": ("a: [1, # c\n  2, 3]\n", [1, 3], "a: [1, # c\n  3]\n"),
    "entry loses its first key": ("a:\n  - role: x\n    text: 'y' # c\n", [{"text": "y"}], "a:\n  - text: 'y' # c\n"),
    "entry loses its first key and its comment": (
        "a:\n  - role: x # c\n    text: 'y' # d\n",
        [{"text": "y"}],
        "a:\n  - text: 'y' # d\n",
    ),
    "entry loses its first key, and the next one keeps its comment": (
        "a:\n  - role: x # c\n    # own\n    text: 'y' # d\n",
        [{"text": "y"}],
        "a:\n  - # own\n    text: 'y' # d\n",
    ),
    "entry with a question mark is written anew": (
        "a:\n  - ? k\n    : 1\n  - x # c\n",
        [{"k": 2}, "x"],
        "a:\n  - k: 2\n  - x # c\n",
    ),
    "entry loses one key for another": (
        "a:\n  - role: x # c\n    text: y\n",
        [{"role": "x", "name": "n"}],
        "a:\n  - role: x # c\n    name: n\n",
    ),
    "entries of other kinds": (
        "a:\n  - x # c\n  -\n  - {k: 1}\n  - k: 1\n  - |\n    p\n",
        [{"m": 1, "n": 2}, "p\nq", {"k": 2}, 5, ["p"]],
        "a:\n  - m: 1\n    n: 2 # c\n  - |-\n    p\n    q\n  - {k: 2}\n  - 5\n  -\n    - p\n",
    ),
    "nested lists": ("a:\n  - - x\n    - y\n  -   - z\n", [["x"], ["z", "w"]], "a:\n  - - x\n  -   - z\n      - w\n"),
    "the first of a nested list less": ("a:\n  - - x\n    - y\n", [["y"]], "a:\n  - - y\n"),
    "an entry that moves up": (
        "a:\n  # own\n  - x # 1\n  - k: 'y' # 2\n\n    # in it\n    l: z\n",
        [{"k": "y", "l": "z"}, "x"],
        "a:\n  # own\n  - k: 'y' # 2\n\n    # in it\n    l: z\n  - x # 1\n",
    ),
    "an entry that moves down": (
        "a:\r\n- k: x # 1\r\n  l: |\r\n    p\r\n\r\n    q\r\n- y # 2\r\n- z\r\nb: 1\r\n",
        ["y", "z", {"k": "x", "l": "p\n\nq\n"}],
        "a:\r\n- y # 2\r\n- z\r\n- k: x # 1\r\n  l: |\r\n    p\r\n\r\n    q\r\nb: 1\r\n",
    ),
    "an entry that comes twice takes its comment once": (
        "a:\n- x # 1\n- y\n- z\n",
        ["y", "z", "x", "x"],
        "a:\n- y\n- z\n- x # 1\n- x\n",
    ),
    "entries below their dash": (
        "a:\n  -\n    # own\n    k: 1\n  - # c\n    - x\n",
        [5, "p\nq"],
        "a:\n  - 5\n    # own\n  - |- # c\n    p\n    q\n",
    ),
}


@pytest.mark.parametrize(("before", "value", "after"), LISTS.values(), ids=LISTS)
def test_lists_and_objects(before: str, value: Any, after: str) -> None:
    assert apply_edits(before, ("a", value)) == after


OBJECTS: dict[str, tuple[str, str, Any, str]] = {
    "new key of the file": ("a: 1 # c\n\n# end\n", "b", "x", "a: 1 # c\nb: x\n\n# end\n"),
    "new key without a final newline": ("a: 1", "b", "x", "a: 1\nb: x"),
    "new key before the document's end": ("---\na: 1\n...\n", "b", None, "---\na: 1\nb: null\n...\n"),
    "new key after a block": ("a: |\n  x\n\n\nb: |-\n  y\n\n\n", "c", 1, "a: |\n  x\n\n\nb: |-\n  y\nc: 1\n\n\n"),
    "new key after a block that keeps blank lines": ("a: |+\n  x\n\n", "b", 1, "a: |+\n  x\n\nb: 1\n"),
    "new key of an object": (
        "o: # c\n    a: 1 # d\n    # e\nb: 1\n",
        "o.k",
        "x",
        "o: # c\n    a: 1 # d\n    k: x\n    # e\nb: 1\n",
    ),
    "new key of an inner object": (
        "o:\n  i:\n    a: 1\n  b: 1\n",
        "o.i.k",
        2,
        "o:\n  i:\n    a: 1\n    k: 2\n  b: 1\n",
    ),
    "new objects": ("o:\n   a: 1\n", "p.q.r", "x\ny", "o:\n   a: 1\np:\n   q:\n      r: |-\n         x\n         y\n"),
    "new object in an indented file": ("  o:\n    a: 1\n", "p.q", 1, "  o:\n    a: 1\n  p:\n    q: 1\n"),
    "new object in a file of lists": ("a:\n   - 1\n", "b.c", 1, "a:\n   - 1\nb:\n   c: 1\n"),
    "new list in the file's own style": ("a:\n- 1\n", "b", [2, "x"], "a:\n- 1\nb:\n- 2\n- x\n"),
    "new list indented": ("a:\n    - 1\n", "b", [2, []], "a:\n    - 1\nb:\n    - 2\n    - []\n"),
    "new key with odd characters": ("o:\n  a: 1\n", "o.x: y", 1, 'o:\n  a: 1\n  "x: y": 1\n'),
    "new key that would read as a boolean": ("o:\n  a: 1\n", "o.yes", 1, 'o:\n  a: 1\n  "yes": 1\n'),
    "new key after an empty value": ("o:\n  a:\nb: 1\n", "o.k", 1, "o:\n  a:\n  k: 1\nb: 1\n"),
    "object from nothing": ("o: # c\nb: 1\n", "o.k", 1, "o: # c\n  k: 1\nb: 1\n"),
    "object from null": ("o: null # c\nb: 1\n", "o.k.l", 1, "o: # c\n  k:\n    l: 1\nb: 1\n"),
    "object becomes a number": ("o: # c\n  a: 1\n  b: 2\nb: 1\n", "o", 5, "o: 5 # c\nb: 1\n"),
    "object becomes a list": ("o: # c\n  a: 1\nb: 1\n", "o", [1], "o: # c\n  - 1\nb: 1\n"),
    "object keeps no key": ("o:\n # why\n a: 1 # c\n", "o", {"b": 2}, "o:\n # why\n b: 2 # c\n"),
    "object loses a key": ("o: # c\n  a: 1\n  b: 2 # d\nb: 1\n", "o", {"b": 3}, "o: # c\n  b: 3 # d\nb: 1\n"),
    "object within an alias": (
        "a: &x {k: 1, l: [1]}\nb: *x # c\n",
        "b.k",
        2,
        "a: &x {k: 1, l: [1]}\nb: # c\n  k: 2\n  l:\n    - 1\n",
    ),
    "new key within an alias": ("a: &x\n  k: 1\nb: *x\n", "b.m", 2, "a: &x\n  k: 1\nb:\n  k: 1\n  m: 2\n"),
    "key that is an alias": ("n: &x a\n*x : 1\n", "a", 2, "n: &x a\n*x : 2\n"),
    "windows": ("a: 1\r\no:\r\n  b: 1", "o.c", "x\ny", "a: 1\r\no:\r\n  b: 1\r\n  c: |-\r\n    x\r\n    y"),
    "the file breaks off a new text": ("a: 1", "b", "x\ny\n", "b: |\n  x\n  y\na: 1"),
    "a key too long to stand before its colon": ("a: 1\n", "x" * 2000, 1, f"a: 1\n? {'x' * 2000}\n: 1\n"),
    "a new text before blank lines": ("a: 1\n\n\n# c\n", "b", "x\ny\n\n", "a: 1\nb: |+\n  x\n  y\n\n# c\n"),
}


@pytest.mark.parametrize(("before", "path", "value", "after"), OBJECTS.values(), ids=OBJECTS)
def test_keys_of_objects(before: str, path: str, value: Any, after: str) -> None:
    assert apply_edits(before, (path, value)) == after


def test_several_edits_at_once() -> None:
    before = "n: x # 1\nm: &v {a: 1}\no: *v\np:\n  q: 1\n# end\n"
    changes = (("z", 1), ("m.a", 3), ("o.a", 2), ("p.r.s", 4), ("n", "y"), ("p.r.t", 5))
    after = "n: y # 1\nm: &v {a: 3}\no:\n  a: 2\np:\n  q: 1\n  r:\n    s: 4\n    t: 5\nz: 1\n# end\n"
    assert apply_edits(before, *changes) == after


def test_an_edit_that_needs_another_form_leaves_the_others_theirs() -> None:
    # A block text does not fit between the comments, and the new key belongs to the end.
    before = "a: x\nb:\n d:\n # why\n     null # so\n c: y\n"
    after = apply_edits(before, ("b.d", ["x\ny\n"]), ("new", "z"))
    assert after == 'a: x\nb:\n d:\n # why\n     - "x\\ny\\n" # so\n c: y\nnew: z\n'
    before = "a:\n - k: x # 1\n   d:\n    # why\n        null # so\n - y # 2\n - z\n"
    after = apply_edits(before, ("a", [{"k": "x", "d": ["x\ny\n"]}, "Y", "w"]))
    assert after == 'a:\n - k: x # 1\n   d:\n    # why\n        - "x\\ny\\n" # so\n - Y # 2\n - w\n'


def test_the_line_break_is_that_of_the_whole_text() -> None:
    assert apply_edits("a: x\r\n  y", ("a", "z"), ("b", 1)) == "a: z\r\nb: 1"


def test_a_long_list_that_is_all_new_is_written_anew() -> None:
    before = "a:\n" + "".join(f"  - text {number}\n" for number in range(1000)) + "b: 1 # c\n"
    assert apply_edits(before, ("a", ["x"])) == "a:\n  - x\nb: 1 # c\n"
    without_indentation = before.replace("a:\n", "a:\n# why\n").replace("  - ", "- ")
    assert apply_edits(without_indentation, ("a", ["x"])) == "a:\n# why\n- x\nb: 1 # c\n"
    many = [f"word {number}" for number in range(60)]
    assert apply_edits("a: [x, y]\n", ("a", many)) == f"a: [{', '.join(many)}]\n"


@pytest.mark.parametrize("width", [96, 10**6])
def test_a_long_folded_text_is_edited_in_linear_time(width: int) -> None:
    words = [f"word{number}" for number in range(40_000)]
    before = "\n".join(["a: >-", *textwrap.wrap(" ".join(words), width, initial_indent="  ", subsequent_indent="  ")])
    after = " ".join(word if number % 3 else f"{word}x" for number, word in enumerate(words))
    edited_text, work = measure_least_work(lambda: edit_yaml(f"{before}\nb: 1\n", {("a",): after}))
    assert read_yaml(edited_text) == {"a": after, "b": 1}
    assert work < WORK  # a quadratic way took four times as much


@pytest.mark.parametrize(("pattern", "count"), [("  k{0}: x{0} # c{0}\n", 5000), ("- x{0} # c{0}\n", 240)])
def test_many_edits_take_hardly_longer_than_one(pattern: str, count: int) -> None:
    old, new = ("a:\n" + "".join(map(pattern.format, range(count))).replace("x", letter) for letter in "xy")
    fields = read_yaml(new)["a"]
    edits: NewValues = {("a",): fields} if isinstance(fields, list) else {("a", key): fields[key] for key in fields}
    edited_text, work = measure_least_work(lambda: edit_yaml(old, edits))
    assert edited_text == new
    assert work < WORK  # one by one they take a hundred times as much


def test_a_file_of_one_long_line_is_edited_in_linear_time() -> None:
    fields = {f"k{number}": "x" * 85 for number in range(9000)}
    before = json.dumps({"a": fields})
    edited_text, work = measure_least_work(lambda: edit_yaml(before, {("a", "k5"): "y"}))
    assert read_yaml(edited_text) == {"a": {**fields, "k5": "y"}}
    assert work < WORK  # a quadratic way took three times as much


def test_no_edit_changes_nothing() -> None:
    assert edit_yaml("a:   1   \n", {}) == "a:   1   \n"


REFUSED: dict[str, tuple[str, str, Any, str]] = {
    "anchor that is used elsewhere": ("a: &x y\nb: *x\n", "a", "z", "an anchor (&)"),
    "object with an anchor that is used elsewhere": ("a: &x\n  k: 1\nb: *x\n", "a.k", 2, "an anchor (&)"),
    "new key of an object that is used elsewhere": ("a: &x {k: 1}\nb: *x\n", "a.l", 2, "an anchor (&)"),
    "anchor within the value": ("a: [&x y]\nb: *x\n", "a", 5, "an anchor (&)"),
    "explicit key in an object": ("o:\n  ? a\n  : 1\n  b: 2 # c\n", "o.a", 2, 'written with "?"'),
    "explicit key": ("? a\n: 1\nb: 2\n", "a", 2, 'written with "?"'),
    "a text where an object should be": ("a: x\n", "a.b", 1, "is not an object"),
    "a list where an object should be": ("a: [1]\n", "a.0", 1, "is not an object"),
    "half a surrogate pair between brackets": ("o: {a: x}\n", "o.a", "\ud800", "so that it reads as intended"),
    "half a surrogate pair within an alias": ("p: &x {k: 1}\na: *x\n", "a.k", "\ud800", "so that it reads as intended"),
    "half a surrogate pair beside an anchor": ("p: &x y\nq: *x\na: z\n", "a", "\ud800", "so that it reads as intended"),
    "half a surrogate pair in a new key": ("p: &x y\nq: *x\n", "a", "\ud800", "so that it reads as intended"),
    "half a surrogate pair": ("a: x\n", "a", "\ud800", "so that it reads as intended"),
    "a number too large to be kept": ("a: 1\n", "a", 10**30, "so that it reads as intended"),
    "not a number": ("a: 1\n", "a", float("nan"), "so that it reads as intended"),
    "a text too large for a file": ("a: |\n  x\n", "a", "é\n" * 300_000, "so that it reads as intended"),
    "not readable": ("a: [\n", "a", 1, "the file cannot be read: line 2: something is missing"),
    "read differently by parsers": ("a: yes\n", "a", 1, "the file cannot be read: line 1"),
    "empty": ("# nothing\n", "a", 1, "the file contains no fields"),
    "a list": ("- a\n", "a", 1, "the file contains no fields"),
}


@pytest.mark.parametrize(("before", "path", "value", "words"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_done_is_refused(before: str, path: str, value: Any, words: str) -> None:
    error = catch_refusal(before, (path, value))
    assert words in error.message
    assert error.path == (() if "the file" in words else tuple(path.split(".")))


def test_refusals_name_the_field() -> None:
    error = catch_refusal("a: &x\n  k: 1\nb: *x\n", ("a.k", 2))
    assert error.message.startswith("a.k cannot be changed alone: it has, or is inside, an anchor (&)")
    assert "the alias (*)" in error.hint
    assert catch_refusal("a: 1\n", ("a", 2), ("b.c", "\ud800"), ("d", 3)).path == ("b", "c")


def test_a_value_is_never_quoted_in_a_refusal() -> None:
    error = catch_refusal("a: secret\n", ("a.b", "hidden"))
    assert error.message == "a.b cannot be written: a is not an object"
    assert "12:30" not in catch_refusal("a: 12:30\n", ("a", 1)).message


def test_of_the_edits_of_a_new_file_the_one_to_blame_is_named() -> None:
    assert catch_refusal("", ("a", 1), ("b", "\ud800"), ("c", 1)).path == ("b",)


FIRST: dict[str, tuple[str, str]] = {
    "block": ("# c\na: 1\n", "# c\nid: x1\na: 1\n"),
    "document start": ("# c\n%YAML 1.1\n---\n# d\na: 1", "# c\n%YAML 1.1\n---\n# d\nid: x1\na: 1"),
    "indented": ("  a: 1\n  b: 2\n", "  id: x1\n  a: 1\n  b: 2\n"),
    "windows": ("\ufeff# c\r\na: 1\r\n", "\ufeff# c\r\nid: x1\r\na: 1\r\n"),
    "brackets": ("{a: 1}\n", "{id: x1, a: 1}\n"),
    "like JSON": ('{\n  "a": 1\n}\n', '{\n  "id": "x1",\n  "a": 1\n}\n'),
    "empty brackets": ("# c\n{} # d\n", "# c\n{id: x1} # d\n"),
    "anchored key": ("&k a: *k\n", "id: x1\n&k a: *k\n"),
    "no file yet": ("", "id: x1\n"),
    "question mark": ("? a\n: 1\n", "? a\n: 1\nid: x1\n"),
    "new": ("a: 1\nid: new # soon\n", "a: 1\nid: x1 # soon\n"),
}


@pytest.mark.parametrize(("before", "after"), FIRST.values(), ids=FIRST)
def test_a_new_id_is_the_first_key(before: str, after: str) -> None:
    assert edit_yaml(before, {("id",): "x1"}) == after


@pytest.mark.parametrize("text", ["# only a comment\n", "- a\n", "a: [\n"])
def test_no_id_where_it_does_not_fit(text: str) -> None:
    with pytest.raises(EditRefused):
        edit_yaml(text, {("id",): "x1"})


def test_the_diff_names_the_file_and_the_lines() -> None:
    assert diff_lines("a: 1\nb: 2\n", "a: 1\nb: 3", "x/y.yaml") == (
        "--- a/x/y.yaml\n+++ b/x/y.yaml\n@@ -1,2 +1,2 @@\n a: 1\n-b: 2\n+b: 3\n\\ No newline at end of file\n"
    )


def test_equal_texts_have_no_diff() -> None:
    assert diff_lines("a: 1", "a: 1", "x.yaml") == ""


def test_lines_of_a_diff_end_where_lines_of_files_do() -> None:
    assert diff_lines("a: x\x0cy\r\nb: 1\r\n", "a: x\x0cz\r\nb: 1\r\n", "x").splitlines(keepends=False)[-1] == " b: 1"


def test_a_key_that_is_written_with_a_question_mark_is_not_taken_out_alone() -> None:
    """The whole object is written anew instead, where nothing in it would be lost."""
    assert apply_edits("o:\n  ? a\n  : 1\n  b: 2\n", ("o", {"b": 2})) == "o:\n  b: 2\n"
