/** Assigning a ticket in Chromium: by keyboard, without a script, in the dark and on a phone. */
import { text } from 'node:stream/consumers';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { hasChromium, openChromium } from '../../dev/browser.ts';
import { axeViolations } from '../harness/browser/axe.ts';
import { type Served, serve } from '../harness/browser/serve.ts';
import { fillPostroom } from '../harness/memory/sample-mail.ts';
import { type SamplePostroom, samplePostroom } from '../harness/pages/sample-postroom.ts';

const WRONG = 'somebody-whose-name-is-long@a-department-with-a-long-name';

describe.skipIf(!hasChromium)('in a browser', () => {
  let browser: Browser;
  let postroom: SamplePostroom;
  let served: Served;
  let ticket: string;

  beforeAll(async () => {
    browser = await openChromium();
  });
  beforeEach(async () => {
    postroom = samplePostroom();
    const { conversation } = await fillPostroom(postroom);
    await postroom.mailbox({
      sending: { host: 'smtp.office365.com', port: 587, providerId: 'p1', accountId: 'a1' },
      answers: { alertOnTicket: ['team@contoso.example'], alertOnReply: ['kim.jones@contoso.example'] },
    });
    served = await serve(async (path, request) =>
      request.method === 'POST'
        ? postroom.ask(path, { method: 'POST', body: new URLSearchParams(await text(request)) })
        : postroom.ask(path),
    );
    ticket = `${served.url}/tickets/${conversation}`;
    return () => served.close();
  });
  afterAll(() => browser?.close());

  async function withPage(options: BrowserContextOptions, use: (page: Page) => Promise<void>): Promise<void> {
    const context = await browser.newContext(options);
    try {
      await use(await context.newPage());
    } finally {
      await context.close();
    }
  }
  const assigneeOf = (page: Page) => page.getByRole('region', { name: 'Assignee' });

  test('works by keyboard alone, without a script', () =>
    withPage({ javaScriptEnabled: false }, async (page) => {
      await page.goto(ticket);
      await page.getByRole('button', { name: 'Assign to me' }).focus();
      await page.keyboard.press('Enter');
      await page.getByRole('status').getByText('Ticket assigned.').waitFor();
      await assigneeOf(page).getByText('Assigned to Mira Sund').waitFor();
      await page.getByText('Assign to someone else').focus();
      await page.keyboard.press('Enter');
      await page.keyboard.press('Tab');
      await page.keyboard.type(WRONG);
      await page.keyboard.press('Enter');
      // Refused: the field is open again, with what was typed.
      await page.getByText('is not an email address').waitFor();
      const field = page.getByLabel('Email address');
      expect(await field.inputValue()).toBe(WRONG);
      await field.fill('kim.jones@contoso.example');
      await page.keyboard.press('Enter');
      await assigneeOf(page).getByText('Assigned to kim.jones@contoso.example').waitFor();
      await page.getByRole('button', { name: 'Unassign' }).press('Enter');
      await assigneeOf(page).getByText('Unassigned').waitFor();
    }));

  test('suggests the people who are known', () =>
    withPage({}, async (page) => {
      await page.goto(ticket);
      await page.getByText('Assign to someone else').click();
      const offered = await page
        .getByLabel('Email address')
        .evaluate((field) =>
          field instanceof HTMLInputElement ? [...(field.list?.options ?? [])].map(({ value }) => value) : [],
        );
      expect(offered).toEqual(['team@contoso.example', 'kim.jones@contoso.example']);
    }));

  test('limits the list as soon as “Me” is chosen', () =>
    withPage({}, async (page) => {
      await page.goto(ticket);
      await page.getByRole('button', { name: 'Assign to me' }).click();
      await page.goto(`${served.url}/tickets`);
      await page.getByLabel('Assigned to').selectOption('Me');
      await page.waitForURL(/assigned=me/);
      const rows = page.getByRole('list', { name: 'Open tickets' }).getByRole('listitem');
      expect(await rows.count()).toBe(1);
      expect(await rows.innerText()).toContain('Assigned to Mira Sund');
    }));

  test.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 320],
    ['light', 360],
  ] as const)('is accessible and fits: %s, %i pixels', (colorScheme, width) =>
    withPage({ colorScheme, viewport: { width, height: 800 } }, async (page) => {
      const faults: Record<string, unknown> = {};
      const check = async (what: string): Promise<void> => {
        const violations = await axeViolations(page, { except: ['iframe'] });
        const over = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        if (violations.length > 0 || over > 0) faults[what] = { violations, over };
      };
      await page.goto(ticket);
      await check('unassigned');
      await page.getByText('Assign to someone else').click();
      await check('with the field');
      await page.getByLabel('Email address').fill(WRONG);
      await page.getByLabel('Email address').press('Enter');
      await page.getByText('is not an email address').waitFor();
      await check('refused');
      await page.getByRole('button', { name: 'Assign to me' }).click();
      await page.getByRole('status').getByText('Ticket assigned.').waitFor();
      await check('assigned');
      await page.goto(`${served.url}/tickets`);
      await check('list');
      // Their address becomes one of ours.
      await postroom.mailbox({ id: 'mira', address: 'mira.sund@contoso.example' });
      await page.goto(ticket);
      await check('without alerts');
      expect(faults).toEqual({});
    }),
  );
});
