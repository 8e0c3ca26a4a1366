"""What is compiled of the replay. Imported where there is much to do only: numba is slow to."""

from __future__ import annotations

import numpy as np
from numba import njit

BLOCK = 8192  # what is summed at once: what is rounded does not add up over millions of gaps
LANES = 4  # sums side by side: one that is added to at once again would have to wait for itself


@njit(cache=True, nogil=True, fastmath={"reassoc", "nsz"})
def held_and_reloads(gaps, ttl):  # type: ignore[no-untyped-def]
    """The sum of min(gap, TTL), and how many gaps are longer."""
    held, reloads = 0.0, 0
    for start in range(0, len(gaps), BLOCK):
        block = gaps[start : start + BLOCK]
        of_block, longer = 0.0, np.int64(0)
        for i in range(len(block)):  # written so that it becomes a few instructions for 4 gaps
            gap = block[i]
            of_block += gap if gap < ttl else ttl
            longer += np.int64(1) if gap > ttl else np.int64(0)
        held += of_block
        reloads += longer
    return held, reloads


@njit(cache=True, nogil=True)
def count_and_sum(gaps, bits, shift, table, lowest, bounds):  # type: ignore[no-untyped-def]
    """Of each bound how many gaps come to it first, going up, and their sum; the last is inf.

    The exponent of a gap and the first bits of its mantissa (``bits >> shift``) have a line in the
    table, which says where to begin looking; mostly that is the place.
    """
    n, last = len(bounds), len(table) - 1
    counts, sums = np.zeros(n, np.int64), np.zeros(n)
    lanes = np.empty((n, 2 * LANES))
    for start in range(0, len(gaps), BLOCK):
        block, bits_of_block = gaps[start : start + BLOCK], bits[start : start + BLOCK]
        lanes[:] = 0.0
        for i in range(len(block)):
            gap = block[i]
            place = table[min(max((bits_of_block[i] >> shift) - lowest, 0), last)]
            while gap > bounds[place]:
                place += 1
            lanes[place, i % LANES] += gap
            lanes[place, i % LANES + LANES] += 1.0
        for place in range(n):
            sums[place] += lanes[place, :LANES].sum()
            counts[place] += int(lanes[place, LANES:].sum())
    return counts, sums


@njit(cache=True, nogil=True)
def of_every_ttl(bits, room, ttls, held, reloads):  # type: ignore[no-untyped-def]
    """Sort the gaps, given as bits, and fill a line for 0 and for each length; how many, and total.

    Up to a TTL gaps count with their length, beyond it with the TTL.
    """
    gaps = radix_sorted(bits, room).view(np.float64)
    n, line, whole, of_block = len(gaps), 0, 0.0, 0.0
    if n == 0 or gaps[0] > 0.0:
        ttls[0], held[0], reloads[0], line = 0.0, 0.0, n, 1
    for i in range(n):
        of_block += gaps[i]
        if i + 1 == n or gaps[i + 1] != gaps[i]:
            longer = n - 1 - i
            ttls[line], reloads[line] = gaps[i], longer
            held[line] = whole + of_block + longer * gaps[i]
            line += 1
        if i % BLOCK == BLOCK - 1:
            whole, of_block = whole + of_block, 0.0
    return line, whole + of_block


@njit(cache=True, nogil=True)
def radix_sorted(bits, room):  # type: ignore[no-untyped-def]
    """The same in ascending order, in one of the two arrays; both are overwritten.

    The bits of doubles that are not below 0 are in the order of the doubles. Byte by byte, the
    lowest first: some five times as fast as comparing.
    """
    counts = np.zeros((8, 256), np.int64)
    for value in bits:
        for byte in range(8):
            counts[byte, (value >> (8 * byte)) & 255] += 1
    for byte in range(8):
        next_place = np.cumsum(counts[byte]) - counts[byte]
        if counts[byte].max() == len(bits):
            continue  # all have the same
        for value in bits:
            of_byte = (value >> (8 * byte)) & 255
            room[next_place[of_byte]] = value
            next_place[of_byte] += 1
        bits, room = room, bits
    return bits


@njit(cache=True, nogil=True)
def gaps_between(codes, places, start, service, last_start, until):  # type: ignore[no-untyped-def]
    """The gaps in each stream's requests, and whose they are, in the order in which they end.

    Of each stream its last request's start and the end of its busy time are read and written. The
    third is the row at which it had to stop: no stream, no time, or one that goes back; -1: none.
    """
    gaps, whose = np.empty(len(codes)), np.empty(len(codes), np.int64)
    n = 0
    for row in range(len(codes)):
        at, took = start[row], service[row]
        if codes[row] < 0 or not (took >= 0.0 and abs(at + took) < np.inf):
            return gaps[:n], whose[:n], row
        stream = places[codes[row]]
        if at < last_start[stream]:
            return gaps[:n], whose[:n], row
        if at > until[stream] > -np.inf:
            gaps[n], whose[n] = at - until[stream], stream
            n += 1
        last_start[stream] = at
        until[stream] = max(until[stream], at + took)
    return gaps[:n], whose[:n], -1
