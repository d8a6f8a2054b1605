import { inDemoWords } from '../explanations/demo-words.ts';
import type { Mailbox } from '../mailboxes/mailbox.ts';
import { paths } from '../paths/paths.ts';
import type { Config } from '../platform/config.ts';
import { isOfDemo, type Provider } from '../providers/provider.ts';
import type { DeskFacts } from './desk-facts.ts';
import type { Condition, Subject } from './notice.ts';

/** The same in the words of the demo: its servers by their own names, and no link to a portal that nobody has. Pure. */
export function conditionInDemo(condition: Condition): Condition {
  const { cause, headline, who, fix } = condition;
  return {
    ...condition,
    headline: inDemoWords(headline),
    cause: inDemoWords(cause),
    who: who === 'microsoft' || who === 'tenant-admin' ? 'you' : who,
    fix: fix.href.startsWith('/') ? fix : { label: 'See the health of Postroom', href: paths.health() },
  };
}

/** Rewords what is about the servers of the demo, and nothing where there is no demo. Pure. */
export function inWordsOf(
  config: Pick<Config, 'practice'> | undefined,
  facts: Pick<DeskFacts, 'mailboxes' | 'providers'>,
  conditions: readonly Condition[],
): Condition[] {
  return conditions.map((condition) =>
    config !== undefined && isOfDemo(config, providerOf(condition.subject, facts))
      ? conditionInDemo(condition)
      : condition,
  );
}

function providerOf(
  { kind, id }: Subject,
  { mailboxes, providers }: Pick<DeskFacts, 'mailboxes' | 'providers'>,
): Provider | undefined {
  const byMailbox = (isMeant: (mailbox: Mailbox) => boolean): string | undefined =>
    mailboxes.find(isMeant)?.providerId;
  const providerId =
    kind === 'provider'
      ? id
      : kind === 'mailbox'
        ? byMailbox((mailbox) => mailbox.id === id)
        : kind === 'account'
          ? byMailbox(({ accountId }) => accountId === id)
          : kind === 'server'
            ? byMailbox(({ host }) => host === id)
            : undefined;
  return providers.find((provider) => provider.id === providerId);
}
