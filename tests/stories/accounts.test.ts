/**
 * Providers, sign-ins and accounts in a browser, with all their failures: what a person then reads, and
 * that the next step works. One demo for all of them.
 */
import { afterAll, beforeAll, beforeEach, describe } from 'vitest';
import { hasChromium } from '../../dev/browser.ts';
import { approvalStories } from './approval-stories.ts';
import { connectionTestStories } from './connection-test-stories.ts';
import { consentStories } from './consent-stories.ts';
import { everyPage } from './every-page.ts';
import { guidedPath } from './guided-path.ts';
import { lostEmailStories } from './lost-email-stories.ts';
import { providerStories } from './provider-stories.ts';
import { repairStories } from './repair-stories.ts';
import { registerDemo } from './steps.ts';
import { openStoryWorld, type StoryWorld } from './story-world.ts';

describe.skipIf(!hasChromium)('a mailbox is connected in a browser', () => {
  let world: StoryWorld;
  let providerId: string;

  beforeAll(async () => {
    world = await openStoryWorld();
    const { page } = await world.visit('set-up', 'alex');
    providerId = await registerDemo(page, 'Contoso', { push: false });
  });
  beforeEach(() => world.reset());
  afterAll(() => world?.[Symbol.asyncDispose]());

  for (const stories of [
    guidedPath,
    providerStories,
    consentStories,
    approvalStories,
    repairStories,
    connectionTestStories,
    lostEmailStories,
    everyPage,
  ])
    stories(
      () => world,
      () => providerId,
    );
});
