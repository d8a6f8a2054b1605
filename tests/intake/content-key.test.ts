import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createContentKey, ticketIdOf } from '../../shared/intake/content-key.ts';
import { ownMail, ownMailNames } from '../harness/memory/mail-files.ts';

const AT = '2026-11-24T10:00:00.000Z';

function keyOf(mail: string | Uint8Array, chunkSize = Number.MAX_SAFE_INTEGER, receivedAt = AT): string {
  const bytes = typeof mail === 'string' ? Buffer.from(mail, 'latin1') : mail;
  const key = createContentKey(receivedAt);
  for (let at = 0; at < bytes.length; at += chunkSize) key.update(bytes.subarray(at, at + chunkSize));
  return key.digest();
}

const plain = 'Message-ID: <1@a>\r\nDate: d\r\nFrom: a@b\r\nTo: c@d\r\nSubject: s\r\n\r\nbody\r\n';

describe('the content key', () => {
  it('is pinned: other bytes in the hash would import fetched email again', () => {
    const expected = createHash('sha256')
      .update('message-id*1\n5:<1@a>date*1\n1:dfrom*1\n3:a@bto*1\n3:c@dsubject*1\n1:s')
      .update('mime-version*0\ncontent-type*0\ncontent-transfer-encoding*0\nbody\nbody\r\n')
      .digest('hex');
    expect(keyOf(plain)).toBe(expected);
  });

  const noFields = 'mime-version*0\ncontent-type*0\ncontent-transfer-encoding*0\n';
  const day = 'day*1\n10:2026-11-24';
  const only = (subject: string): string =>
    `message-id*0\ndate*0\nfrom*0\nto*0\nsubject*1\n${subject.length}:${subject}${noFields}${day}body\n`;
  const sha256 = (text: string): string => createHash('sha256').update(text, 'latin1').digest('hex');

  it.each([
    ['with lines of lone CRs', 'Subject: s\r\rbody\rmore\r', `${only('s')}body\rmore\r`],
    ['with lines of lone CRs and no blank one', 'Subject: s\rX: y\r', `${only('s')}Subject: s\rX: y\r`],
    ['with a LF among lone CRs', 'Subject: s\r\rbody\n', `${only('sbody')}Subject: s\r\rbody\n`],
    ['without a blank line', 'Subject: s\nX: y\n', `${only('s')}Subject: s\nX: y\n`],
    [
      'that begins with a blank line',
      '\nSubject: s\n',
      `${only('').replace('subject*1\n0:', 'subject*0\n')}Subject: s\n`,
    ],
  ])('is pinned for an email %s', (_what, mail, hashed) => {
    for (const size of [Number.MAX_SAFE_INTEGER, 1, 2, 7]) expect(keyOf(mail, size)).toBe(sha256(hashed));
  });

  it('is pinned for a header block of more than 1 MB: the rest counts as body', () => {
    const megabyte = 1024 * 1024;
    const block = `Subject: s\nX: ${'x'.repeat(megabyte - 16)}\n`;
    expect(block).toHaveLength(megabyte - 1);
    for (const size of [Number.MAX_SAFE_INTEGER, megabyte, 300_000, 64 * 1024]) {
      expect(keyOf(`${block}\nbody`, size), 'at its limit it still ends').toBe(sha256(`${only('s')}body`));
      expect(keyOf(`${block}X: y\n\nbody`, size), 'one byte later it does not').toBe(
        sha256(`${only('s')}${block}X: y\n\nbody`),
      );
    }
  });

  it.each(ownMailNames())('does not depend on where %s is split into chunks', (name) => {
    const mail = ownMail(name);
    const whole = keyOf(mail);
    for (const size of [1, 7, 64 * 1024]) expect(keyOf(mail, size)).toBe(whole);
  });

  it('does not change with fields that relays add, with folding, or with the case of names', () => {
    const relayed = `Received: by x\r\n\tfor y\r\nX-Spam: no\r\nARC-Seal: 1\r\nReturn-Path: <q@r>\r\n${plain}`;
    expect(keyOf(relayed)).toBe(keyOf(plain));
    expect(keyOf(plain.replace('Subject: s', 'SUBJECT:\r\n s'))).toBe(keyOf(plain));
  });

  it.each([
    ['another Message-ID', plain.replace('<1@a>', '<2@a>')],
    ['another body', plain.replace('body', 'bodY')],
    ['another sender', plain.replace('a@b', 'a@x')],
    ['a second sender', plain.replace('From: a@b', 'From: a@b\r\nFrom: x@y')],
    ['words moved from one field to the next', plain.replace('c@d', 'c@ds').replace(': s', ': ')],
    ['another content type', `Content-Type: application/octet-stream\r\n${plain}`],
    ['another transfer encoding', `Content-Transfer-Encoding: base64\r\n${plain}`],
    ['no MIME version', `MIME-Version: 1.0\r\n${plain}`],
    ['no Message-ID', plain.replace('Message-ID: <1@a>\r\n', '')],
  ])('differs for %s', (_what, mail) => {
    expect(keyOf(mail)).not.toBe(keyOf(plain));
  });

  describe('of an email with neither a Message-ID nor a Date', () => {
    const alarm = 'From: a@b\r\nTo: c@d\r\nSubject: s\r\n\r\nbody\r\n';
    const at = (mail: string, receivedAt: string): string => keyOf(mail, 7, receivedAt);

    it('is the same all day in UTC, and differs on the next day', () => {
      const key = at(alarm, '2026-11-24T00:00:00.000Z');
      expect(at(alarm, '2026-11-24T23:59:59.999Z')).toBe(key);
      expect(at(alarm, '2026-11-25T00:00:00.000Z')).not.toBe(key);
      expect(at(alarm, '2027-11-24T00:00:00.000Z')).not.toBe(key);
    });

    it.each(['Message-ID:', 'Date: \t', 'Message-ID:\r\n \r\nDate:'])(
      'treats an empty %j as missing',
      (field) => {
        const mail = `${field}\r\n${alarm}`;
        expect(at(mail, AT)).not.toBe(at(mail, '2026-11-25T10:00:00.000Z'));
      },
    );

    it.each(['Message-ID: <1@a>', 'Date: d', 'date:\r\n d'])(
      'is that of any email if there is %j',
      (field) => {
        const mail = `${field}\r\n${alarm}`;
        expect(at(mail, AT)).toBe(at(mail, '2026-11-25T10:00:00.000Z'));
      },
    );
  });

  it('reads the same fields with any line end', () => {
    const lf = plain.replaceAll('\r\n', '\n');
    const cr = plain.replaceAll('\r\n', '\r');
    for (const mail of [lf, cr]) {
      // A trace field that changed nothing shows that the header was recognized.
      expect(keyOf(`X-Trace: 1${mail === lf ? '\n' : '\r'}${mail}`)).toBe(keyOf(mail));
      expect(keyOf(mail.replace('<1@a>', '<2@a>'))).not.toBe(keyOf(mail));
    }
  });

  it('distinguishes texts that have neither a header nor a blank line', () => {
    const texts = [
      'Hello',
      'Good bye',
      'Hello\nworld',
      'Hello\nthere',
      'Note: a\nHello',
      'Note: a\nGood bye',
    ];
    expect(new Set(texts.map((text) => keyOf(text))).size).toBe(texts.length);
    expect(new Set(texts.map((text) => keyOf(text.replaceAll('\n', '\r')))).size).toBe(texts.length);
    for (const size of [1, 3, 4096]) expect(keyOf('Hello\nworld', size)).toBe(keyOf('Hello\nworld'));
  });

  it('exists for empty email and for email without a body', () => {
    expect(keyOf('')).toMatch(/^[0-9a-f]{64}$/);
    expect(keyOf('Subject: s')).not.toBe(keyOf('Subject: t'));
  });
});

describe('the ID of a ticket', () => {
  it('has 26 characters of base32 and belongs to one email in one mailbox', () => {
    expect(ticketIdOf('m1', 'k')).toMatch(/^[a-z2-7]{26}$/);
    expect(ticketIdOf('m1', 'k')).toBe(ticketIdOf('m1', 'k'));
    expect(ticketIdOf('m1', 'k')).not.toBe(ticketIdOf('m2', 'k'));
  });

  it('is the lower-case base32 of RFC 4648', () => {
    // printf 'tm1k' | sha256sum | xxd -r -p | base32
    expect(ticketIdOf('m1', 'k')).toBe('22hty26x47fzx6my6aysj7xxfx');
  });
});
