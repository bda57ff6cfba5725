/** What lists are filtered by, as it stands in the address. Pure: composables ask with it, commands are made of it. */

export interface JobFilters {
  q?: string
  namespace?: string
  /** `key=value`, several separated by commas. */
  label?: string
  enabled?: string
  status?: string
  order_by?: string
}

export interface ExecutionFilters {
  job?: string
  namespace?: string
  worker?: string
  /** One, or several separated by commas. */
  status?: string
  cause?: string
  from?: string
  to?: string
}
