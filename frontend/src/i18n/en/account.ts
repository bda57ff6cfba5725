/** Signing in. */
export const account = {
  signIn: {
    title: 'Open the dashboard',
    explain: 'This installation asks for its admin token once per browser tab.',
    token: 'Admin token',
    submit: 'Open',
    checking: 'Checking …',
    refused: 'The server does not accept this token.',
    where: 'Run by',
    whereMore: ', the address it prints carries the token. Otherwise it is the one line in the file of',
  },
}
