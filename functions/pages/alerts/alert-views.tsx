import type { JSX } from 'hono/jsx/jsx-runtime';
import type { Finding } from '../../../shared/alerts/alert.ts';
import { fixerInWords } from '../../../shared/explanations/fixer-text.ts';
import { paths } from '../../../shared/paths/paths.ts';
import { ButtonLink } from '../../../shared/ui/forms.tsx';
import { safeHref } from '../../../shared/ui/links.ts';
import { Time } from '../../../shared/ui/lists.tsx';

/** Pages that every agent may open; all other fixes are an admin's. */
const openToAgents: readonly string[] = [paths.unimported({ show: 'waiting' })];

/** True when the reader’s role may open the page of the fix. */
function mayFix({ fix }: Finding, isAdmin: boolean): boolean {
  return isAdmin || openToAgents.includes(fix.href);
}

const PROMISE = /^No mail is lost(?:: it (?=waits)|, and |[:.] )?\.?/;

/** True when the finding says that no mail is lost. */
export const promises = ({ affected }: Finding): boolean => PROMISE.test(affected);

/**
 * The findings of one page. Only the first of them keeps the sentence that no mail is lost. Pure.
 * @param isPromised true when the page has already said so
 */
export function promisedOnce(findings: readonly Finding[], isPromised = false): Finding[] {
  let promised = isPromised;
  return findings.map((finding) => {
    const match = PROMISE.exec(finding.affected);
    if (match === null) return finding;
    if (!promised) {
      promised = true;
      return finding;
    }
    const rest = finding.affected.slice(match[0].length);
    const mail = match[0].includes(': it ') ? `Mail ${rest}` : rest;
    return { ...finding, affected: mail.charAt(0).toUpperCase() + mail.slice(1) };
  });
}

/** Cause, impact on mail, and the link to the fix. The headline is in the heading above. */
export function FindingDetails(props: { finding: Finding; isAdmin: boolean; main?: boolean }): JSX.Element {
  const { finding, isAdmin } = props;
  const { cause, affected, since, fix } = finding;
  return (
    <>
      <p>
        {cause} {affected}
      </p>
      {mayFix(finding, isAdmin) ? (
        <p>
          {props.main === true ? (
            <ButtonLink href={safeHref(fix.href) ?? paths.alerts()}>{fix.label}</ButtonLink>
          ) : (
            <a href={safeHref(fix.href) ?? paths.alerts()}>{fix.label}</a>
          )}
        </p>
      ) : (
        <p>An administrator can fix this.</p>
      )}
      <p class="small muted">
        Started <Time at={since} />. {fixerSentence(finding)}
      </p>
    </>
  );
}

/** Several findings, each with its headline, one below the other. */
export function FindingList(props: { findings: readonly Finding[]; isAdmin: boolean }): JSX.Element | null {
  if (props.findings.length === 0) return null;
  return (
    <ul class="findings">
      {props.findings.map((finding) => (
        <li class={finding.severity === 'warning' ? 'warn' : 'bad'}>
          <h2>{finding.headline}</h2>
          <FindingDetails finding={finding} isAdmin={props.isAdmin} />
        </li>
      ))}
    </ul>
  );
}

function fixerSentence({ who }: Finding): string {
  if (who === 'nobody: wait') return 'This may resolve on its own; Postroom keeps retrying.';
  return who === 'you' ? 'Can be fixed by: a Postroom admin.' : `Can be fixed by: ${fixerInWords(who)}.`;
}
