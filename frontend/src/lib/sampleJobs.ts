/** Jobs that run anywhere, to begin with. Pure. */
import type { JobForm } from './jobForm'

const SAMPLES: Record<string, Partial<JobForm>> = {
  hello: {
    name: 'hello-world',
    command: 'echo "Hello from $(hostname) at $(date)"',
    schedule: '* * * * *',
  },
}

/** The fields of the sample named *wanted*; none where there is no such sample. */
export function sampleJob(wanted: unknown): Partial<JobForm> {
  return (typeof wanted === 'string' && Object.hasOwn(SAMPLES, wanted) && SAMPLES[wanted]) || {}
}
