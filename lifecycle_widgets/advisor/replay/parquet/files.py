"""profile_of, profiles_of: what TTLs would have come to over a trace of any length."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from lifecycle_widgets.advisor.replay.grid import GRID
from lifecycle_widgets.advisor.replay.kernels.buckets import buckets
from lifecycle_widgets.advisor.replay.parquet.edges import Edges
from lifecycle_widgets.advisor.replay.parquet.row_groups import RowGroup, row_groups
from lifecycle_widgets.advisor.replay.profile import (
    Profile,
    ascending,
    profile,
    profile_of_buckets,
)
from lifecycle_widgets.advisor.workload.workload import Counts, Seconds, Workload

Source: TypeAlias = "Workload | str | os.PathLike[str] | Iterable[str | os.PathLike[str]]"
_Buckets: TypeAlias = tuple[Counts, Seconds]
_ByStream: TypeAlias = dict[str, _Buckets]
_T = TypeVar("_T")


def profile_of(
    source: Source, ttls_s: npt.ArrayLike | None = None, *, cluster: Any = None
) -> Profile:
    """What TTLs would have held and reloaded over a trace, all of its streams together.

    A trace in Parquet may be of any length: it is read some rows at a time, and what is kept is the
    result and, of each stream, where it stands.

    Parameters
    ----------
    source:
        A Parquet file, a folder of them (in the order of their names) or several, with the columns
        ``stream``, ``start_s`` and ``service_s`` (seconds from any zero), each stream's requests in
        order of their start; streams may be mixed. Or a workload.
    ttls_s:
        The TTLs in seconds, ascending and distinct; None: `GRID`.
    cluster:
        A `distributed.Client`: the row groups are then read by its workers, twice each, which must
        find the files at the same place. None: here.

    Raises
    ------
    WorkloadError
        Where there is no Parquet or a column is missing, and at the first row that is no request.

    Examples
    --------
    >>> from lifecycle_widgets.advisor.workload.workload import Stream
    >>> at = np.array([0.0, 60.0, 400.0])
    >>> chat = Stream("chat", at, at + 10, np.full(2, True), 3)
    >>> profile_of(Workload((chat,), "drawn"), [0.0, 60.0]).reloads.tolist()
    [2, 1]
    """
    ttls = _ttls(ttls_s)
    if isinstance(source, Workload):
        return profile(source.gaps_s, ttls)
    found = _over(row_groups(source), _pooled, ttls, cluster)
    counts, sums_s = next(found)
    for more, more_s in found:
        counts, sums_s = counts + more, sums_s + more_s
    return profile_of_buckets(ttls, counts, sums_s)


def profiles_of(
    source: Source, ttls_s: npt.ArrayLike | None = None, *, cluster: Any = None
) -> dict[str, Profile]:
    """`profile_of` each stream, by its name, where it has a gap; 16 bytes for each stream and TTL.

    Examples
    --------
    >>> from lifecycle_widgets.advisor.workload.workload import Stream
    >>> at = np.array([0.0, 60.0, 400.0])
    >>> chat = Stream("chat", at, at + 10, np.full(2, True), 3)
    >>> profiles_of(Workload((chat,), "drawn"), [0.0, 60.0])["chat"].held_s.tolist()
    [0.0, 110.0]
    """
    ttls = _ttls(ttls_s)
    if isinstance(source, Workload):
        return {s.name: profile(s.gaps_s, ttls) for s in source.streams if len(s.gaps_s)}
    whole: _ByStream = {}
    for part in _over(row_groups(source), _by_stream, ttls, cluster):
        _add(whole, part)
    return {name: profile_of_buckets(ttls, *found) for name, found in whole.items()}


def _ttls(ttls_s: npt.ArrayLike | None) -> Seconds:
    return GRID if ttls_s is None else ascending(ttls_s)


def _over(
    groups: list[RowGroup],
    work: Callable[[RowGroup, Edges, Seconds], _T],
    ttls: Seconds,
    cluster: Any,
) -> Iterator[_T]:
    """What the work makes of each row group, in their order, begun where the one before ended."""
    if cluster is None:
        edges = Edges()
        yield from (work(group, edges, ttls) for group in groups)
        return
    edges, begin = Edges(), []
    for after in cluster.gather(cluster.map(_edges_after, groups, pure=False)):
        begin.append(edges.of(after.names))
        edges.go_on_with(after)
    yield from cluster.gather(cluster.map(work, groups, begin, ttls=ttls, pure=False))


def _edges_after(group: RowGroup) -> Edges:
    edges = Edges()
    for _ in group.gaps(edges):
        pass
    return edges


def _pooled(group: RowGroup, edges: Edges, ttls: Seconds) -> _Buckets:
    counts, sums_s = np.zeros(len(ttls) + 1, np.int64), np.zeros(len(ttls) + 1)
    for gaps_s, _ in group.gaps(edges):
        more, more_s = buckets(gaps_s, ttls)
        counts += more
        sums_s += more_s
    return counts, sums_s


def _by_stream(group: RowGroup, edges: Edges, ttls: Seconds) -> _ByStream:
    whole: _ByStream = {}
    n = len(ttls) + 1
    for gaps_s, whose in group.gaps(edges):
        streams, which = np.unique(whose, return_inverse=True)
        places = which * n + np.searchsorted(ttls, gaps_s)
        counts = np.bincount(places, minlength=len(streams) * n).astype(np.int64)
        sums_s = np.bincount(places, gaps_s, minlength=len(streams) * n).astype(np.float64)
        names = (edges.names[stream] for stream in streams)
        found = zip(counts.reshape(-1, n), sums_s.reshape(-1, n), strict=True)
        _add(whole, dict(zip(names, found, strict=True)))
    return whole


def _add(whole: _ByStream, part: _ByStream) -> None:
    for name, (counts, sums_s) in part.items():
        if name in whole:
            whole[name][0][:] += counts
            whole[name][1][:] += sums_s
        else:
            whole[name] = counts, sums_s
