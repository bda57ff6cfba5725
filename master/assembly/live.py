"""Area: what happens, told as it happens."""

from dataclasses import dataclass

from common.config.command_line import product_version
from master.assembly.ground import Ground, Loop
from master.assembly.views import Views
from master.services.event_hub import EventHub
from master.services.live_news import LiveNews


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """The streams, and what feeds them."""

    hub: EventHub
    news: LiveNews

    @property
    def loops(self) -> tuple[Loop, ...]:
        return (self.hub.run, self.news.run)


def make_live(ground: Ground, views: Views) -> Live:
    """The hub; the views tell it what they see change."""
    hub = EventHub(
        master=ground.name,
        version=product_version(),
        streams_per_user=ground.config.event_streams_per_user,
    )
    news = LiveNews(hub, ground.reader, ground.clock)
    views.jobs.tell(news.job_changed)
    views.runs.tell(on_start=news.run_started, on_end=news.run_ended)
    views.roster.tell(news.worker_changed)
    metrics = ground.metrics
    metrics.watch("event_streams", "Live event streams that are open.", lambda: len(hub))
    metrics.count("events", "Events published, each counted once.", lambda: hub.published)
    metrics.count("event_resyncs", "Times a stream had to start over.", lambda: hub.resyncs)
    metrics.count(
        "event_outcomes_late", "Ends whose record could not be read in time.", lambda: news.unresolved
    )
    return Live(hub=hub, news=news)
