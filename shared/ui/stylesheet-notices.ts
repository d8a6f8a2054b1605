/** What is wrong, and the chart of what came in. */
export const notices = `@layer parts {
  .verdict > * + * { margin-block-start: 0.75rem; }
  .verdict .small { font-size: 0.9rem; }
  .verdict .button { font-size: 1rem; }
  main .conditions { padding: 0; list-style: none; display: grid; gap: 1rem; }
  .conditions > li { padding: 1rem 1.25rem; border: 1px solid var(--line); border-inline-start: 4px solid; border-radius: calc(var(--radius) * 1.5); background: var(--surface); box-shadow: var(--shade); }
  .conditions > li.bad { border-inline-start-color: var(--bad); }
  .conditions > li.warn { border-inline-start-color: var(--warn); }
  .conditions > li > * + * { margin-block-start: 0.5rem; }
  .chart { padding: 1rem 1.25rem; background: var(--surface); border: 1px solid var(--line); border-radius: calc(var(--radius) * 1.5); box-shadow: var(--shade); }
  h2 + .chart { margin-block-start: 0.6rem; }
  .chart > * + * { margin-block-start: 0.75rem; }
  .chart svg { display: block; inline-size: 100%; block-size: 5rem; }
  .chart rect { fill: var(--accent); }
  .chart rect.none { fill: var(--line); }
  .chart .ends { display: flex; justify-content: space-between; max-inline-size: none; margin-block-start: 0.25rem; color: var(--muted); font-size: 0.85rem; font-variant-numeric: tabular-nums; }
}
`;
