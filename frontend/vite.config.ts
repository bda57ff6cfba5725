import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'

/** Where `npm run dev` finds an API: a running master, or the fixture server of the browser tests. */
const api = process.env.EVERYTICK_API ?? 'http://127.0.0.1:8070'

export default defineConfig({
  plugins: [vue()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  define: {
    __VUE_OPTIONS_API__: false,
    __VUE_I18N_LEGACY_API__: false,
    __INTLIFY_PROD_DEVTOOLS__: false,
  },
  css: { preprocessorOptions: { scss: { quietDeps: true, silenceDeprecations: ['import'] } } },
  build: {
    outDir: '../master/static',
    emptyOutDir: true,
    // The master's Content-Security-Policy has no `data:`, so nothing may be inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
    reportCompressedSize: false,
    // A slow machine is no news; warnings are for what somebody should change.
    rolldownOptions: { checks: { pluginTimings: false } },
  },
  server: { proxy: { '/api': api, '/docs': api, '/openapi.json': api } },
  test: {
    environment: 'happy-dom',
    include: ['tests/**/*.spec.ts'],
    env: { TZ: 'UTC' },
  },
})
