import { describe, expect, test } from 'vitest';
import {
  foreignPrincipalPage,
  malformedPage,
  signInOffPage,
  tooLargePage,
} from '../../functions/pages/errors/error-pages.tsx';
import { expectUsableInBrowser, expectWhole } from '../harness/browser/check-drawn.ts';

describe('a page that refuses', () => {
  const drawn = {
    'sign-in off': signInOffPage(),
    'another organization': foreignPrincipalPage(),
    'no form': malformedPage(),
    'too large': tooLargePage(),
  };

  test('is complete and says what to do', () => {
    expectWhole(drawn);
    expect(drawn['another organization']).toContain('href="/.auth/logout"');
    expect(drawn['sign-in off']).toContain('WEBSITE_AUTH_AAD_ALLOWED_TENANTS');
  });

  test('passes axe in light and dark mode, and fits a phone', async () => {
    await expectUsableInBrowser(drawn);
  });
});
