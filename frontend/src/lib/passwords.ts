/** The rules of a password that can be checked while it is typed. Pure; the server knows further ones. */

export const LONGEST = 128

export interface PasswordRule {
  id: 'long' | 'short' | 'name'
  holds: boolean
}

export function passwordRules(password: string, username: string, shortest: number): PasswordRule[] {
  const length = [...password].length
  const name = username.trim().toLowerCase()
  return [
    { id: 'long', holds: length >= shortest },
    { id: 'short', holds: length > 0 && length <= LONGEST },
    { id: 'name', holds: length > 0 && (name.length < 3 || !password.toLowerCase().includes(name)) },
  ]
}

export function isAcceptable(password: string, username: string, shortest: number): boolean {
  return passwordRules(password, username, shortest).every((rule) => rule.holds)
}
