/** The names this dashboard uses for what the API's own description defines. */
import type { components } from './schema'

type Schemas = components['schemas']

export type Attention = Schemas['Attention']
export type BatchResult = Schemas['JobBatchItem']
export type Execution = Schemas['Execution']
/** A row of the execution list. */
export type ExecutionRow = Schemas['ListedExecution']
export type ExecutionSummary = Schemas['ExecutionSummary']
export type ExecutionBatchItem = Schemas['ExecutionBatchItem']
export type Explain = Schemas['Explain']
export type Job = Schemas['Job']
export type JobCheck = Schemas['JobCheck']
export type JobDefinition = Schemas['JobDefinition']
export type JobDetail = Schemas['JobDetail']
export type JobListItem = Schemas['JobListItem']
/** A row of the job list: a job, or a stored value that cannot be read. */
export type JobRow = JobListItem | Schemas['QuarantinedJob']
export type JobStats = Schemas['JobStatistics']
export type JobVersion = Schemas['JobVersion']
export type JobWorker = Schemas['JobWorker']
export type LedgerEntry = Schemas['LedgerEntry']
export type Output = Schemas['Output']
export type Overview = Schemas['Overview']
export type Problem = Schemas['Problem']
export type SchedulePreview = Schemas['SchedulePreview']
export type Tick = Schemas['Tick']
export type Total = Schemas['Total']
export type Version = Schemas['Version']
export type Worker = Schemas['Worker']
export type WorkerStats = Schemas['WorkerStats']
