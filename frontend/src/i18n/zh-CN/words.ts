/** 到处使用的词语 */
import type { Messages } from '../en'

export const words: Pick<
  Messages,
  | 'action'
  | 'catchUp'
  | 'cause'
  | 'confirm'
  | 'copy'
  | 'error'
  | 'footer'
  | 'keys'
  | 'live'
  | 'nav'
  | 'notFound'
  | 'noRight'
  | 'notice'
  | 'overlap'
  | 'pager'
  | 'reason'
  | 'state'
  | 'status'
  | 'theme'
  | 'zone'
> = {
  action: {
    cancel: '取消',
    clear: '清除筛选',
    close: '关闭',
    delete: '删除',
    duplicate: '复制任务',
    edit: '编辑',
    kill: '终止',
    retry: '重试',
    run: '立即运行',
    runAgain: '再次运行',
    use: '使用此时区',
  },
  catchUp: {
    last: '只补跑最近一次',
    lastHint: '故障恢复后只启动最近一次错过的触发，其余记为错过。',
    none: '不补跑',
    noneHint: '故障期间错过的触发不再启动，台账中会列出。',
    all: '逐个全部补跑',
    allHint: '从最早的开始，每次恢复最多 100 个，每秒一个。',
  },
  cause: {
    schedule: '按计划',
    catch_up: '补跑',
    manual: '手动',
    retry: '重试',
    queued: '排队后执行',
  },
  copy: { copy: '复制', done: '已复制', failed: '请手动选中并复制', command: '复制为 cronctl 命令' },
  noRight: {
    title: '您无权查看此内容',
    text: '需要{right}权限，可由本系统的管理员授予。',
    see: '查看',
    operate: '操作',
    edit: '编辑',
    administer: '管理',
  },
  confirm: { type: '请输入名称以确认：' },
  error: {
    noAnswer: '服务器没有响应。',
    requestId: '请求编号',
  },
  footer: { prefix: 'etcd 前缀', docs: 'API', keys: '键盘' },
  keys: {
    title: '键盘',
    search: '搜索当前列表或全部内容',
    palette: '搜索并执行任何操作',
    row: '列表的下一行、上一行',
    select: '选择该行',
    open: '打开该行',
    runRow: '运行该行的任务',
    pauseRow: '暂停或恢复该行的任务',
    editRow: '编辑该行的任务',
    overview: '前往概览',
    jobs: '前往任务',
    executions: '前往执行',
    workers: '前往工作节点',
    timeline: '前往时间线',
    newJob: '新建任务',
    help: '本帮助',
  },
  live: {
    live: '实时',
    polling: '轮询',
    reconnecting: '重新连接中',
    liveTitle: '变化即时显示。',
    pollingTitle: '每隔几秒询问服务器。',
    reconnectingTitle: '服务器没有响应；所见内容可能过时。',
    last: '上次响应：{when}。',
    never: '尚无',
  },
  nav: {
    label: '页面',
    skip: '跳到内容',
    overview: '概览',
    jobs: '任务',
    executions: '执行',
    workers: '工作节点',
    timeline: '时间线',
    admin: '管理',
    account: '账户 {name}',
    search: '搜索全部内容',
    language: '语言',
    leave: '退出',
  },
  notFound: {
    title: '此地址没有页面',
    text: '链接可能已失效或有误。',
    back: '前往概览',
  },
  notice: {
    runAccepted: '{job} 将在工作节点接手后立即运行。',
    runFailed: '无法启动 {job}。',
    openExecution: '打开此次执行',
    enabled: '{job} 已启用。',
    disabled: '{job} 已停用；正在运行的执行会继续。',
    pausedUntil: '{job} 已暂停，到时自动恢复。',
    saveFailed: '无法修改 {job}。',
    deleted: '{job} 已删除。',
    deleteFailed: '无法删除 {job}。',
    killAccepted: '没有可终止的执行。 | 已请求终止 1 个执行。 | 已请求终止 {n} 个执行。',
    killFailed: '终止请求被拒绝。',
    retryAccepted: '工作节点接手后将再次运行。',
    retryFailed: '无法再次启动。',
  },
  overlap: {
    skip: '跳过本次触发',
    skipHint: '本次触发被丢弃；台账会指出阻挡它的执行。',
    queue_one: '排队一次',
    queue_oneHint: '第一个被阻挡的触发在当前执行结束后启动，其余跳过。',
    replace: '替换正在运行的',
    replaceHint: '先终止正在运行的执行，再启动新的。',
    allow: '照常启动',
    allowHint: '此任务的执行可以重叠。',
  },
  pager: { label: '列表分页', shown: '{shown} / {total}', first: '首页', next: '下一页' },
  reason: {
    overlap: '上次仍在运行',
    changed: '任务已修改',
    paused: '已暂停',
    deadline: '超过启动期限',
    downtime: '调度器停机',
    no_worker: '没有节点',
    no_slot: '节点已满',
    coordination: 'etcd 不可用',
    clock: '时钟',
    requested: '应请求',
    replaced: '被替换',
    shutdown: '停机',
    before_start: '启动之前',
    worker_gone: '节点失联',
    lease: '租约丢失',
    fenced: '被隔离',
    exit_code: '退出码',
    signal: '信号',
    spawn: '无法启动',
    timeout: '时间上限',
  },
  state: {
    loading: '正在载入…',
    stale: '这是上一次成功的结果；最近一次请求失败。',
  },
  status: {
    scheduled: '已计划',
    queued: '排队中',
    claimed: '启动中',
    running: '运行中',
    succeeded: '成功',
    failed: '失败',
    timed_out: '超时',
    killed: '已终止',
    skipped: '已跳过',
    missed: '已错过',
    lost: '失联',
  },
  theme: { label: '主题', auto: '自动', light: '浅色', dark: '深色' },
  zone: {
    label: '时区',
    browser: '浏览器（{zone}）',
    browserShort: '浏览器',
    pick: '其他时区…',
    pickTitle: '以其他时区显示时间',
    name: '时区，例如 Asia/Shanghai',
    unknown: '未知的时区。',
  },
}
