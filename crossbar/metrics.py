"""What an operator watches, in Prometheus form.

Requests are counted and timed by route template, never by path: paths hold account ids and sometimes secrets.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The counters of one worker."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "crossbar_requests", "Requests answered.", ("route", "method", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "crossbar_request_seconds",
            "Time from the request's headers to the answer.",
            ("route", "method"),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def observe(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count and time one request."""
        known = self._known.get((route, method, status))
        if known is None:
            known = self._known[route, method, status] = (
                self._requests.labels(route, method, str(status)),
                self._seconds.labels(route, method),
            )
        known[0].inc()
        known[1].observe(seconds)

    def render(self) -> bytes:
        """The exposition text."""
        return generate_latest(self.registry)
