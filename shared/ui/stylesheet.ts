import { elements } from './stylesheet-elements.ts';
import { notices } from './stylesheet-notices.ts';
import { setup } from './stylesheet-setup.ts';
import { tickets } from './stylesheet-tickets.ts';

const parts = `
@layer parts {
  main > * + * { margin-block-start: 1.5rem; }
  .skip { position: absolute; inset-inline-start: -100vw; padding: 0.5rem 1rem; background: var(--surface); z-index: 2; }
  .skip:focus { inset-inline-start: 0; }
  .unseen { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
  .muted { color: var(--muted); }
  .small { font-size: 0.9rem; }
  .lead { font-size: 1.15rem; line-height: 1.5; }

  .masthead { background: var(--surface); border-block-end: 1px solid var(--line); }
  .masthead-row {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    column-gap: 2rem;
    max-inline-size: 72rem;
    margin-inline: auto;
    padding-inline: var(--gap);
  }
  .brand {
    display: flex;
    align-items: center;
    gap: 0.6rem;
    padding-block: 0.7rem;
    color: var(--ink);
    font-weight: 700;
    font-size: 1.05rem;
    letter-spacing: -0.01em;
    text-decoration: none;
  }
  .brand:hover { color: var(--accent); }
  .masthead nav { display: flex; flex-wrap: wrap; column-gap: 1.5rem; inline-size: 100%; margin-inline: -0.65rem; }
  nav ul { display: flex; flex-wrap: wrap; gap: 0 0.25rem; padding: 0; list-style: none; }
  .masthead nav ul { gap: 0; }
  .masthead nav a {
    display: flex;
    align-items: center;
    gap: 0.4rem;
    min-block-size: 2.5rem;
    padding: 0.3rem 0.65rem calc(0.3rem - 2px);
    border-block-end: 2px solid transparent;
    color: var(--muted);
    font-size: 0.95rem;
    text-decoration: none;
  }
  .masthead nav a:hover { color: var(--ink); }
  .masthead nav a[aria-current] { color: var(--ink); font-weight: 600; border-color: var(--accent); }
  .masthead nav a:focus-visible { outline-offset: -2px; }
  .badge { min-inline-size: 1.5em; padding: 0.05em 0.4em; border-radius: 1em; background: var(--bad); color: var(--surface); font-size: 0.8rem; font-weight: 650; text-align: center; }
  .who { display: flex; gap: 1rem; margin-inline-start: auto; font-size: 0.9rem; }
  .who-name { color: var(--muted); max-inline-size: 14rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  /* Two groups of five: on a phone each takes a line, or two where letters are large. */
  @media (width < 56rem) {
    .masthead nav { margin-inline: -0.4rem; }
    .masthead nav a { min-block-size: 2.25rem; padding-inline: 0.4rem; font-size: 0.9rem; }
    .who-name { max-inline-size: 8rem; }
  }
  @media (width < 30rem) {
    .masthead-row { column-gap: 0.75rem; }
    .masthead nav { margin-inline: -0.2rem; }
    .masthead nav a { min-block-size: 2rem; gap: 0.25rem; padding-inline: 0.2rem; font-size: 0.82rem; }
    .who { gap: 0.75rem; }
    .who-name { max-inline-size: 6rem; }
  }

  .footer { display: flex; flex-wrap: wrap; gap: 0.5rem 1.5rem; max-inline-size: 72rem; margin-inline: auto; padding: 0 var(--gap) 2rem; font-size: 0.9rem; }
  .footer a { color: var(--muted); }

  .flash { padding: 0.75rem 1rem; border-radius: var(--radius); border-inline-start: 4px solid; }
  main > .flash { max-inline-size: 72rem; }
  .flash.success { background: var(--good-soft); color: var(--good); }
  .flash.warning { background: var(--warn-soft); color: var(--warn); }
  .flash.error { background: var(--bad-soft); color: var(--bad); }

  .error-summary { padding: 1rem 1.25rem; border: 2px solid var(--bad); border-radius: var(--radius); background: var(--surface); }
  .error-summary ul { margin-block-start: 0.5rem; }
  .error-summary a, .error { color: var(--bad); font-weight: 600; }
  .field > * + * { margin-block-start: 0.35rem; }
  .field .hint { color: var(--muted); font-size: 0.93rem; }
  .field.invalid { padding-inline-start: 1rem; border-inline-start: 4px solid var(--bad); }
  .field.invalid > :is(input, select) { border-color: var(--bad); border-width: 2px; }
  .tick { display: grid; grid-template-columns: auto 1fr; column-gap: 0.65rem; align-items: start; }
  .field .tick { margin-block-start: 0.65rem; }
  .fields > * + * { margin-block-start: 1.25rem; }
  .fields > legend { font-size: 1.15rem; letter-spacing: -0.008em; }
  .fields > :is(legend, summary) + * { margin-block-start: 0.75rem; }
  fieldset.fields { padding-block-start: 0.75rem; }
  .tick label { font-weight: 400; }
  .tick .hint { grid-column: 2; }

  .button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    min-block-size: 2.75rem;
    padding: 0.45rem 1.1rem;
    border: 1px solid transparent;
    border-radius: var(--radius);
    font-weight: 600;
    line-height: 1.3;
    text-decoration: none;
    cursor: pointer;
  }
  /* Side by side in a line of text, and apart where that line wraps. */
  p > .button { margin-block: 0.25rem; }
  .button:focus-visible { border-radius: var(--radius); }
  .button.primary { background: var(--accent); color: var(--on-accent); }
  .button.primary:hover { background: var(--accent-strong); color: var(--on-accent); }
  .button.secondary { background: var(--surface); border-color: var(--edge); color: var(--ink); }
  .button.secondary:hover { border-color: var(--accent); color: var(--accent); }
  .button.danger { background: var(--surface); border-color: var(--bad); color: var(--bad); }
  .button.danger:hover { background: var(--bad); color: var(--surface); }
  .actions { display: flex; flex-wrap: wrap; gap: 0.75rem; align-items: center; }
  .actions > * + * { margin: 0; }
  @media (width >= 60rem) { td > .actions { flex-wrap: nowrap; } }
  .copy { display: flex; align-items: end; gap: 0.5rem; }
  .copy label { flex: 1; min-inline-size: 0; }
  .copy input { margin-block-start: 0.35rem; text-overflow: ellipsis; }

  .panel {
    padding: clamp(1rem, 0.7rem + 1vw, 1.5rem);
    background: var(--surface);
    border: 1px solid var(--line);
    border-radius: calc(var(--radius) * 1.5);
    box-shadow: var(--shade);
  }
  .panel > * + * { margin-block-start: 1rem; }
  .panel > h2 + * { margin-block-start: 0.5rem; }
  .empty { padding: clamp(1.5rem, 4vw, 3rem) 1.5rem; text-align: center; border: 1px dashed var(--line); border-radius: calc(var(--radius) * 1.5); color: var(--muted); }
  .empty p { margin-inline: auto; }
  .empty-title { color: var(--ink); font-weight: 650; font-size: 1.1rem; margin-block-end: 0.4rem; }

  .status {
    display: inline-flex;
    align-items: center;
    gap: 0.4em;
    padding: 0.1em 0.6em;
    border-radius: 1em;
    font-size: 0.85rem;
    font-weight: 600;
    white-space: nowrap;
  }
  .status::before { content: ""; inline-size: 0.5em; block-size: 0.5em; border-radius: 50%; background: currentColor; }
  .status.good { background: var(--good-soft); color: var(--good); }
  .status.warn { background: var(--warn-soft); color: var(--warn); }
  .status.bad { background: var(--bad-soft); color: var(--bad); }
  .status.quiet { background: var(--sunken); color: var(--muted); }

  .facts > div { display: grid; grid-template-columns: minmax(7rem, 11rem) 1fr; gap: 0.25rem 1rem; padding-block: 0.45rem; border-block-end: 1px solid var(--line); }
  .facts > div:last-child { border: 0; }
  .facts dt { color: var(--muted); }
  .facts dd { overflow-wrap: anywhere; min-inline-size: 0; }
  @media (width < 32rem) { .facts > div { grid-template-columns: 1fr; } }

  .explanation > * + * { margin-block-start: 1rem; }
  .explanation li + li { margin-block-start: 0.35rem; }
  ol > li { overflow-wrap: anywhere; }
  .compared { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 0.35rem 1rem; align-items: baseline; }
  .compared dt { color: var(--muted); }
  mark { background: var(--warn-soft); color: var(--warn); font-weight: 650; }
  main ul.plain { padding: 0; list-style: none; }

  .table-scroll { overflow-x: auto; }
  td[data-label] { overflow-wrap: break-word; }
  @media (width < 44rem) {
    table:has(td[data-label]) :is(tbody, tr, td, th) { display: block; }
    table:has(td[data-label]) thead { position: absolute; clip-path: inset(50%); }
    table:has(td[data-label]) tr { padding-block: 0.75rem; border-block-end: 1px solid var(--line); }
    table:has(td[data-label]) :is(td, tbody th) { padding: 0.15rem 0; border: 0; white-space: normal; }
    /* No grid: text beside an element would become a cell of its own. */
    table:has(td[data-label]) td[data-label]:not([data-label=""]) { display: flow-root; padding-inline-start: 6.75rem; overflow-wrap: anywhere; }
    td[data-label]:not([data-label=""])::before { content: attr(data-label); float: inline-start; inline-size: 6rem; margin-inline-start: -6.75rem; color: var(--muted); font-size: 0.9rem; }
  }
}
`;

/** The one stylesheet of the pages. */
export const stylesheet: string = `${elements}${parts}${setup}${tickets}${notices}`;
