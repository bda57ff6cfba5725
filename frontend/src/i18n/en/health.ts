/** How workers, servers and the audit trail do, as the server says it: details of events, pauses and checks. */
export const health = {
  health: {
    sessionEnded: 'session {session} ended',
    version: 'version {version} on {host}',
    was: 'was: {text}',
    clockSetUnconfirmed: 'the clock was set {s} s ahead and not compared since',
    clockSet: 'the clock was set {s} s ahead',
    clockAhead: 'the clock is {s} s ahead of its peers',
    clockBehind: 'the clock is {s} s behind its peers',
    clockNew: "the clock has not been compared with the others' yet",
    storeNew: 'etcd has not been looked at yet',
    storeOther: "etcd's cluster id changed from {old} to {new}",
    storeBack: "etcd's revision went back from {old} to {new}: restored from a backup?",

    away: 'does not answer',
    notReached: 'not reached yet',
    notCompared: 'cannot be compared: MongoDB does not answer',
    masterAhead: "the master's is {s} s ahead of MongoDB's",
    masterBehind: "the master's is {s} s behind MongoDB's",
    etcdAway: 'etcd at {endpoint} cannot be reached: {detail}',
    etcdBusy: 'etcd at {endpoint} cannot serve requests now: {detail}',
    etcdSilent: 'etcd at {endpoint} could not answer: {detail}',
    etcdFull:
      'etcd at {endpoint} is full and refuses writes: compact and defragment it, then disarm its NOSPACE alarm (and switch periodic auto-compaction on)',
    etcdCredentials: 'etcd at {endpoint} refuses the credentials: {detail}',
    notEtcd: 'what answers at {endpoint} is not an etcd 3 server: {detail}',
    etcdClosed: 'the connection to etcd is closed',

    auditMissing: 'entry {seq} is missing: the next one is {next}',
    auditReplaced: 'entry {seq} does not follow the one before it: that one was replaced',
    auditAltered: 'entry {seq} was altered after it was written',
    auditOther: 'entry {seq} is not the one this master has seen there',
    auditCut: 'the entries from {seq} on are missing: there was an entry {last}',
  },
}
