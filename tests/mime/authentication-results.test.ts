import { describe, expect, test } from 'vitest';
import {
  type AuthenticationResults,
  authenticationFields,
  failsAuthentication,
  ownServerResults,
  readAuthenticationResults,
} from '../../shared/mime/authentication-results.ts';
import { splitFields } from '../../shared/mime/raw-headers.ts';
import { clouds } from '../../shared/providers/clouds.ts';

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

  test('accepts a version after the name of the server and after a method', () => {
    const results = readAuthenticationResults('mx.example.org 1; spf/1 = PASS smtp.mailfrom=a.example');
    expect(results).toMatchObject({ authservId: 'mx.example.org', spf: 'pass' });
  });

  test('ignores comments and quoted strings', () => {
    const results = readAuthenticationResults(
      String.raw`mx.example.org; spf=fail (why; dmarc=pass (nested \) ; dkim=pass)) smtp.mailfrom="x;dmarc=pass"@evil.example; dmarc=fail`,
    );
    expect(results).toMatchObject({ spf: 'fail', dkim: undefined, dmarc: 'fail' });
  });

  test('uses the worse of two DMARC results', () => {
    expect(readAuthenticationResults('mx.example.org; dmarc=pass; dmarc=fail').dmarc).toBe('fail');
    expect(readAuthenticationResults('mx.example.org; dmarc=fail; dmarc=pass').dmarc).toBe('fail');
  });

  test('treats DKIM as passed if one of several signatures is valid', () => {
    expect(readAuthenticationResults('mx.example.org; dkim=fail; dkim=pass; dkim=permerror').dkim).toBe(
      'pass',
    );
  });

  test('ignores what it does not know', () => {
    const results = readAuthenticationResults('mx.example.org; spf=wonderful; dmarc=bestguesspass; none');
    expect(results).toMatchObject({ spf: undefined, dmarc: 'none' });
    expect(readAuthenticationResults('')).toMatchObject({ authservId: undefined, spf: undefined });
  });
});

describe('the content of a field', () => {
  const read = (value: string): Partial<AuthenticationResults> => {
    const said = Object.entries(readAuthenticationResults(value)).filter(([, word]) => word !== undefined);
    return Object.fromEntries(said);
  };
  test.each<[string, Partial<AuthenticationResults>]>([
    ['mx; spf=hardfail', { authservId: 'mx', spf: 'fail' }],
    ['mx; spf=neutral; spf=pass', { authservId: 'mx', spf: 'neutral' }],
    ['mx; spf=odd; spf=policy', { authservId: 'mx', spf: 'policy' }],
    ['mx; dkim=odd; dkim=temperror; dkim=permerror', { authservId: 'mx', dkim: 'temperror' }],
    ['mx; dmarc=none; dmarc=pass', { authservId: 'mx', dmarc: 'none' }],
    ['mx; dmarc=softfail', { authservId: 'mx', dmarc: 'softfail' }],
    ['mx; compauth=softpass; compauth=fail', { authservId: 'mx', composite: 'softpass' }],
    ['mx; compauth=none', { authservId: 'mx', composite: 'none' }],
    ['mx; compauth=PASS', { authservId: 'mx', composite: 'pass' }],
    ['mx; compauth=odd', { authservId: 'mx' }],
    ['mx; x-spf=pass; spfx=pass; 1spf=pass; x spf=pass', { authservId: 'mx' }],
    ['mx;  SPF = pass', { authservId: 'mx', spf: 'pass' }],
    ['mx; spf /  12  =  pass', { authservId: 'mx', spf: 'pass' }],
    ['mx;\tspf/1=pass', { authservId: 'mx', spf: 'pass' }],
    ['mx; spf/=pass; dkim//1=pass', { authservId: 'mx' }],
    ['"MX.example.org"  1 ; none', { authservId: 'mx.example.org' }],
    ['  mx  ', { authservId: 'mx' }],
    ['""; spf=pass', { spf: 'pass' }],
    [' ; spf=pass', { spf: 'pass' }],
    ['mx"x; spf=pass', {}],
    ['mx"x"y ; spf=pass', { authservId: 'mx"x"y', spf: 'pass' }],
  ])('%j means %j', (value, said) => {
    expect(read(value)).toEqual(said);
  });

  test.each([
    ['header.from=Shop.Example', 'shop.example'],
    ['header.from = "shop.example"', 'shop.example'],
    ['HEADER.FROM=ada@shop.example', 'shop.example'],
    ['header.from=a_b-c.example;', 'a_b-c.example'],
    ['policy.x=y header.from=shop.example', 'shop.example'],
    ['xheader.from=shop.example', undefined],
    ['header.from=', undefined],
    ['header-from=shop.example', undefined],
  ])('%j is about the domain %s', (property, domain) => {
    expect(readAuthenticationResults(`mx; dmarc=pass ${property}`).fromDomain).toBe(domain);
    expect(readAuthenticationResults(`mx; spf=pass ${property}`).fromDomain, 'DMARC alone says it').toBe(
      undefined,
    );
  });

  test('is about the first domain named', () => {
    const value = 'mx; dmarc=pass header.from=a.example; dmarc=fail header.from=b.example';
    expect(readAuthenticationResults(value).fromDomain).toBe('a.example');
  });

  test.each<[string, Partial<AuthenticationResults>]>([
    ['mx (a(b)c) ; spf(x)=(y)pass', { authservId: 'mx', spf: 'pass' }],
    ['mx; dkim=(;)fail', { authservId: 'mx', dkim: 'fail' }],
    ['m(x)x; spf=pass', { authservId: 'm', spf: 'pass' }],
    [String.raw`mx (a\) ; spf=fail) ; spf=pass`, { authservId: 'mx', spf: 'pass' }],
    [String.raw`mx (a\( ; spf=fail) ; spf=pass`, { authservId: 'mx', spf: 'pass' }],
    [String.raw`mx; a="\"; spf=fail; (" ; spf=pass`, { authservId: 'mx', spf: 'pass' }],
    ['mx; a="(" ; spf=pass; b=")"', { authservId: 'mx', spf: 'pass' }],
    [String.raw`mx; a=\"; spf=pass; b="`, { authservId: 'mx' }],
    [String.raw`mx\(x; spf=fail) ; spf=pass`, { authservId: 'mx\\', spf: 'pass' }],
    [String.raw`"mx\.example.org"; spf=pass`, { authservId: String.raw`mx\.example.org`, spf: 'pass' }],
    [String.raw`mx(a\)b) ; spf=pass`, { authservId: 'mx', spf: 'pass' }],
    ['m()x ; spf=pass', { authservId: 'm', spf: 'pass' }],
    ['mx; ) spf=pass; dkim=pass', { authservId: 'mx', dkim: 'pass' }],
    ['mx; spf=pass ("quoted; dkim=pass) ; dkim=fail', { authservId: 'mx', spf: 'pass', dkim: 'fail' }],
  ])('is ignored in comments and quoted strings: %j', (value, said) => {
    expect(read(value)).toEqual(said);
  });

  test('is ignored beyond 8 KB', () => {
    const padded = (length: number): string =>
      `mx; ${'x'.repeat(length - 4 - '; spf=pass'.length)}; spf=pass`;
    expect(readAuthenticationResults(padded(8192)).spf).toBe('pass');
    expect(readAuthenticationResults(padded(8200)).spf).toBeUndefined();
  });
});

describe('the fields of a message', () => {
  const fieldsOf = (header: string): unknown => authenticationFields(splitFields(Buffer.from(header)));

  test('are listed newest first, unfolded, with the number of servers above them', () => {
    expect(
      fieldsOf(
        [
          'Authentication-Results: a;\r\n spf=pass',
          'Received: by x',
          'X-Received: by z',
          'AUTHENTICATION-RESULTS: b; spf=fail',
          'Received: by y',
          'ARC-Authentication-Results: c; spf=pass',
          'Authentication-Results: d; spf=none',
          '',
        ].join('\r\n'),
      ),
    ).toEqual([
      { value: 'a; spf=pass', hop: 0 },
      { value: 'b; spf=fail', hop: 1 },
      { value: 'd; spf=none', hop: 2 },
    ]);
  });

  test('are at most twenty, each cut to the length that is read', () => {
    const many = Array.from({ length: 25 }, (_, index) => `Authentication-Results: mx${index}\r\n`).join('');
    const found = fieldsOf(many) as { value: string }[];
    expect(found.map(({ value }) => value)).toEqual(Array.from({ length: 20 }, (_, index) => `mx${index}`));
    const [long] = fieldsOf(`Authentication-Results:${'x'.repeat(9000)}\r\n`) as { value: string }[];
    expect(long?.value).toHaveLength(8192);
  });
});

describe('the trusted field', () => {
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

  test('another server: names of its own domain', () => {
    expect(ownServerResults(top('mx1.example.org; dmarc=pass'), 'imap.example.org')).toBeDefined();
    expect(ownServerResults(top('example.org; dmarc=pass'), 'example.org')).toBeDefined();
    expect(ownServerResults(top('evil-example.org; dmarc=pass'), 'imap.example.org')).toBeUndefined();
    expect(ownServerResults(top('org; dmarc=pass'), 'example.org')).toBeUndefined();
    expect(ownServerResults(top('spf=pass; dmarc=pass'), 'imap.example.org')).toBeUndefined();
  });

  test.each([
    'outlook.office365.com',
    'OFFICE365.com.',
    'outlook.office365.us',
    'imap-mail.outlook.com',
    'partner.outlook.cn',
    'imap.partner.outlook.cn',
    'webmail.apps.mil',
    ...Object.values(clouds).flatMap(({ imapHost, graph }) => [imapHost, new URL(graph).hostname]),
  ])('%s is Exchange Online, which names no server', (host) => {
    expect(ownServerResults(top('spf=pass'), host)?.spf).toBe('pass');
    expect(ownServerResults(top(`${host.toLowerCase()}; spf=pass`), host)).toBeUndefined();
  });

  test.each([
    'evil-outlook.com',
    'outlook.com.evil.example',
    'graph.microsoft.com.evil.example',
    'evil-graph.microsoft.com',
    'office365xcom.example',
    'outlook.cn',
    'officexcom',
  ])('%s is not Exchange Online', (host) => {
    expect(ownServerResults(top('spf=pass'), host)).toBeUndefined();
  });

  test.each(['imap.gmail.com', 'imap.googlemail.com', 'GMAIL.com'])('%s trusts only Google', (host) => {
    expect(ownServerResults(top('mx.google.com; spf=pass'), host)?.spf).toBe('pass');
    expect(ownServerResults(top('gmail.com; spf=pass'), host)).toBeUndefined();
    expect(ownServerResults(top('imap.gmail.com; spf=pass'), host)).toBeUndefined();
  });

  test.each(['imap.evilgmail.com', 'gmail.com.evil.example', 'imap.gmail.com.evil.example'])(
    '%s does not trust Google',
    (host) => {
      expect(ownServerResults(top('mx.google.com; spf=pass'), host)).toBeUndefined();
    },
  );

  test('a name belongs to the domain regardless of its dot, its case and a dot at the end of the host', () => {
    expect(ownServerResults(top('MX1.Example.ORG; spf=pass'), 'IMAP.example.org.')).toBeDefined();
    expect(ownServerResults(top('example.org; spf=pass'), 'imap.example.org')).toBeDefined();
    expect(ownServerResults(top('b.example.org; spf=pass'), 'a.mail.example.org')).toBeUndefined();
    expect(ownServerResults(top('a.example.org; spf=pass'), 'example.org')).toBeDefined();
    expect(ownServerResults(top('other.org; spf=pass'), 'example.org')).toBeUndefined();
  });

  test('the upper field of a server takes precedence; the lower ones add what it omits', () => {
    const all = 'dkim=pass; spf=pass; dmarc=pass header.from=a.example; compauth=pass';
    const none = 'dkim=none; spf=none; dmarc=none header.from=b.example; compauth=none';
    const fields = (...values: string[]) =>
      values.map((value) => ({ value: `mx.example.org; ${value}`, hop: 0 }));
    const expected = {
      authservId: 'mx.example.org',
      spf: 'pass',
      dkim: 'pass',
      dmarc: 'pass',
      composite: 'pass',
      fromDomain: 'a.example',
    };
    expect(ownServerResults(fields(all, none), 'imap.example.org')).toEqual(expected);
    expect(ownServerResults(fields('x=y', all, none), 'imap.example.org')).toEqual(expected);
  });

  test('another name of the same domain at the same place adds nothing', () => {
    const results = ownServerResults(
      [
        { value: 'mx1.example.org; spf=pass', hop: 0 },
        { value: 'mx2.example.org; dkim=pass', hop: 0 },
      ],
      'imap.example.org',
    );
    expect(results).toMatchObject({ spf: 'pass', dkim: undefined });
  });

  test('at most twenty fields are read', () => {
    const others = (count: number) =>
      Array.from({ length: count }, () => ({ value: 'other; spf=fail', hop: 0 }));
    const own = { value: 'mx.example.org; spf=pass', hop: 0 };
    expect(ownServerResults([...others(19), own], 'imap.example.org')).toBeDefined();
    expect(ownServerResults([...others(20), own], 'imap.example.org')).toBeUndefined();
    expect(ownServerResults([], 'imap.example.org')).toBeUndefined();
  });

  test('two filters of one server, each with its own field, are combined', () => {
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

  test('has a failed DMARC or composite verdict', () => {
    expect(fails({ dmarc: 'fail' })).toBe(true);
    expect(fails({ composite: 'fail', dmarc: 'none' })).toBe(true);
    expect(fails({ dmarc: 'pass', spf: 'fail' })).toBe(false);
  });

  test('passed DMARC for a domain other than the sender’s', () => {
    expect(fails({ dmarc: 'pass', fromDomain: 'evil.example' })).toBe(true);
    expect(fails({ dmarc: 'pass', fromDomain: 'shop.example' })).toBe(false);
    expect(fails({ dmarc: 'pass', fromDomain: 'shop.example' }, 'ada@mail.SHOP.example')).toBe(false);
    expect(fails({ dmarc: 'pass', fromDomain: 'op.example' })).toBe(true);
    expect(fails({ dmarc: 'pass', fromDomain: 'mail.shop.example' })).toBe(false);
    expect(fails({ dmarc: 'pass', fromDomain: 'mailshop.example' })).toBe(true);
    expect(failsAuthentication(results({ dmarc: 'pass', fromDomain: 'evil.example' }), undefined)).toBe(
      false,
    );
    expect(fails({ dmarc: 'pass', fromDomain: 'evil.example' }, 'evil.example@shop.example')).toBe(true);
  });

  test('has no DMARC policy, failed SPF and no valid signature', () => {
    expect(fails({ spf: 'fail' })).toBe(true);
    expect(fails({ spf: 'fail', dmarc: 'none', dkim: 'none' })).toBe(true);
    expect(fails({ spf: 'fail', dkim: 'pass' })).toBe(false);
    expect(fails({ spf: 'softfail' })).toBe(false);
    expect(fails({ spf: 'pass', dkim: 'fail' })).toBe(false);
    expect(fails({ spf: 'fail', dmarc: 'softfail' })).toBe(false);
  });

  test('does not include a check that could not be made', () => {
    expect(fails({ dmarc: 'temperror', spf: 'fail' })).toBe(false);
    expect(fails({ dmarc: 'permerror' })).toBe(false);
    expect(fails({})).toBe(false);
    expect(failsAuthentication(undefined, 'ada@shop.example')).toBe(false);
  });
});
