/** 登录 */
import type { Messages } from '../en'

export const account: Pick<Messages, 'signIn'> = {
  signIn: {
    title: '打开控制台',
    explain: '每个浏览器标签页需要输入一次管理员令牌。',
    token: '管理员令牌',
    submit: '打开',
    checking: '正在检查…',
    refused: '服务器不接受此令牌。',
    where: '若由',
    whereMore: '启动，它打印的地址已带有令牌；否则令牌是以下配置项所指文件中的那一行：',
  },
}
