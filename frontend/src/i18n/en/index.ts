/**
 * English: the reference. Every other language has exactly these keys (a test compares them).
 *
 * What the server says is not here: in English it is shown as it came.
 */
import { words } from './words'
import { charts } from './charts'
import { editor } from './editor'
import { jobs } from './jobs'
import { executions } from './executions'
import { overview } from './overview'
import { timeline } from './timeline'
import { workers } from './workers'

export const en = {
  ...words,
  ...charts,
  ...editor,
  ...jobs,
  ...executions,
  ...overview,
  ...timeline,
  ...workers,
}

export type Shape<T> = { [K in keyof T]: T[K] extends string ? string : Shape<T[K]> }

export type Messages = Shape<typeof en>
