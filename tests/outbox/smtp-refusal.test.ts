/** What a line of an SMTP server means for the mail that it refused. */
import { describe, expect, test } from 'vitest';
import type { SendingRefusal } from '../../shared/outbox/sending-refusal.ts';
import { isTokenRefused, readRefusal } from '../../shared/outbox/smtp-refusal.ts';
import { codeFrom } from '../../shared/platform/problem.ts';

const NOW = Date.parse('2026-11-24T10:00:00.000Z');
const read = (line: string): SendingRefusal => readRefusal(line, NOW);
const waits = (line: string): number | undefined => {
  const { retryAt } = read(line);
  return retryAt === undefined ? undefined : (Date.parse(retryAt) - NOW) / 60_000;
};

describe('an unknown line', () => {
  test.each([
    ['459 Something that nobody has seen', 'smtp-459', false],
    ['  451 Something that nobody has seen', 'smtp-451', false],
    ['559 5.9.9 Something that nobody has seen', 'smtp-559', true],
    ['503 Something that nobody has seen', 'smtp-503', false],
    ['5591 Something that nobody has seen', 'smtp-no-answer', false],
    ['250 Something that nobody has seen', 'smtp-no-answer', false],
    ['x 559 Something that nobody has seen', 'smtp-no-answer', false],
    ['', 'smtp-no-answer', false],
  ])('%j is %s', (line, code, permanent) => {
    expect(read(line)).toMatchObject({ code, permanent, asked: true });
  });

  test('is retried in five minutes, unless it is a permanent refusal', () => {
    expect(waits('451 Something that nobody has seen')).toBe(5);
    expect(waits('503 Something that nobody has seen')).toBe(5);
    expect(waits('559 Something that nobody has seen')).toBeUndefined();
  });
});

describe('a line in the catalogue', () => {
  test.each([
    ['554 5.2.0 sender thread limit exceeded', 'smtp-thread-limit', 1],
    ['432 4.3.2 Concurrent connections limit exceeded', 'smtp-concurrent-connections', 1],
    ['421 4.4.2 Message submission rate for this client has exceeded the limit', 'smtp-rate', 1],
    ['554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException', 'smtp-recipient-quota', 60],
  ])('%s is temporary: %s', (line, code, minutes) => {
    expect(read(line)).toMatchObject({ code, permanent: false, asked: true });
    expect(waits(line)).toBe(minutes);
  });

  test('waits for a person if a person has to act', () => {
    expect(read('535 5.7.3 Authentication unsuccessful')).toMatchObject({
      code: 'smtp-token-refused',
      permanent: true,
      retryAt: undefined,
    });
  });

  test('counts only if it is an SMTP code', () => {
    expect(read('AADSTS50173: The grant was revoked.')).toMatchObject({
      code: 'smtp-no-answer',
      permanent: false,
    });
  });
});

test('a server’s line is cut to 400 characters, without a token that it repeats', () => {
  expect(read(`451 ${'no '.repeat(200)}`).reason).toHaveLength(400);
  expect(read('451 access_token=a-token-that-nobody-reads').reason).not.toContain('a-token');
});

test('a fresh token may help only if the token was refused', () => {
  const codes = ['smtp-token-refused', 'smtp-535', 'smtp-rate', 'smtp-534'];
  expect(codes.filter((code) => isTokenRefused({ ...read(''), code: codeFrom(code) }))).toEqual(
    codes.slice(0, 2),
  );
});
