/** Error lookup: explains a pasted error with this installation’s values. The text is not stored. */
import { redirectUriOf } from '../../../shared/consent/start-consent.ts';
import { explainText } from '../../../shared/explanations/explain.ts';
import type { Explanation } from '../../../shared/explanations/explanation.ts';
import { loginsOf } from '../../../shared/mailboxes/mailbox-logins.ts';
import { paths } from '../../../shared/paths/paths.ts';
import { ErrorSummary, SubmitButton, TextAreaField } from '../../../shared/ui/forms.tsx';
import { Page, renderPage } from '../../../shared/ui/page.tsx';
import { formData } from '../../http/form-data.ts';
import type { PageContext } from '../../http/web-environment.ts';
import { explainContext } from './explain-context.ts';
import { ExplanationView } from './explanation-view.tsx';

const NOTHING_PASTED = 'Paste the error: a whole page, an address, or a line of a mail server.';

export async function explainPastedError(c: PageContext): Promise<Response> {
  const text = (await formData(c))['error'] ?? '';
  if (text.trim() === '') return c.html(pastePage(c, { mistake: NOTHING_PASTED }), 422);
  return c.html(pastePage(c, { explanation: await explained(c, text) }));
}
export const showErrorLookup = (c: PageContext): Response => c.html(pastePage(c, {}));

/** With the ids of the app and mailbox that the text is about, as far as it names one that is registered here. */
async function explained(c: PageContext, text: string): Promise<Explanation> {
  const { providers, mailboxes, accounts, config } = c.get('services');
  const [known, boxes] = await Promise.all([providers.list(), mailboxes.list()]);
  const lower = text.toLowerCase();
  const named = known.find(({ clientId }) => clientId !== '' && lower.includes(clientId.toLowerCase()));
  // With one provider there is no doubt; with several, a wrong link would be worse than a general one.
  const provider = named ?? (known.length === 1 ? known[0] : undefined);
  const mailbox = boxes.find(({ address }) => lower.includes(address.toLowerCase()));
  const login = mailbox && Object.values(loginsOf(mailbox)).find((one) => one?.providerId === provider?.id);
  const account = login && (await accounts.get(login))?.account;
  const about = {
    config,
    provider,
    account,
    mailbox: mailbox?.address,
    redirectUri: redirectUriOf(config, provider),
  };
  return explainText({ text, context: explainContext(about) });
}

function pastePage(c: PageContext, view: { explanation?: Explanation; mistake?: string }): string {
  const { explanation, mistake } = view;
  const errors = mistake === undefined ? {} : { error: mistake };
  return renderPage(
    <Page
      title={explanation?.title ?? 'Error lookup'}
      principal={c.get('principal')}
      hasErrors={mistake !== undefined}
    >
      <ErrorSummary errors={errors} />
      {explanation === undefined ? (
        <p>
          Some errors appear only on Microsoft’s page and never reach Postroom. Paste what you saw to learn
          what it means, who can fix it, and how.
        </p>
      ) : (
        <ExplanationView explanation={explanation} titled={false} />
      )}
      {explanation === undefined ? null : <h2>Another error?</h2>}
      <form method="post" action={paths.errorLookup()} novalidate>
        <TextAreaField
          name="error"
          label="The error"
          hint="The whole Microsoft page with its “Troubleshooting details”, the address of the page, or a line such as “535 5.7.139 …”. The text is not stored."
          error={mistake}
        />
        <SubmitButton>Explain</SubmitButton>
      </form>
    </Page>,
  );
}
