"""How two long sequences of texts differ, in time that grows with their length and not with its square.

Uses difflib if it is fast enough. Otherwise, texts that occur exactly once in both sequences are landmarks, and only
the stretches between landmarks are compared. The work is always bounded; the rest then counts as replaced. Pure.
"""

import bisect
import itertools
import re
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from typing import TypeVar

from reconciler.core.line_merge import count_equal_ends

Opcode = tuple[bool, Sequence[str], Sequence[str]]
_Match = tuple[int, int, int]  # where it begins in each of the two, and its length
_Item = TypeVar("_Item")
_Chain = tuple[_Item, "_Chain[_Item]"] | None  # the last item, and the chain before it: chains share their beginnings
_AFFORDABLE = 60_000  # pairs of equal texts; with more, difflib takes too long
_LONGEST = 4_000  # texts of both sequences together
_MOST_EDITS = 100  # in one search, whose time grows with their square
_MOST_SEARCHES = 50  # one after the other
_MOST_STEPS = 600_000
_MOST_WORK = 10_000_000  # steps in one comparison
_LOOKS = 20  # steps that difflib takes for a pair of equal texts, roughly
_CONTEXT = 8  # texts in a row that can form a landmark
_MOST_PAIRS = 1_000
_ALIKE = 0.5
_WORD = re.compile(r"\w+")


def find_opcodes(old: Sequence[str], new: Sequence[str], *, junk: bool = False) -> Iterator[Opcode]:
    """Yield the stretches of two sequences in order: whether they are equal, and the texts of each."""
    # With `junk`, white space alone does not count as a match, so that `[-help me-]{+assist you+}` is one change.
    matches = sorted(match for match in _find_matches(old, new, junk) if match[2])
    old_from = new_from = old_place = new_place = 0
    for old_start, new_start, length in [*matches, (len(old), len(new), 0)]:
        # Matches that are adjacent in both sequences are one stretch.
        if (old_start, new_start) != (old_place, new_place):
            if old_place > old_from:
                yield True, old[old_from:old_place], new[new_from:new_place]
            yield False, old[old_place:old_start], new[new_place:new_start]
            old_from, new_from = old_start, new_start
        old_place, new_place = old_start + length, new_start + length
    if old_place > old_from:
        yield True, old[old_from:old_place], new[new_from:new_place]


def pair_alike(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int | None, int | None]]:
    """Yield the places of two different stretches in pairs, in order: similar ones, and any pairs between them."""
    # None is next to items that the longer side has left over.
    old_place = new_place = 0
    for old_index, new_index in [*_find_alike(old, new), (len(old), len(new))]:
        yield from itertools.zip_longest(range(old_place, old_index), range(new_place, new_index))
        if old_index < len(old):
            yield old_index, new_index
        old_place, new_place = old_index + 1, new_index + 1


def _find_alike(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Return the pairs that share most of their words. They are in order on both sides."""
    # People may insert a line before one that they edit. With very many lines, comparing all pairs would take too long.
    if len(old) * len(new) > _MOST_PAIRS or len(old) == len(new) == 1:
        return []
    words = [[{*_WORD.findall(text)} for text in texts] for texts in (old, new)]
    # Usually, a stretch keeps its number of lines, and each is edited.
    if len(old) == len(new) and all(map(_measure_likeness, *words)):
        return []
    best: list[list[float]] = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for old_index, new_index in itertools.product(reversed(range(len(old))), reversed(range(len(new)))):
        pair = best[old_index + 1][new_index + 1] + _measure_likeness(words[0][old_index], words[1][new_index])
        best[old_index][new_index] = max(pair, best[old_index + 1][new_index], best[old_index][new_index + 1])
    pairs = []
    old_index = new_index = 0
    while old_index < len(old) and new_index < len(new):
        if best[old_index][new_index] == best[old_index + 1][new_index]:
            old_index += 1
        elif best[old_index][new_index] == best[old_index][new_index + 1]:
            new_index += 1
        else:
            pairs.append((old_index, new_index))
            old_index, new_index = old_index + 1, new_index + 1
    return pairs


def _measure_likeness(old: set[str], new: set[str]) -> float:
    """Return the share of words that two texts have in common; 0 if it is less than half."""
    share = 2 * len(old & new) / (len(old) + len(new) or 1)
    return share if share >= _ALIKE else 0.0


def _find_matches(old: Sequence[str], new: Sequence[str], junk: bool) -> Iterator[_Match]:
    """Yield stretches that both have, in any order. They neither cross nor overlap."""
    import difflib  # slow to load, and most runs show no long text

    stretches = [(0, len(old), 0, len(new))]
    room = _MOST_WORK
    while stretches:
        old_start, old_end, new_start, new_end = stretches.pop()
        # People change little of a long text, so set its equal ends aside first.
        head, tail = count_equal_ends(old[old_start:old_end], new[new_start:new_end])
        yield old_start, new_start, head
        yield old_end - tail, new_end - tail, tail
        old_start, new_start = old_start + head, new_start + head
        before, after = old[old_start : old_end - tail], new[new_start : new_end - tail]
        room -= len(before) + len(after)
        if not before or not after or room < 0 or {*before}.isdisjoint(after):
            continue
        pairs = _count_pairs(before, after)
        if pairs <= _AFFORDABLE and len(before) + len(after) <= _LONGEST:
            room -= _LOOKS * pairs
            # autojunk would treat frequent words as noise, and mark whole prompts as replaced.
            blocks = difflib.SequenceMatcher(str.isspace if junk else None, before, after, autojunk=False)
            matches: list[_Match] = [(*block,) for block in blocks.get_matching_blocks()]
        elif landmarks := _find_landmarks(before, after):
            # A stretch begins with its landmark, which is part of its equal ends, so each stretch gets shorter.
            edges = [(0, 0), *landmarks, (len(before), len(after))]
            for (old_from, new_from), (old_to, new_to) in itertools.pairwise(edges):
                stretches.append((old_start + old_from, old_start + old_to, new_start + new_from, new_start + new_to))
            continue
        else:
            room -= _MOST_STEPS
            matches = _find_shortest(before, after)
        yield from ((old_start + old_place, new_start + new_place, length) for old_place, new_place, length in matches)


def _count_pairs(old: Sequence[str], new: Sequence[str]) -> int:
    """Return the number of pairs of equal texts. difflib's time grows with it."""
    counts = Counter(new)
    return sum(counts[text] for text in old if not text.isspace())


def _find_landmarks(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Return the places of texts that both have exactly once, alone or together with the texts after them."""
    # In a long text, few words occur only once: `Rule 5` and `fee 5` may, although `5` does not.
    rows = ([tuple(texts[at : at + _CONTEXT]) for at in range(len(texts) - _CONTEXT + 1)] for texts in (old, new))
    return max(_find_unique(old, new), _find_unique(*rows), key=len)


def _find_unique(old: Sequence[Hashable], new: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Return the places of items that both have exactly once: as many as have the same order in both."""
    old_unique, new_unique = ({item for item, number in Counter(items).items() if number == 1} for items in (old, new))
    places = {item: place for place, item in enumerate(new) if item in new_unique}
    pairs = [(place, places[item]) for place, item in enumerate(old) if item in old_unique and item in places]
    # The longest increasing run of second places, by patience sorting: the last card of each pile, and its chain.
    tops: list[int] = []
    chains: list[_Chain[tuple[int, int]]] = []
    for pair in pairs:
        pile = bisect.bisect_left(tops, pair[1])
        tops[pile : pile + 1] = [pair[1]]
        chains[pile : pile + 1] = [(pair, chains[pile - 1] if pile else None)]
    return _follow(chains[-1]) if chains else []


def _find_shortest(old: Sequence[str], new: Sequence[str]) -> list[_Match]:
    """Return the matches of a short edit: of the shortest one, or of the beginnings of several if that is long."""
    matches: list[_Match] = []
    old_place = new_place = 0
    for _ in range(_MOST_SEARCHES):
        for old_start, new_start, length in _search(old[old_place:], new[new_place:]):
            matches.append((old_place + old_start, new_place + new_start, length))
        old_place, new_place, _ = matches[-1]
        if (old_place, new_place) == (len(old), len(new)):
            break
    return matches


def _search(old: Sequence[str], new: Sequence[str]) -> list[_Match]:
    """Return the matches of the beginning of the shortest edit, and last an empty one where that ends.

    Myers, "An O(ND) Difference Algorithm", 1986. The time grows with the number of edits, so that is limited.
    """
    # For each diagonal, how far it reaches, and the matches on the way. The diagonals of one round differ by two, so a
    # diagonal's neighbours belong to the previous round.
    reach: dict[int, tuple[int, _Chain[_Match]]] = {1: (0, None)}
    ends: dict[int, tuple[int, int]] = {}
    furthest = 0
    for edits in range(_MOST_EDITS):
        for diagonal in range(-edits, edits + 1, 2):
            # The last edit inserts a text or deletes one, whichever reaches further.
            if diagonal == -edits or (diagonal != edits and reach[diagonal - 1][0] < reach[diagonal + 1][0]):
                start, chain = reach[diagonal + 1]
            else:
                start, chain = reach[diagonal - 1][0] + 1, reach[diagonal - 1][1]
            place = start
            while place < len(old) and place - diagonal < len(new) and old[place] == new[place - diagonal]:
                place += 1
            reach[diagonal] = place, ((start, start - diagonal, place - start), chain)
            ends[diagonal] = min(place, len(old)), min(place - diagonal, len(new))
        furthest = max(ends, key=lambda diagonal: sum(ends[diagonal]))
        if ends[furthest] == (len(old), len(new)):
            break
    return [*_follow(reach[furthest][1]), (*ends[furthest], 0)]


def _follow(chain: "_Chain[_Item]") -> list[_Item]:
    items = []
    while chain is not None:
        item, chain = chain
        items.append(item)
    return items[::-1]
