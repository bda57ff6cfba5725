/** The drawings: strips, heat-map, chart. */
export const charts = {
  charts: {
    badly: 'half or more failed',
    dayCount: '{total} executions, {unwell} not successful',
    dayNone: 'nothing ran',
    durationsLabel: 'Durations of the last {count} executions: p50 {p50}, p95 {p95}',
    heatLabel: 'Last 90 days: {well} went well, {unwell} with failures, {none} without executions',
    hourCount: '{succeeded} succeeded, {unwell} failed, {missed} missed',
    hoursLabel: 'Last 24 hours',
    lastN: 'last {count} executions',
    none: 'nothing ran',
    partly: 'some failed',
    well: 'all succeeded',
  },
}
