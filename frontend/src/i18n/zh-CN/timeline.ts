/** 时间线 */
import type { Messages } from '../en'

export const timeline: Pick<Messages, 'timeline'> = {
  timeline: {
    load: '每分钟启动数',
    search: '任务名或其一部分',
    rows: '行',
    by_job: '任务',
    by_worker: '工作节点',
    span: '时长',
    earlier: '更早',
    later: '更晚',
    now: '现在',
    nothing: '无',
    rowLabel: '{row}：{summary}',
    truncated: '未全部显示',
    none: '这段时间内没有运行，也没有到期的触发',
    noneFound: '这段时间内没有符合筛选条件的行',
    unrun: '跳过或错过',
    future: '即将到来',
    hottest: '最多在 {at}：一分钟内 {count} 次',
    noLoad: '这段时间内没有启动',
  },
}
