import { expect, it } from 'vitest';
import { DEMO_DOMAIN } from '../../dev/demo/organization.ts';
import {
  expectGoodPages,
  goToProvider,
  press,
  readHeading,
  signInThere,
  untilHandedOver,
  wordsOf,
} from './steps.ts';
import { addressOf, type StoryWorld } from './story-world.ts';

/** People who are needed for a sign-in and have no access to Postroom: the tenant's admin, the owner of a mailbox. */
export function approvalStories(world: () => StoryWorld, providerId: () => string): void {
  const stopAtApproval = async (): Promise<void> => {
    await world().postroom.stack.identityProvider.control.setTenant(DEMO_DOMAIN, { userConsent: false });
  };

  it('if only an admin may consent, the link for that admin is shown, and the owner continues from there', async () => {
    await stopAtApproval();
    const legal = addressOf('legal');
    const owner = await world().visit('approval-owner', 'alex');
    await goToProvider(owner.page, providerId(), { address: legal });
    await press(owner.page, owner.page.getByRole('button', { name: 'Sign in' }));
    await readHeading(owner.page, 'Need admin approval');
    await press(
      owner.page,
      owner.page.getByRole('button', { name: /^AuthorizationCallback to the application/ }),
    );
    await readHeading(owner.page, 'Admin consent required');
    await owner.lookClosely('an admin has to agree');
    expect(await wordsOf(owner.page)).toContain('Nothing was changed');
    const link = await owner.page.getByRole('textbox', { name: 'Link for the admin' }).inputValue();

    const admin = await world().visit('approval-admin', 'nobody');
    await admin.page.goto(link);
    await press(admin.page, admin.page.getByRole('button', { name: 'Cancel' }));
    await readHeading(admin.page, 'Access was not granted');
    await admin.lookClosely('not granted');
    await press(owner.page, owner.page.getByRole('link', { name: 'Check again' }));
    await readHeading(owner.page, 'Admin consent required');

    await admin.page.goto(link);
    await press(admin.page, admin.page.getByRole('button', { name: 'Accept' }));
    await readHeading(admin.page, 'Thank you, access is granted');
    await admin.lookClosely('granted');
    expect(await admin.page.getByRole('navigation').count()).toBe(0);

    await press(owner.page, owner.page.getByRole('link', { name: 'Check again' }));
    await readHeading(owner.page, 'Admin consent granted');
    await owner.look('an admin has agreed');
    await press(owner.page, owner.page.getByRole('button', { name: `Continue as ${legal}` }));
    await signInThere(owner.page, legal);
    await owner.page.waitForURL(/\/mailboxes\/new/);
    expect(await owner.page.getByLabel('Address').first().inputValue()).toBe(legal);
    expectGoodPages(owner);
    expectGoodPages(admin);
  });

  it('the owner of a mailbox connects it with a link, and sees nothing else of Postroom', async () => {
    const service = addressOf('service');
    const alex = await world().visit('invitation-admin', 'alex');
    await alex.page.goto(`/providers/${providerId()}/connect`);
    await alex.page.getByLabel('Address of the mailbox').fill(service);
    await press(alex.page, alex.page.getByRole('button', { name: 'Create a link for its owner' }));
    await readHeading(alex.page, `Invitation for ${service}`);
    await alex.look('link of the invitation');
    const link = await alex.page.getByRole('textbox', { name: 'Invitation link' }).inputValue();

    const owner = await world().visit('invitation-owner', 'nobody');
    const { page } = owner;
    await page.goto(link);
    await readHeading(page, `Connect ${service}`);
    await owner.lookClosely('invitation');
    await press(page, page.getByRole('button', { name: /^Sign in at/ }));
    await page.getByRole('heading', { name: 'Sign in', exact: true }).waitFor();
    await press(page, page.getByRole('button', { name: 'Sign in' }));
    await press(page, page.getByRole('button', { name: 'Cancel' }));
    await owner.lookClosely('declined by the owner');
    await press(page, page.getByRole('link', { name: 'Back to the invitation' }));
    await press(page, page.getByRole('button', { name: /^Sign in at/ }));
    await untilHandedOver(page);
    await signInThere(page, service);
    await readHeading(page, 'Done, you can close this page');
    await owner.lookClosely('done');
    expect(await page.getByRole('navigation').count()).toBe(0);
    await page.goto(link);
    await readHeading(page, 'Invitation already used');
    await owner.look('invitation is done');
    await page.goto('/mailboxes');
    expect(new URL(page.url()).pathname).toBe('/.auth/login/aad');

    await alex.page.goto('/invitations');
    await alex.look('invitations');
    expect(await wordsOf(alex.page)).toContain(service);
    await alex.page.goto('/mailboxes/new');
    expect(await wordsOf(alex.page)).toContain(service);
    expectGoodPages(alex);
    expectGoodPages(owner);
  });
}
