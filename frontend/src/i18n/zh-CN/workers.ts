/** 工作节点 */
import type { Messages } from '../en'

export const workers: Pick<Messages, 'worker'> = {
  worker: {
    online: '在线',
    draining: '排空中',
    offline: '离线',
    slots: '占用槽位',
    cpu: 'CPU',
    memory: '内存',
    disk: '磁盘',
    lastSeen: '最近出现',
    clock: '时钟偏差 {ms} 毫秒',
    paused: '暂不接任务：',
    summary: '{online} 个在线，槽位占用 {running} / {slots}',
    none: '没有注册的工作节点',
    noneText: '用 “worker -config worker.json” 启动一个，几秒内会出现在这里。',
  },
}
