/** Starts the dashboard: takes the setup token out of the address, then language, then the first page. */
import { VueQueryPlugin } from '@tanstack/vue-query'
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './App.vue'
import { i18n, setLanguage } from './i18n'
import { createAppRouter } from './router'
import { usePreferences } from './stores/preferences'
import { useSession } from './stores/session'
import './styles/main.scss'

async function start(): Promise<void> {
  const app = createApp(App)
  app.use(createPinia()).use(i18n)
  app.use(VueQueryPlugin, {
    queryClientConfig: { defaultOptions: { queries: { staleTime: 0, gcTime: 5 * 60_000, retry: false } } },
  })

  const address = new URL(location.href)
  const setupToken = address.pathname === '/welcome' ? address.searchParams.get('token') : null
  if (setupToken) {
    useSession().keepSetupToken(setupToken)
    address.searchParams.delete('token')
    // Before the router reads the address: the token must not stay in it, nor in the history.
    history.replaceState(history.state, '', address.pathname + address.search)
  }

  await setLanguage(usePreferences().language)
  app.use(createAppRouter())
  app.mount('#app')
}

void start()
