/** Which page stands at which address. Without a token every address leads to the sign-in page and back. */
import { createRouter, createWebHistory, type Router } from 'vue-router'
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
        meta: { open: true },
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
          { path: 'workers', name: 'workers', component: () => import('@/pages/WorkersPage.vue') },
          { path: ':rest(.*)*', name: 'not-found', component: () => import('@/pages/NotFoundPage.vue') },
        ],
      },
    ],
  })
  router.beforeEach((to) => {
    if (!to.meta.open && !useSession().isSignedIn) return toSignIn(to.fullPath)
    return true
  })
  return router
}
