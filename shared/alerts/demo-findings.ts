import { inDemoWords } from '../explanations/demo-words.ts';
import type { Mailbox } from '../mailboxes/mailbox.ts';
import { paths } from '../paths/paths.ts';
import type { Config } from '../platform/config.ts';
import { isOfDemo, type Provider } from '../providers/provider.ts';
import type { Finding, Subject } from './alert.ts';
import type { HealthFacts } from './health-facts.ts';

/** The finding reworded for the demo: its servers by name, and no links to Microsoft's portals. Pure. */
export function findingInDemo(finding: Finding): Finding {
  const { cause, headline, who, fix } = finding;
  return {
    ...finding,
    headline: inDemoWords(headline),
    cause: inDemoWords(cause),
    who: who === 'microsoft' || who === 'tenant-admin' ? 'you' : who,
    fix: fix.href.startsWith('/') ? fix : { label: 'View health', href: paths.health() },
  };
}

/** Rewords the findings about the demo's servers, if a demo is running. Pure. */
export function inWordsOf(
  config: Pick<Config, 'demo'> | undefined,
  facts: Pick<HealthFacts, 'mailboxes' | 'providers'>,
  findings: readonly Finding[],
): Finding[] {
  return findings.map((finding) =>
    config !== undefined && isOfDemo(config, providerOf(finding.subject, facts))
      ? findingInDemo(finding)
      : finding,
  );
}

function providerOf(
  { kind, id }: Subject,
  { mailboxes, providers }: Pick<HealthFacts, 'mailboxes' | 'providers'>,
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
