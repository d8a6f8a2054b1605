/** Pages that lead somebody through a set-up: a form with what belongs beside it, choices, a checklist. */
export const setup = `
@layer parts {
  .beside { display: grid; gap: 2rem; }
  @media (width >= 62rem) {
    .beside { grid-template-columns: minmax(0, 34rem) minmax(0, 1fr); align-items: start; column-gap: 3rem; }
  }
  .beside .panel h3 { margin-block-start: 1.25rem; }
  .beside .panel div > h3 { margin-block-start: 0.25rem; }
  .beside .panel h3 + * { margin-block-start: 0.4rem; }
  .error:empty { margin: 0; }
  form details > * + * { margin-block-start: 0.75rem; }

  /* Only what the chosen credential needs; a browser that cannot look ahead shows all of it. */
  form:has([name="credential"]:is([value="keep"], [value="certificate"], [value="federated"]):checked) .for-secret,
  form:has([name="credential"]:is([value="keep"], [value="federated"]):checked) .for-expiry,
  .beside:has([name="credential"]:is([value="keep"], [value="certificate"], [value="federated"]):checked) .guide-secret,
  .beside:has([name="credential"]:is([value="keep"], [value="secret"], [value="federated"]):checked) .guide-certificate,
  .beside:has([name="credential"]:is([value="keep"], [value="secret"], [value="certificate"]):checked) .guide-federated,
  form:has([name="endpoints"][value="manual"]:checked) .for-discovery,
  form:has([name="endpoints"][value="discovery"]:checked) .for-manual { display: none; }
  .for-manual > * + * { margin-block-start: 1.5rem; }

  main ul.choices { padding: 0; list-style: none; display: grid; gap: 0.75rem; }
  .choices li { position: relative; padding: 1rem 1.25rem; background: var(--surface); border: 1px solid var(--line); border-radius: calc(var(--radius) * 1.5); }
  .choices li:hover { border-color: var(--accent); }
  .choices a { font-weight: 650; }
  .choices a::after { content: ""; position: absolute; inset: 0; border-radius: inherit; }
  .choices p { color: var(--muted); margin-block-start: 0.15rem; }

  .checklist > ol { padding: 0; list-style: none; counter-reset: step; margin-block-start: 1rem; }
  .checklist > ol > li { counter-increment: step; position: relative; padding: 0 0 1.5rem 3rem; }
  .checklist > ol > li::before {
    content: counter(step);
    position: absolute;
    inset-inline-start: 0;
    inset-block-start: 0;
    inline-size: 1.9rem;
    block-size: 1.9rem;
    border-radius: 50%;
    display: grid;
    place-items: center;
    background: var(--sunken);
    color: var(--muted);
    font-size: 0.9rem;
    font-weight: 650;
  }
  .checklist > ol > li:not(:last-child)::after { content: ""; position: absolute; inset-inline-start: 0.95rem; inset-block: 2.2rem 0.3rem; border-inline-start: 1px solid var(--line); }
  .checklist li.step-proven::before { background: var(--good-soft); color: var(--good); content: "✓" / ""; }
  .checklist li.step-wrong::before { background: var(--bad-soft); color: var(--bad); }
  .checklist li.step-waiting::before { background: var(--warn-soft); color: var(--warn); }
  .checklist li > * + * { margin-block-start: 0.6rem; }
  .checklist li > * { max-inline-size: 42rem; }
  .checklist li ul { padding-inline-start: 1.2rem; }
  .step-head { display: flex; flex-wrap: wrap; gap: 0.25rem 0.75rem; align-items: baseline; }
  .step-head .status { white-space: normal; }
  .step-head h3 { padding-block-start: 0.2rem; }

  textarea[readonly] { background: var(--sunken); border-color: var(--line); font: 0.85rem/1.5 var(--mono); font-weight: 400; resize: vertical; margin-block-start: 0.35rem; }
  .copy.lines { align-items: start; flex-direction: column; }
  .copy.lines label { inline-size: 100%; }
  details > summary + * { margin-block-start: 0.75rem; }
}
`;
