/** The first minutes with a new installation, and adding a worker. Loaded with those pages. */
export const welcome = {
  welcome: {
    title: 'Welcome to everytick',
    intro: 'Three short steps: an admin, a worker, a first job.',
    steps: 'Steps',
    admin: 'Admin',
    worker: 'Worker',
    job: 'First job',
    adminTitle: 'Create the first admin',
    adminText: 'This account may do everything; further ones are made under Admin.',
    name: 'User name',
    password: 'Password',
    language: 'Language',
    zone: 'Show times in',
    create: 'Create the admin',
    creating: 'Creating …',
    token: 'Setup token',
    tokenText:
      'It is in the address that “cronctl up” or the master printed when it started, and is good for 15 minutes.',
    tokenBad:
      'This setup token is wrong, used or older than 15 minutes. Start the master again for a new one.',
    done: 'This installation is already set up.',
    doneText: 'Sign in with an account of it.',
    signIn: 'Go to the sign-in page',
    checks: 'The parts of this installation',
    workerTitle: 'Add a worker',
    hasWorkers:
      'No worker runs yet. | One worker runs already; you may add more. | {n} workers run already; you may add more.',
    skip: 'Later',
    next: 'Go on',
    jobTitle: 'Your first job',
    jobText:
      'The editor opens with a job that says hello once a minute. Look at the next ticks, save it, and follow its output.',
    jobGo: 'Open the editor',
    overview: 'Go to the overview',
  },
  addWorker: {
    title: 'Add a worker',
    intro: 'On the machine that shall run commands, with everytick installed:',
    waiting: 'Waiting for the worker …',
    arrived: '{id} is here.',
    another: 'Wait for another one',
    late: 'Nothing has come yet. Look at these:',
    cause: {
      etcd: 'Can that machine reach the etcd addresses of worker.json? A firewall, or an etcd that listens on loopback only, keeps it out.',
      config: 'Does “worker -config worker.json --check” say that the configuration is fine?',
      clock: 'Is its clock right? A worker whose clock is more than 2 s off takes no ticks.',
      log: 'What are the last lines the worker printed? They name what it waits for.',
    },
  },
}
export default welcome
