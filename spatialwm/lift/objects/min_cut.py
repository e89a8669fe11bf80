"""The cheapest cut through a weighted graph between what is known to belong and what is known not to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int
from numba import njit

from spatialwm.render.cpu.cache import kernels_cached_for


def min_cut(
    pairs: Int[np.ndarray, "e 2"], weights: Float[np.ndarray, " e"], gain: Float[np.ndarray, " n"]
) -> Bool[np.ndarray, " n"]:
    """Which nodes are inside the set S that maximises ``sum(gain[S])`` minus the weights of the edges that leave S.

    Infinite gains force a node in or out. Of equal cuts the smallest set is returned. Exact, in float64.

    Args:
        pairs: undirected edges, each once.

    Source: Boykov and Kolmogorov 2004, "An experimental comparison of min-cut/max-flow algorithms".
    """
    n, e = len(gain), len(pairs)
    ends = np.concatenate([pairs, pairs[:, ::-1]]).astype(np.int64)
    order = np.argsort(ends[:, 0], kind="stable")
    place = np.empty(2 * e, np.int64)
    place[order] = np.arange(2 * e)
    first = np.searchsorted(ends[order, 0], np.arange(n + 1)).astype(np.int64)
    back = place[np.concatenate([np.arange(e, 2 * e), np.arange(e)])][order]
    capacity = np.concatenate([weights, weights]).astype(np.float64)[order]
    # Larger than any flow that can leave a node, so as good as infinite and still exact to subtract from.
    bound = 1.0 + float(np.asarray(weights, np.float64).sum())
    terminal = np.clip(np.nan_to_num(np.asarray(gain, np.float64), posinf=bound, neginf=-bound), -bound, bound)
    return _grow(first, ends[order, 1], back, capacity, terminal)


_FREE, _SOURCE, _SINK = 0, 1, 2
_NONE, _ROOT, _ORPHAN = -1, -2, -3

with kernels_cached_for(Path(__file__).parent):

    @njit(nogil=True, cache=True)
    def _origin_distance(i, first, to, parent, stamp, distance, now):
        """Steps from node i to the terminal its tree hangs on, -1 for an orphan's tree; remembers it for the nodes passed."""
        steps, j, whole = 0, i, True
        while True:
            if stamp[j] == now:
                steps += distance[j]
                break
            a = parent[j]
            if a == _ROOT:
                stamp[j], distance[j] = now, 1
                steps += 1
                break
            if a < 0:
                whole = False
                break
            steps += 1
            j = to[a]
        if not whole:
            return -1
        found, j = steps, i
        while stamp[j] != now:
            stamp[j], distance[j] = now, steps
            steps -= 1
            j = to[parent[j]]
        return found

    @njit(nogil=True, cache=True)
    def _grow(first, to, back, capacity, terminal):
        n = len(terminal)
        tree, parent = np.zeros(n, np.int8), np.full(n, _NONE, np.int64)
        stamp, distance = np.zeros(n, np.int64), np.zeros(n, np.int64)
        queue, queued = np.empty(n + 1, np.int64), np.zeros(n, np.bool_)
        head, tail, now = 0, 0, 0
        orphans = np.empty(n, np.int64)
        for i in range(n):
            if terminal[i] != 0.0:
                tree[i] = _SOURCE if terminal[i] > 0 else _SINK
                parent[i], distance[i] = _ROOT, 1
                queue[tail], queued[i] = i, True
                tail += 1
        current = -1
        while True:
            if current < 0 or tree[current] == _FREE:
                current = -1
                while head != tail:
                    i = queue[head]
                    head = (head + 1) % (n + 1)
                    queued[i] = False
                    if tree[i] != _FREE:
                        current = i
                        break
                if current < 0:
                    break
            # Grow the tree of the current node until it meets the other one.
            i, bridge = current, np.int64(-1)
            for a in range(first[i], first[i + 1]):
                room = capacity[a] if tree[i] == _SOURCE else capacity[back[a]]
                if room <= 0.0:
                    continue
                j = to[a]
                if tree[j] == _FREE:
                    tree[j], parent[j] = tree[i], back[a]
                    stamp[j], distance[j] = stamp[i], distance[i] + 1
                    if not queued[j]:
                        queue[tail], queued[j] = j, True
                        tail = (tail + 1) % (n + 1)
                elif tree[j] != tree[i]:
                    bridge = a if tree[i] == _SOURCE else back[a]
                    break
                elif stamp[j] <= stamp[i] and distance[j] > distance[i]:
                    parent[j] = back[a]
                    stamp[j], distance[j] = stamp[i], distance[i] + 1
            if bridge < 0:
                current = -1
                continue
            now += 1
            # The most that fits through the path from source to sink.
            s, t = to[back[bridge]], to[bridge]
            room = capacity[bridge]
            j = s
            while parent[j] != _ROOT:
                room = min(room, capacity[back[parent[j]]])
                j = to[parent[j]]
            room = min(room, terminal[j])
            j = t
            while parent[j] != _ROOT:
                room = min(room, capacity[parent[j]])
                j = to[parent[j]]
            room = min(room, -terminal[j])
            # Send it, and note whose parents' arcs are full.
            lost = 0
            capacity[bridge] -= room
            capacity[back[bridge]] += room
            j = s
            while parent[j] != _ROOT:
                a = parent[j]
                capacity[a] += room
                capacity[back[a]] -= room
                if capacity[back[a]] <= 0.0:
                    parent[j] = _ORPHAN
                    orphans[lost] = j
                    lost += 1
                j = to[a]
            terminal[j] -= room
            if terminal[j] <= 0.0:
                parent[j] = _ORPHAN
                orphans[lost] = j
                lost += 1
            j = t
            while parent[j] != _ROOT:
                a = parent[j]
                capacity[back[a]] += room
                capacity[a] -= room
                if capacity[a] <= 0.0:
                    parent[j] = _ORPHAN
                    orphans[lost] = j
                    lost += 1
                j = to[a]
            terminal[j] += room
            if terminal[j] >= 0.0:
                parent[j] = _ORPHAN
                orphans[lost] = j
                lost += 1
            # Hang orphans on another branch of their tree, or let them go.
            at = 0
            pending = list(orphans[:lost])
            while at < len(pending):
                i = pending[at]
                at += 1
                best, nearest = np.int64(-1), np.int64(1 << 40)
                for a in range(first[i], first[i + 1]):
                    j = to[a]
                    room = capacity[back[a]] if tree[i] == _SOURCE else capacity[a]
                    if tree[j] != tree[i] or room <= 0.0 or parent[j] == _NONE or parent[j] == _ORPHAN:
                        continue
                    steps = _origin_distance(j, first, to, parent, stamp, distance, now)
                    if 0 <= steps < nearest:
                        best, nearest = a, steps
                if best >= 0:
                    parent[i] = best
                    stamp[i], distance[i] = now, nearest + 1
                    continue
                for a in range(first[i], first[i + 1]):
                    j = to[a]
                    if tree[j] != tree[i]:
                        continue
                    room = capacity[back[a]] if tree[i] == _SOURCE else capacity[a]
                    if room > 0.0 and not queued[j]:
                        queue[tail], queued[j] = j, True
                        tail = (tail + 1) % (n + 1)
                    if parent[j] >= 0 and to[parent[j]] == i:
                        parent[j] = _ORPHAN
                        pending.append(j)
                tree[i], parent[i] = _FREE, _NONE
        return tree == _SOURCE
