/** Which page stands at which address. Without a session every address leads to the sign-in page and back. */
import { createRouter, createWebHistory, type Router } from 'vue-router'
import { findOutWhoThisIs } from '@/composables/useConnection'
import { useMessagesOf, type Area } from '@/i18n'
import { toSignIn } from '@/lib/routes'
import { useSession } from '@/stores/session'

export function createAppRouter(): Router {
  const router = createRouter({
    history: createWebHistory(),
    scrollBehavior: (to, from, saved) => saved ?? (to.path === from.path ? {} : { top: 0 }),
    routes: [
      {
        path: '/login',
        name: 'sign-in',
        component: () => import('@/pages/SignInPage.vue'),
        meta: { open: true, messages: ['account'] },
      },
      {
        path: '/welcome',
        name: 'welcome',
        component: () => import('@/pages/WelcomePage.vue'),
        meta: { open: true, messages: ['account', 'welcome'] },
      },
      {
        path: '/',
        component: () => import('@/pages/AppShell.vue'),
        children: [
          { path: '', name: 'overview', component: () => import('@/pages/OverviewPage.vue') },
          { path: 'jobs', name: 'jobs', component: () => import('@/pages/JobsPage.vue') },
          { path: 'jobs/new', name: 'job-new', component: () => import('@/pages/JobEditorPage.vue') },
          {
            path: 'jobs/:namespace/:name',
            name: 'job',
            component: () => import('@/pages/JobPage.vue'),
            props: true,
          },
          {
            path: 'jobs/:namespace/:name/edit',
            name: 'job-edit',
            component: () => import('@/pages/JobEditorPage.vue'),
            props: true,
          },
          { path: 'executions', name: 'executions', component: () => import('@/pages/ExecutionsPage.vue') },
          {
            path: 'executions/:id',
            name: 'execution',
            component: () => import('@/pages/ExecutionPage.vue'),
            props: true,
          },
          { path: 'timeline', name: 'timeline', component: () => import('@/pages/TimelinePage.vue') },
          {
            path: 'workers/:id',
            name: 'worker',
            component: () => import('@/pages/WorkerPage.vue'),
            props: true,
          },
          {
            path: 'workers',
            name: 'workers',
            component: () => import('@/pages/WorkersPage.vue'),
            props: (route) => ({ adds: route.query.add === '1' }),
            meta: { messages: ['welcome'] },
          },
          {
            path: 'account',
            name: 'account',
            component: () => import('@/pages/AccountPage.vue'),
            meta: { messages: ['account', 'admin'] },
          },
          {
            path: 'admin',
            component: () => import('@/pages/AdminPage.vue'),
            meta: { messages: ['account', 'admin'] },
            redirect: { name: 'admin-users' },
            children: [
              { path: 'users', name: 'admin-users', component: () => import('@/pages/AdminUsersPage.vue') },
              {
                path: 'tokens',
                name: 'admin-tokens',
                component: () => import('@/pages/AdminTokensPage.vue'),
              },
              { path: 'audit', name: 'admin-audit', component: () => import('@/pages/AdminAuditPage.vue') },
              {
                path: 'cluster',
                name: 'admin-cluster',
                component: () => import('@/pages/AdminClusterPage.vue'),
              },
            ],
          },
          { path: ':rest(.*)*', name: 'not-found', component: () => import('@/pages/NotFoundPage.vue') },
        ],
      },
    ],
  })
  router.beforeEach(async (to) => {
    if (to.meta.open) return true
    await findOutWhoThisIs()
    return useSession().state === 'out' ? toSignIn(to.fullPath) : true
  })
  router.beforeResolve((to) => useMessagesOf(...to.matched.flatMap((record) => record.meta.messages ?? [])))
  return router
}

declare module 'vue-router' {
  interface RouteMeta {
    /** Reachable without a session. */
    open?: boolean
    /** Messages that are fetched with the page. */
    messages?: Area[]
  }
}
