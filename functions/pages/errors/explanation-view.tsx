import type { JSX } from 'hono/jsx/jsx-runtime';
import type { Comparison, Explanation } from '../../../shared/explanations/explanation.ts';
import {
  endingInWords,
  fixerInWords,
  type Reader,
  supportLine,
} from '../../../shared/explanations/fixer-text.ts';
import { CopyText } from '../../../shared/ui/copy.tsx';
import { Facts } from '../../../shared/ui/lists.tsx';
import { OutsideLink } from '../../../shared/ui/outside-link.tsx';

/** The user pressed Cancel on the consent page. */
export const CANCELLED = 'AADSTS65004';

/**
 * What an error means: cause, who can fix it, the steps with their links, and the reference for Microsoft's support.
 * Has its own `h2` unless the page's title says the same.
 */
export function ExplanationView(props: {
  explanation: Explanation;
  /** False where the page's own title is the explanation's. */
  titled?: boolean | undefined;
  reader?: Reader | undefined;
  /** What happens after the steps, when it is not Postroom’s automatic retry. */
  ending?: string | undefined;
}): JSX.Element {
  const { explanation } = props;
  const support = supportLine(explanation);
  const known = explanation.code !== 'not-recognised';
  return (
    <section class="explanation">
      {props.titled === false ? null : <h2>{explanation.title}</h2>}
      <p>{explanation.cause}</p>
      {explanation.comparison === undefined ? null : <Compared comparison={explanation.comparison} />}
      <Steps steps={explanation.steps} />
      {known ? (
        <Facts
          items={[
            { term: 'Who can fix it', detail: capital(fixerInWords(explanation.who, props.reader)) },
            { term: 'What happens next', detail: props.ending ?? endingInWords(explanation.retry) },
            ...(explanation.links.length === 0
              ? []
              : [{ term: 'Where', detail: <Links links={explanation.links} /> }]),
            ...(explanation.said === '' ? [] : [{ term: 'Server message', detail: explanation.said }]),
            { term: 'Code', detail: explanation.code },
          ]}
        />
      ) : null}
      {support === undefined ? null : <CopyText label="Support reference for Microsoft" value={support} />}
    </section>
  );
}

function Steps(props: { steps: readonly string[] }): JSX.Element | null {
  if (props.steps.length === 0) return null;
  return (
    <ol>
      {props.steps.map((step) => (
        <li>
          <Step step={step} />
        </li>
      ))}
    </ol>
  );
}

// A PowerShell command with its parameters, or an address: text to copy unchanged.
const TO_COPY =
  /((?:Set|Add|Get|New|Connect)-[A-Z][A-Za-z]{2,60}(?: -[A-Z][A-Za-z]{1,60}(?: [^\s(),;-][^\s(),;]{0,300})?){1,12}|https?:\/\/[^\s,;“”"']{2,600}[^\s,;:.“”"'])/;

function Step(props: { step: string }): JSX.Element {
  const parts = props.step.split(TO_COPY);
  return <>{parts.map((part, index) => (index % 2 === 1 ? <code>{part}</code> : part))}</>;
}

function Links(props: { links: Explanation['links'] }): JSX.Element {
  return (
    <ul class="plain">
      {props.links.map(({ label, href }) => (
        <li>
          <OutsideLink href={href}>{label}</OutsideLink>
        </li>
      ))}
    </ul>
  );
}

/** Both addresses, with the difference marked. The steps say what to do about it. */
function Compared(props: { comparison: Comparison }): JSX.Element {
  const { sent, expected, same } = props.comparison;
  return (
    <dl class="compared">
      <dt>Sent</dt>
      <dd>
        <Marked text={sent} from={same} />
      </dd>
      <dt>Expected</dt>
      <dd>
        <Marked text={expected} from={same} />
      </dd>
    </dl>
  );
}

function Marked(props: { text: string; from: number }): JSX.Element {
  const { text, from } = props;
  return (
    <code>
      {text.slice(0, from)}
      {from < text.length ? <mark>{text.slice(from)}</mark> : null}
    </code>
  );
}

const capital = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);
