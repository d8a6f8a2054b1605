/** Replies, bounces and a mail server that no longer takes email, in a browser, on each mail server. */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { hasChromium } from '../../dev/browser.ts';
import { mailServerKindHere } from '../../dev/emulators/mail/mail-server.ts';
import { bounceStory } from './bounce-story.ts';
import { replyStory } from './reply-story.ts';
import { openReplyWorld, type ReplyWorld } from './reply-world.ts';
import { smtpOffStory } from './smtp-off-story.ts';

const isDebianHere = mailServerKindHere() === 'debian';
if (!isDebianHere)
  console.warn('SKIPPED: replies in a browser over Dovecot and Postfix, which are not here.');
if (!hasChromium) console.warn('SKIPPED: replies in a browser, because Chromium is not here.');

describe.skipIf(!hasChromium || !isDebianHere)('on Dovecot and Postfix', () => {
  const world = useReplyWorld('debian');

  it('a reply over IMAP and SMTP arrives, and answers to it join its ticket', () =>
    replyStory(world(), { owner: 'orders', over: 'IMAP and SMTP', hand: 'a mouse' }));

  it('a reply over Microsoft Graph arrives, with the keyboard alone', () =>
    replyStory(world(), { owner: 'returns', over: 'Microsoft Graph', hand: 'the keyboard' }));

  it('a reply that Postfix could not deliver is corrected and arrives', () =>
    bounceStory(world(), { owner: 'billing', over: 'IMAP and SMTP', hand: 'a mouse' }));
});

describe.skipIf(!hasChromium)('on the mail server without installation', () => {
  const world = useReplyWorld('npm');

  it('a bounced reply is corrected with the keyboard and without a script', () =>
    bounceStory(world(), { owner: 'orders', over: 'IMAP and SMTP', hand: 'the keyboard and no script' }));

  it('a reply that bounced over Microsoft Graph is corrected with the keyboard', () =>
    bounceStory(world(), { owner: 'returns', over: 'Microsoft Graph', hand: 'the keyboard' }));

  it('a reply that SMTP refuses leaves over Microsoft Graph', () =>
    smtpOffStory(world(), { owner: 'billing', hand: 'a mouse' }));

  it('a reply that SMTP refuses leaves over Microsoft Graph, with the keyboard and without a script', () =>
    smtpOffStory(world(), { owner: 'service', hand: 'the keyboard and no script' }));
});

function useReplyWorld(kind: 'debian' | 'npm'): () => ReplyWorld {
  let world: ReplyWorld;
  beforeAll(async () => {
    world = await openReplyWorld(kind);
  });
  afterAll(() => world?.[Symbol.asyncDispose]());
  return () => world;
}
