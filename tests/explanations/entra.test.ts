import { describe, expect, test } from 'vitest';
import { judgeFailure, readFailure } from '../../shared/accounts/token-failure.ts';
import { entraEntries, entraEntry } from '../../shared/explanations/catalogue.ts';
import { explainText } from '../../shared/explanations/explain.ts';
import { entraAnswers } from './entra-answers.ts';
import { marksOf, shapes } from './microsoft-shapes.ts';

const tidied = (sentence: string): string => sentence.replaceAll(/\s+/g, ' ');

describe('errors of Entra', () => {
  test('in the catalogue each have an example of Microsoft in this test, and vice versa', () => {
    const explained = entraEntries.flatMap(({ numbers }) => numbers);
    expect(new Set(explained).size).toBe(explained.length);
    expect([...explained].sort()).toEqual(entraAnswers.map(([number]) => number).sort());
    expect(explained.length).toBeGreaterThanOrEqual(110);
  });

  test.each(entraAnswers)(
    'AADSTS%i (%s) is explained in every format that Microsoft uses',
    (number, error, retry, sentence) => {
      for (const { name, text } of shapes) {
        const marks = marksOf(`${name} ${number}`);
        const found = explainText({ text: text(number, error, sentence, marks) });
        expect(found, name).toMatchObject({
          code: `AADSTS${number}`,
          retry,
          correlationId: marks.correlation,
          traceId: marks.trace,
        });
        expect(found.timestamp?.replace('T', ' '), name).toBe(marks.timestamp);
        expect(found.said.slice(0, 60), name).toBe(tidied(sentence).slice(0, 60));
        expect(found.said, name).not.toMatch(
          /Trace ID|Correlation|wKx3-9cT0aVfEoW2mZ8yQ1rB7uN5sLh6|Troubles/,
        );
        expect(found.links.at(-1)?.href, name).toBe(`https://login.microsoftonline.com/error?code=${number}`);
        expect(found.cause, name).toBe(entraEntry(number)?.cause);
        expect(found.steps.join(), name).not.toMatch(/[{}]/);
        expect(found.steps.length, name).toBeGreaterThan(0);
      }
    },
  );

  test('are temporary or require a person, consistent with the accounts', () => {
    for (const [number, error, retry, sentence] of entraAnswers) {
      const [body] = shapes;
      const text = body?.text(number, error, sentence, marksOf(String(number))) ?? '';
      const failure = readFailure(
        'login.microsoftonline.com',
        { status: 400, text, retryAfter: undefined },
        0,
      );
      expect(judgeFailure(failure).kind === 'retrying', text).toBe(retry === 'by-itself');
    }
  });

  test('whose number only wraps another are explained by the other', () => {
    const text =
      'AADSTS70002: Error validating credentials. AADSTS50126: Error validating credentials due to invalid username or password.';
    expect(explainText({ text })).toMatchObject({ code: 'AADSTS50126', who: 'mailbox-owner' });
  });

  test.each([
    [
      'Need admin approval\n\nPostroom\nunverified\nPostroom needs permission to access resources in your organization that only an admin can grant. Please ask an admin to grant permission to this app before you can use it.\nHave an admin account? Sign in with that account\nReturn to the application without granting consent',
      'AADSTS90094',
    ],
    [
      'Approval required\nPostroom\nThis app requires your admin’s approval to:\nRead and write access to your mail\nEnter justification for requesting this app',
      'AADSTS90095',
    ],
    [
      'The reply URL specified in the request does not match the reply URLs configured for the application',
      'AADSTS50011',
    ],
    [
      'Error Code: 50105\nRequest Id: 61c5e8c1-3d3f-4d35-8b1a-0f0ffd0f0200\nCorrelation Id: 7a1c5e8c-1d3f-4d35-8b1a-0f0ffd0f0200\nTimestamp: 2026-11-24T01:42:11Z',
      'AADSTS50105',
    ],
    ['https://login.microsoftonline.com/error?code=53003', 'AADSTS53003'],
    ['aadsts700016', 'AADSTS700016'],
    ['50173', 'AADSTS50173'],
  ])('are found if the page does not show the number as such: %s', (text, code) => {
    expect(explainText({ text }).code).toBe(code);
  });
});

describe('numbers that are not in the catalogue', () => {
  const sentence = 'The frobnication of the token has been refused by policy.';
  const [tokenBody] = shapes;
  const text = tokenBody?.text(987654, 'invalid_grant', sentence, marksOf('unknown')) ?? '';

  test('show Microsoft’s own message and page, and the action for their `error`', () => {
    const found = explainText({ text });
    expect(found).toMatchObject({ code: 'AADSTS987654', retry: 'sign-in-again', said: sentence });
    expect(found.cause).toContain(sentence);
    expect(found.links.map(({ href }) => href)).toContain(
      'https://login.microsoftonline.com/error?code=987654',
    );
  });

  test('are explained by the suberror if there is one', () => {
    const body = { ...JSON.parse(text), suberror: 'message_only' };
    expect(explainText({ text: JSON.stringify(body) })).toMatchObject({
      who: 'tenant-admin',
      retry: 'after-fix',
    });
  });

  test.each([
    'AADSTS0: x',
    '{"error":"invalid_grant","error_codes":[0],"error_description":"AADSTS0: nothing"}',
    'AADSTS: no number',
  ])('never become code 0: %s', (broken) => {
    expect(explainText({ text: broken }).code).toMatch(/^(not-recognised|invalid_grant)$/);
  });
});

describe('errors without a number', () => {
  test.each([
    [
      '{"error":"invalid_grant","error_description":"Token has been expired or revoked."}',
      'invalid_grant',
      'sign-in-again',
    ],
    ['{"error":"invalid_client","error_description":"Unauthorized"}', 'invalid_client', 'after-fix'],
    [
      'https://desk.contoso.com/oauth/callback?error=access_denied&state=wKx3',
      'access_denied',
      'sign-in-again',
    ],
    ['{"error":"temporarily_unavailable"}', 'temporarily_unavailable', 'by-itself'],
    [
      '{"error":"interaction_required","suberror":"user_password_expired"}',
      'interaction_required',
      'sign-in-again',
    ],
    ['Token request failed with error: something odd (error=invalid_scope)', 'invalid_scope', 'after-fix'],
    ['consent_required', 'consent_required', 'sign-in-again'],
  ])('are explained by the OAuth error code: %s', (text, code, retry) => {
    expect(explainText({ text })).toMatchObject({ code, retry });
  });

  test('keep the provider’s message', () => {
    const text = '{"error":"invalid_grant","error_description":"Token has been expired or revoked."}';
    expect(explainText({ text }).said).toBe('Token has been expired or revoked.');
  });
});
