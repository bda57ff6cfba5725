/** 概览 */
import type { Messages } from '../en'

export const overview: Pick<Messages, 'overview'> = {
  overview: {
    attention: '需要关注',
    lastDay: '最近 24 小时',
    allFailed: '全部失败的执行',
    allWell: '一切正常。每个任务都有合适的节点，最近 24 小时没有失败。',
    running: '正在运行',
    nothingRuns: '此刻没有任务在运行',
    next: '接下来的触发',
    noNext: '没有计划中的触发',
    allExecutions: '全部执行',
    allJobs: '全部任务',
    allWorkers: '全部节点',
    times: '{n} 次 | {n} 次 | {n} 次',
    quarantined: '无法读取',
    no_worker: '无节点',
    noWorkerDetail: '没有在线的工作节点适合此任务',
  },
}
