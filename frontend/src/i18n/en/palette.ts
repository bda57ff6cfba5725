/** The command palette. Loaded when it is opened for the first time. */
export const palette = {
  palette: {
    title: 'Go to or do',
    field: 'A job, a page, an action or the id of an execution',
    page: 'Page',
    action: 'Action',
    job: 'Job',
    execution: 'Execution',
    none: 'Nothing fits “{typed}”.',
    count: 'Nothing found | One result | {n} results',
    newJob: 'New job',
    failed: 'Executions that failed',
    running: 'Executions that run now',
    themeLight: 'Light theme',
    themeDark: 'Dark theme',
    utc: 'Show times in UTC',
    browserZone: 'Show times in the zone of this browser',
    otherLanguage: '切换为简体中文',
    keys: 'Show the keyboard shortcuts',
    signOut: 'Sign out',
    docs: 'API documentation',
  },
}
export default palette
