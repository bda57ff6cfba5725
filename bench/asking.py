"""Asking a master the same thing many times, and how long the answers took."""

import time
from collections.abc import Mapping

import httpx2

from bench.figures import Figure, Goal, Spread, spread


def ask(client: httpx2.Client, path: str, params: Mapping[str, str | int], times: int) -> Spread:
    """
    Milliseconds of *times* answers to the same request, connection kept.

    Raises:
        httpx2.HTTPStatusError: An answer was not a success.
    """
    client.get(path, params=params).raise_for_status()
    return spread([_timed(client, path, params)[0] for _ in range(times)])


def walk(client: httpx2.Client, path: str, params: Mapping[str, str | int], pages: int) -> Spread:
    """Milliseconds of each of *pages* pages, following the tokens from the first."""
    took, token = [], None
    for _ in range(pages):
        milliseconds, body = _timed(client, path, {**params, **({"page_token": token} if token else {})})
        took.append(milliseconds)
        token = body["next_page_token"]
        if token is None:
            break
    return spread(took)


def answer_figures(key: str, words: str, took: Spread, goal_ms: float | None) -> list[Figure]:
    """p50 and p95, the latter against its goal."""
    goal = Goal("at most", goal_ms) if goal_ms is not None else None
    return [
        Figure(f"{key}_p50_ms", f"{words}: p50", took.p50, "ms"),
        Figure(f"{key}_p95_ms", f"{words}: p95", took.p95, "ms", goal),
    ]


def _timed(
    client: httpx2.Client, path: str, params: Mapping[str, str | int]
) -> tuple[float, dict[str, str | None]]:
    began_s = time.perf_counter()
    response = client.get(path, params=params)
    took_ms = (time.perf_counter() - began_s) * 1000
    response.raise_for_status()
    return took_ms, response.json()
