/** Parts of the ticket pages, the home page, and paper. */
export const tickets = `
@layer parts {
  .tabs { display: flex; flex-wrap: wrap; align-items: end; justify-content: space-between; gap: 0.5rem 1.5rem; border-block-end: 1px solid var(--line); }
  .tabs ul { gap: 0 1.25rem; }
  .tabs nav a { display: block; padding: 0.5rem 0.1rem; margin-block-end: -1px; border-block-end: 2px solid transparent; color: var(--muted); text-decoration: none; }
  .tabs nav a:hover { color: var(--ink); }
  .tabs nav a[aria-current] { color: var(--ink); font-weight: 600; border-color: var(--accent); }
  .find { display: flex; align-items: center; gap: 0.5rem; padding-block-end: 0.5rem; font-size: 0.9rem; }
  .find > * + * { margin: 0; }
  .find label { font-weight: 400; color: var(--muted); white-space: nowrap; }
  .find input:not([type="checkbox"]) { min-block-size: 2.25rem; padding-block: 0.25rem; inline-size: 6.5rem; }
  .find .button { min-block-size: 2.25rem; padding-inline: 0.8rem; }

  main .ticket-list { padding: 0; list-style: none; background: var(--surface); border: 1px solid var(--line); border-radius: calc(var(--radius) * 1.5); box-shadow: var(--shade); overflow: clip; }
  .ticket-list li {
    position: relative;
    display: grid;
    grid-template: "who subject when" auto "who preview count" auto / minmax(8rem, 13rem) minmax(0, 1fr) auto;
    column-gap: 1.25rem;
    padding: 0.8rem 1.25rem;
  }
  .ticket-list li + li { border-block-start: 1px solid var(--line); }
  .ticket-list li:hover { background: var(--accent-soft); }
  .ticket-list p { margin: 0; }
  .ticket-list .who-wrote { grid-area: who; }
  .ticket-list .subject { grid-area: subject; max-inline-size: none; }
  .ticket-list .preview { grid-area: preview; color: var(--muted); font-size: 0.93rem; max-inline-size: none; }
  .ticket-list .when { grid-area: when; color: var(--muted); font-size: 0.88rem; text-align: end; white-space: nowrap; }
  .ticket-list .count { grid-area: count; color: var(--muted); font-size: 0.88rem; text-align: end; white-space: nowrap; }
  .ticket-list :is(.who-wrote, .subject, .preview) { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  .ticket-list .number { color: var(--muted); font-variant-numeric: tabular-nums; margin-inline-end: 0.5em; font-weight: 400; }
  .ticket-list .subject a { color: inherit; font-weight: 600; text-decoration: none; }
  .ticket-list .subject a::after { content: ""; position: absolute; inset: 0; }
  .ticket-list .subject a:focus-visible { outline: none; }
  .ticket-list li:has(a:focus-visible) { outline: 2px solid var(--accent); outline-offset: -2px; }
  @media (width < 44rem) {
    .ticket-list li { grid-template: "who when" auto "subject subject" auto "preview preview" auto "count count" auto / minmax(0, 1fr) auto; padding-inline: 1rem; row-gap: 0.1rem; }
    .ticket-list .who-wrote { font-size: 0.93rem; color: var(--muted); }
    .ticket-list .subject { white-space: normal; }
    .ticket-list .count { text-align: start; }
  }
  .choose { display: flex; flex-wrap: wrap; align-items: end; gap: 0.75rem; }
  .choose > * + * { margin: 0; }
  .choose .field { flex: 0 1 24rem; }
  .pager { display: flex; align-items: center; justify-content: space-between; gap: 1rem; }
  .pager :last-child { margin-inline-start: auto; }

  .ticket-head { display: flex; flex-wrap: wrap; gap: 0.5rem 1.25rem; align-items: center; color: var(--muted); }
  .ticket-head > * { margin-block: 0; }
  .ticket-head form { margin-inline-start: auto; }
  main .conversation { padding: 0; list-style: none; display: grid; gap: 1.25rem; grid-template-columns: minmax(0, 1fr); }
  .message { background: var(--surface); border: 1px solid var(--line); border-radius: calc(var(--radius) * 1.5); box-shadow: var(--shade); }
  .message:target { border-color: var(--accent); }
  .message > * { padding: 0.85rem clamp(1rem, 0.6rem + 1.6vw, 1.75rem); }
  .message > header { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: baseline; gap: 0.15rem 1.5rem; border-block-end: 1px solid var(--line); }
  .message > header > * { margin-block: 0; }
  .message h2 { font-size: 1rem; }
  .message h2 .address { font-weight: 400; color: var(--muted); font-size: 0.93rem; }
  .message header .when { color: var(--muted); font-size: 0.9rem; }
  .message header details { inline-size: 100%; font-size: 0.9rem; }
  .message header .recipients { inline-size: 100%; color: var(--muted); font-size: 0.9rem; max-inline-size: none; }
  .message header .sender-check { inline-size: 100%; max-inline-size: none; font-size: 0.9rem; }
  .message > .folded > summary { color: var(--muted); }
  .folded > :not(summary) { margin-block-start: 0.85rem; }
  .mail-text { white-space: pre-wrap; overflow-wrap: anywhere; max-inline-size: 52rem; line-height: 1.6; }
  .mail-text + details { padding-block-start: 0; }
  .quoted { color: var(--muted); padding-inline-start: 1rem; border-inline-start: 3px solid var(--line); margin-block-start: 0.5rem; }
  .message > .mail-frame { padding: 0; resize: vertical; overflow: hidden; min-block-size: 8rem; background: #fff; color-scheme: light; }
  .mail-frame iframe { inline-size: 100%; block-size: 100%; }
  .message > .mail-frame.measured { min-block-size: 0; resize: none; }
  .mail-frame.low { block-size: 12rem; }
  .mail-frame.middle { block-size: 26rem; }
  .mail-frame.high { block-size: min(42rem, 85vh); }
  .mail-frame.tall { block-size: min(60rem, 85vh); }
  .message > .notice { max-inline-size: none; margin: 0; padding-block: 0.55rem; font-size: 0.9rem; color: var(--muted); background: var(--sunken); }
  .message > footer { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; border-block-start: 1px solid var(--line); font-size: 0.9rem; }
  .message > footer:first-of-type { margin: 0; }
  main .attachments { display: flex; flex-wrap: wrap; gap: 0.5rem; list-style: none; max-inline-size: 100%; }
  .mail-text + .attachments, details + .attachments { padding-block-start: 0; }
  .attachments a { display: flex; gap: 0.6rem; padding: 0.4rem 0.8rem; border: 1px solid var(--line); border-radius: var(--radius); text-decoration: none; font-size: 0.93rem; background: var(--paper); min-inline-size: 0; }
  .attachments a:hover { border-color: var(--accent); }
  .attachments li { min-inline-size: 0; max-inline-size: 100%; }
  .attachments .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; max-inline-size: 22rem; }
  .attachments .size { color: var(--muted); white-space: nowrap; }

  main .steps { padding: 0; list-style: none; counter-reset: step; display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 17rem), 1fr)); }
  .steps > li { counter-increment: step; padding: 1.25rem; background: var(--surface); border: 1px solid var(--line); border-radius: calc(var(--radius) * 1.5); box-shadow: var(--shade); }
  .steps > li::before { content: counter(step); display: grid; place-items: center; inline-size: 2rem; block-size: 2rem; border-radius: 50%; background: var(--sunken); color: var(--muted); font-weight: 650; margin-block-end: 0.75rem; }
  .steps > li.done::before { content: "✓"; background: var(--good-soft); color: var(--good); }
  .steps > li.now { border-color: var(--accent); }
  .steps > li.now::before { background: var(--accent); color: var(--on-accent); }
  .steps > li > * + * { margin-block-start: 0.5rem; }
  .steps .button { margin-block-start: 1rem; }
  .verdict { padding: 1rem 1.25rem; border-radius: calc(var(--radius) * 1.5); border: 1px solid var(--line); background: var(--surface); font-size: 1.1rem; box-shadow: var(--shade); border-inline-start: 4px solid; }
  .verdict.good { border-inline-start-color: var(--good); }
  .verdict.warn { border-inline-start-color: var(--warn); }
  .verdict.bad { border-inline-start-color: var(--bad); }
  .verdict ul { font-size: 1rem; }
  .section-head { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: baseline; gap: 0.25rem 1rem; }
  .section-head + * { margin-block-start: 0.6rem; }
  .section-head p { margin: 0; }
}

@media print {
  :root { color-scheme: light; }
  .masthead, .skip, .button, .tabs, .find, .pager, .message > footer, .flash { display: none !important; }
  main { max-inline-size: none; padding: 0; }
  .message, .panel { box-shadow: none; }
  .message { break-inside: auto; }
  .mail-frame { block-size: auto !important; }
}
`;
