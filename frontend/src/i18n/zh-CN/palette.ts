/** 命令面板 */
export const palette = {
  palette: {
    title: '前往或执行',
    field: '任务、页面、操作或执行编号',
    page: '页面',
    action: '操作',
    job: '任务',
    execution: '执行',
    none: '没有与“{typed}”匹配的内容。',
    count: '没有结果 | 1 个结果 | {n} 个结果',
    newJob: '新建任务',
    failed: '失败的执行',
    running: '正在运行的执行',
    themeLight: '浅色主题',
    themeDark: '深色主题',
    utc: '以 UTC 显示时间',
    browserZone: '以浏览器时区显示时间',
    otherLanguage: 'Switch to English',
    keys: '显示键盘快捷键',
    signOut: '退出登录',
    docs: 'API 文档',
  },
}
export default palette
