/**
 * Sentences the server says, word for word: by them it is known which one it said, to say it in another language.
 *
 * The more special one stands first.
 */
export const server = {
  server: {
    offline: 'is offline',
    draining: 'is draining',
    executor: "does not offer executor '{executor}'",
    notNamed: 'is not among the workers the job names',
    noLabel: "has no label '{label}'",
    otherLabel: 'has label {label}, the job wants {wanted}',

    checkReach: 'Check that it reaches everything',
    startIt: 'Start it',
    ownState: 'Each worker needs a state directory of its own; its id is kept there.',
    etcdLoopback:
      'etcd is reached over loopback here: a worker on another host needs an address it can reach.',
    mongoLoopback:
      'MongoDB is reached over loopback here: a worker on another host needs an address it can reach.',
    mongoPassword: 'Fill in the password of MongoDB, or keep the URI in a file and name it in mongoUriFile.',
    etcdUser: 'Give the worker an etcd user of its own; docs/security.md has the rights it needs.',

    ranReason: 'It ran on {worker} and {how} ({reason}).',
    ran: 'It ran on {worker} and {how}.',
    howSucceeded: 'succeeded',
    howFailed: 'failed',
    howTimedOut: 'was stopped at its time limit',
    howKilled: 'was killed',
    howLost: 'was lost: nobody knows how it ended',
    present: 'It {word} on {worker}.',
    isStarting: 'is about to start',
    isRunning: 'runs now',
    attempt: 'attempt {attempt}, started because of: {cause}',
    late: 'started {ms} ms after its tick',
    waited: 'waited {ms} ms for the execution before it',
    took: 'took {ms} ms',
    exitCode: 'exit code {code}',

    skipped: 'It was skipped on purpose: {why}.',
    missed: 'It was missed: {why}.',
    whyOverlap: 'the execution before it was still running',
    whyChanged: 'the job was changed between its claim and its start',
    whyPaused: 'the job was disabled or paused at that time',
    whyDeadline: 'it could not be started within its start deadline',
    whyDowntime: 'it was older than the catch-up policy allows when the scheduler came back',
    whyNoWorker: "no live worker fitted the job's target and executor",
    whyNoSlot: 'every worker that fitted was full',
    whyCoordination: 'etcd could not be reached',
    whyClock: 'the clock of the worker could not be trusted',
    whyReplaced: 'several ticks were due at once, and the newest one took their place',
    inTheWay: 'execution {id} was in the way',
    oneOf: 'one of {count} ticks in a row with the same fate',
    atLeast: 'at least {n}',
    recordedBy: 'recorded by {worker}',

    notRun: 'This tick does not run: {why}.',
    whyNoSchedule: 'the job has no schedule and runs only when somebody asks',
    whyNoTick: "the schedule '{schedule}' has no tick at that instant",
    whyBefore:
      'it lies before the present version of the job was saved, and nothing is recorded of it (its record may have expired)',
    whyDisabled: 'the job is disabled',
    whyOut: 'the job is paused or out of its first and last day at that time',

    nobody: 'No live worker may run it at present: unless one comes, it will be missed.',
    noneOnline: 'no worker is online',
    first: '{worker} will try first.',
    then: 'if it is full or gone: {others}',
    noOther: 'no other worker may run it',
    dueNow: 'It has come due and nothing is recorded of it yet; it may still start.',
    closed: '{worker} has closed it; the record of it is under way.',
    deadline: 'start deadline: {limit} s, passed: {passed} s',
    noRecord: 'It came due and nothing is recorded of it: the record may be under way, or may have expired.',
  },
}
