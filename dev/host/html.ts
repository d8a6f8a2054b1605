import { createHash } from 'node:crypto';
import type { Answer } from './http-answer.ts';

/** Escapes text for HTML content and quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const STYLE = `
:root { color-scheme: light dark; font: 100%/1.55 system-ui, sans-serif;
  --ink: light-dark(#1b1f24, #e8eaed); --quiet: light-dark(#565e68, #a3abb5); --paper: light-dark(#f6f7f8, #15181c);
  --card: light-dark(#fff, #1e2227); --line: light-dark(#7d8590, #6b737d); --accent: light-dark(#0b5cad, #7db8f5); --on-accent: light-dark(#fff, #0d1420); }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); }
main { max-width: 36rem; margin: 0 auto; padding: 2.5rem 1rem; }
.kind { color: var(--quiet); margin: 0; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 1rem; }
h2 { font-size: 1.15rem; margin: 2.25rem 0 .75rem; }
a { color: var(--accent); }
label { display: block; font-weight: 600; margin: 1rem 0 .25rem; }
input, select, textarea { font: inherit; width: 100%; padding: .5rem .65rem; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: .4rem; }
textarea { min-height: 7rem; resize: vertical; }
button { font: inherit; font-weight: 600; padding: .55rem 1.1rem; margin-top: 1.25rem; border: 1px solid var(--accent); border-radius: .4rem; background: var(--accent); color: var(--on-accent); cursor: pointer; }
.people { list-style: none; padding: 0; margin: 1.5rem 0; display: grid; gap: .75rem; }
.people button { width: 100%; margin: 0; padding: .9rem 1.1rem; text-align: left; background: var(--card); color: var(--ink); border-color: var(--line); }
.people span { display: block; font-weight: 400; color: var(--quiet); }
article { border-top: 1px solid var(--line); padding: .25rem 0; overflow-wrap: anywhere; }
h3 { font-size: 1rem; margin: .75rem 0 .25rem; }
pre { font: inherit; white-space: pre-wrap; background: var(--card); padding: .75rem 1rem; margin: .5rem 0; border-radius: .4rem; }
.said { border-left: .3rem solid var(--accent); background: var(--card); padding: .75rem 1rem; margin: 0 0 1.5rem; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
`;
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/** A page of the host itself, with the same strict policy as the app's: no script, no external files. */
export function hostPage(title: string, content: string, status = 200): Answer {
  const body = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} · Local host</title><style>${STYLE}</style></head>
<body><main><p class="kind">Demo, on this machine only</p><h1>${escapeHtml(title)}</h1>
${content}
</main></body></html>
`;
  return {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
      // Without such a referrer policy a browser sends our own forms with `Origin: null`.
      'referrer-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
    },
    body,
  };
}

/** Redirects to another page after a form. */
export function seeOther(location: string, cookie?: string): Answer {
  return {
    status: 303,
    headers: {
      location,
      'cache-control': 'no-store',
      ...(cookie !== undefined && { 'set-cookie': [cookie] }),
    },
  };
}
