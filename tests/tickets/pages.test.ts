import { beforeEach, describe, expect, test } from 'vitest';
import { codeFrom } from '../../shared/platform/problem.ts';
import { messageRef } from '../../shared/tickets/message-records.ts';
import { fillPostroom, redPixel } from '../harness/memory/sample-mail.ts';
import { headingsInOrder, readPage } from '../harness/pages/read-page.ts';
import {
  ago,
  principalHeader,
  type SamplePostroom,
  samplePostroom,
  sampleProvider,
} from '../harness/pages/sample-postroom.ts';

let postroom: SamplePostroom;
beforeEach(() => {
  postroom = samplePostroom();
});
const html = async (path: string, role: 'admin' | 'agent' = 'agent'): Promise<string> =>
  (await postroom.ask(path, { role })).text();
const keyOf = async (id: string, place = 0): Promise<string> => {
  const message = (await postroom.tickets.read(id))?.messages[place];
  return message === undefined ? '' : messageRef(message);
};

test('every page has unique IDs, labels, one h1 and its headings in order', async () => {
  const { conversation, newsletter } = await fillPostroom(postroom);
  const empty = samplePostroom();
  const paths = [
    '/',
    '/tickets',
    '/tickets?status=closed&flash=closed',
    `/tickets/${conversation}`,
    `/tickets/${newsletter}`,
    '/unimported',
  ];
  for (const [where, path] of [
    ...paths.map((path) => [postroom, path] as const),
    ...paths.map((path) => [empty, path] as const),
  ]) {
    const page = readPage(await (await where.ask(path, { role: 'admin' })).text());
    expect({ path, ...page }).toMatchObject({ repeatedIds: [], unlabelled: [], danglingIds: [], inline: [] });
    expect([path, headingsInOrder(page.headings)]).toEqual([path, true]);
  }
});

test('all content of an email is escaped, on every page', async () => {
  const evil = '"><script>alert(1)</script>';
  const id = await postroom.file({
    from: { name: evil, address: evil },
    to: [{ name: evil, address: undefined }],
    cc: [{ name: evil, address: evil }],
    replyTo: [{ name: evil, address: evil }],
    subject: evil,
    text: `${evil}\n> ${evil}`,
    html: evil,
    notes: [evil],
    files: [{ filename: evil, contentType: evil, contentId: evil, bytes: redPixel }],
  });
  await postroom.mailbox({ address: evil });
  await postroom.mailboxes.setFailure('support', {
    state: 'action-required',
    code: codeFrom(evil),
    problem: evil,
    since: ago(1),
    failures: 1,
    triedAt: ago(1),
    nextTryAt: ago(0),
  });
  await postroom.quarantine.put('support', [
    {
      contentKey: 'a',
      place: 'x',
      kind: 'skipped',
      reason: evil,
      at: ago(2),
      from: evil,
      subject: evil,
      size: 1,
      rawBlob: 'r',
    },
  ]);
  const key = await keyOf(id);
  for (const path of [
    '/',
    '/tickets',
    `/tickets/${id}`,
    `/tickets/${id}?text=${key}`,
    '/unimported',
    `/tickets/${id}/messages/${key}/body`,
  ]) {
    const page = await html(path);
    expect(page, path).not.toContain('<script>');
    expect(page, path).not.toContain('"><script>');
    expect(page.length).toBeGreaterThan(300);
  }
});

describe('the home page', () => {
  const success = (minutes: number): Promise<void> =>
    postroom.mailboxes.saveSuccesses(0, new Map([['support', ago(minutes)]]));
  const headline = async (): Promise<string> =>
    /<h1>(.*?)<\/h1>/.exec(await html('/', 'admin'))?.[1]?.replaceAll(/<[^>]*>/g, '') ?? '';
  const trouble = {
    code: codeFrom('x'),
    problem: 'The sign-in was revoked',
    since: ago(9),
    failures: 2,
    triedAt: ago(1),
    nextTryAt: ago(0),
  };

  test('leads from an empty installation to the first provider', async () => {
    const page = await html('/', 'admin');
    expect(page).toContain('Welcome to Postroom');
    expect(page).toContain('href="/providers/new"');
    expect(page).not.toContain('href="/mailboxes/new"');
  });

  test('leads from a provider to the first mailbox, and tells an agent to ask an admin', async () => {
    await postroom.providers.save(sampleProvider);
    expect(await html('/', 'admin')).toContain('href="/mailboxes/new"');
    const agent = await html('/', 'agent');
    expect(agent).not.toContain('/mailboxes/new');
    expect(agent).toContain('An administrator does this.');
  });

  test('shows that the first fetch is in progress', async () => {
    await postroom.mailbox({ createdAt: ago(2) });
    expect(await headline()).toBe('Almost there');
  });

  test('shows that email is fetched if every mailbox was fetched a moment ago', async () => {
    await postroom.mailbox();
    await success(1);
    expect(await headline()).toBe('Mail is flowing');
  });

  test.each([
    [13, 'Mail is flowing'],
    [14, 'Not receiving mail from support@contoso.example: fetches do not finish'],
  ])('a mailbox last fetched %i minutes ago: %s', async (minutes, says) => {
    await postroom.mailbox();
    await success(minutes);
    expect(await headline()).toBe(says);
  });

  test('shows what stopped first, and its first link leads an admin to the fix', async () => {
    await postroom.mailbox();
    await postroom.providers.save(sampleProvider);
    await success(1);
    await postroom.mailboxes.setFailure('support', { ...trouble, state: 'action-required' });
    const page = await html('/', 'admin');
    expect(await headline()).toBe(
      'Not receiving mail from support@contoso.example: someone has to sign in again',
    );
    expect(page).toContain('The sign-in was revoked');
    expect(page).toContain('No mail is lost');
    const [, firstLink] = /<a [^>]*href="([^"]*)"/.exec(page.slice(page.indexOf('<h1>'))) ?? [];
    expect(firstLink).toBe('/providers/p1/connect?mailbox=support');
    const agent = await html('/', 'agent');
    expect(agent).toContain('An administrator can fix this.');
    expect(agent).not.toContain('/connect?mailbox');
  });

  test('shows a retrying mailbox, since when, and that no action is required', async () => {
    await postroom.mailbox();
    await success(2);
    await postroom.mailboxes.setFailure('support', { ...trouble, state: 'retrying' });
    expect(await headline()).toBe('1 mailbox is retrying');
    expect(await html('/', 'admin')).toContain('No action needed yet');
  });

  test('names three of many that are retrying, and since when the first of them is', async () => {
    for (const id of ['a', 'b', 'c', 'd', 'e']) {
      await postroom.mailbox({ id, address: `${id}@contoso.example` });
      await postroom.mailboxes.setFailure(id, {
        ...trouble,
        state: 'retrying',
        since: ago(id === 'c' ? 9 : 4),
      });
    }
    await postroom.mailboxes.saveSuccesses(0, new Map(['a', 'b', 'c', 'd', 'e'].map((id) => [id, ago(9)])));
    expect(await headline()).toBe('5 mailboxes are retrying');
    const page = await html('/', 'admin');
    const verdict = page.slice(page.indexOf('class="verdict'), page.indexOf('<table'));
    expect(verdict).toContain(`5 mailboxes are retrying, since <time datetime="${ago(9)}"`);
    expect(verdict.match(/The last fetch of/g)).toHaveLength(3);
    expect(verdict).toContain('The table below lists the 2 others.');
    expect(page).not.toContain('Mail is flowing');
  });

  test('shows a paused mailbox as no failure, and says if all are paused', async () => {
    await postroom.mailbox({ enabled: false });
    await postroom.mailboxes.setFailure('support', { ...trouble, state: 'retrying' });
    expect(await headline()).toBe('All mailboxes are paused');
  });
});

describe('the list of tickets', () => {
  test('goes forward and back through any number of pages', async () => {
    for (let number = 1; number <= 120; number += 1)
      await postroom.file({ subject: `s${number}`, minutesAgo: 500 - number });
    const numbers = (page: string): number[] =>
      [...page.matchAll(/class="number">#(\d+)</g)].map(([, n]) => Number(n));
    const link = (page: string, rel: string): string | undefined =>
      new RegExp(`rel="${rel}" href="([^"]*)"`).exec(page)?.[1]?.replaceAll('&amp;', '&');
    const first = await html('/tickets');
    const second = await html(link(first, 'next') ?? '');
    const third = await html(link(second, 'next') ?? '');
    expect([numbers(first), numbers(second), numbers(third)].flat()).toEqual(
      Array.from({ length: 120 }, (_, index) => 120 - index),
    );
    expect(link(first, 'prev')).toBeUndefined();
    expect(link(third, 'next')).toBeUndefined();
    expect(numbers(await html(link(third, 'prev') ?? ''))).toEqual(numbers(second));
    expect(link(second, 'prev')).toBe('/tickets');
    expect(link(await html(link(third, 'prev') ?? ''), 'prev')).toBe('/tickets');
  });

  test('finds a ticket by its number', async () => {
    const id = await postroom.file({});
    const found = await postroom.ask('/tickets?number=%231');
    expect([found.status, found.headers.get('location')]).toEqual([303, `/tickets/${id}`]);
    expect((await postroom.ask('/tickets?number=99')).headers.get('location')).toBe(
      '/tickets?flash=no-number',
    );
    expect(await html('/tickets?flash=no-number')).toContain('There is no ticket with this number.');
  });

  test('shows nothing that comes only from the URL', async () => {
    expect(await html('/tickets?flash=toString')).not.toContain('class="flash');
    expect(await html('/tickets?flash=hello')).not.toContain('hello');
  });
});

describe('a ticket', () => {
  test('is closed and reopened by a button, and never by a link', async () => {
    const id = await postroom.file({});
    const closed = await postroom.ask(`/tickets/${id}/close`, { method: 'POST' });
    expect([closed.status, closed.headers.get('location')]).toEqual([303, `/tickets/${id}?flash=closed`]);
    expect((await postroom.tickets.read(id))?.ticket.status).toBe('closed');
    expect((await postroom.ask(`/tickets/${id}/reopen`)).status).toBe(404);
    await postroom.ask(`/tickets/${id}/reopen`, { method: 'POST' });
    expect((await postroom.tickets.read(id))?.ticket.status).toBe('open');
  });

  test('folds the quotation of a reply, and links the ticket it follows', async () => {
    const { conversation } = await fillPostroom(postroom);
    const page = await html(`/tickets/${conversation}`);
    expect(page).toContain('<summary>Show quoted text</summary>');
    expect(page).toContain('Follow-up to <a href="/tickets/t000001">#1</a>');
  });

  test('links the tickets that follow it', async () => {
    const old = await postroom.file({});
    const follows = { id: old, number: 1 };
    expect(await html(`/tickets/${old}`)).not.toContain('Followed by');
    const one = await postroom.file({ follows });
    const two = await postroom.file({ follows });
    expect(await html(`/tickets/${old}`)).toContain(
      `Followed by <a href="/tickets/${one}">#2</a>, <a href="/tickets/${two}">#3</a></p>`,
    );
    for (let count = 3; count <= 21; count += 1) await postroom.file({ follows });
    const page = await html(`/tickets/${old}`);
    expect(page).toContain('#21</a> and more</p>');
    expect(page).not.toContain('#22');
  });

  test('folds signature and quotation of texts and of HTML, and nothing of a forwarded message', async () => {
    const text = 'Yes.\n\n-- \nBob\n\nFrom: Ada\nSent: Monday\nTo: Bob\nSubject: x\n\nDoes it print?';
    const body = `<p>Yes.</p><div>From: Ada<br>Sent: Monday<br>To: Bob<br>Subject: x</div><p>Does it print?</p>`;
    const summaries = async (mail: { subject: string; text: string; html?: string }): Promise<string[]> => {
      const id = await postroom.file(mail);
      const message = (await postroom.tickets.conversation(id, { limit: 1 }))?.messages[0];
      const path = `/tickets/${id}/messages/${message === undefined ? '' : messageRef(message)}/body`;
      const page = await html(mail.html === undefined ? `/tickets/${id}` : path);
      return [...page.matchAll(/<summary>(Show [^<]*)/g)].map(([, summary = '']) => summary);
    };
    expect(await summaries({ subject: 'RE: x', text })).toEqual(['Show signature', 'Show quoted text']);
    expect(await summaries({ subject: 'FW: x', text })).toEqual([]);
    expect(await summaries({ subject: 'RE: x', text, html: body })).toEqual(['Show quoted text']);
    expect(await summaries({ subject: 'FW: x', text, html: body })).toEqual([]);
  });

  test.each(['/tickets/none', '/tickets/..%2Fx', '/tickets/a%20b', '/tickets/none/messages/x/raw'])(
    '%s is a page that says it does not exist',
    async (path) => {
      expect((await postroom.ask(path)).status).toBe(404);
    },
  );

  test('shows which sender the mail server could not confirm, and in its details what was checked', async () => {
    const checked = { spf: 'fail', dkim: 'none', dmarc: 'fail' };
    const failed = await html(
      `/tickets/${await postroom.file({ authentication: { ...checked, fails: true } })}`,
    );
    expect(failed).toContain('>Sender not confirmed</span> The mail server could not confirm');
    expect(failed).toContain('SPF fail, DKIM none, DMARC fail');
    const passed = { spf: 'pass', dkim: undefined, dmarc: 'pass', fails: false };
    const confirmed = await html(`/tickets/${await postroom.file({ authentication: passed })}`);
    expect(confirmed).toContain('>Sender confirmed</span>');
    expect(confirmed).toContain('SPF pass, DKIM not checked, DMARC pass');
    const silent = await html(`/tickets/${await postroom.file({})}`);
    expect(silent).not.toMatch(/Sender (?:not )?confirmed/);
    expect(silent).toContain('No result from the mail server');
  });

  test('shows in the details of a message the reply address, if it differs from the sender', async () => {
    const elsewhere = await postroom.file({
      replyTo: [{ name: 'Sales', address: 'sales@fabrikam.example' }],
    });
    expect(await html(`/tickets/${elsewhere}`)).toContain(
      '<dt>Reply to</dt><dd>Sales &lt;sales@fabrikam.example&gt;</dd>',
    );
    expect(await html(`/tickets/${await postroom.file({})}`)).not.toContain('<dt>Reply to</dt>');
  });

  test('shows a folded message by its reason, its text behind a click', async () => {
    const page = await html(
      `/tickets/${await postroom.file({ text: 'robot', folded: 'more than 20 an hour' })}`,
    );
    expect(page).toMatch(
      /<details class="folded"><summary>Collapsed: more than 20 an hour<\/summary>.*robot/s,
    );
  });

  test('has links in its text that open a new tab and send no referrer', async () => {
    const page = await html(`/tickets/${await postroom.file({ text: 'See https://a.example/x.' })}`);
    expect(page).toContain(
      'See <a href="https://a.example/x" target="_blank" rel="noopener noreferrer nofollow">https://a.example/x</a>.',
    );
    expect(page).toContain('<div class="mail-text" dir="auto">');
  });

  test('shows the beginning of a long text and links to all of it', async () => {
    const text = 'line of text\n'.repeat(10_000);
    const id = await postroom.file({ text, textInBlob: true });
    const page = await html(`/tickets/${id}`);
    expect(page.length).toBeLessThan(60_000);
    const [, whole = ''] = /<a href="([^"]*\/text)"[^>]*>Show the full text</.exec(page) ?? [];
    const answer = await postroom.ask(whole);
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(answer.headers.get('content-security-policy')).toBe("default-src 'none'; sandbox");
    expect(await answer.text()).toBe(text);
  });

  test('is not shown without a sign-in', async () => {
    const stranger = {
      'x-ms-client-principal': principalHeader('agent')['x-ms-client-principal']?.slice(0, 8) ?? '',
    };
    expect((await postroom.ask('/tickets', { headers: stranger })).status).toBe(302);
  });
});

describe('an email in its frame', () => {
  test('is shown first, with its text one click away, and frame and document have the same sandbox', async () => {
    const id = await postroom.file({ text: 'plain words', html: '<p>rich</p>' });
    const key = await keyOf(id);
    const page = await html(`/tickets/${id}`);
    expect(page).not.toContain('plain words');
    const [, asText = ''] = /<a href="([^"]*)">View plain text</.exec(page) ?? [];
    const text = await html(asText.replaceAll('&amp;', '&'));
    expect(text).toContain('plain words');
    expect(text).not.toContain('<iframe');
    expect(text).toMatch(new RegExp(`<a href="/tickets/${id}#m-[0-9a-f]{64}">View HTML<`));
    const [, sandbox = ''] = /<iframe[^>]* sandbox="([^"]*)"/.exec(page) ?? [];
    const body = await postroom.ask(`/tickets/${id}/messages/${key}/body`);
    expect(body.headers.get('content-security-policy')?.endsWith(`sandbox ${sandbox}`)).toBe(true);
    expect(sandbox).not.toMatch(/scripts|top-navigation|forms/);
    expect(await body.text()).toContain('<p>rich</p>');
  });

  test('keeps its own policy beside that of the pages', async () => {
    const id = await postroom.file({ html: '<p>x</p>' });
    const body = await postroom.ask(`/tickets/${id}/messages/${await keyOf(id)}/body`);
    const page = await postroom.ask('/tickets');
    expect(body.headers.get('content-security-policy')).toContain("frame-ancestors 'self'");
    expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    for (const { headers } of [body, page]) {
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('cache-control')).toBe('no-store');
    }
    expect(body.headers.get('referrer-policy')).toBe('no-referrer');
  });

  test('shows images from other servers only after a click that explains the effect', async () => {
    const id = await postroom.file({ html: '<img src="https://t.example/x.gif">' });
    const key = await keyOf(id);
    const body = `/tickets/${id}/messages/${key}/body`;
    expect(await html(body)).not.toContain('t.example');
    const page = await html(`/tickets/${id}`);
    expect(page).toContain('Show remote images</a> (reveals');
    expect(page).toContain(`src="${body}"`);
    expect(await html(`/tickets/${id}?images=${key}`)).toContain(`src="${body}?images=shown"`);
    expect(await html(`${body}?images=shown`)).toContain('src="https://t.example/x.gif"');
    expect((await postroom.ask(`${body}?images=shown`)).headers.get('content-security-policy')).toContain(
      'img-src data: https:',
    );
  });

  test('shows its own picture', async () => {
    const { conversation } = await fillPostroom(postroom);
    expect(await html(`/tickets/${conversation}/messages/${await keyOf(conversation)}/body`)).toContain(
      `src="data:image/png;base64,${Buffer.from(redPixel).toString('base64')}"`,
    );
  });

  test.each([
    [1_000_000, false],
    [1_000_001, true],
  ])('of %i characters is too long: %s', async (length, tooLong) => {
    const id = await postroom.file({ html: `<p>${'x'.repeat(length - 3)}`, htmlInBlob: true });
    const key = await keyOf(id);
    expect((await html(`/tickets/${id}/messages/${key}/body`)).includes('too long')).toBe(tooLong);
  });
});

describe('downloads', () => {
  test('return an attachment unchanged, as a file', async () => {
    const bytes = Buffer.from('<script>alert(1)</script>');
    const id = await postroom.file({
      files: [{ filename: '../evil.html', contentType: 'text/html', bytes }],
    });
    const answer = await postroom.ask(`/tickets/${id}/messages/${await keyOf(id)}/attachments/0`);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-disposition': `attachment; filename="evil.html"; filename*=UTF-8''evil.html`,
      'content-security-policy': "default-src 'none'; sandbox",
      'x-content-type-options': 'nosniff',
    });
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(bytes);
  });

  test('name an unnamed attachment by its type, on the page and as a file', async () => {
    const id = await postroom.file({
      files: [{ contentType: 'text/calendar', bytes: Buffer.from('BEGIN:VCALENDAR') }],
    });
    expect(await html(`/tickets/${id}`)).toContain('>invite.ics</span>');
    const answer = await postroom.ask(`/tickets/${id}/messages/${await keyOf(id)}/attachments/0`);
    expect(answer.headers.get('content-disposition')).toContain('filename="invite.ics"');
  });

  test('return several megabytes completely', async () => {
    const bytes = Buffer.alloc(9_000_000, 'mail');
    const id = await postroom.file({ files: [{ filename: 'a.zip', contentType: 'application/zip', bytes }] });
    const answer = await postroom.ask(`/tickets/${id}/messages/${await keyOf(id)}/attachments/0`);
    expect(Buffer.from(await answer.arrayBuffer()).equals(bytes)).toBe(true);
  });

  test('return the original email under our own file name', async () => {
    const id = await postroom.file({ subject: 'Hi' });
    const answer = await postroom.ask(`/tickets/${id}/messages/${await keyOf(id)}/raw`);
    expect(answer.headers.get('content-type')).toBe('message/rfc822');
    expect(answer.headers.get('content-disposition')).toMatch(/filename="ticket-1-[0-9a-f]{8}\.eml"/);
    expect(await answer.text()).toBe('Subject: Hi\r\n\r\nThe printer says no.\r\n');
    // The audit log has who read it.
    const [entry] = (await postroom.audit.page({ kind: 'ticket', id, limit: 5 })).entries;
    expect([entry?.action, entry?.principal.name]).toEqual(['original read', 'Mira Sund']);
  });

  test.each(['1', '-1', '0x0', '00', '1e0'])('report that attachment %s does not exist', async (index) => {
    const id = await postroom.file({
      files: [{ filename: 'a', contentType: 'text/plain', bytes: redPixel }],
    });
    expect(
      (await postroom.ask(`/tickets/${id}/messages/${await keyOf(id)}/attachments/${index}`)).status,
    ).toBe(404);
  });
});

describe('unimported email', () => {
  test('is listed for all mailboxes, newest first, each with its reason, or for a selected mailbox', async () => {
    await fillPostroom(postroom);
    const all = await html('/unimported');
    const order = ['Your order', 'Re: printer', 'Scans of the whole year'].map((subject) =>
      all.indexOf(subject),
    );
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(order.every((place) => place > 0)).toBe(true);
    expect(all).toContain('Copy of #3, which is already here.');
    const billing = await html('/unimported?mailbox=billing');
    expect(billing).toContain('Scans of the whole year');
    expect(billing).not.toContain('Your order');
    expect(billing).toContain('On the mail server (130 MB)');
  });

  test('of a deleted mailbox stays listed', async () => {
    await fillPostroom(postroom);
    await postroom.mailboxes.remove('billing');
    const all = await html('/unimported');
    expect(all).toContain('Scans of the whole year');
    expect(all).toMatch(/billing@[^<]* \(deleted\)/);
    const billing = await html('/unimported?mailbox=billing');
    expect(billing).toContain('Scans of the whole year');
    expect(billing).not.toContain('Your order');
    await postroom.mailboxes.remove('support');
    const [, address = ''] = /href="(\/unimported\/support\/raw[^"]*)"/.exec(await html('/unimported')) ?? [];
    expect((await postroom.ask(address.replaceAll('&amp;', '&'))).status).toBe(200);
    const [entry] = (await postroom.audit.page({ kind: 'quarantine', limit: 5 })).entries;
    expect(entry?.action).toBe('original read');
  });

  test('of more mailboxes and emails than fit on a page is read to its end, each email once', async () => {
    for (let box = 1; box <= 40; box += 1) {
      const id = `box-${String(box).padStart(2, '0')}`;
      await postroom.mailbox({ id, address: `${id}@contoso.example` });
      await postroom.quarantine.put(
        id,
        [1, 2, 3].map((number) => ({
          contentKey: `${id}-${number}`,
          place: `at|${id}|1|${number}`,
          kind: 'quarantined' as const,
          reason: 'odd',
          at: ago(number),
          from: undefined,
          subject: `mail ${id}-${number}.`,
          size: 1,
          rawBlob: undefined,
        })),
      );
    }
    const subjects: string[] = [];
    let next: string | undefined = '/unimported';
    while (next !== undefined) {
      const page: string = await html(next);
      subjects.push(...(page.match(/(?<=<strong>)mail box-\d\d-\d\./g) ?? []));
      next = /rel="next" href="([^"]*)"/.exec(page)?.[1]?.replaceAll('&amp;', '&');
    }
    expect(new Set(subjects).size).toBe(120);
    expect(subjects).toHaveLength(120);
    expect(subjects.slice(0, 40).every((subject) => subject.endsWith('-1.'))).toBe(true);
  });

  test('offers the original for download, and nothing for an invented key', async () => {
    await fillPostroom(postroom);
    const [, address = ''] = /href="(\/unimported\/support\/raw[^"]*)"/.exec(await html('/unimported')) ?? [];
    const answer = await postroom.ask(address.replaceAll('&amp;', '&'));
    expect(answer.headers.get('content-disposition')).toContain('unimported-2026-11-24.eml');
    expect(await answer.text()).toBe('Subject: bomb\r\n\r\n');
    for (const key of ['', 'x', '../x', 'a/b', 'a%23'])
      expect((await postroom.ask(`/unimported/support/raw?key=${encodeURIComponent(key)}`)).status).toBe(404);
  });
});

test('a meeting is a card with title, times, place, organizer and response', async () => {
  const time = (local: string) => ({ local, zone: 'Europe/Berlin', offset: 120 });
  const id = await postroom.file({
    text: '',
    invitation: {
      kind: 'answer',
      title: 'Review of the <printers>',
      start: time('2026-07-03T10:00'),
      end: time('2026-07-03T11:30'),
      place: 'Room 4',
      organizer: { name: 'Mira Sund', address: 'mira@contoso.example' },
      repeats: { every: 2, unit: 'week' },
      answer: { from: { name: 'Ada Byron', address: 'ada@fabrikam.example' }, says: 'declined' },
    },
  });
  const page = await html(`/tickets/${id}`);
  expect(headingsInOrder(readPage(page).headings)).toBe(true);
  for (const part of [
    'Answer to an invitation',
    'Review of the &lt;printers&gt;',
    'Friday, 3 July 2026, 10:00 to 11:30 Europe/Berlin (UTC+02:00)',
    '3 Jul 2026, 08:00 UTC',
    'Every 2 weeks',
    'Room 4',
    'Mira Sund &lt;mira@contoso.example&gt;',
    'Ada Byron: declined',
  ])
    expect(page).toContain(part);
  expect(page).not.toContain('This message has no text');
});

test.each([
  ['pgp', 'encrypted with PGP'],
  ['smime', 'encrypted with S/MIME'],
  ['rights', 'protected with Microsoft Purview'],
] as const)(
  'an email encrypted with %s is labelled as such, and that Postroom can’t open it',
  async (encryption, words) => {
    const id = await postroom.file({ text: '', encryption });
    const page = (await html(`/tickets/${id}`)).replaceAll('&#39;', "'");
    expect(page).toContain(`This email is ${words}. Postroom can't open it.`);
    expect(page).not.toContain('This message has no text');
  },
);
