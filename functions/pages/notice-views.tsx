import type { JSX } from 'hono/jsx/jsx-runtime';
import { fixerInWords } from '../../shared/explanations/fixer-words.ts';
import type { Condition } from '../../shared/notices/notice.ts';
import { ButtonLink } from '../../shared/ui/forms.tsx';
import { safeHref } from '../../shared/ui/links.ts';
import { Time } from '../../shared/ui/lists.tsx';

/** Pages that every agent may open; all other fixes are an admin's. */
const openToAgents: readonly string[] = ['/quarantine'];

/** What an agent cannot do is no link for an agent. */
export function mayFix({ fix }: Condition, isAdmin: boolean): boolean {
  return isAdmin || openToAgents.includes(fix.href);
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
            <ButtonLink href={safeHref(fix.href) ?? '/notices'}>{fix.label}</ButtonLink>
          ) : (
            <a href={safeHref(fix.href) ?? '/notices'}>{fix.label}</a>
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
