/** 图形 */
import type { Messages } from '../en'

export const charts: Pick<Messages, 'charts'> = {
  charts: {
    badly: '半数以上失败',
    dayCount: '{total} 次执行，{unwell} 次未成功',
    dayNone: '没有执行',
    durationsLabel: '最近 {count} 次执行的时长：p50 {p50}，p95 {p95}',
    heatLabel: '最近 90 天：{well} 天全部成功，{unwell} 天有失败，{none} 天没有执行',
    hourCount: '成功 {succeeded}，失败 {unwell}，错过 {missed}',
    hoursLabel: '最近 24 小时',
    lastN: '最近 {count} 次执行',
    none: '没有执行',
    partly: '部分失败',
    well: '全部成功',
  },
}
