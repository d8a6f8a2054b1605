import { describe, expect, test } from 'vitest';
import { attachmentLimitOf } from '../../shared/outbox/sending-limits.ts';

describe('the attachments that a mailbox sends', () => {
  const account = { providerId: 'p', accountId: 'a' };
  const graph = { protocol: 'graph-send', host: 'graph.microsoft.com', port: 443, ...account } as const;
  const smtp = { host: 'smtp.office365.com', port: 587, ...account };
  test.each([
    ['25 MB over SMTP', 'imap', account, smtp, 25, undefined],
    ['25 MB over Graph if the same account reads over Graph', 'graph', account, graph, 25, undefined],
    [
      '2 MB over Graph if it reads over IMAP',
      'imap',
      account,
      graph,
      2,
      'read this mailbox over Microsoft Graph',
    ],
    [
      '2 MB over Graph if another account reads',
      'graph',
      { ...account, accountId: 'b' },
      graph,
      2,
      'with the same account',
    ],
    [
      '2 MB over Graph where that has no upload sessions',
      'graph',
      account,
      { ...graph, host: 'graph.microsoft.us' },
      2,
      'ask an admin to send over SMTP instead',
    ],
  ] as const)('are %s', (_what, protocol, reading, sending, megabytes, advice) => {
    const limit = attachmentLimitOf({ protocol, ...reading, sending });
    expect(limit.bytes).toBe(megabytes * 1024 * 1024);
    if (advice === undefined) expect(limit.advice).toBeUndefined();
    else expect(limit.advice).toContain(advice);
  });
});
