/** The overview. */
export const overview = {
  overview: {
    attention: 'Needs attention',
    lastDay: 'last 24 hours',
    allFailed: 'All failed executions',
    allWell: 'Nothing. Every job has a worker, and nothing failed in the last 24 hours.',
    running: 'Running now',
    nothingRuns: 'Nothing runs at this moment',
    next: 'Next ticks',
    noNext: 'No tick is planned',
    allExecutions: 'All executions',
    allJobs: 'All jobs',
    allWorkers: 'All workers',
    times: '{n} time | {n} time | {n} times',
    quarantined: 'unreadable',
    no_worker: 'no worker',
    noWorkerDetail: 'no live worker fits this job',
  },
}
