import { expect, test } from 'vitest';
import { fillConfig } from '../../dev/emulators/mail/debian/fill-config.ts';

test('every placeholder of a configuration file gets its value', () => {
  const filled = fillConfig('master.cf', { smtpPort: 2525, dropPort: 2526 });
  expect(filled).toContain('\n127.0.0.1:2525 inet n - n - - smtpd\n');
  expect(filled).toContain('\n127.0.0.1:2526 inet n - n - - smtpd\n');
  expect(filled).not.toContain('{{');
});

test('a placeholder without a value is rejected by name', () => {
  expect(() => fillConfig('master.cf', { smtpPort: 2525 })).toThrow('master.cf needs a value for dropPort.');
});

test('a value without a placeholder is rejected by name', () => {
  const values = { smtpPort: 2525, dropPort: 2526, queue: '/tmp' };
  expect(() => fillConfig('master.cf', values)).toThrow('master.cf has no place for queue.');
});
