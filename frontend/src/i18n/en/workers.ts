/** Workers. */
export const workers = {
  worker: {
    online: 'online',
    draining: 'draining',
    offline: 'offline',
    slots: 'Slots in use',
    cpu: 'CPU',
    memory: 'Memory',
    disk: 'Disk',
    lastSeen: 'Last seen',
    clock: 'clock {ms} ms off',
    paused: 'Takes no ticks:',
    summary: '{online} alive, {running} of {slots} slots in use',
    none: 'No worker has registered',
    noneText: 'Start one with “worker -config worker.json”; it appears here within seconds.',
  },
}
