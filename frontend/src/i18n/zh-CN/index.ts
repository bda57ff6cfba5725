/** 简体中文 */
import type { Messages } from '../en'
import { words } from './words'
import { charts } from './charts'
import { editor } from './editor'
import { jobs } from './jobs'
import { executions } from './executions'
import { overview } from './overview'
import { server } from './server'
import { timeline } from './timeline'
import { workers } from './workers'

export const zhCN: Messages = {
  ...words,
  ...charts,
  ...editor,
  ...jobs,
  ...executions,
  ...overview,
  ...server,
  ...timeline,
  ...workers,
}
