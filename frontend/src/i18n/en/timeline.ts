/** The timeline. */
export const timeline = {
  timeline: {
    load: 'Starts per minute',
    search: 'Job, or a part of its name',
    rows: 'Rows',
    by_job: 'Jobs',
    by_worker: 'Workers',
    span: 'Span',
    earlier: 'Earlier',
    later: 'Later',
    now: 'Now',
    nothing: 'nothing',
    rowLabel: '{row}: {summary}',
    truncated: 'not all shown',
    none: 'Nothing runs in this span, and nothing is due',
    noneFound: 'No row matches these filters in this span',
    unrun: 'skipped or missed',
    future: 'to come',
    hottest: 'Most at {at}: {count} in a minute',
    noLoad: 'Nothing starts in this span',
  },
}
