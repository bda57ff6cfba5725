/** 简体中文 */
import type { Messages } from '../en'
import { words } from './words'
import { charts } from './charts'
import { editor } from './editor'
import { jobs } from './jobs'
import { executions } from './executions'
import { overview } from './overview'
import { fields } from './fields'
import { health } from './health'
import { refusals } from './refusals'
import { server } from './server'
import { timeline } from './timeline'
import { workers } from './workers'

const spoken = { ...server, ...health, ...fields, ...refusals }

export const zhCN: Messages & typeof spoken = {
  ...spoken,
  ...words,
  ...charts,
  ...editor,
  ...jobs,
  ...executions,
  ...overview,
  ...timeline,
  ...workers,
}

export { recognise } from '../sentences'
