/** 工作节点、各服务与审计记录的状况。 */
import type { health as english } from '../en/health'
import type { Shape } from '../en'

export const health: Shape<typeof english> = {
  health: {
    sessionEnded: '会话 {session} 已结束',
    version: '版本 {version}，主机 {host}',
    was: '此前：{text}',
    clockSetUnconfirmed: '时钟被调快 {s} 秒，此后尚未比对',
    clockSet: '时钟被调快 {s} 秒',
    clockAhead: '时钟比其他节点快 {s} 秒',
    clockBehind: '时钟比其他节点慢 {s} 秒',
    clockNew: '时钟尚未与其他节点比对',
    storeNew: '尚未检查 etcd',
    storeOther: 'etcd 的集群 id 由 {old} 变为 {new}',
    storeBack: 'etcd 的修订号由 {old} 退回到 {new}：是否从备份恢复？',

    away: '未应答',
    notReached: '尚未连接',
    notCompared: '无法比对：MongoDB 未应答',
    masterAhead: '主节点的时钟比 MongoDB 快 {s} 秒',
    masterBehind: '主节点的时钟比 MongoDB 慢 {s} 秒',
    etcdAway: '无法连接 {endpoint} 处的 etcd：{detail}',
    etcdBusy: '{endpoint} 处的 etcd 目前无法处理请求：{detail}',
    etcdSilent: '{endpoint} 处的 etcd 未能应答：{detail}',
    etcdFull:
      '{endpoint} 处的 etcd 已满，拒绝写入：请压缩并整理碎片，再解除 NOSPACE 告警（并开启定期自动压缩）',
    etcdCredentials: '{endpoint} 处的 etcd 拒绝了凭据：{detail}',
    notEtcd: '{endpoint} 处应答的不是 etcd 3：{detail}',
    etcdClosed: '与 etcd 的连接已关闭',

    auditMissing: '缺少第 {seq} 条：下一条是 {next}',
    auditReplaced: '第 {seq} 条与前一条不衔接：前一条已被替换',
    auditAltered: '第 {seq} 条在写入后被改动',
    auditOther: '第 {seq} 条不是本主节点曾见过的那一条',
    auditCut: '第 {seq} 条起缺失：曾有第 {last} 条',
  },
}
