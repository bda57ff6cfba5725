/**
 * The state of a list, kept in the address: what is filtered, sorted and which page.
 *
 * Bookmarks, the back button and reload all give the same list. Changing a filter goes to the first page.
 */
import { useDebounceFn } from '@vueuse/core'
import { computed } from 'vue'
import { useRoute, useRouter, type LocationQueryRaw } from 'vue-router'

const PAGE = 'page_token'

export function useListQuery<Field extends string>(fields: readonly Field[]) {
  const route = useRoute()
  const router = useRouter()

  const filters = computed(() => {
    const found: Partial<Record<Field, string>> = {}
    for (const field of fields) {
      const value = route.query[field]
      if (typeof value === 'string' && value !== '') found[field] = value
    }
    return found
  })
  const pageToken = computed(() => {
    const value = route.query[PAGE]
    return typeof value === 'string' && value !== '' ? value : undefined
  })
  const isFiltered = computed(() => Object.keys(filters.value).some((field) => field !== 'order_by'))

  function without(query: LocationQueryRaw, ...keys: string[]): LocationQueryRaw {
    return Object.fromEntries(Object.entries(query).filter(([key]) => !keys.includes(key)))
  }

  function setFilter(field: Field, value: string | undefined): void {
    setFilters({ [field]: value } as Partial<Record<Field, string | undefined>>)
  }

  /** Several at once; undefined takes one away. */
  function setFilters(changes: Partial<Record<Field, string | undefined>>): void {
    const query = without(route.query, ...Object.keys(changes), PAGE)
    const given = Object.fromEntries(Object.entries<string | undefined>(changes).filter(([, value]) => value))
    void router.replace({ query: { ...query, ...given } })
  }

  function clear(): void {
    void router.replace({ query: {} })
  }

  /** A page is a step one can go back from; a filter is not. */
  function goToPage(token: string | null): void {
    const query = without(route.query, PAGE)
    void router.push({ query: token ? { ...query, [PAGE]: token } : query })
  }

  return {
    filters,
    pageToken,
    isFiltered,
    setFilter,
    setFilters,
    /** For text fields: waits until the typing pauses. */
    setFilterSoon: useDebounceFn(setFilter, 120),
    clear,
    goToPage,
  }
}
