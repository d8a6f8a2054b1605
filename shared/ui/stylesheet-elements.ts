/** Tokens and bare elements: what every page looks like before any class. */
export const elements = `@layer reset, tokens, elements, parts;

@layer reset {
  *, *::before, *::after { box-sizing: border-box; }
  body, h1, h2, h3, p, ul, ol, dl, dd, figure, fieldset { margin: 0; padding: 0; }
  fieldset { border: 0; min-inline-size: 0; }
  img, iframe { display: block; max-inline-size: 100%; border: 0; }
  input, select, textarea, button { font: inherit; color: inherit; margin: 0; }
  [hidden] { display: none !important; }
}

@layer tokens {
  :root {
    color-scheme: light dark;
    --paper: light-dark(#f6f6f3, #14161b);
    --surface: light-dark(#ffffff, #1c1f26);
    --sunken: light-dark(#efefeb, #252932);
    --ink: light-dark(#1b1e26, #e6e8ed);
    --muted: light-dark(#575d6c, #a3a9b8);
    --line: light-dark(#e0e0da, #31363f);
    --edge: light-dark(#7d8393, #767d8e);
    --accent: light-dark(#2a51a8, #9ab7ff);
    --accent-strong: light-dark(#1f3f87, #b9ccff);
    --on-accent: light-dark(#ffffff, #101a33);
    --accent-soft: light-dark(#e9eefa, #232f4b);
    --good: light-dark(#1a663b, #84d6a4);
    --good-soft: light-dark(#e2f2e8, #1b3326);
    --warn: light-dark(#7d4c00, #f0c070);
    --warn-soft: light-dark(#fcefd3, #392d14);
    --bad: light-dark(#a81f1f, #ffa19a);
    --bad-soft: light-dark(#fce8e6, #40201f);
    --shade: 0 1px 2px light-dark(#1b1e2612, #00000040);
    --radius: 0.5rem;
    --gap: clamp(1rem, 0.6rem + 1.6vw, 1.75rem);
    --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif;
    --mono: ui-monospace, "Cascadia Code", "SF Mono", Menlo, Consolas, "Liberation Mono", monospace;
  }
}

@layer elements {
  html { text-size-adjust: none; -webkit-text-size-adjust: none; }
  body {
    background: var(--paper);
    color: var(--ink);
    font: 1rem/1.55 var(--sans);
    accent-color: var(--accent);
    overflow-wrap: break-word;
  }
  main { max-inline-size: 72rem; margin-inline: auto; padding: var(--gap) var(--gap) 5rem; }
  main:focus { outline: none; }
  main.narrow > * { max-inline-size: 42rem; }
  h1, h2, h3 { line-height: 1.25; font-weight: 650; text-wrap: balance; overflow-wrap: anywhere; }
  h1 { font-size: clamp(1.5rem, 1.3rem + 0.9vw, 1.95rem); letter-spacing: -0.018em; }
  h2 { font-size: 1.15rem; letter-spacing: -0.008em; }
  h3 { font-size: 1rem; }
  p, li, dd { text-wrap: pretty; }
  main p { max-inline-size: 42rem; }
  p + p, p + form, form + p, p + ul, p + ol, ul + p, ol + p { margin-block-start: 0.75rem; }
  main ul, main ol { padding-inline-start: 1.4rem; }
  a { color: var(--accent); text-underline-offset: 0.18em; text-decoration-thickness: 1px; }
  a:hover { color: var(--accent-strong); text-decoration-thickness: 2px; }
  :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 0.2rem; }
  code, kbd, pre, samp { font: 0.9em/1.5 var(--mono); }
  code { background: var(--sunken); padding: 0.1em 0.35em; border-radius: 0.25rem; overflow-wrap: anywhere; }
  pre { overflow: auto; padding: 0.75rem 1rem; background: var(--sunken); border-radius: var(--radius); }
  time { font-variant-numeric: tabular-nums; }
  td time { white-space: nowrap; }
  hr { border: 0; border-block-start: 1px solid var(--line); }
  summary { cursor: pointer; color: var(--accent); inline-size: fit-content; }
  summary:hover { text-decoration: underline; text-underline-offset: 0.18em; }
  form > * + * { margin-block-start: 1.5rem; }

  label, legend { font-weight: 600; padding: 0; }
  input:not([type="checkbox"], [type="radio"]), select, textarea {
    display: block;
    inline-size: 100%;
    min-block-size: 2.75rem;
    padding: 0.5rem 0.75rem;
    background: var(--surface);
    border: 1px solid var(--edge);
    border-radius: var(--radius);
  }
  input:not([type="checkbox"], [type="radio"]):focus-visible, select:focus-visible, textarea:focus-visible {
    outline-offset: 0;
    border-color: var(--accent);
    border-radius: var(--radius);
  }
  input[readonly] { font-weight: 400; background: var(--sunken); border-color: var(--line); font-family: var(--mono); font-size: 0.9rem; }
  input.short { max-inline-size: 12rem; }
  input[type="checkbox"], input[type="radio"] { inline-size: 1.25rem; block-size: 1.25rem; margin: 0.15rem 0 0; }

  table { inline-size: 100%; border-collapse: collapse; }
  caption { text-align: start; font-weight: 650; font-size: 1.15rem; letter-spacing: -0.008em; padding: 0 0 0.6rem; }
  th { text-align: start; font-size: 0.85rem; font-weight: 600; color: var(--muted); white-space: nowrap; }
  th, td { padding: 0.65rem 1rem 0.65rem 0; border-block-end: 1px solid var(--line); vertical-align: top; }
  th:last-child, td:last-child { padding-inline-end: 0; }
  tbody th { color: var(--ink); font-size: 1rem; }

  @media (prefers-reduced-motion: no-preference) {
    a, .button { transition: color 0.12s, background-color 0.12s, border-color 0.12s; }
  }
}
`;
