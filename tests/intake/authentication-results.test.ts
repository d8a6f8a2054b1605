import { describe, expect, test } from 'vitest';
import {
  type AuthenticationResults,
  failsAuthentication,
  ownServerResults,
  readAuthenticationResults,
} from '../../shared/intake/authentication-results.ts';

const GOOGLE =
  'mx.google.com; dkim=pass header.i=@shop.example header.s=s1 header.b=abc; spf=pass (google.com: domain of bounce@shop.example designates 192.0.2.1 as permitted sender) smtp.mailfrom=bounce@shop.example; dmarc=pass (p=REJECT sp=NONE dis=NONE) header.from=shop.example';
const MICROSOFT =
  'spf=fail (sender IP is 192.0.2.1) smtp.mailfrom=shop.example; contoso.example; dkim=none (message not signed) header.d=none;contoso.example; dmarc=fail action=oreject header.from=shop.example;compauth=fail reason=000';

const top = (value: string) => [{ value, hop: 0 }];

describe('reading a field', () => {
  test('reads what Gmail writes', () => {
    expect(readAuthenticationResults(GOOGLE)).toEqual({
      authservId: 'mx.google.com',
      spf: 'pass',
      dkim: 'pass',
      dmarc: 'pass',
      composite: undefined,
      fromDomain: 'shop.example',
    });
  });

  test('reads what Exchange Online writes, which names no server and repeats the receiving domain', () => {
    expect(readAuthenticationResults(MICROSOFT)).toEqual({
      authservId: undefined,
      spf: 'fail',
      dkim: 'none',
      dmarc: 'fail',
      composite: 'fail',
      fromDomain: 'shop.example',
    });
  });

  test('knows a version behind the name of the server and behind a method', () => {
    const results = readAuthenticationResults('mx.example.org 1; spf/1 = PASS smtp.mailfrom=a.example');
    expect(results).toMatchObject({ authservId: 'mx.example.org', spf: 'pass' });
  });

  test('takes no result from a comment or a quoted string', () => {
    const results = readAuthenticationResults(
      String.raw`mx.example.org; spf=fail (why; dmarc=pass (nested \) ; dkim=pass)) smtp.mailfrom="x;dmarc=pass"@evil.example; dmarc=fail`,
    );
    expect(results).toMatchObject({ spf: 'fail', dkim: undefined, dmarc: 'fail' });
  });

  test('believes the worse of two DMARC results', () => {
    expect(readAuthenticationResults('mx.example.org; dmarc=pass; dmarc=fail').dmarc).toBe('fail');
    expect(readAuthenticationResults('mx.example.org; dmarc=fail; dmarc=pass').dmarc).toBe('fail');
  });

  test('calls DKIM passed when one of several signatures is good', () => {
    expect(readAuthenticationResults('mx.example.org; dkim=fail; dkim=pass; dkim=permerror').dkim).toBe(
      'pass',
    );
  });

  test('leaves out what it does not know', () => {
    const results = readAuthenticationResults('mx.example.org; spf=wonderful; dmarc=bestguesspass; none');
    expect(results).toMatchObject({ spf: undefined, dmarc: 'none' });
    expect(readAuthenticationResults('')).toMatchObject({ authservId: undefined, spf: undefined });
  });
});

describe('whose field is believed', () => {
  test('Gmail: the field of mx.google.com, whatever stands above and below', () => {
    const forged = { value: 'mail.evil.example; dmarc=pass', hop: 0 };
    const results = ownServerResults(
      [forged, { value: GOOGLE, hop: 1 }, { value: 'mx.google.com; dmarc=fail', hop: 2 }],
      'imap.gmail.com',
    );
    expect(results).toMatchObject({ authservId: 'mx.google.com', dmarc: 'pass' });
  });

  test('Exchange Online: the topmost field without a name', () => {
    const forged = { value: 'spf=pass; dmarc=pass header.from=shop.example', hop: 3 };
    const results = ownServerResults([{ value: MICROSOFT, hop: 1 }, forged], 'outlook.office365.com');
    expect(results).toMatchObject({ dmarc: 'fail' });
    expect(
      ownServerResults(top('outlook.office365.com; dmarc=pass'), 'outlook.office365.com'),
    ).toBeUndefined();
  });

  test('another server: names of its own house', () => {
    expect(ownServerResults(top('mx1.example.org; dmarc=pass'), 'imap.example.org')).toBeDefined();
    expect(ownServerResults(top('example.org; dmarc=pass'), 'example.org')).toBeDefined();
    expect(ownServerResults(top('evil-example.org; dmarc=pass'), 'imap.example.org')).toBeUndefined();
    expect(ownServerResults(top('org; dmarc=pass'), 'example.org')).toBeUndefined();
    expect(ownServerResults(top('spf=pass; dmarc=pass'), 'imap.example.org')).toBeUndefined();
  });

  test('two filters of one server, each with its own field, count together', () => {
    const results = ownServerResults(
      [
        { value: 'mx.example.org; dmarc=fail header.from=shop.example', hop: 0 },
        { value: 'mx.example.org; spf=pass', hop: 0 },
        { value: 'mx.example.org; dkim=pass', hop: 1 },
      ],
      'imap.example.org',
    );
    expect(results).toMatchObject({ dmarc: 'fail', spf: 'pass', dkim: undefined });
  });
});

describe('a message that fails', () => {
  const results = (given: Partial<AuthenticationResults>): AuthenticationResults => ({
    authservId: 'mx.example.org',
    spf: undefined,
    dkim: undefined,
    dmarc: undefined,
    composite: undefined,
    fromDomain: undefined,
    ...given,
  });
  const fails = (given: Partial<AuthenticationResults>, sender = 'ada@shop.example'): boolean =>
    failsAuthentication(results(given), sender);

  test('DMARC or the composite verdict says so', () => {
    expect(fails({ dmarc: 'fail' })).toBe(true);
    expect(fails({ composite: 'fail', dmarc: 'none' })).toBe(true);
    expect(fails({ dmarc: 'pass', spf: 'fail' })).toBe(false);
  });

  test('DMARC passed for another domain than that of the sender', () => {
    expect(fails({ dmarc: 'pass', fromDomain: 'evil.example' })).toBe(true);
    expect(fails({ dmarc: 'pass', fromDomain: 'shop.example' })).toBe(false);
    expect(fails({ dmarc: 'pass', fromDomain: 'shop.example' }, 'ada@mail.SHOP.example')).toBe(false);
    expect(fails({ dmarc: 'pass', fromDomain: 'op.example' })).toBe(true);
  });

  test('without a DMARC policy: SPF failed and no signature is good', () => {
    expect(fails({ spf: 'fail' })).toBe(true);
    expect(fails({ spf: 'fail', dmarc: 'none', dkim: 'none' })).toBe(true);
    expect(fails({ spf: 'fail', dkim: 'pass' })).toBe(false);
    expect(fails({ spf: 'softfail' })).toBe(false);
  });

  test('a check that could not be made is no failure', () => {
    expect(fails({ dmarc: 'temperror', spf: 'fail' })).toBe(false);
    expect(fails({ dmarc: 'permerror' })).toBe(false);
    expect(fails({})).toBe(false);
    expect(failsAuthentication(undefined, 'ada@shop.example')).toBe(false);
  });
});
