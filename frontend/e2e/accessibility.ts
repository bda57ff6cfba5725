/** What axe finds on the page as it is now: nothing serious is allowed, at WCAG 2.2 AA. */
import AxeBuilder from '@axe-core/playwright'
import { expect, type Page } from '@playwright/test'

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']

export async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(TAGS)
    // All of the page is one document: the way for frames opens a second page each time, and takes twice as long.
    .setLegacyMode()
    // The rows below are like those above.
    .exclude('tbody tr:nth-child(n+7)')
    .analyze()
  const serious = violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map((node) => `${id}: ${node.target.join(' ')} ${node.html.slice(0, 120)}`),
    )

  expect(serious, `${page.url()} is not accessible`).toEqual([])
}
