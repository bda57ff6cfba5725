import js from '@eslint/js'
import prettier from 'eslint-config-prettier'
import vue from 'eslint-plugin-vue'
import globals from 'globals'
import ts from 'typescript-eslint'

/**
 * What each folder must not import: pages declare, composables fetch, components show.
 * Types of the API may be named anywhere; only code is kept apart.
 */
const forbidden = {
  lib: ['api', 'stores', 'composables', 'components', 'ui', 'pages', 'router', 'i18n'],
  api: ['stores', 'composables', 'components', 'ui', 'pages', 'router', 'i18n'],
  stores: ['api', 'composables', 'components', 'ui', 'pages', 'router'],
  composables: ['components', 'ui', 'pages', 'router'],
  ui: ['api', 'stores', 'composables', 'components', 'pages', 'router', 'i18n'],
  components: ['api', 'stores', 'composables', 'pages', 'router', 'i18n'],
  pages: ['api'],
}

const direction = Object.entries(forbidden).map(([folder, others]) => ({
  files: [`src/${folder}/**/*.{ts,vue}`],
  rules: {
    '@typescript-eslint/no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            group: others.flatMap((other) => [`@/${other}`, `@/${other}/*`, `**/../${other}/*`]),
            allowTypeImports: true,
            message: `src/${folder} must not depend on this folder (see eslint.config.js).`,
          },
        ],
      },
    ],
  },
}))

export default ts.config(
  { ignores: ['node_modules', 'src/api/schema.d.ts', 'test-results', 'playwright-report'] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...vue.configs['flat/recommended'],
  {
    files: ['**/*.vue'],
    languageOptions: { parserOptions: { parser: ts.parser }, globals: globals.browser },
  },
  {
    files: ['**/*.ts', '**/*.vue'],
    rules: { 'no-undef': 'off' }, // TypeScript knows better.
  },
  {
    files: ['**/*.mjs', 'eslint.config.js', 'vite.config.ts', 'playwright.config.ts'],
    languageOptions: { globals: globals.node },
  },
  {
    rules: {
      'vue/multi-word-component-names': 'off',
      'vue/require-default-prop': 'off',
      'vue/no-v-html': 'error',
      'vue/component-api-style': ['error', ['script-setup']],
      'vue/block-order': ['error', { order: ['script', 'template', 'style'] }],
    },
  },
  {
    // Bootstrap and its Vue components are seen by src/ui alone, so that they can be replaced there.
    files: ['src/**/*.{ts,vue}'],
    ignores: ['src/ui/**'],
    rules: {
      'no-restricted-imports': ['error', { patterns: ['bootstrap-vue-next', 'bootstrap-vue-next/*'] }],
    },
  },
  ...direction,
  prettier,
)
