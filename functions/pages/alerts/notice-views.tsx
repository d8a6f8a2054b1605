import type { JSX } from 'hono/jsx/jsx-runtime';
import { fixerInWords } from '../../../shared/explanations/fixer-words.ts';
import type { Condition } from '../../../shared/notices/notice.ts';
import { paths } from '../../../shared/paths/paths.ts';
import { ButtonLink } from '../../../shared/ui/forms.tsx';
import { safeHref } from '../../../shared/ui/links.ts';
import { Time } from '../../../shared/ui/lists.tsx';

/** Pages that every agent may open; all other fixes are an admin's. */
const openToAgents: readonly string[] = [paths.quarantine()];

/** What an agent cannot do is no link for an agent. */
export function mayFix({ fix }: Condition, isAdmin: boolean): boolean {
  return isAdmin || openToAgents.includes(fix.href);
}

const PROMISE = /^No mail is lost(?:: it (?=waits)|, and |[:.] )?\.?/;

/** It says that no mail is lost. */
export const promises = ({ affected }: Condition): boolean => PROMISE.test(affected);

/**
 * The conditions of one page, of which the first that has to say that no mail is lost says so for all. Pure.
 * @param isPromised true where the page has said it above
 */
export function promisedOnce(conditions: readonly Condition[], isPromised = false): Condition[] {
  let promised = isPromised;
  return conditions.map((condition) => {
    const match = PROMISE.exec(condition.affected);
    if (match === null) return condition;
    if (!promised) {
      promised = true;
      return condition;
    }
    const rest = condition.affected.slice(match[0].length);
    const mail = match[0].includes(': it ') ? `Mail ${rest}` : rest;
    return { ...condition, affected: mail.charAt(0).toUpperCase() + mail.slice(1) };
  });
}

/** Cause, what it does to mail, and the one way to the fix. The headline stands above, in a heading. */
export function ConditionDetails(props: {
  condition: Condition;
  isAdmin: boolean;
  main?: boolean;
}): JSX.Element {
  const { condition, isAdmin } = props;
  const { cause, affected, since, fix } = condition;
  return (
    <>
      <p>
        {cause} {affected}
      </p>
      {mayFix(condition, isAdmin) ? (
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
        Since <Time at={since} />. {fixerSentence(condition)}
      </p>
    </>
  );
}

/** Several conditions, each with its headline, one below the other. */
export function ConditionList(props: {
  conditions: readonly Condition[];
  isAdmin: boolean;
}): JSX.Element | null {
  if (props.conditions.length === 0) return null;
  return (
    <ul class="conditions">
      {props.conditions.map((condition) => (
        <li class={condition.severity === 'warning' ? 'warn' : 'bad'}>
          <h2>{condition.headline}</h2>
          <ConditionDetails condition={condition} isAdmin={props.isAdmin} />
        </li>
      ))}
    </ul>
  );
}

function fixerSentence({ who }: Condition): string {
  if (who === 'nobody: wait') return 'It may pass by itself; Postroom keeps trying.';
  return who === 'you'
    ? 'Whoever looks after Postroom can fix it.'
    : `It takes ${fixerInWords(who)} to fix it.`;
}
